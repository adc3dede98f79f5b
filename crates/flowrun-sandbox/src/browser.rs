//! A person at a browser, as far as the consent page needs one.

use crate::DataCentre;

/// What the person does on the consent page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Clicks "Allow".
    Allow,
    /// Clicks "Allow" at Zoho, with an account that lives in this data centre.
    AllowFrom(DataCentre),
    /// Clicks "Deny".
    Deny,
}

/// Why the walk over the consent page did not end at a callback.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConsentError {
    /// The authorization URL does not name a host of the sandbox.
    #[error("`{0}` is not a host of the sandbox")]
    NotOurs(String),
    /// The listener could not be reached or broke the connection.
    #[error("the sandbox cannot be reached")]
    Unreachable(#[source] std::io::Error),
    /// The provider showed an error page instead of the consent page or the redirect.
    #[error("the provider refused the authorization request with status {status}: {words}")]
    Refused {
        /// The status of the page.
        status: u16,
        /// What the page says.
        words: String,
    },
}
