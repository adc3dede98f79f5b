//! Providers we know, as data files: settings, what may be chosen, and every fact with its source.

use std::collections::BTreeMap;

use crate::provider::{InvalidSettings, Provider};
use serde::Deserialize;

/// A provider we know.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// What one types: `zoho`.
    pub name: String,
    /// What one reads: `Zoho`.
    pub title: String,
    /// Where the client is created at the provider.
    pub setup_url: String,
    /// Scopes asked for when the operator names none.
    #[serde(default)]
    pub default_scopes: Vec<String>,
    /// What must be chosen, such as a data centre.
    #[serde(default)]
    pub parameter: Option<Parameter>,
    /// What the preset rests on.
    #[serde(default)]
    pub facts: Vec<Fact>,
}

/// Something a preset leaves to choose, such as a data centre.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What one types: `dc`.
    pub name: String,
    /// What it decides, in a sentence.
    pub help: String,
    /// What is taken when nobody chooses.
    pub default: String,
    /// What may be chosen. Nothing else is ever put into a host name (OA-7).
    pub choices: Vec<Choice>,
}

/// One value of a [`Parameter`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What one types: `eu`.
    pub value: String,
    /// What it means: `Europe`.
    pub title: String,
    /// What it puts into the settings' `{placeholders}`.
    pub hosts: BTreeMap<String, String>,
}

/// Something a preset rests on, and where it was read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// The fact.
    pub claim: String,
    /// The document.
    pub source: String,
    /// When it was read.
    pub date: jiff::civil::Date,
    /// Whether the provider's own document was read; otherwise the fact is second-hand.
    pub verified: bool,
}

/// Why a preset gives no provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PresetError {
    /// The preset has nothing of this name to choose.
    #[error("preset `{preset}` has no parameter `{name}`")]
    UnknownParameter {
        /// The preset.
        preset: String,
        /// What was given.
        name: String,
    },
    /// The parameter has no such value.
    #[error("`{name}` is one of {}", .choices.join(", "))]
    UnknownChoice {
        /// The parameter.
        name: String,
        /// What may be chosen.
        choices: Vec<String>,
    },
    /// The preset's settings are not usable.
    #[error("the settings of the preset are not usable")]
    Settings(#[from] InvalidSettings),
}

impl Preset {
    /// Every preset, by name.
    #[must_use]
    pub fn all() -> &'static [Preset] {
        todo!()
    }

    /// The preset of this name; `zoho-eu` is `zoho` with its parameter set to `eu` (SEED-6).
    #[must_use]
    pub fn named(_name: &str) -> Option<Preset> {
        todo!()
    }

    /// The hosts a token from this token host may go to, if it is a preset's, chosen or not (N4).
    #[must_use]
    pub fn hosts_of_token_host(_host: &str) -> Option<Vec<String>> {
        todo!()
    }

    /// The provider, with what was chosen.
    ///
    /// # Errors
    /// A [`PresetError`] when something was chosen that is not there to choose.
    pub fn provider(&self, _chosen: &BTreeMap<String, String>) -> Result<Provider, PresetError> {
        todo!()
    }
}
