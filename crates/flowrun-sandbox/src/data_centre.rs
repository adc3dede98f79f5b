//! Zoho's data centres: which hosts each has, and what its callback calls it.
//!
//! Canada breaks the pattern: its accounts live at `zohocloud.ca`, its API at `zohoapis.ca`, so nothing
//! here is computed by replacing a top-level domain (oauth 1.1).

/// A Zoho data centre, where a person's account and data live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DataCentre {
    /// United States, `zoho.com`.
    Us,
    /// Europe, `zoho.eu`.
    Eu,
    /// India, `zoho.in`.
    In,
    /// Australia, `zoho.com.au`.
    Au,
    /// Japan, `zoho.jp`.
    Jp,
    /// Saudi Arabia, `zoho.sa`.
    Sa,
    /// United Kingdom, `zoho.uk`.
    Uk,
    /// Canada, `zohocloud.ca`.
    Ca,
    /// China, `zoho.com.cn`, which shares no accounts with the others.
    Cn,
}

impl DataCentre {
    /// Every data centre.
    pub const ALL: [Self; 9] =
        [Self::Us, Self::Eu, Self::In, Self::Au, Self::Jp, Self::Sa, Self::Uk, Self::Ca, Self::Cn];

    /// The host of its authorization and token endpoints.
    #[must_use]
    pub const fn accounts_host(self) -> &'static str {
        match self {
            Self::Us => "accounts.zoho.com",
            Self::Eu => "accounts.zoho.eu",
            Self::In => "accounts.zoho.in",
            Self::Au => "accounts.zoho.com.au",
            Self::Jp => "accounts.zoho.jp",
            Self::Sa => "accounts.zoho.sa",
            Self::Uk => "accounts.zoho.uk",
            Self::Ca => "accounts.zohocloud.ca",
            Self::Cn => "accounts.zoho.com.cn",
        }
    }

    /// The host of its APIs.
    #[must_use]
    pub const fn api_host(self) -> &'static str {
        match self {
            Self::Us => "www.zohoapis.com",
            Self::Eu => "www.zohoapis.eu",
            Self::In => "www.zohoapis.in",
            Self::Au => "www.zohoapis.com.au",
            Self::Jp => "www.zohoapis.jp",
            Self::Sa => "www.zohoapis.sa",
            Self::Uk => "www.zohoapis.uk",
            Self::Ca => "www.zohoapis.ca",
            Self::Cn => "www.zohoapis.com.cn",
        }
    }

    /// The word for it in the callback's `location` parameter.
    #[must_use]
    pub const fn location(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
            Self::In => "in",
            Self::Au => "au",
            Self::Jp => "jp",
            Self::Sa => "sa",
            Self::Uk => "uk",
            Self::Ca => "ca",
            Self::Cn => "cn",
        }
    }

    /// The data centres whose accounts may sign in at this one: China keeps to itself.
    pub(crate) fn accounts(self) -> impl Iterator<Item = Self> {
        let others = Self::ALL
            .into_iter()
            .filter(move |other| *other != self && self != Self::Cn && *other != Self::Cn);
        std::iter::once(self).chain(others)
    }
}
