//! The values an expression works with: JSON borrowed from the scope, lists of such, moments and spans of time.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Number, Value};

use super::meter::{BYTES_PER_STEP, Meter};
use super::trouble::Trouble;
use crate::path::compare;
use crate::value_type::noun;

/// A value while an expression is evaluated.
#[derive(Clone, Debug)]
pub(crate) enum Worth<'v> {
    Json(Cow<'v, Value>),
    /// A list a filter made; its elements are still borrowed.
    List(Vec<Worth<'v>>),
    Moment(Timestamp),
    Span(SignedDuration),
}

impl From<Value> for Worth<'_> {
    fn from(value: Value) -> Self {
        Self::Json(Cow::Owned(value))
    }
}

impl From<bool> for Worth<'_> {
    fn from(value: bool) -> Self {
        Value::Bool(value).into()
    }
}

impl From<String> for Worth<'_> {
    fn from(value: String) -> Self {
        Value::String(value).into()
    }
}

impl From<usize> for Worth<'_> {
    fn from(value: usize) -> Self {
        Value::from(value).into()
    }
}

impl<'v> Worth<'v> {
    pub(crate) fn borrowed(value: &'v Value) -> Self {
        Self::Json(Cow::Borrowed(value))
    }

    /// The JSON it is in the end: a moment is RFC 3339 text, a span is text such as `1h30m`.
    ///
    /// Borrowed values are copied here, and here only; so this is where the size of a result is bounded.
    pub(crate) fn into_value(self, meter: &mut Meter) -> Result<Value, Trouble> {
        match self {
            Self::Json(value) => {
                meter.grow(weight(&value))?;
                Ok(value.into_owned())
            }
            Self::List(items) => {
                meter.grow(items.len())?;
                items.into_iter().map(|item| item.into_value(meter)).collect()
            }
            Self::Moment(moment) => Ok(moment.to_string().into()),
            Self::Span(span) => Ok(span_text(span).into()),
        }
    }

