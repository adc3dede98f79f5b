//! The types a flow can declare (L-1), what is of them, and how text becomes one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A declared type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// Text.
    String,
    /// A number without a fraction, in 64 bits.
    Integer,
    /// Any finite number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A map.
    Object,
    /// A list.
    Array,
    /// Text that is a moment in time (RFC 3339).
    Timestamp,
    /// Text that is a duration (`1h30m`).
    Duration,
    /// Whatever it is.
    #[default]
    Any,
}

/// Why a value or a text is not of a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TypeError {
    /// What was expected and what was there; never the value.
    pub message: String,
    /// A fix one can type.
    pub help: Option<String>,
}

impl Type {
    /// Reads `text` as this type: `007` stays text for a string, `any` and `string` take everything.
    ///
    /// # Errors
    /// When the text is not of this type.
    pub fn parse(self, text: &str) -> Result<Value, TypeError> {
        todo!("{text}")
    }

    /// Whether `value` is of this type.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(self, value: &Value) -> Result<(), TypeError> {
        todo!("{value}")
    }

    /// The type a value has by itself: never `Timestamp`, `Duration` or, but for null, `Any`.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        todo!("{value}")
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(todo!())
    }
}

impl FromStr for Type {
    type Err = TypeError;

    fn from_str(text: &str) -> Result<Self, TypeError> {
        todo!("{text}")
    }
}
