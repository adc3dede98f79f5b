//! The host names the sandbox answers for, and what each of them is.
//!
//! The table is the whole of it: a name that is not here has no certificate and no answer (N10).

use crate::DataCentre;

/// Half of a provider: where people consent, or where programs call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Consent page, and the token endpoint unless the provider keeps it elsewhere.
    Accounts,
    /// The API.
    Api,
}

/// An Intercom region; an app, its codes and its tokens belong to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Region {
    Us,
    Eu,
    Au,
}

impl Region {
    /// The word for it in codes, tokens and replies.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Us => "US",
            Self::Eu => "EU",
            Self::Au => "AU",
        }
    }
}

/// One of Google's services, each on a host of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GoogleService {
    Accounts,
    Token,
    UserInfo,
    People,
}

/// What a host name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Site {
    Teamleader(Role),
    Zoho(DataCentre, Role),
    Google(GoogleService),
    Intercom(Region, Role),
}

/// Every host, with what it is. Teamleader's first pair is the seed's, the second today's.
pub(crate) const SITES: [(&str, Site); 33] = [
    ("app.teamleader.eu", Site::Teamleader(Role::Accounts)),
    ("api.teamleader.eu", Site::Teamleader(Role::Api)),
    ("focus.teamleader.eu", Site::Teamleader(Role::Accounts)),
    ("api.focus.teamleader.eu", Site::Teamleader(Role::Api)),
    zoho_accounts(DataCentre::Us),
    zoho_accounts(DataCentre::Eu),
    zoho_accounts(DataCentre::In),
    zoho_accounts(DataCentre::Au),
    zoho_accounts(DataCentre::Jp),
    zoho_accounts(DataCentre::Sa),
    zoho_accounts(DataCentre::Uk),
    zoho_accounts(DataCentre::Ca),
    zoho_accounts(DataCentre::Cn),
    zoho_api(DataCentre::Us),
    zoho_api(DataCentre::Eu),
    zoho_api(DataCentre::In),
    zoho_api(DataCentre::Au),
    zoho_api(DataCentre::Jp),
    zoho_api(DataCentre::Sa),
    zoho_api(DataCentre::Uk),
    zoho_api(DataCentre::Ca),
    zoho_api(DataCentre::Cn),
    ("accounts.google.com", Site::Google(GoogleService::Accounts)),
    ("oauth2.googleapis.com", Site::Google(GoogleService::Token)),
    ("www.googleapis.com", Site::Google(GoogleService::UserInfo)),
    ("openidconnect.googleapis.com", Site::Google(GoogleService::UserInfo)),
    ("people.googleapis.com", Site::Google(GoogleService::People)),
    ("app.intercom.com", Site::Intercom(Region::Us, Role::Accounts)),
    ("app.eu.intercom.com", Site::Intercom(Region::Eu, Role::Accounts)),
    ("app.au.intercom.com", Site::Intercom(Region::Au, Role::Accounts)),
    ("api.intercom.io", Site::Intercom(Region::Us, Role::Api)),
    ("api.eu.intercom.io", Site::Intercom(Region::Eu, Role::Api)),
    ("api.au.intercom.io", Site::Intercom(Region::Au, Role::Api)),
];

/// The names alone, in the same order.
pub(crate) static HOSTS: [&str; SITES.len()] = {
    let mut names = [""; SITES.len()];
    let mut index = 0;
    while index < SITES.len() {
        names[index] = SITES[index].0;
        index += 1;
    }
    names
};

/// The listed host of this name, without regard to case.
pub(crate) fn find(name: &str) -> Option<(&'static str, Site)> {
    SITES.into_iter().find(|(host, _)| host.eq_ignore_ascii_case(name))
}

const fn zoho_accounts(centre: DataCentre) -> (&'static str, Site) {
    (centre.accounts_host(), Site::Zoho(centre, Role::Accounts))
}

const fn zoho_api(centre: DataCentre) -> (&'static str, Site) {
    (centre.api_host(), Site::Zoho(centre, Role::Api))
}
