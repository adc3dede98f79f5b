//! An integration's own legs: from the person's yes to the clock.

use std::time::Duration;

use flowrun_oauth::RedirectRule;
use flowrun_step::{IntegrationName, IntegrationState, NeedsAttention};
use jiff::Timestamp;
use url::Url;

use super::{Finding, Leg, new_client};
use crate::budget;
use crate::command::command;
use crate::hosts::authority;
use crate::id::Id;
use crate::live::copied;
use crate::record::{Record, Stage, Tokens};
use crate::view::redirect_uri;

/// How far two clocks may be apart: as much as a token is renewed before its end.
const TOLERANCE: Duration = Duration::from_secs(60);

/// One integration, as its legs are looked at.
struct Patient<'a> {
    id: &'a Id,
    name: &'a IntegrationName,
    record: &'a Record,
    now: Timestamp,
}

pub(super) fn findings(id: &Id, name: &IntegrationName, record: &Record, now: Timestamp) -> Vec<Finding> {
    let patient = Patient { id, name, record, now };
    vec![
        patient.authorize(),
        patient.callback(),
        patient.exchange(),
        patient.refresh(),
        patient.scope(),
        patient.host(),
        patient.clock(),
    ]
}

/// The leg that gave way when an integration came to need attention.
fn leg_of(reason: NeedsAttention) -> Leg {
    match reason {
        NeedsAttention::RefreshRefused | NeedsAttention::ReplyLost | NeedsAttention::ClientRejected => {
            Leg::Refresh
        }
        NeedsAttention::ScopeReduced => Leg::Scope,
        NeedsAttention::KeyMissing => Leg::Key,
        _ => Leg::Authorize,
    }
}

