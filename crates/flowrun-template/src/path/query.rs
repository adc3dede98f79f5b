//! A query as flowrun evaluates it: well-typed, with its regular expressions compiled.

use serde_json::Value;

use super::pattern::Pattern;

/// A query: where it starts, and its segments.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) start: Start,
    pub(crate) segments: Vec<Segment>,
}

/// `$` or `@`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Root,
    Current,
}

/// One segment.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) descends: bool,
    pub(crate) selectors: Vec<Selector>,
}

/// One selector.
#[derive(Clone, Debug)]
pub(crate) enum Selector {
    Name(String),
    Wildcard,
    Index(i64),
    Slice { start: Option<i64>, end: Option<i64>, step: i64 },
    Filter(Condition),
}

/// What a filter asks of each node.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    Any(Vec<Condition>),
    All(Vec<Condition>),
    Not(Box<Condition>),
    Exists(Query),
    Compare { left: Operand, how: Comparison, right: Operand },
    Matches { text: Operand, pattern: Pattern, whole: bool },
}

/// A comparison (RFC 9535, 2.3.5.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Something of the RFC's `ValueType`: a value, or nothing.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Literal(Value),
    Singular(Query),
    Length(Box<Operand>),
    Count(Query),
    Value(Query),
}

impl Query {
    /// Whether it can only give one node (RFC 9535, 2.3.5.1).
    pub(crate) fn is_singular(&self) -> bool {
        self.segments.iter().all(|segment| {
            !segment.descends
                && matches!(segment.selectors.as_slice(), [Selector::Name(_) | Selector::Index(_)])
        })
    }
}
