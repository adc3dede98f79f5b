//! Providers we know, as data files: settings, what may be chosen, and every fact with its source.
//!
//! A preset only fills a form: what it gives can be overridden, and is checked like settings typed by hand (SEED-6).

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use crate::{
    provider::{InvalidSettings, Provider},
    settings::Settings,
};

/// One file for each provider, in the order they are listed.
const FILES: [&str; 5] = [
    include_str!("../presets/google.toml"),
    include_str!("../presets/intercom.toml"),
    include_str!("../presets/teamleader.toml"),
    include_str!("../presets/teamleader-classic.toml"),
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
    /// What must be chosen, such as a data centre.
    #[serde(default)]
    pub parameter: Option<Parameter>,
    /// What the preset rests on.
    pub facts: Vec<Fact>,
    /// The settings, where a host may be a `{placeholder}` that the parameter fills.
    settings: Settings,
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
        #[expect(clippy::expect_used, reason = "the files are part of the program, and a test reads each")]
        static ALL: LazyLock<Vec<Preset>> = LazyLock::new(|| {
            FILES.iter().map(|file| toml::from_str(file).expect("a preset file is well-formed")).collect()
        });
        &ALL
    }

    /// The preset of this name; `zoho-eu` is `zoho` whose parameter is `eu` unless chosen otherwise (SEED-6).
    #[must_use]
    pub fn named(name: &str) -> Option<Preset> {
        if let Some(preset) = Self::all().iter().find(|preset| preset.name == name) {
            return Some(preset.clone());
        }
        Self::all().iter().find_map(|preset| {
            let value = name.strip_prefix(&preset.name)?.strip_prefix('-')?;
            let mut preset = preset.clone();
            let parameter = preset.parameter.as_mut()?;
            parameter.default = parameter.choice(value)?.value.clone();
            Some(preset)
        })
    }

    /// The hosts a token from this token host may go to, if it is a preset's, chosen or not (N4).
    #[must_use]
    pub fn hosts_of_token_host(host: &str) -> Option<Vec<String>> {
        Self::all().iter().flat_map(Self::variants).find_map(|settings| {
            let provider = Provider::new(settings).ok()?;
            (provider.token_url().host_str() == Some(host)).then(|| provider.settings().allowed_hosts.clone())
        })
    }

    /// The provider, with what was chosen: `{"dc": "eu"}`; what was not chosen is the parameter's default.
    ///
    /// # Errors
    /// A [`PresetError`] when something was chosen that is not there to choose.
    ///
    /// # Example
    /// ```
    /// use flowrun_oauth::Preset;
    ///
    /// let zoho = Preset::named("zoho").expect("a preset");
    /// let canada = zoho.provider(&[("dc".to_owned(), "ca".to_owned())].into())?;
    /// assert_eq!(canada.token_url().as_str(), "https://accounts.zohocloud.ca/oauth/v2/token");
    /// # Ok::<(), flowrun_oauth::PresetError>(())
    /// ```
    pub fn provider(&self, chosen: &BTreeMap<String, String>) -> Result<Provider, PresetError> {
        let is_known = |name: &String| self.parameter.as_ref().is_some_and(|known| known.name == *name);
        if let Some(name) = chosen.keys().find(|name| !is_known(name)) {
            return Err(PresetError::UnknownParameter { preset: self.name.clone(), name: name.clone() });
        }
        let Some(parameter) = &self.parameter else { return Ok(Provider::new(self.settings.clone())?) };
        let value = chosen.get(&parameter.name).unwrap_or(&parameter.default);
        let choice = parameter.choice(value).ok_or_else(|| PresetError::UnknownChoice {
            name: parameter.name.clone(),
            choices: parameter.choices.iter().map(|choice| choice.value.clone()).collect(),
        })?;
        Ok(Provider::new(self.filled(choice))?)
    }

    /// The settings for every choice there is.
    fn variants(&self) -> Vec<Settings> {
        match &self.parameter {
            None => vec![self.settings.clone()],
            Some(parameter) => parameter.choices.iter().map(|choice| self.filled(choice)).collect(),
        }
    }

    fn filled(&self, choice: &Choice) -> Settings {
        let fill = |text: &mut String| {
            for (name, host) in &choice.hosts {
                *text = text.replace(&format!("{{{name}}}"), host);
            }
        };
        let mut settings = self.settings.clone();
        settings.authorize_url.iter_mut().for_each(fill);
        fill(&mut settings.token_url);
        settings.allowed_hosts.iter_mut().for_each(fill);
        settings
    }
}

impl Parameter {
    fn choice(&self, value: &str) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.value == value)
    }
}
