//! A provider whose settings have been checked: the only kind the protocol speaks with.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::settings::Settings;

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
    /// Each thing that is wrong, in the order of the fields.
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
    pub fn new(_settings: Settings) -> Result<Self, InvalidSettings> {
        todo!()
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
