//! What rendering gives: a value, or a value with holes that only a [`Vault`] can fill.
//!
//! A [`Rendered`] is what a journal may hold: it names secrets and kept fields, and never has their values.
//! Rules of a place that depend on the late part (a header's characters, JSON that parses, a URL's route)
//! are checked again when it is filled.

pub(crate) mod escape;
mod late;
pub(crate) mod url;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use escape::Escape;
pub use late::Late;
pub(crate) use late::{LateExpression, LatePart, Piece};

/// A rendered setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rendered {
    /// Finished.
    Value(Value),
    /// A text that waits for secrets or kept fields.
    Late(Late),
    /// A list in which something is late.
    List(Vec<Rendered>),
    /// A map in which something is late, in the author's order.
    Map(Vec<(String, Rendered)>),
}

impl Rendered {
    /// The finished value, with every hole filled from `vault`.
    ///
    /// # Errors
    /// When the vault lacks a name, or what it holds may not stand where it would (N3).
    pub fn fill(&self, vault: &dyn Vault) -> Result<Value, FillError> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::Late(late) => late.fill(vault).map(Value::String),
            Self::List(items) => items.iter().map(|item| item.fill(vault)).collect(),
            Self::Map(members) => {
                let members = members.iter().map(|(name, member)| Ok((name.clone(), member.fill(vault)?)));
                members.collect::<Result<Map<_, _>, _>>().map(Value::Object)
            }
        }
    }

    /// Every secret and kept field that is still to be filled, in order of appearance, without repeats.
    #[must_use]
    pub fn late(&self) -> Vec<LateName> {
        let mut names = Vec::new();
        self.collect_late(&mut names);
        names
    }

    fn collect_late(&self, names: &mut Vec<LateName>) {
        match self {
            Self::Value(_) => {}
            Self::Late(late) => late.collect(names),
            Self::List(items) => items.iter().for_each(|item| item.collect_late(names)),
            Self::Map(members) => members.iter().for_each(|(_, member)| member.collect_late(names)),
        }
    }
}

/// The name of something that is filled late.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LateName {
    /// `secrets.<name>`.
    Secret(String),
    /// `integrations.<integration>.<field>`.
    Kept {
        /// The integration's name.
        integration: String,
        /// The name of the field kept from its authorization.
        field: String,
    },
}

/// Holds what is filled late.
pub trait Vault {
    /// The secret of that name.
    fn secret(&self, name: &str) -> Option<&SecretString>;
    /// The field kept from an integration's authorization; never a token.
    fn kept(&self, integration: &str, field: &str) -> Option<&str>;
}

/// Why a [`Rendered`] could not be filled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FillError {
    /// The stable reason.
    pub kind: FillErrorKind,
    /// What is wrong; never a value.
    pub message: String,
    /// What was being filled, if it was one thing.
    pub name: Option<LateName>,
}

/// The stable reasons of a [`FillError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FillErrorKind {
    /// The vault has no such secret.
    NoSecret,
    /// The integration kept no such field.
    NoField,
    /// What the vault holds may not stand where it would.
    Refused,
}
