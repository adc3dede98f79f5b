//! What a preset leaves open: a choice out of a list, or a text of a certain shape. Nothing else reaches an address (OA-7).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::PresetError;
use crate::pattern::Pattern;

/// Something a preset leaves open, such as a data centre or the name of an account.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Written")]
pub struct Parameter {
    /// What one types: `dc`.
    pub name: String,
    /// What it decides, in a sentence.
    pub help: String,
    /// What is taken when nobody says; without one it must be said.
    pub default: Option<String>,
    /// What it may be.
    pub kind: ParameterKind,
}

/// What a [`Parameter`] may be.
#[derive(Debug, Clone)]
pub enum ParameterKind {
    /// One of these.
    Choice(Vec<Choice>),
    /// A text of this shape.
    Text(Shape),
}

/// One value of a [`Parameter`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What one types: `eu`.
    pub value: String,
    /// What it means: `Europe`.
    pub title: String,
    /// What it puts into the settings' `{places}`; a text's place may stand in it.
    pub hosts: BTreeMap<String, String>,
}

/// What a text must look like before it is put into an address.
#[derive(Debug, Clone)]
pub struct Shape {
    /// In words: `lower case letters, digits and hyphens`.
    pub words: String,
    /// A text of this shape.
    pub example: String,
    pattern: Pattern,
}

impl Parameter {
    /// What may be typed: the choices, or an example of the text.
    #[must_use]
    pub fn examples(&self) -> Vec<&str> {
        match &self.kind {
            ParameterKind::Choice(choices) => choices.iter().map(|choice| choice.value.as_str()).collect(),
            ParameterKind::Text(shape) => vec![&shape.example],
        }
    }

    /// What is put into the settings' places, by the places' names, when this value is given.
    pub(super) fn places(&self, value: &str) -> Result<BTreeMap<String, String>, PresetError> {
        match &self.kind {
            ParameterKind::Choice(choices) => {
                let choice = choices.iter().find(|choice| choice.value == value);
                choice.map(|choice| choice.hosts.clone()).ok_or_else(|| PresetError::UnknownChoice {
                    name: self.name.clone(),
                    choices: choices.iter().map(|choice| choice.value.clone()).collect(),
                })
            }
            ParameterKind::Text(shape) if shape.pattern.matches(value) => {
                Ok(BTreeMap::from([(self.name.clone(), value.to_owned())]))
            }
            ParameterKind::Text(shape) => Err(PresetError::Misshapen {
                name: self.name.clone(),
                shape: shape.words.clone(),
                example: shape.example.clone(),
            }),
        }
    }

    pub(super) fn is_choice(&self) -> bool {
        matches!(self.kind, ParameterKind::Choice(_))
    }
}

/// A parameter as a preset's file has it: with choices, or with a pattern, its words and an example.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    help: String,
    default: Option<String>,
    #[serde(default)]
    choices: Vec<Choice>,
    pattern: Option<String>,
    shape: Option<String>,
    example: Option<String>,
}

/// Why a file's parameter is none.
#[derive(Debug, thiserror::Error)]
enum NoParameter {
    #[error("a parameter has choices, or else pattern, shape and example")]
    Incomplete,
    #[error("the pattern cannot be read: {0}")]
    Pattern(#[from] regex::Error),
}

impl TryFrom<Written> for Parameter {
    type Error = NoParameter;

    fn try_from(written: Written) -> Result<Self, NoParameter> {
        let kind = match (written.choices, written.pattern, written.shape, written.example) {
            (choices, None, None, None) if !choices.is_empty() => ParameterKind::Choice(choices),
            (choices, Some(pattern), Some(words), Some(example)) if choices.is_empty() => {
                ParameterKind::Text(Shape { words, example, pattern: Pattern::new(&pattern)? })
            }
            _ => return Err(NoParameter::Incomplete),
        };
        Ok(Self { name: written.name, help: written.help, default: written.default, kind })
    }
}
