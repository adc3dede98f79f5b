//! The providers the sandbox plays: each its own file, its own wire.
//!
//! A provider answers a [`Call`](crate::call::Call) with a [`Reply`](crate::call::Reply) and keeps what it
//! must remember; it knows no socket, no clock and no other provider.

pub(crate) mod google;
pub(crate) mod intercom;
pub(crate) mod teamleader;
pub(crate) mod zoho;

use secrecy::SecretString;

/// A provider the sandbox plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProviderName {
    /// Teamleader Focus, on the hosts of today and those of the seed.
    Teamleader,
    /// Zoho, in every data centre.
    Zoho,
    /// Google.
    Google,
    /// Intercom, in its three regions.
    Intercom,
}

impl ProviderName {
    /// The name as its pages write it.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Teamleader => "Teamleader",
            Self::Zoho => "Zoho",
            Self::Google => "Google",
            Self::Intercom => "Intercom",
        }
    }
}

/// An OAuth client a provider of this sandbox knows.
#[derive(Debug, Clone)]
pub struct Client {
    /// The client id.
    pub id: String,
    /// The client secret, made anew by each sandbox.
    pub secret: SecretString,
}
