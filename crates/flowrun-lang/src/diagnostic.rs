//! The one form of every error with a place.
//!
//! Whoever finds a problem makes a [`Diagnostic`]; the command line renders it, a server serialises
//! it, an editor underlines it. None of them words anything.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

use crate::code::Code;

/// Whether a flow with this problem may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It may not.
    Error,
    /// It may, and somebody should look.
    Warning,
}

/// Where in a flow something stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file's name as it was given.
    pub file: String,
    /// The path in the flow, such as `steps[0].set.total`; empty for the flow itself.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The bytes in the text.
    pub bytes: Range<usize>,
    /// The line's text; empty if it is longer than 2 KiB.
    pub excerpt: String,
}

impl Place {
    /// A file as a whole.
    #[must_use]
    pub fn whole(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            path: String::new(),
            line: 1,
            column: 1,
            bytes: 0..0,
            excerpt: String::new(),
        }
    }
}

/// One problem: what, where, why, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// The stable code; [`Code::page`] explains it.
    pub code: Code,
    /// Whether the flow may run all the same.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// What to type or do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error.
    #[must_use]
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        let (severity, message) = (Severity::Error, message.into());
        Self { code, severity, message, place: None, causes: Vec::new(), help: None }
    }

    /// A warning.
    #[must_use]
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// The same at a place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same with a cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// The same with a fix.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether it keeps the flow from running.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    /// The first line of every rendering: `error[F014]: integration …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.is_error() { "error" } else { "warning" };
        write!(f, "{word}[{}]: {}", self.code, self.message)
    }
}
