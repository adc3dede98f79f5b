//! An expression as flowrun evaluates it: names resolved to slots, filters and tests to functions.

use std::ops::Range;

use serde_json::Value;

use super::filters::Filter;
use super::predicates::Predicate;
use crate::slot::Slot;

/// A part of an expression, with the bytes of the source it was written as.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) span: Range<usize>,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Constant(Value),
    Name(Slot),
    Now,
    Member(Box<Node>, String),
    Item(Box<Node>, Box<Node>),
    Slice {
        of: Box<Node>,
        bounds: [Option<Box<Node>>; 3],
    },
    Not(Box<Node>),
    Negate(Box<Node>),
    /// At least two; the first false one decides.
    All(Vec<Node>),
    /// At least two; the first true one decides.
    Any(Vec<Node>),
    /// `a + b - c`: one level however long, so that a chain needs no stack.
    Chain {
        first: Box<Node>,
        rest: Vec<(Operator, Node)>,
    },
    /// `a < b <= c`.
    Compare {
        first: Box<Node>,
        rest: Vec<(Comparison, Node)>,
    },
    Choose {
        condition: Box<Node>,
        then: Box<Node>,
        otherwise: Box<Node>,
    },
    Filter {
        filter: Filter,
        input: Box<Node>,
        arguments: Arguments,
    },
    Test {
        input: Box<Node>,
        predicate: Predicate,
        arguments: Vec<Node>,
    },
    /// `select`, `reject`, `selectattr`, `rejectattr`.
    Select {
        input: Box<Node>,
        attribute: Option<String>,
        test: Option<(Predicate, Vec<Node>)>,
        wanted: bool,
    },
    /// `map(attribute=...)`.
    Pluck {
        input: Box<Node>,
        attribute: String,
        default: Option<Box<Node>>,
    },
    /// `map("upper")`.
    Each {
        input: Box<Node>,
        filter: Filter,
        arguments: Arguments,
    },
    Call {
        function: Function,
        arguments: Vec<Node>,
    },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// Arguments in the order of a filter's parameters; what was not given is absent.
pub(crate) type Arguments = Vec<Option<Node>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    DivideWhole,
    Remainder,
    Power,
    Join,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

/// The functions of an expression: a closed list (L-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Range,
    Duration,
    Timestamp,
}

/// Each function with its name, how many arguments it takes, and how it is written.
pub(crate) const FUNCTIONS: [(Function, &str, std::ops::RangeInclusive<usize>, &str); 3] = [
    (Function::Range, "range", 1..=3, "range(10), range(1, 10) or range(0, 10, 2)"),
    (Function::Duration, "duration", 1..=1, "duration(\"1h30m\")"),
    (Function::Timestamp, "timestamp", 1..=1, "timestamp(\"2026-01-31T12:00:00Z\")"),
];

impl Node {
    /// The constant it is.
    pub(crate) fn constant(&self) -> Option<&Value> {
        match &self.kind {
            Kind::Constant(value) => Some(value),
            _ => None,
        }
    }
}
