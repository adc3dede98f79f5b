//! The value of an expression: read from the scope, from a loop, or made by a helper.

use std::borrow::Cow;
use std::cell::Cell;

use serde_json::Value;

use super::fault::{Fault, scalar};
use super::helper::Helper;
use super::program::{Base, Expression, Reference, Turn};
use crate::error::{RenderError, RenderErrorKind};
use crate::limits;
use crate::mention::Segment;
use crate::rendered::LateExpression;
use crate::slot::Scope;

/// One turn of a loop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'v> {
    pub(crate) item: &'v Value,
    pub(crate) index: usize,
    pub(crate) key: Option<&'v str>,
    pub(crate) last: bool,
}

/// What an expression can read: the scope, and the enclosing loops from the outermost.
pub(crate) struct Sight<'v> {
    pub(crate) scope: &'v dyn Scope,
    pub(crate) frames: Vec<Frame<'v>>,
    pub(crate) source: &'v str,
    /// What the loops and helpers of this rendering have cost so far.
    pub(crate) work: Work,
}

/// Turns of loops, and kilobytes that helpers read or wrote: a helper inside a loop must not cost more than the loop seems to.
#[derive(Debug, Default)]
pub(crate) struct Work(Cell<usize>);

impl Work {
    pub(crate) fn spend(&self, turns: usize) -> Result<(), Fault> {
        let spent = self.0.get().saturating_add(turns);
        self.0.set(spent);
        if spent <= limits::TEXT_LOOP_TURNS {
            return Ok(());
        }
        let message =
            format!("the loops and helpers of this text take more than {} turns", limits::TEXT_LOOP_TURNS);
        Err(Fault::new(
            RenderErrorKind::Budget,
            message,
            "make parts of it in `compute:` or over fewer items",
        ))
    }

    /// Counts what a helper reads or writes.
    fn look_at(&self, value: &Value) -> Result<(), Fault> {
        self.spend(value.as_str().map_or(0, |text| text.len() / 1024))
    }
}

/// What an expression gives.
pub(crate) enum Worth<'v> {
    Value(Cow<'v, Value>),
    Late(LateExpression),
}

