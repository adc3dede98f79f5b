//! What `integrations check` finds: each leg an integration stands on, whether it holds, what to do if not.
//!
//! It looks, and asks nobody: whether the provider agrees shows when the token is refreshed or used.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use flowrun_step::{IntegrationName, IntegrationState};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::LookupError;
use crate::command::command;
use crate::id::Id;
use crate::inner::Inner;
use crate::lookup::find;
use crate::record::{Freshness, Record};
use crate::view::redirect_uri;

/// What a [`Finding`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Leg {
    /// The data folder: its mode, the kind of its file system. The key has been checked by then.
    Custody,
    /// Client id, client secret, callback URL.
    Settings,
    /// Whether somebody has authorised it, and nothing has undone that.
    Authorization,
    /// Whether its token can be renewed.
    Refresh,
    /// Whether every scope that was asked for was granted.
    Scope,
    /// Which hosts its token may be sent to.
    Hosts,
    /// Whether the clock fits the times on record.
    Clock,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What it is about.
    pub leg: Leg,
    /// Whether it holds.
    pub ok: bool,
    /// What was seen.
    pub said: String,
    /// What to do, if something is to be done.
    pub help: Option<String>,
}

impl Finding {
    fn good(leg: Leg, said: impl Into<String>) -> Self {
        Self { leg, ok: true, said: said.into(), help: None }
    }

    fn bad(leg: Leg, said: impl Into<String>, help: impl Into<String>) -> Self {
        Self { leg, ok: false, said: said.into(), help: Some(help.into()) }
    }
}

impl Inner {
    pub(crate) async fn check(&self, name: IntegrationName) -> Result<Vec<Finding>, LookupError> {
        let read = move |book: &crate::custody::Book<'_>| Ok(find(book, &name));
        let (id, name, record) = self.custody.read(read).await?.0?;
        let now = self.world.clock.now();
        Ok(vec![
            self.custody.data_dir().map_or_else(in_memory, folder),
            settings(&id, &name, &record),
            authorization(&name, &record),
            refresh(&name, &record, now),
            scope(&name, &record),
            hosts(&record),
            clock(&record, now),
        ])
    }
}

fn in_memory() -> Finding {
    Finding::good(Leg::Custody, "kept in memory, until the process ends")
}

fn folder(data_dir: &Path) -> Finding {
    let shown = data_dir.display();
    let is_open = std::fs::metadata(data_dir).is_ok_and(|found| found.mode() & 0o077 != 0);
    if is_open {
        let said = format!("{shown} can be entered by others");
        return Finding::bad(Leg::Custody, said, format!("chmod 700 {shown}"));
    }
    if is_on_network(data_dir) {
        let said = format!("{shown} is on a network file system, whose locks cannot be relied on");
        return Finding::bad(Leg::Custody, said, "use a data folder on a local disk");
    }
    Finding::good(Leg::Custody, format!("sealed in {shown}"))
}

/// NFS, SMB, CIFS, SMB2, 9P, AFS, Ceph, as `statfs` names them.
const NETWORK: [u32; 7] = [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x0102_1997, 0x5346_414f, 0x00c3_6400];

fn is_on_network(folder: &Path) -> bool {
    // The kernel's numbers have 32 bits, whatever the width of the field.
    rustix::fs::statfs(folder).is_ok_and(|found| NETWORK.contains(&(found.f_type as u32)))
}

fn settings(id: &Id, name: &IntegrationName, record: &Record) -> Finding {
    match record.client() {
        Ok(_) if record.uses_client_credentials() => {
            Finding::good(Leg::Settings, "client id and secret are there")
        }
        Ok(_) => Finding::good(Leg::Settings, format!("callback URL {}", redirect_uri(record, id))),
        Err(missing) => Finding::bad(Leg::Settings, format!("no {missing} yet"), command("edit", name)),
    }
}

fn authorization(name: &IntegrationName, record: &Record) -> Finding {
    let state = record.state();
    let said = match (&record.last_failure, state) {
        (Some(failure), IntegrationState::NeedsAttention(_)) => format!("{state}: {}", failure.said),
        _ => state.to_string(),
    };
    match state {
        IntegrationState::Authorized => Finding::good(Leg::Authorization, said),
        _ => Finding::bad(Leg::Authorization, said, command("authorize", name)),
    }
}

fn refresh(name: &IntegrationName, record: &Record, now: Timestamp) -> Finding {
    let Some(tokens) = &record.tokens else { return Finding::good(Leg::Refresh, "no token yet") };
    if let Some(said) = record.cooling_words(now) {
        return Finding::bad(
            Leg::Refresh,
            format!("the last refresh failed: {said}"),
            command("refresh", name),
        );
    }
    if tokens.refresh_expires_at.is_some_and(|end| end <= now) {
        return Finding::bad(Leg::Refresh, "the refresh token has expired", command("authorize", name));
    }
    let renews = record.is_refreshable();
    match (tokens.expires_at(), tokens.freshness(&record.provider, now)) {
        (None, _) => Finding::good(Leg::Refresh, "the token has no end"),
        (Some(end), _) if renews => Finding::good(Leg::Refresh, format!("good until {end}, then renewed")),
        (Some(end), Freshness::Expired) => {
            let said = format!("expired at {end}, and the provider gave no refresh token");
            Finding::bad(Leg::Refresh, said, format!("{} --force-consent", command("authorize", name)))
        }
        (Some(end), _) => {
            let said = format!("good until {end}, and the provider gave no refresh token");
            Finding::bad(Leg::Refresh, said, format!("{} --force-consent", command("authorize", name)))
        }
    }
}

fn scope(name: &IntegrationName, record: &Record) -> Finding {
    match record.missing_scopes() {
        missing if missing.is_empty() => Finding::good(Leg::Scope, "as asked"),
        missing => {
            let said = format!("asked for and not granted: {}", missing.join(", "));
            Finding::bad(Leg::Scope, said, command("authorize", name))
        }
    }
}

fn hosts(record: &Record) -> Finding {
    let hosts: Vec<_> = record.hosts.iter().map(ToString::to_string).collect();
    Finding::good(Leg::Hosts, format!("its token may go to {}", hosts.join(", ")))
}

fn clock(record: &Record, now: Timestamp) -> Finding {
    match &record.tokens {
        Some(tokens) if now < tokens.obtained_at => {
            let said = format!("the token was obtained at {}, and it is {now}", tokens.obtained_at);
            Finding::bad(Leg::Clock, said, "set the clock; until then the token is used as if it were good")
        }
        _ => Finding::good(Leg::Clock, "fits the times on record"),
    }
}
