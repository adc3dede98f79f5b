//! What may stand at a path of a flow: which keys, which values, in which language.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::catalog::Catalog;
use crate::document::{BUILT_IN, COMMON, KEYS};
use crate::editor::locate::Part;
use crate::editor::words::{self, Tongue, Word, word};
use crate::settings::{Language, Shape};

/// The settings of every kind of the catalogue.
#[derive(Debug)]
pub(super) struct Atlas {
    schemas: BTreeMap<String, Value>,
}

impl Atlas {
    pub(super) fn of(catalog: &Catalog) -> Self {
        let schema = |kind: &flowrun_step::StepKind| {
            let step = catalog.steps.get(kind.as_str())?;
            Some((kind.as_str().to_owned(), step.settings_schema().to_value()))
        };
        Self { schemas: catalog.steps.kinds().filter_map(schema).collect() }
    }

    /// The settings of one kind.
    pub(super) fn shape(&self, kind: &str) -> Option<Shape<'_>> {
        self.schemas.get(kind).map(Shape::of)
    }

    pub(super) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.schemas.keys().map(String::as_str)
    }

    /// What may stand where these parts lead.
    pub(super) fn ground(&self, path: &[Part]) -> Ground<'_> {
        path.iter().fold(Ground::Flow, |ground, part| ground.within(part, self))
    }
}

