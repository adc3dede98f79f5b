//! The providers the sandbox plays.

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

/// An OAuth client a provider of this sandbox knows.
#[derive(Debug, Clone)]
pub struct Client {
    /// The client id.
    pub id: String,
    /// The client secret, made anew by each sandbox.
    pub secret: SecretString,
}
