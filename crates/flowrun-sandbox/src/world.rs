//! All providers together, and what was asked of them.

use std::collections::VecDeque;
use std::time::Duration;

use http::Method;
use jiff::Timestamp;

use crate::call::{Call, Reply};
use crate::desk::Desk;
use crate::hosts::Site;
use crate::mint::Mint;
use crate::provider::google::Google;
use crate::provider::intercom::Intercom;
use crate::provider::teamleader::Teamleader;
use crate::provider::zoho::Zoho;
use crate::{Logged, Options, ProviderName};

/// What an access token lives unless the options say otherwise.
const HOUR: Duration = Duration::from_secs(3600);

/// How many requests are remembered.
const REMEMBERED: usize = 10_000;

/// Everything a sandbox keeps.
pub(crate) struct World {
    teamleader: Teamleader,
    zoho: Zoho,
    google: Google,
    intercom: Intercom,
    log: VecDeque<Logged>,
}

impl World {
    /// A world in which nobody has asked for anything yet.
    pub(crate) fn new(options: &Options) -> Self {
        let lives = options.access_lifetime.unwrap_or(HOUR);
        let mint = |purpose| Mint::new(options.entropy.clone(), purpose);
        Self {
            teamleader: Teamleader::new(lives, mint("teamleader")),
            zoho: Zoho::new(lives, mint("zoho")),
            google: Google::new(lives, mint("google")),
            intercom: Intercom::new(mint("intercom")),
            log: VecDeque::new(),
        }
    }

    /// Answers a call to a host, counts it and writes it down.
    pub(crate) fn answer(&mut self, host: (&'static str, Site), call: &Call, now: Timestamp) -> Reply {
        let reply = match (call.fault, host.1) {
            (Some(fault), _) => Reply::empty(fault),
            (None, Site::Teamleader(role)) => self.teamleader.answer(role, call, now),
            (None, Site::Zoho(centre, role)) => self.zoho.answer((centre, role), call, now),
            (None, Site::Google(service)) => self.google.answer(service, call, now),
            (None, Site::Intercom(region, role)) => self.intercom.answer((region, role), call, now),
        };
        self.desk_mut(host.1).stats.refused += u64::from(reply.refused);
        self.note(host.0, &call.method, &call.path, reply.status.as_u16());
        reply
    }

    /// The authorization server of a provider.
    pub(crate) fn desk(&self, provider: ProviderName) -> &Desk {
        match provider {
            ProviderName::Teamleader => &self.teamleader.desk,
            ProviderName::Zoho => &self.zoho.desk,
            ProviderName::Google => &self.google.desk,
            ProviderName::Intercom => &self.intercom.desk,
        }
    }

    /// The requests remembered, the oldest first.
    pub(crate) fn requests(&self) -> Vec<Logged> {
        self.log.iter().cloned().collect()
    }

    fn desk_mut(&mut self, site: Site) -> &mut Desk {
        match site {
            Site::Teamleader(_) => &mut self.teamleader.desk,
            Site::Zoho(..) => &mut self.zoho.desk,
            Site::Google(_) => &mut self.google.desk,
            Site::Intercom(..) => &mut self.intercom.desk,
        }
    }

    fn note(&mut self, host: &str, method: &Method, path: &str, status: u16) {
        if self.log.len() == REMEMBERED {
            self.log.pop_front();
        }
        let (method, host, path) = (method.to_string(), host.to_owned(), path.to_owned());
        self.log.push_back(Logged { method, host, path, status });
    }
}
