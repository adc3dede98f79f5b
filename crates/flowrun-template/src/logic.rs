//! An expression decides (L-6): Jinja's expression syntax, strict, with fuel.
//!
//! minijinja parses, on a stack of its own if the source is long; the tree is evaluated here, because a flow
//! needs what the crate's machine cannot give: values borrowed from the run instead of converted, undefined
//! and infinite results as errors with a place, and an order only between values of one type. Evaluation
//! recurses no deeper than [`crate::limits::LOGIC_DEPTH`], so it runs on the caller's stack.
//!
//! Functions, filters and tests are closed lists. Differences from Jinja: `null` is `none`; a choice needs its
//! `else`; values have no methods; moments (`now`, `timestamp(x)`) and spans (`duration("24h")`) are
//! types of their own, which become text in a result.

mod evaluate;
mod filters;
mod functions;
mod guard;
mod lower;
mod lower_calls;
mod lower_operators;
mod meter;
mod operators;
mod predicates;
mod program;
mod trouble;
mod worth;

use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use self::evaluate::Evaluation;
use self::lower::Lowered;
use self::meter::Meter;
use self::program::Node;
use crate::error::{SyntaxError, SyntaxErrorKind};
use crate::limits;
use crate::mention::Mention;
use crate::slot::{Scope, Slot, Slots};
use crate::value_type::{Type, noun};

/// What an expression may call: closed lists (L-6), for whoever shows them to an author.
#[derive(Debug)]
#[non_exhaustive]
pub struct Vocabulary {
    /// Each filter by its names, with its parameters.
    pub filters: Vec<(&'static [&'static str], &'static [&'static str])>,
    /// Each function as it is written.
    pub functions: Vec<&'static str>,
    /// Each test by its names.
    pub tests: Vec<&'static [&'static str]>,
}

impl Vocabulary {
    /// All there is.
    #[must_use]
    pub fn whole() -> Self {
        Self {
            filters: filters::all().collect(),
            functions: program::FUNCTIONS.iter().map(|row| row.3).collect(),
            tests: predicates::all().collect(),
        }
    }
}

/// A compiled expression.
///
/// ```
/// use flowrun_template::{Logic, Scope, Slot, Slots};
/// use serde_json::{Value, json};
///
/// struct Variables(Vec<Value>);
/// impl Scope for Variables {
///     fn value(&self, slot: Slot) -> Option<&Value> {
///         self.0.get(slot.index())
///     }
/// }
///
/// let mut slots = Slots::new();
/// let open = Logic::compile("status == 'open' and items|length > 1", &mut slots).expect("an expression");
/// let variables = Variables(vec![json!("open"), json!([1, 2])]);
/// let now = jiff::Timestamp::UNIX_EPOCH;
/// assert_eq!(open.test(&variables, now), Ok(true));
/// ```
#[derive(Clone, Debug)]
pub struct Logic {
    source: String,
    mentions: Vec<Mention>,
    comparings: Vec<Comparing>,
    node: Arc<Node>,
}

/// Bytes of source up to which the parser's recursion fits any stack.
const SHORT_SOURCE_BYTES: usize = 96;

impl Logic {
    /// Compiles `source`, interning the names it reads.
    ///
    /// # Errors
    /// When it is not an expression, reads `secrets`, or names what is not on the list.
    pub fn compile(source: &str, slots: &mut Slots) -> Result<Self, SyntaxError> {
        if source.len() > limits::LOGIC_SOURCE_BYTES {
            let message = format!("this expression is longer than {} bytes", limits::LOGIC_SOURCE_BYTES);
            let help = Some("calculate parts of it in `compute:` first".to_owned());
            return Err(SyntaxError { kind: SyntaxErrorKind::TooLong, message, span: 0..source.len(), help });
        }
        guard::check(source)?;
        let Lowered { node, mentions, comparings } = if source.len() <= SHORT_SOURCE_BYTES {
            lower::lower(source, slots)?
        } else {
            lower_apart(source, slots)?
        };
        Ok(Self { source: source.to_owned(), mentions, comparings, node: Arc::new(node) })
    }

    /// What the author wrote.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it reads, in order of appearance; `now` is not among it.
    #[must_use]
    pub fn mentions(&self) -> &[Mention] {
        &self.mentions
    }

    /// Comparisons in which both sides are a name or a constant, so that their types may be known.
    #[must_use]
    pub fn comparings(&self) -> &[Comparing] {
        &self.comparings
    }

    /// The value of the expression; `now` is the time of the event being processed.
    ///
    /// # Errors
    /// When something is undefined, not finite, not comparable, or the fuel is spent.
    pub fn evaluate(&self, scope: &dyn Scope, now: Timestamp) -> Result<Value, LogicError> {
        Evaluation { scope, now, source: &self.source, meter: Meter::full() }.value(&self.node)
    }

    /// The same for `if`, `until`, `where`: the value must be a boolean.
    ///
    /// # Errors
    /// As [`Logic::evaluate`], and when the value is no boolean.
    pub fn test(&self, scope: &dyn Scope, now: Timestamp) -> Result<bool, LogicError> {
        match self.evaluate(scope, now)? {
            Value::Bool(value) => Ok(value),
            other => Err(LogicError {
                kind: LogicErrorKind::NotBoolean,
                message: format!("this is {}, neither true nor false", noun(&other)),
                span: 0..self.source.len(),
                help: Some(
                    "compare it: value > 0, value == \"yes\", value is defined, value is true".to_owned(),
                ),
            }),
        }
    }
}

/// Parses on a thread whose stack no source of 2 KiB can exhaust (T6).
fn lower_apart(source: &str, slots: &mut Slots) -> Result<Lowered, SyntaxError> {
    let parsed = std::thread::scope(|scope| {
        let parser = std::thread::Builder::new().stack_size(limits::LOGIC_STACK_BYTES);
        let parser = parser.spawn_scoped(scope, || lower::lower(source, slots)).ok()?;
        parser.join().ok()
    });
    parsed.unwrap_or_else(|| {
        let message = "this expression could not be read: the system gave no thread for it".to_owned();
        Err(SyntaxError { kind: SyntaxErrorKind::TooLong, message, span: 0..source.len(), help: None })
    })
}

/// A comparison whose sides' types may be known before anything runs (L-6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparing {
    /// What stands on the left.
    pub left: Side,
    /// What stands on the right.
    pub right: Side,
    /// The bytes of the whole comparison.
    pub span: Range<usize>,
}

/// One side of a [`Comparing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A bare name.
    Slot(Slot),
    /// A constant of this type.
    Type(Type),
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