    /// About how many bytes of JSON it is.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Json(value) => weight(value),
            Self::List(items) => items.iter().map(Self::weight).sum::<usize>() + items.len(),
            Self::Moment(_) | Self::Span(_) => 20,
        }
    }

    pub(crate) fn json(&self) -> Option<&Value> {
        match self {
            Self::Json(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        self.json()?.as_str()
    }

    pub(crate) fn number(&self) -> Option<&Number> {
        match self.json()? {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Jinja's truth: not false, none, 0, or anything empty.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Json(value) => match &**value {
                Value::Null => false,
                Value::Bool(value) => *value,
                Value::Number(number) => number.as_f64() != Some(0.0),
                Value::String(text) => !text.is_empty(),
                Value::Array(items) => !items.is_empty(),
                Value::Object(members) => !members.is_empty(),
            },
            Self::List(items) => !items.is_empty(),
            Self::Moment(_) => true,
            Self::Span(span) => !span.is_zero(),
        }
    }

    /// Steps it takes to look at all of it once: text by its bytes, a list by its elements.
    pub(crate) fn effort(&self) -> usize {
        match self {
            Self::Json(value) => match &**value {
                Value::String(text) => text.len() / BYTES_PER_STEP,
                Value::Array(items) => items.len(),
                _ => 0,
            },
            Self::List(items) => items.len(),
            Self::Moment(_) | Self::Span(_) => 0,
        }
    }

    /// What it is, in words.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Json(value) => noun(value),
            Self::List(_) => "a list",
            Self::Moment(_) => "a time",
            Self::Span(_) => "a duration",
        }
    }

    /// The elements of a list; a map gives its keys, as in Jinja.
    pub(crate) fn into_items(self) -> Result<Vec<Worth<'v>>, Trouble> {
        match self {
            Self::List(items) => Ok(items),
            Self::Json(Cow::Borrowed(Value::Array(items))) => Ok(items.iter().map(Self::borrowed).collect()),
            Self::Json(Cow::Owned(Value::Array(items))) => Ok(items.into_iter().map(Self::from).collect()),
            Self::Json(value) => match &*value {
                Value::Object(members) => Ok(members.keys().cloned().map(Self::from).collect()),
                other => Err(Trouble::argument(format!("this needs a list, not {}", noun(other)), "")),
            },
            other => Err(Trouble::argument(format!("this needs a list, not {}", other.noun()), "")),
        }
    }

    /// The length of text, a list or a map.
    pub(crate) fn length(&self) -> Result<usize, Trouble> {
        let length = match self {
            Self::Json(value) => compare::length(value),
            Self::List(items) => Some(items.len()),
            _ => None,
        };
        length.ok_or_else(|| Trouble::argument(format!("{} has no length", self.noun()), ""))
    }

    /// The member of a map.
    pub(crate) fn member(self, key: &str) -> Option<Self> {
        match self {
            Self::Json(Cow::Borrowed(value)) => value.as_object()?.get(key).map(Self::borrowed),
            Self::Json(Cow::Owned(Value::Object(mut members))) => members.remove(key).map(Self::from),
            _ => None,
        }
    }

    /// The element of a list or the character of a text; a negative index counts from the end.
    pub(crate) fn element(self, index: i64) -> Option<Self> {
        let length = self.length().ok()?;
        let index = if index < 0 { i64::try_from(length).ok()?.checked_add(index)? } else { index };
        let index = usize::try_from(index).ok()?;
        match self {
            Self::List(items) => items.into_iter().nth(index),
            Self::Json(Cow::Borrowed(Value::Array(items))) => items.get(index).map(Self::borrowed),
            Self::Json(value) => match value.into_owned() {
                Value::Array(items) => items.into_iter().nth(index).map(Self::from),
                Value::String(text) => text.chars().nth(index).map(|c| Self::from(c.to_string())),
                _ => None,
            },
            _ => None,
        }
    }

    /// Equality: numbers by value, lists and maps deeply, different types never equal.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Json(left), Self::Json(right)) => compare::same(left, right),
            (Self::Moment(left), Self::Moment(right)) => left == right,
            (Self::Span(left), Self::Span(right)) => left == right,
            (Self::List(left), right) | (right, Self::List(left)) => match right.clone().into_items() {
                Ok(right) if !matches!(other.json(), Some(Value::Object(_))) => {
                    left.len() == right.len() && left.iter().zip(&right).all(|(left, right)| left.same(right))
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// The order of two values of one type that has one.
    pub(crate) fn order(&self, other: &Self) -> Result<Ordering, Trouble> {
        let order = match (self, other) {
            (Self::Json(left), Self::Json(right)) => match (&**left, &**right) {
                (Value::Number(left), Value::Number(right)) => compare::order(left, right),
                (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
                _ => None,
            },
            (Self::Moment(left), Self::Moment(right)) => Some(left.cmp(right)),
            (Self::Span(left), Self::Span(right)) => Some(left.cmp(right)),
            _ => None,
        };
        order.ok_or_else(|| {
            let help = match (self, other) {
                (Self::Moment(_), _) | (_, Self::Moment(_)) => "timestamp(value) makes a time of text",
                (Self::Span(_), _) | (_, Self::Span(_)) => "duration(\"24h\") makes a duration",
                _ => "int or float makes a number of text: value|int",
            };
            Trouble::types(format!("{} and {} have no order", self.noun(), other.noun()), help)
        })
    }

    /// The text of a scalar, for joining.
    pub(crate) fn written(&self) -> Result<Cow<'_, str>, Trouble> {
        match self {
            Self::Json(value) => match &**value {
                Value::String(text) => Ok(Cow::Borrowed(text)),
                Value::Number(number) => Ok(Cow::Owned(number.to_string())),
                Value::Bool(flag) => Ok(Cow::Owned(flag.to_string())),
                other => Err(Trouble::types(
                    format!("{} is no text", noun(other)),
                    "value|tojson, or value|join(\", \")",
                )),
            },
            Self::List(_) => Err(Trouble::types("a list is no text", "value|join(\", \")")),
            Self::Moment(moment) => Ok(Cow::Owned(moment.to_string())),
            Self::Span(span) => Ok(Cow::Owned(span_text(*span))),
        }
    }
}

fn span_text(span: SignedDuration) -> String {
    let sign = if span.is_negative() { "-" } else { "" };
    format!("{sign}{}", crate::duration::format(span.unsigned_abs()))
}

/// About how many bytes of JSON a value is.
fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 4,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(weight).sum::<usize>() + items.len(),
        Value::Object(members) => members.iter().map(|(key, value)| key.len() + 4 + weight(value)).sum(),
    }
}
