//! A provider whose settings have been checked: the only kind the protocol speaks with.

mod check;

pub(crate) use check::endpoint as checked_endpoint;
pub use check::is_loopback;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{settings::Settings, token::Kept};

/// A provider that can be spoken with: settings that passed every check, endpoints parsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Settings", into = "Settings")]
pub struct Provider {
    settings: Settings,
    authorize_url: Option<Url>,
    token_url: Url,
    refresh_url: Url,
}

/// Settings that cannot be used, with everything that is wrong with them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct InvalidSettings {
    /// Each thing that is wrong, never none.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong with one field, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {wrong}")]
pub struct Problem {
    /// The field of [`Settings`].
    pub field: &'static str,
    /// What is wrong, to be read after the field's name.
    pub wrong: String,
    /// What to do.
    pub fix: String,
}

impl Provider {
    /// Checks settings and makes a provider of them (OA-6, OA-8, OA-13).
    ///
    /// # Errors
    /// [`InvalidSettings`] with every problem at once.
    pub fn new(settings: Settings) -> Result<Self, InvalidSettings> {
        let mut problems = check::problems(&settings);
        let authorize_url = settings.authorize_url.as_deref().and_then(|url| Url::parse(url).ok());
        let token_url = check::endpoint("token_url", &settings.token_url);
        let refresh_url = settings.refresh_url.as_deref().map(|url| check::endpoint("refresh_url", url));
        match (token_url, refresh_url.transpose()) {
            (Ok(token_url), Ok(refresh_url)) if problems.is_empty() => {
                let refresh_url = refresh_url.unwrap_or_else(|| token_url.clone());
                Ok(Self { settings, authorize_url, token_url, refresh_url })
            }
            (token_url, refresh_url) => {
                problems.extend(token_url.err().into_iter().chain(refresh_url.err()));
                Err(InvalidSettings { problems })
            }
        }
    }

    /// The settings this provider was made of.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The authorization endpoint; only the authorization code grant has one.
    #[must_use]
    pub fn authorize_url(&self) -> Option<&Url> {
        self.authorize_url.as_ref()
    }

    /// The token endpoint.
    #[must_use]
    pub fn token_url(&self) -> &Url {
        &self.token_url
    }

    /// Where tokens are refreshed: the token endpoint, unless the settings say otherwise (SEED-19).
    #[must_use]
    pub fn refresh_url(&self) -> &Url {
        &self.refresh_url
    }

    /// Where a token is given back, if the provider takes it (RFC 7009 2).
    #[must_use]
    pub fn revoke_url(&self) -> Option<Url> {
        parsed(self.settings.revoke_url.as_deref())
    }

    /// Where the provider says whether a token is still good, if it does (RFC 7662 2).
    #[must_use]
    pub fn introspect_url(&self) -> Option<Url> {
        parsed(self.settings.introspect_url.as_deref())
    }

    /// Where a device asks for its codes, if the provider knows devices (RFC 8628 3.1).
    #[must_use]
    pub fn device_url(&self) -> Option<Url> {
        parsed(self.settings.device_url.as_deref())
    }

    /// `endpoint`, at the origin that a kept callback value names where the provider works that way.
    ///
    /// The value is looked up in the settings' own list once more, because the client secret goes where it says.
    pub(crate) fn at_kept_origin(&self, endpoint: &Url, kept: &Kept) -> Url {
        let named = self.settings.token_origin_from.as_ref().and_then(|name| {
            let value = kept.get(name)?;
            let rule = self.settings.keep_from_callback.iter().find(|rule| rule.name == *name)?;
            rule.one_of.iter().find(|origin| *origin == value)
        });
        let moved = named.and_then(|origin| Url::parse(origin).ok()?.join(&after_origin(endpoint)).ok());
        moved.unwrap_or_else(|| endpoint.clone())
    }
}

/// An optional endpoint; that it is one was checked when the provider was made.
fn parsed(endpoint: Option<&str>) -> Option<Url> {
    Url::parse(endpoint?).ok()
}

fn after_origin(url: &Url) -> String {
    url[url::Position::BeforePath..].to_owned()
}

impl TryFrom<Settings> for Provider {
    type Error = InvalidSettings;

    fn try_from(settings: Settings) -> Result<Self, Self::Error> {
        Self::new(settings)
    }
}

impl From<Provider> for Settings {
    fn from(provider: Provider) -> Self {
        provider.settings
    }
}
