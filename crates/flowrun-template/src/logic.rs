//! An expression decides (L-6): Jinja's expression syntax, strict, with fuel.

use std::ops::Range;

use jiff::Timestamp;
use serde_json::Value;

use crate::error::SyntaxError;
use crate::mention::Mention;
use crate::slot::{Scope, Slots};

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Logic {
    source: String,
    mentions: Vec<Mention>,
}

impl Logic {
    /// Compiles `source`, interning the names it reads.
    ///
    /// # Errors
    /// When it is not an expression, reads `secrets`, or names what is not on the list.
    pub fn compile(source: &str, slots: &mut Slots) -> Result<Self, SyntaxError> {
        todo!("{source} {slots:?}")
    }

    /// What the author wrote.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it reads, in order of appearance.
    #[must_use]
    pub fn mentions(&self) -> &[Mention] {
        &self.mentions
    }

    /// The value of the expression; `now` is the time of the event being processed.
    ///
    /// # Errors
    /// When something is undefined, not finite, not comparable, or the fuel is spent.
    pub fn evaluate(&self, scope: &dyn Scope, now: Timestamp) -> Result<Value, LogicError> {
        todo!("{now} {}", scope.value(todo!()).is_some())
    }

    /// The same for `if`, `until`, `where`: the value must be a boolean.
    ///
    /// # Errors
    /// As [`Logic::evaluate`], and when the value is no boolean.
    pub fn test(&self, scope: &dyn Scope, now: Timestamp) -> Result<bool, LogicError> {
        todo!("{now} {}", scope.value(todo!()).is_some())
    }
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LogicError {
    /// The stable reason.
    pub kind: LogicErrorKind,
    /// What is wrong; never a value.
    pub message: String,
    /// The bytes of the source it is about.
    pub span: Range<usize>,
    /// A fix one can type.
    pub help: Option<String>,
}

/// The stable reasons of a [`LogicError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogicErrorKind {
    /// Something it reads is unset, or has no such member or element.
    Undefined,
    /// A number that is not finite, or a division by zero.
    NotFinite,
    /// Values of different types were ordered, or an operator was given what it cannot take.
    Types,
    /// The expression had to be a boolean and is not.
    NotBoolean,
    /// A function or filter was given what it cannot take.
    Argument,
    /// The fuel, or the size of a result, is spent.
    Budget,
}
