//! Runs a program over a scope and writes the text.
//!
//! Everything is bounded: the text's length, the turns of all loops together (N8).

use std::borrow::Cow;

use serde_json::Value;

use super::evaluate::{Frame, Sight, Worth, span};
use super::fault::{Fault, scalar};
use super::program::{Expression, Part, Reference};
use crate::error::{RenderError, RenderErrorKind};
use crate::limits;
use crate::rendered::{Escape, LatePart, escape};

/// Writes the parts of one text.
pub(crate) struct Writer<'v> {
    pub(crate) sight: Sight<'v>,
    /// Whether literals and values must stay apart, for the rules of a URL.
    pub(crate) apart: bool,
    /// What is finished before the piece being written; empty for most texts.
    pub(crate) done: Vec<LatePart>,
    pub(crate) out: String,
    /// Bytes in `done`.
    finished: usize,
}

impl<'v> Writer<'v> {
    pub(crate) fn new(sight: Sight<'v>, apart: bool, capacity: usize) -> Self {
        Self { sight, apart, done: Vec::new(), out: String::with_capacity(capacity), finished: 0 }
    }

    pub(crate) fn parts(&mut self, parts: &'v [Part]) -> Result<(), RenderError> {
        for part in parts {
            match part {
                Part::Literal(text) => self.out.push_str(text),
                Part::Write { expression, escape } => self.write(expression, *escape)?,
                Part::If { condition, negated, then, otherwise } => {
                    let holds = self.sight.find(condition).is_some_and(|value| is_true(&value));
                    self.parts(if holds == *negated { otherwise } else { then })?;
                }
                Part::Each { items, body, otherwise } => self.each(items, body, otherwise)?,
            }
            if self.finished + self.out.len() > limits::TEXT_OUTPUT_BYTES {
                return Err(Fault::too_long().at(0..self.sight.source.len()));
            }
        }
        Ok(())
    }

    fn write(&mut self, expression: &'v Expression, how: Escape) -> Result<(), RenderError> {
        match self.sight.worth(expression)? {
            Worth::Late(late) => {
                self.cut(false);
                self.finished += late.weight();
                self.done.push(LatePart::Hole { expression: late, escape: how });
                Ok(())
            }
            Worth::Value(value) => {
                let apart = self.apart && how == Escape::Percent;
                if apart {
                    self.cut(false);
                }
                self.value(&value, how).map_err(|fault| fault.at(span(expression)))?;
                if apart {
                    self.cut(true);
                }
                Ok(())
            }
        }
    }

    /// Ends the piece being written.
    fn cut(&mut self, value: bool) {
        let text = std::mem::take(&mut self.out);
        self.finished += text.len();
        if value {
            self.done.push(LatePart::Value(text));
        } else if !text.is_empty() {
            self.done.push(LatePart::Literal(text));
        }
    }

    /// All pieces, the last one ended.
    pub(crate) fn finish(mut self) -> Vec<LatePart> {
        self.cut(false);
        self.done
    }

    fn value(&mut self, value: &Value, how: Escape) -> Result<(), Fault> {
        match (how, value) {
            (Escape::Plain, Value::String(text)) => self.out.push_str(text),
            (Escape::JsonValue, value) => self.out.push_str(&value.to_string()),
            _ => {
                let text = scalar(value)?;
                if escape::push(&mut self.out, &text, how).is_none() {
                    return Err(unfit(&text, how));
                }
            }
        }
        Ok(())
    }

    fn each(
        &mut self,
        items: &'v Reference,
        body: &'v [Part],
        otherwise: &'v [Part],
    ) -> Result<(), RenderError> {
        let members: Vec<(Option<&'v str>, &'v Value)> = match self.sight.read(items)? {
            Cow::Borrowed(Value::Array(items)) => items.iter().map(|item| (None, item)).collect(),
            Cow::Borrowed(Value::Object(map)) => {
                map.iter().map(|(key, item)| (Some(key.as_str()), item)).collect()
            }
            other => return Err(no_loop(&other).at(items.span.clone())),
        };
        if members.is_empty() {
            return self.parts(otherwise);
        }
        let count = members.len();
        for (index, (key, item)) in members.into_iter().enumerate() {
            self.sight.work.spend(1).map_err(|fault| fault.at(items.span.clone()))?;
            self.sight.frames.push(Frame { item, index, key, last: index + 1 == count });
            let written = self.parts(body);
            self.sight.frames.pop();
            written?;
        }
        Ok(())
    }
}

fn no_loop(value: &Value) -> Fault {
    if value.is_null() {
        return Fault::null();
    }
    Fault::argument("`#each` needs a list or a map", "{{#each list}}{{this}}{{/each}}")
}

fn unfit(text: &str, how: Escape) -> Fault {
    match how {
        Escape::Origin => {
            let refusal = crate::rendered::url::origin(text).err().unwrap_or("the base of a URL is not one");
            Fault::new(
                RenderErrorKind::Route,
                refusal,
                "a base is written https://api.example.com or https://api.example.com/v1",
            )
        }
        _ => Fault::new(
            RenderErrorKind::Header,
            "a header can only hold visible ASCII characters, spaces and tabs",
            "{{url_encode value}} or {{base64 value}}",
        ),
    }
}

/// What `#if` takes for true, as Handlebars does: not false, null, 0 or anything empty.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}
