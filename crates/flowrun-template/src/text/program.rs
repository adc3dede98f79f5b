//! What a compiled text consists of: literals, expressions and blocks, with every name resolved.
//!
//! Nothing here depends on Handlebars; [`super::lower`] translates its tree into these types once.

use std::ops::Range;

use serde_json::Value;

use super::helper::Helper;
use crate::mention::Segment;
use crate::rendered::{Escape, LateName};
use crate::slot::Slot;

/// One piece of a text.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// The author's own text.
    Literal(String),
    /// A value, escaped for where it stands.
    Write { expression: Expression, escape: Escape },
    /// `{{#if}}` and, negated, `{{#unless}}`.
    If { condition: Reference, negated: bool, then: Vec<Part>, otherwise: Vec<Part> },
    /// `{{#each}}`.
    Each { items: Reference, body: Vec<Part>, otherwise: Vec<Part> },
}

impl Part {
    /// The part with a harmless value in it; nothing for a block, whose turns are not known.
    pub(crate) fn rehearsed(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Write { escape: Escape::Origin, .. } => Some("https://example.com"),
            Self::Write { escape: Escape::JsonValue, .. } => Some("0"),
            Self::Write { .. } => Some("x"),
            Self::If { .. } | Self::Each { .. } => None,
        }
    }
}

/// What gives a value.
#[derive(Clone, Debug)]
pub(crate) enum Expression {
    /// A constant of the template.
    Literal(Value),
    /// Something read from the scope or from a loop.
    Read(Reference),
    /// Something filled late.
    Late(LateName),
    /// A helper over its arguments.
    Call { helper: Helper, arguments: Vec<Expression>, span: Range<usize> },
}

impl Expression {
    /// The value, if it is a constant.
    pub(crate) fn constant(&self) -> Option<&Value> {
        match self {
            Self::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// Whether any part of it is filled late.
    pub(crate) fn is_late(&self) -> bool {
        match self {
            Self::Literal(_) | Self::Read(_) => false,
            Self::Late(_) => true,
            Self::Call { arguments, .. } => arguments.iter().any(Self::is_late),
        }
    }
}

/// A path with its root resolved.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) root: Base,
    pub(crate) path: Vec<Segment>,
    pub(crate) span: Range<usize>,
}

/// Where a [`Reference`] starts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Base {
    /// A variable of the flow or a reserved root.
    Slot(Slot),
    /// Something of the enclosing `{{#each}}` at this depth, counted from the outermost.
    Loop { depth: usize, what: Turn },
}

/// What one turn of a loop offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// `this`, or the first block parameter.
    Item,
    /// `@index`.
    Index,
    /// `@key`: the member's name, or the index in a list.
    Key,
    /// `@first`.
    First,
    /// `@last`.
    Last,
}
