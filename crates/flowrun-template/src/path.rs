//! A path picks values from a reply (L-5): RFC 9535 JSONPath, with a shorthand.

use serde_json::Value;

use crate::error::SyntaxError;

/// A compiled JSON path.
#[derive(Clone, Debug)]
pub struct Path {
    source: String,
}

impl Path {
    /// Compiles `source`; `$.` in front is optional.
    ///
    /// # Errors
    /// When RFC 9535 refuses it, or a limit of N8 does.
    pub fn compile(source: &str) -> Result<Self, SyntaxError> {
        todo!("{source}")
    }

    /// What the author wrote.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it can only ever give one value (RFC 9535, 2.3.5.1).
    #[must_use]
    pub fn is_singular(&self) -> bool {
        todo!()
    }

    /// What `value` holds at this path, in the RFC's order.
    ///
    /// # Errors
    /// When the search visits more nodes than [`crate::limits::PATH_NODES`].
    pub fn pick<'v>(&self, value: &'v Value) -> Result<Picked<'v>, PickError> {
        todo!("{value}")
    }
}

/// What a path found.
#[derive(Clone, Debug, PartialEq)]
pub enum Picked<'v> {
    /// A singular path found nothing.
    Missing,
    /// A singular path found its value.
    One(&'v Value),
    /// Any other path gives a list, perhaps an empty one.
    Many(Vec<&'v Value>),
}

/// Why nothing could be picked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PickError {
    /// The stable reason.
    pub kind: PickErrorKind,
    /// The name of the variable, for [`crate::Picks`].
    pub name: Option<String>,
    /// What is wrong, and which keys and types were there; never a value.
    pub message: String,
}

/// The stable reasons of a [`PickError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PickErrorKind {
    /// A required path found nothing.
    Missing,
    /// What was found is not of the declared type.
    Type,
    /// The search was longer than its limit.
    Budget,
}
