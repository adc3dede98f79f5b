//! A step's settings as a check sees them: some leaves are known, some wait for a run.

use serde_json::Value;

/// One setting before any run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Leaf<'a> {
    /// Written out: what it will be is known.
    Known(&'a Value),
    /// Holds a template: known only in a run.
    Template,
    /// Not written.
    Absent,
}

impl<'a> Leaf<'a> {
    /// The text, where it is known and is one.
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        match self {
            Self::Known(value) => value.as_str(),
            Self::Template | Self::Absent => None,
        }
    }

    /// Whether the setting is written at all.
    #[must_use]
    pub fn is_present(self) -> bool {
        self != Self::Absent
    }
}

/// A step's settings as written: constants as values, templates as their source.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    settings: &'a Value,
    is_template: fn(&str) -> bool,
}

impl<'a> Draft<'a> {
    /// A view of the settings; `is_template` tells a template from a constant text.
    #[must_use]
    pub fn new(settings: &'a Value, is_template: fn(&str) -> bool) -> Self {
        Self { settings, is_template }
    }

    /// The setting of that name, at the top level.
    #[must_use]
    pub fn get(&self, name: &str) -> Leaf<'a> {
        match self.settings.get(name) {
            None => Leaf::Absent,
            Some(Value::String(text)) if (self.is_template)(text) => Leaf::Template,
            Some(value) => Leaf::Known(value),
        }
    }

    /// The settings whole, as written.
    #[must_use]
    pub fn source(&self) -> &'a Value {
        self.settings
    }
}

/// Something a step's own check found wrong in its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where, as a path within the settings: `headers.Host`, empty for the whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to type instead.
    pub help: Option<String>,
}