impl<'v> Sight<'v> {
    /// The value of `expression`.
    pub(crate) fn worth(&self, expression: &'v Expression) -> Result<Worth<'v>, RenderError> {
        Ok(match expression {
            Expression::Literal(value) => Worth::Value(Cow::Borrowed(value)),
            Expression::Read(reference) => Worth::Value(self.read(reference)?),
            Expression::Late(name) => Worth::Late(LateExpression::Name(name.clone())),
            Expression::Call { .. } if expression.is_late() => Worth::Late(self.late(expression)?),
            Expression::Call { .. } => Worth::Value(self.value(expression)?),
        })
    }

    fn value(&self, expression: &'v Expression) -> Result<Cow<'v, Value>, RenderError> {
        match expression {
            Expression::Literal(value) => Ok(Cow::Borrowed(value)),
            Expression::Read(reference) => self.read(reference),
            Expression::Call { helper: Helper::Default, arguments, .. } => self.or_default(arguments),
            Expression::Call { helper, arguments, span } => {
                let values: Result<Vec<_>, _> =
                    arguments.iter().map(|argument| self.value(argument)).collect();
                let values = values?;
                let borrowed: Vec<&Value> = values.iter().map(AsRef::as_ref).collect();
                self.help(*helper, &borrowed).map(Cow::Owned).map_err(|fault| fault.at(span.clone()))
            }
            // Compilation lets late names stand only where `late` handles them.
            Expression::Late(_) => Ok(Cow::Owned(Value::Null)),
        }
    }

    fn help(&self, helper: Helper, arguments: &[&Value]) -> Result<Value, Fault> {
        for argument in arguments {
            self.work.look_at(argument)?;
        }
        let value = helper.apply(arguments)?;
        self.work.look_at(&value)?;
        Ok(value)
    }

    fn or_default(&self, arguments: &'v [Expression]) -> Result<Cow<'v, Value>, RenderError> {
        let [wanted, fallback] = arguments else { return Ok(Cow::Owned(Value::Null)) };
        match self.value(wanted) {
            Ok(value) if !value.is_null() => Ok(value),
            Ok(_) => self.value(fallback),
            Err(error) if error.kind == RenderErrorKind::Missing => self.value(fallback),
            Err(error) => Err(error),
        }
    }

    fn late(&self, expression: &'v Expression) -> Result<LateExpression, RenderError> {
        match expression {
            Expression::Late(name) => Ok(LateExpression::Name(name.clone())),
            Expression::Call { helper, arguments, .. } if expression.is_late() => {
                let arguments: Result<_, _> = arguments.iter().map(|argument| self.late(argument)).collect();
                Ok(LateExpression::Call { helper: *helper, arguments: arguments? })
            }
            known => {
                let value = self.value(known)?;
                let text = scalar(&value).map_err(|fault| fault.at(span(known)))?;
                Ok(LateExpression::Known(text.into_owned()))
            }
        }
    }

    /// What `reference` leads to, or nothing if a name or member on the way is not there.
    pub(crate) fn find(&self, reference: &'v Reference) -> Option<Cow<'v, Value>> {
        let root = match reference.root {
            Base::Slot(slot) => Cow::Borrowed(self.scope.value(slot)?),
            Base::Loop { depth, what } => self.frames.get(depth)?.offer(what),
        };
        match root {
            Cow::Borrowed(value) => walk(value, &reference.path).map(Cow::Borrowed),
            Cow::Owned(value) => reference.path.is_empty().then_some(Cow::Owned(value)),
        }
    }

    pub(crate) fn read(&self, reference: &'v Reference) -> Result<Cow<'v, Value>, RenderError> {
        self.find(reference).ok_or_else(|| self.missing(reference))
    }

    #[cold]
    fn missing(&self, reference: &Reference) -> RenderError {
        let written = &self.source[reference.span.clone()];
        let root = match reference.root {
            Base::Slot(slot) => self.scope.value(slot).map(Cow::Borrowed),
            Base::Loop { depth, what } => self.frames.get(depth).map(|frame| frame.offer(what)),
        };
        let message = match root {
            None => format!("`{written}` has no value"),
            Some(root) => format!("`{written}` leads nowhere: {}", whereabouts(&root, &reference.path)),
        };
        let help = format!("{{{{default {written} \"fallback\"}}}}, or {{{{#if {written}}}}}");
        Fault::new(RenderErrorKind::Missing, message, &help).at(reference.span.clone())
    }
}

impl<'v> Frame<'v> {
    fn offer(&self, what: Turn) -> Cow<'v, Value> {
        match what {
            Turn::Item => Cow::Borrowed(self.item),
            Turn::Index => Cow::Owned(self.index.into()),
            Turn::Key => Cow::Owned(self.key.map_or_else(|| self.index.into(), Into::into)),
            Turn::First => Cow::Owned((self.index == 0).into()),
            Turn::Last => Cow::Owned(self.last.into()),
        }
    }
}

/// Follows constant steps; an index never counts from the end in a text.
fn walk<'v>(value: &'v Value, path: &[Segment]) -> Option<&'v Value> {
    path.iter().try_fold(value, step)
}

fn step<'v>(value: &'v Value, segment: &Segment) -> Option<&'v Value> {
    match (value, segment) {
        (Value::Object(members), Segment::Key(key)) => members.get(key),
        (Value::Object(members), Segment::Index(index)) => members.get(&index.to_string()),
        (Value::Array(items), Segment::Index(index)) => {
            usize::try_from(*index).ok().and_then(|index| items.get(index))
        }
        _ => None,
    }
}

/// Says where a path stopped and what was there instead: keys and types, never values.
fn whereabouts(root: &Value, path: &[Segment]) -> String {
    let mut here = root;
    for segment in path {
        match step(here, segment) {
            Some(next) => here = next,
            None => {
                let name = match segment {
                    Segment::Key(key) => format!("`{key}`"),
                    Segment::Index(index) => format!("element {index}"),
                };
                return format!("there is no {name} in {}", crate::value_type::outline(here));
            }
        }
    }
    crate::value_type::outline(here)
}

pub(crate) fn span(expression: &Expression) -> std::ops::Range<usize> {
    match expression {
        Expression::Read(reference) => reference.span.clone(),
        Expression::Call { span, .. } => span.clone(),
        Expression::Literal(_) | Expression::Late(_) => 0..0,
    }
}
