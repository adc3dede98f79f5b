//! What is wrong with the file: where, and what to do about it.

use std::fmt;
use std::ops::Range;

use flowrun::lang::Place;

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct BadConfig {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub place: Box<Place>,
    /// What to do.
    pub help: String,
}

impl fmt::Display for BadConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, place, help } = self;
        write!(f, "{message}\n  --> {}:{}:{}", place.file, place.line, place.column)?;
        if !place.excerpt.trim().is_empty() {
            write!(f, "\n   | {}", place.excerpt)?;
        }
        write!(f, "\n   = help: {help}")
    }
}

/// The file that is read.
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// What the reader of TOML says.
    pub(super) fn unread(&self, error: &toml::de::Error) -> BadConfig {
        let message = error.message().lines().next().unwrap_or_default();
        let help = if message.starts_with("unknown field") {
            "take the key out, or write it as one of these"
        } else if message.starts_with("missing field") {
            "add the key to this table"
        } else if message.starts_with("unknown variant") {
            "write one of these"
        } else {
            "write it as `docs/serving.md` shows it"
        };
        self.wrong(error.span().unwrap_or_default(), message, help)
    }

    /// A problem at these bytes.
    pub(super) fn wrong(
        &self,
        bytes: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> BadConfig {
        BadConfig { message: message.into(), place: Box::new(self.place(bytes)), help: help.into() }
    }

    fn place(&self, bytes: Range<usize>) -> Place {
        let before = self.text.get(..bytes.start).unwrap_or(self.text);
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = self.text[start..].lines().next().unwrap_or_default();
        Place {
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
            excerpt: line.trim_end().to_owned(),
            bytes,
            ..Place::whole(self.file)
        }
    }
}
