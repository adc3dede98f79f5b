//! Which names a text or an expression reads, and where it says so.
//!
//! Whether a name is declared, and what to say if it is not, is the caller's business.

use std::ops::Range;

use crate::slot::Slot;

/// One place where a source reads a variable, a reserved root, a secret or a kept field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// What is read.
    pub root: Root,
    /// The constant steps taken from there, as far as they are constant: `a.b[0]` gives `b`, `0`.
    pub path: Vec<Segment>,
    /// The bytes of the source that name it.
    pub span: Range<usize>,
    /// Whether the place allows the value to be unset: `default`, `#if`, `#unless`, `is defined`.
    pub tolerated: bool,
    /// Whether it stands inside `{{#each}}`, where an author may have meant `this.<name>`.
    pub within_each: bool,
}

/// Where a [`Mention`] starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Root {
    /// A variable or a reserved root that a [`crate::Scope`] knows.
    Slot(Slot),
    /// `secrets`: the first segment is the secret's name.
    Secrets,
    /// `integrations`: the first two segments are the integration's name and the kept field's.
    Integrations,
}

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// The member of an object.
    Key(String),
    /// The element of an array, from 0; a negative one (expressions only) counts from the end.
    Index(i64),
}
