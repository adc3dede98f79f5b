//! What `integrations check` finds: each leg an integration stands on, whether it holds, what to do if not.

use serde::Serialize;

/// What a [`Finding`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Leg {
    /// The key file and the data folder: owner, mode, place.
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
