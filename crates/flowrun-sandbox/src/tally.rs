//! What the sandbox remembers of being used: counts per provider, and a log without secrets.

/// How often one provider was asked for what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Consents given on the consent page.
    pub authorizations: u64,
    /// Authorization codes redeemed.
    pub codes: u64,
    /// Refresh tokens exchanged for a new access token.
    pub refreshes: u64,
    /// Requests to the provider's API, answered well or not.
    pub api_calls: u64,
    /// Requests of any kind that were answered with an error.
    pub refused: u64,
}

/// One request the sandbox has answered; no query, header or body, so no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The request's method.
    pub method: String,
    /// The host name it was meant for.
    pub host: String,
    /// Its path.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
}