/// What may stand at one place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ground<'a> {
    Flow,
    Inputs,
    Input,
    /// The flow's integrations, by name.
    Integrations,
    Integration,
    /// A list of steps; after `on_error`, or `continue`.
    Steps {
        may_continue: bool,
    },
    Step,
    Cases,
    Case,
    Branches,
    /// A map of names the author chooses, each with a value in this language.
    Names(Tongue),
    /// A map with these keys, or a value in this language.
    Words(&'static [Word], Tongue),
    /// A setting of a kind, or all of them.
    Setting(Shape<'a>),
    /// A value.
    Value(Tongue),
    Unknown,
}

impl<'a> Ground<'a> {
    fn within(self, part: &Part, atlas: &'a Atlas) -> Self {
        match (self, part) {
            (Self::Flow, Part::Key(key)) => flow(key),
            (Self::Inputs, Part::Key(_)) => Self::Input,
            (Self::Input, Part::Key(key)) => value(words::INPUT, key),
            (Self::Integrations, Part::Key(_)) => Self::Integration,
            (Self::Integration, Part::Key(key)) => value(words::INTEGRATION, key),
            (Self::Value(Tongue::Scope), Part::Item(_)) => self,
            (Self::Steps { .. }, Part::Item(_)) => Self::Step,
            (Self::Step, Part::Key(key)) => step(key, atlas),
            (Self::Cases, Part::Item(_)) => Self::Case,
            (Self::Case, Part::Key(key)) => value(words::CASE, key),
            (Self::Branches, Part::Key(_)) => Self::Steps { may_continue: false },
            (Self::Names(tongue), Part::Key(_)) => Self::Value(tongue),
            (Self::Words(words, _), Part::Key(key)) => value(words, key),
            (Self::Setting(shape), Part::Key(key)) => setting(shape, key),
            (Self::Setting(shape), Part::Item(_)) => Self::Setting(shape),
            (Self::Value(tongue @ (Tongue::Text | Tongue::Call | Tongue::Choice(_))), _) => {
                Self::Value(tongue)
            }
            _ => Self::Unknown,
        }
    }

    /// The language a value here is written in.
    pub(super) fn tongue(&self) -> Option<Tongue> {
        match self {
            Self::Value(tongue) | Self::Words(_, tongue) => Some(*tongue),
            Self::Setting(shape) => Some(match shape.language() {
                Language::Text | Language::Url => Tongue::Text,
                Language::Header | Language::Form | Language::Json | Language::Body => Tongue::Call,
                Language::Expression | Language::Until => Tongue::Expression,
                Language::Duration => Tongue::Duration,
                Language::Integration => Tongue::Integration,
                Language::Literal | Language::Picks => Tongue::Plain,
            }),
            _ => None,
        }
    }

    /// The words that may be keys here, for a map that has these already.
    pub(super) fn words(&self, beside: &[String]) -> Vec<Word> {
        let known = |words: &[Word], known: &[&str]| -> Vec<Word> {
            words.iter().filter(|(name, ..)| known.contains(name)).copied().collect()
        };
        match self {
            Self::Flow => known(words::FLOW, KEYS),
            Self::Input => known(words::INPUT, crate::input::KEYS),
            Self::Integration => words::INTEGRATION.to_vec(),
            Self::Case => words::CASE.to_vec(),
            Self::Words(words, _) => words.to_vec(),
            Self::Step => {
                let has = |name: &str| beside.iter().any(|key| key == name);
                let own = words::BESIDE.iter().filter(|(kind, _)| has(kind)).map(|(_, word)| *word);
                own.chain(known(words::COMMON, COMMON)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What a key here is for.
    pub(super) fn about(&self, key: &str, atlas: &Atlas) -> Option<String> {
        let plain = |words: &[Word]| word(words, key).map(|(_, _, doc)| doc.to_owned());
        match self {
            Self::Flow => plain(words::FLOW),
            Self::Input => plain(words::INPUT),
            Self::Integration => plain(words::INTEGRATION),
            Self::Case => plain(words::CASE),
            Self::Words(words, _) => plain(words),
            Self::Step => plain(words::KINDS)
                .or_else(|| plain(words::COMMON))
                .or_else(|| words::BESIDE.iter().find(|(_, word)| word.0 == key).map(|(_, w)| w.2.to_owned()))
                .or_else(|| atlas.shape(key)?.description().map(str::to_owned)),
            Self::Setting(shape) => shape.property(key).map(|shape| about_setting(&shape)),
            _ => None,
        }
    }
}

/// What a setting is for, what it may be, and what it is unless said.
pub(super) fn about_setting(shape: &Shape<'_>) -> String {
    let mut said = shape.description().unwrap_or_default().to_owned();
    let choices = shape.choices();
    if !choices.is_empty() {
        said.push_str(&format!("\n\nOne of: {}.", choices.join(", ")));
    }
    if let Some(default) = shape.default() {
        let default = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
        said.push_str(&format!("\n\nUnless said: `{default}`."));
    }
    said
}

/// Whether this version has a kind of the language itself.
pub(super) fn is_built_in(kind: &str) -> bool {
    BUILT_IN.contains(&kind)
}

/// The integration of the flow's own list that these parts lead into.
pub(super) fn integration_of(path: &[Part]) -> Option<&str> {
    match path {
        [Part::Key(key), Part::Key(name), ..] if key == "integrations" => Some(name),
        _ => None,
    }
}

fn flow<'a>(key: &str) -> Ground<'a> {
    match key {
        "inputs" => Ground::Inputs,
        "integrations" => Ground::Integrations,
        "outputs" => Ground::Names(Tongue::Text),
        "secrets" => Ground::Value(Tongue::Name),
        _ => value(words::FLOW, key),
    }
}

/// What stands after a word of the language.
fn value<'a>(of: &'static [Word], key: &str) -> Ground<'a> {
    match key {
        "steps" if word(of, "items").is_none() => Ground::Steps { may_continue: false },
        "then" | "else" | "do" | "finally" | "undo" => Ground::Steps { may_continue: false },
        "on_error" => Ground::Steps { may_continue: true },
        "outputs" => Ground::Names(Tongue::Text),
        _ => {
            // Events and webhooks are waited for, too, with other keys.
            let is_trigger = word(of, "schedule").is_some();
            let all = if is_trigger { words::TRIGGERS } else { words::BENEATH };
            let beneath = all.iter().find(|(name, _)| *name == key).map(|(_, words)| *words);
            match (word(of, key), beneath) {
                (Some((_, tongue, _)), Some(words)) => Ground::Words(words, tongue),
                (Some((_, tongue, _)), None) => Ground::Value(tongue),
                _ => Ground::Unknown,
            }
        }
    }
}

fn step<'a>(key: &str, atlas: &'a Atlas) -> Ground<'a> {
    match key {
        "set" => Ground::Names(Tongue::Text),
        "compute" => Ground::Names(Tongue::Expression),
        "switch" => Ground::Cases,
        "parallel" => Ground::Branches,
        "join" => Ground::Value(Tongue::Choice(&["all", "any"])),
        _ => match atlas.shape(key) {
            Some(shape) => Ground::Setting(shape),
            None if is_built_in(key) && key != "do" => value(words::KINDS, key),
            None => value(words::COMMON, key),
        },
    }
}

fn setting<'a>(shape: Shape<'a>, key: &str) -> Ground<'a> {
    match shape.language() {
        Language::Picks => Ground::Value(Tongue::Plain),
        Language::Literal => shape.property(key).map_or(Ground::Unknown, Ground::Setting),
        // A map within a text's language: `json: { a: { b: "{{x}}" } }`.
        _ => shape
            .property(key)
            .filter(|member| member.language() != Language::Literal)
            .map_or(Ground::Setting(shape), Ground::Setting),
    }
}