impl Patient<'_> {
    fn command(&self, verb: &str) -> String {
        command(verb, self.name)
    }

    /// Its state and what led there, if it is about this leg.
    fn attention(&self, leg: Leg) -> Option<String> {
        let reason = self.record.attention.filter(|reason| leg_of(*reason) == leg)?;
        let failure = self.record.last_failure.as_ref().map(|failure| format!(": {}", failure.said));
        Some(format!("{reason}{}", failure.unwrap_or_default()))
    }

    fn authorize(&self) -> Finding {
        let failed = self.record.failed_at(&[Stage::Authorize]);
        if let Some(reason) = self.record.attention.filter(|reason| leg_of(*reason) == Leg::Authorize) {
            let copied = self.record.is_waiting_copy().then(|| format!("{reason}: {}", copied(self.name)));
            let said = copied.unwrap_or_else(|| reason.to_string());
            return Finding::bad(Leg::Authorize, said, self.command("authorize"));
        }
        if let Err(missing) = self.record.client() {
            return Finding::bad(Leg::Authorize, format!("no {missing} yet"), new_client(self.name));
        }
        match (self.record.state(), failed, self.record.authorized_at) {
            (IntegrationState::Incomplete, Some(failure), _) => {
                let said = format!("never authorised; the last attempt: {}", failure.said);
                Finding::bad(Leg::Authorize, said, self.command("authorize"))
            }
            (IntegrationState::Incomplete, None, _) => {
                Finding::bad(Leg::Authorize, "never authorised", self.command("authorize"))
            }
            (_, Some(failure), _) => {
                let said = format!("authorised; a later attempt changed nothing: {}", failure.said);
                Finding::good(Leg::Authorize, said)
            }
            (_, None, Some(at)) => Finding::good(Leg::Authorize, format!("authorised at {at}")),
            (_, None, None) => Finding::good(Leg::Authorize, "authorised"),
        }
    }

    fn callback(&self) -> Finding {
        if self.record.uses_client_credentials() {
            return Finding::good(Leg::Callback, "none is needed: the client acts for itself");
        }
        let now = redirect_uri(self.record, self.id);
        if let Some(failure) = self.record.failed_at(&[Stage::Callback]) {
            let said = format!("the browser did not come back in time to {now}: {}", failure.said);
            return Finding::bad(Leg::Callback, said, self.command("authorize"));
        }
        if let Some(then) = self.record.callback_then.as_ref().filter(|then| **then != now) {
            let said = format!("changed since it was authorised: it was {then}, and is {now}");
            let help = format!("register {now} at the provider, then {}", self.command("authorize"));
            return Finding::bad(Leg::Callback, said, help);
        }
        let is_pasted = self.record.redirect_uri.is_none()
            && self.record.provider.settings().redirect == RedirectRule::HttpsRequired;
        let how = if is_pasted { ", whose address is pasted: the provider wants https" } else { "" };
        Finding::good(Leg::Callback, format!("{now}{how}"))
    }

    fn exchange(&self) -> Finding {
        match self.record.failed_at(&[Stage::Exchange, Stage::ExchangeClient]) {
            Some(failure) if failure.stage == Stage::ExchangeClient => {
                let help = format!("{}, then {}", new_client(self.name), self.command("authorize"));
                Finding::bad(Leg::Exchange, failure.said.clone(), help)
            }
            Some(failure) => Finding::bad(Leg::Exchange, failure.said.clone(), self.command("authorize")),
            None if self.record.authorized_at.is_some() => {
                Finding::good(Leg::Exchange, "the provider granted what was asked for")
            }
            None => Finding::good(Leg::Exchange, "nothing was exchanged yet"),
        }
    }

    fn refresh(&self) -> Finding {
        if let Some(said) = self.attention(Leg::Refresh) {
            let is_client = self.record.attention == Some(NeedsAttention::ClientRejected);
            let authorize = self.command("authorize");
            let help =
                if is_client { format!("{}, then {authorize}", new_client(self.name)) } else { authorize };
            return Finding::bad(Leg::Refresh, said, help);
        }
        let Some(tokens) = &self.record.tokens else {
            return Finding::good(Leg::Refresh, "no token yet");
        };
        if let Some(failure) = self.record.failed_at(&[Stage::Refresh]) {
            let said = format!("the last refresh failed: {}", failure.said);
            return Finding::bad(Leg::Refresh, said, format!("{} --force", self.command("refresh")));
        }
        if let Some(until) = self.record.spent_until(self.now) {
            let said = budget::words(self.record.provider.settings().budget, until);
            return Finding::bad(
                Leg::Refresh,
                said,
                "wait until then; a token that is good is used meanwhile",
            );
        }
        self.ends(tokens)
    }

    /// What the ends of both tokens mean.
    fn ends(&self, tokens: &Tokens) -> Finding {
        let refresh_end = self.record.refresh_ends_at();
        if refresh_end.is_some_and(|end| end <= self.now) {
            let said = "the refresh token has expired";
            return Finding::bad(Leg::Refresh, said, self.command("authorize"));
        }
        let until = refresh_end.map_or_else(String::new, |end| format!("; its refresh token until {end}"));
        let Some(end) = tokens.expires_at() else {
            return Finding::good(Leg::Refresh, "the token has no end");
        };
        if self.record.is_refreshable() {
            return Finding::good(Leg::Refresh, format!("good until {end}, then renewed{until}"));
        }
        let verb = if end <= self.now { "expired at" } else { "good until" };
        let said = format!("{verb} {end}, and the provider gave no refresh token");
        Finding::bad(Leg::Refresh, said, format!("{} --force-consent", self.command("authorize")))
    }

    fn scope(&self) -> Finding {
        let missing = self.record.missing_scopes();
        if let Some(said) = self.attention(Leg::Scope) {
            return Finding::bad(Leg::Scope, said, self.command("authorize"));
        }
        if missing.is_empty() {
            return Finding::good(Leg::Scope, "as asked");
        }
        let said = format!("asked for and not granted: {}", missing.join(", "));
        Finding::bad(Leg::Scope, said, self.command("authorize"))
    }

    fn host(&self) -> Finding {
        let rules = &self.record.hosts;
        if let Some(url) = self.own_api().find(|url| !rules.iter().any(|rule| rule.covers(url))) {
            let host = authority(&url);
            let said = format!("its API is at {host}, where its token may not go");
            return Finding::bad(Leg::Host, said, format!("{} {host}", self.command("allow")));
        }
        let hosts: Vec<_> = rules.iter().map(ToString::to_string).collect();
        Finding::good(Leg::Host, format!("its token may go to {}", hosts.join(", ")))
    }

    /// The addresses among the kept token fields, such as Zoho's `api_domain`: only those that the provider's settings
    /// list, so that nothing a reply could invent is ever suggested to be trusted.
    fn own_api(&self) -> impl Iterator<Item = Url> {
        let rules = self.record.provider.settings().keep_from_token.iter();
        rules.filter_map(|rule| {
            let value = self.record.kept.get(&rule.name).filter(|value| rule.one_of.contains(value))?;
            Url::parse(value).ok().filter(Url::has_host)
        })
    }

    fn clock(&self) -> Finding {
        let is_past = |tokens: &&Tokens| self.now < tokens.obtained_at;
        if let Some(tokens) = self.record.tokens.as_ref().filter(is_past) {
            let said = format!("the token was obtained at {}, and it is {}", tokens.obtained_at, self.now);
            let help = "set the clock; until then the token is used as if it were good";
            return Finding::bad(Leg::Clock, said, help);
        }
        let Some(ahead) = self.record.provider_ahead else {
            return Finding::good(Leg::Clock, "fits the times on record");
        };
        if ahead.unsigned_abs() <= TOLERANCE.as_secs() {
            return Finding::good(Leg::Clock, "fits the provider's and the times on record");
        }
        let (by, which) = (ahead.unsigned_abs(), if ahead > 0 { "slow" } else { "fast" });
        let said = format!("this machine's clock was {by} s {which} by the provider's, at the last exchange");
        let help = format!("set the clock, then {} --force", self.command("refresh"));
        Finding::bad(Leg::Clock, said, help)
    }
}
