//! Why a value cannot be had, before it is known where in the source.

use std::ops::Range;

use super::{LogicError, LogicErrorKind};

/// A [`LogicError`] without its place.
#[derive(Debug)]
pub(crate) struct Trouble {
    kind: LogicErrorKind,
    message: String,
    help: Option<String>,
}

impl Trouble {
    pub(crate) fn new(kind: LogicErrorKind, message: impl Into<String>, help: &str) -> Self {
        Self { kind, message: message.into(), help: (!help.is_empty()).then(|| help.to_owned()) }
    }

    pub(crate) fn types(message: impl Into<String>, help: &str) -> Self {
        Self::new(LogicErrorKind::Types, message, help)
    }

    pub(crate) fn argument(message: impl Into<String>, help: &str) -> Self {
        Self::new(LogicErrorKind::Argument, message, help)
    }

    pub(crate) fn undefined(message: impl Into<String>, help: &str) -> Self {
        Self::new(LogicErrorKind::Undefined, message, help)
    }

    pub(crate) fn not_finite(message: &str) -> Self {
        Self::new(LogicErrorKind::NotFinite, message, "guard it: a / b if b != 0 else 0")
    }

    pub(crate) fn budget(message: impl Into<String>) -> Self {
        Self::new(
            LogicErrorKind::Budget,
            message,
            "calculate in several `compute:` steps, or over fewer items",
        )
    }

    pub(crate) fn at(self, span: Range<usize>) -> LogicError {
        LogicError { kind: self.kind, message: self.message, span, help: self.help }
    }
}
