//! Providers we know, as data files: settings, what may be chosen, and every fact with its source.
//!
//! A preset only fills a form: what it gives can be overridden, and is checked like settings typed by hand (SEED-6).

mod fill;
mod parameter;

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

pub use parameter::{Choice, Parameter, ParameterKind, Shape};

use crate::{
    provider::{InvalidSettings, Provider},
    settings::Settings,
};

/// One file for each provider, in the order they are listed.
const FILES: [&str; 20] = [
    include_str!("../presets/atlassian.toml"),
    include_str!("../presets/dropbox.toml"),
    include_str!("../presets/github.toml"),
    include_str!("../presets/google.toml"),
    include_str!("../presets/hubspot.toml"),
    include_str!("../presets/intercom.toml"),
    include_str!("../presets/mailchimp.toml"),
    include_str!("../presets/microsoft.toml"),
    include_str!("../presets/notion.toml"),
    include_str!("../presets/pipedrive.toml"),
    include_str!("../presets/quickbooks.toml"),
    include_str!("../presets/salesforce.toml"),
    include_str!("../presets/shopify.toml"),
    include_str!("../presets/slack.toml"),
    include_str!("../presets/stripe.toml"),
    include_str!("../presets/teamleader.toml"),
    include_str!("../presets/teamleader-classic.toml"),
    include_str!("../presets/xero.toml"),
    include_str!("../presets/zendesk.toml"),
    include_str!("../presets/zoho.toml"),
];

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
    /// What is left open, such as a data centre; in the order in which one would ask.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// What the preset rests on.
    pub facts: Vec<Fact>,
    /// The settings, with a `{place}` for each thing that a parameter fills in.
    settings: Settings,
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
    /// The text cannot be put into an address; it is not repeated.
    #[error("`{name}` has another shape than `{example}`: {shape}")]
    Misshapen {
        /// The parameter.
        name: String,
        /// What it must look like, in words.
        shape: String,
        /// A text that does.
        example: String,
    },
    /// The parameter has no default and was not given.
    #[error("preset `{preset}` needs `{name}`: {help}")]
    Missing {
        /// The preset.
        preset: String,
        /// The parameter.
        name: String,
        /// What it decides.
        help: String,
        /// A value of it.
        example: String,
    },
    /// The preset's settings are not usable.
    #[error("the settings of the preset are not usable")]
    Settings(#[from] InvalidSettings),
}

impl Preset {
    /// Every preset, by name.
    #[must_use]
    pub fn all() -> &'static [Preset] {
        #[expect(clippy::expect_used, reason = "the files are part of the program, and a test reads each")]
        static ALL: LazyLock<Vec<Preset>> = LazyLock::new(|| {
            FILES.iter().map(|file| toml::from_str(file).expect("a preset file is well-formed")).collect()
        });
        &ALL
    }

    /// The preset of this name; `zoho-eu` is `zoho` whose choice is `eu` unless chosen otherwise (SEED-6).
    #[must_use]
    pub fn named(name: &str) -> Option<Preset> {
        if let Some(preset) = Self::all().iter().find(|preset| preset.name == name) {
            return Some(preset.clone());
        }
        Self::all().iter().find_map(|preset| {
            let value = name.strip_prefix(&preset.name)?.strip_prefix('-')?;
            let mut preset = preset.clone();
            let mut choices = preset.parameters.iter_mut().filter(|parameter| parameter.is_choice());
            choices.find(|parameter| parameter.places(value).is_ok())?.default = Some(value.to_owned());
            Some(preset)
        })
    }

    /// The hosts a token from this token host may go to, if it is a preset's, chosen or not (N4).
    #[must_use]
    pub fn hosts_of_token_host(host: &str) -> Option<Vec<String>> {
        Self::all().iter().find_map(|preset| fill::hosts_at(preset, host))
    }

    /// The settings as the preset's file has them: what a parameter fills in is still a `{place}`.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The provider, with what was chosen: `{"dc": "eu"}`; what was not chosen is the parameter's default.
    ///
    /// # Errors
    /// A [`PresetError`] when something was chosen that is not there to choose, or something is missing.
    ///
    /// # Example
    /// ```
    /// use flowrun_oauth::Preset;
    ///
    /// let zoho = Preset::named("zoho").expect("a preset");
    /// let canada = zoho.provider(&[("dc".to_owned(), "ca".to_owned())].into())?;
    /// assert_eq!(canada.token_url().as_str(), "https://accounts.zohocloud.ca/oauth/v2/token");
    ///
    /// let zendesk = Preset::named("zendesk").expect("a preset");
    /// let acme = zendesk.provider(&[("subdomain".to_owned(), "acme".to_owned())].into())?;
    /// assert_eq!(acme.settings().allowed_hosts, ["acme.zendesk.com"]);
    /// # Ok::<(), flowrun_oauth::PresetError>(())
    /// ```
    pub fn provider(&self, chosen: &BTreeMap<String, String>) -> Result<Provider, PresetError> {
        let is_known = |name: &String| self.parameters.iter().any(|known| known.name == *name);
        if let Some(name) = chosen.keys().find(|name| !is_known(name)) {
            return Err(PresetError::UnknownParameter { preset: self.name.clone(), name: name.clone() });
        }
        let mut settings = self.settings.clone();
        // Choices first: what one stands for may have a text's place in it.
        let (choices, texts): (Vec<_>, Vec<_>) = self.parameters.iter().partition(|it| it.is_choice());
        for parameter in choices.into_iter().chain(texts) {
            let value = chosen.get(&parameter.name).or(parameter.default.as_ref());
            let value = value.ok_or_else(|| self.missing(parameter))?;
            fill::fill(&mut settings, &parameter.places(value)?);
        }
        Ok(Provider::new(settings)?)
    }

    fn missing(&self, parameter: &Parameter) -> PresetError {
        PresetError::Missing {
            preset: self.name.clone(),
            name: parameter.name.clone(),
            help: parameter.help.clone(),
            example: parameter.examples().first().map(ToString::to_string).unwrap_or_default(),
        }
    }
}
