//! The types a flow can declare (L-1), what is of them, and how text becomes one.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::duration;

/// A declared type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// Text.
    String,
    /// A number without a fraction, in 64 bits.
    Integer,
    /// Any finite number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A map.
    Object,
    /// A list.
    Array,
    /// Text that is a moment in time (RFC 3339).
    Timestamp,
    /// Text that is a duration (`1h30m`).
    Duration,
    /// Whatever it is.
    #[default]
    Any,
}

/// Why a value or a text is not of a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TypeError {
    /// What was expected and what was there; never the value.
    pub message: String,
    /// A fix one can type.
    pub help: Option<String>,
}

/// Every type with its name.
const NAMES: [(Type, &str); 9] = [
    (Type::String, "string"),
    (Type::Integer, "integer"),
    (Type::Number, "number"),
    (Type::Boolean, "boolean"),
    (Type::Object, "object"),
    (Type::Array, "array"),
    (Type::Timestamp, "timestamp"),
    (Type::Duration, "duration"),
    (Type::Any, "any"),
];

impl Type {
    /// Reads `text` as this type: `007` stays text for a string, `any` and `string` take everything.
    ///
    /// # Errors
    /// When the text is not of this type.
    pub fn parse(self, text: &str) -> Result<Value, TypeError> {
        let trimmed = text.trim();
        let value = match self {
            Self::String | Self::Any => Some(Value::from(text)),
            Self::Integer => whole(trimmed),
            Self::Number => serde_json::from_str(trimmed).ok().filter(Value::is_number),
            Self::Boolean => match trimmed {
                "true" => Some(true.into()),
                "false" => Some(false.into()),
                _ => None,
            },
            Self::Object | Self::Array => {
                serde_json::from_str(trimmed).ok().filter(|value| Self::of(value) == self)
            }
            Self::Timestamp | Self::Duration => {
                Some(trimmed.into()).filter(|value| self.check(value).is_ok())
            }
        };
        value.ok_or_else(|| TypeError {
            message: format!("this text is not {}", self.with_article()),
            help: self.sample(),
        })
    }

    /// Whether `value` is of this type; a whole number such as `2.0` is an integer too.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(self, value: &Value) -> Result<(), TypeError> {
        let fits = match self {
            Self::Any => true,
            Self::Number => value.is_number(),
            Self::Integer => is_whole(value),
            Self::Timestamp => value.as_str().is_some_and(|text| text.parse::<Timestamp>().is_ok()),
            Self::Duration => value.as_str().is_some_and(|text| duration::parse(text).is_ok()),
            _ => Self::of(value) == self,
        };
        if fits {
            return Ok(());
        }
        let message = format!("this is {}, not {}", noun(value), self.with_article());
        Err(TypeError { message, help: self.sample() })
    }

    /// `value` as this type: as it is if it fits; numbers and booleans become text for a string, and text that reads as this
    /// type becomes it.
    ///
    /// # Errors
    /// When it neither is of this type nor reads as it.
    pub fn convert(self, value: Value) -> Result<Value, TypeError> {
        match (self.check(&value), self, &value) {
            (Ok(()), ..) => Ok(value),
            (Err(_), Self::String, Value::Number(number)) => Ok(number.to_string().into()),
            (Err(_), Self::String, Value::Bool(flag)) => Ok(flag.to_string().into()),
            (Err(_), Self::Integer | Self::Number | Self::Boolean, Value::String(text)) => self.parse(text),
            (Err(error), ..) => Err(error),
        }
    }

    /// The type a value has by itself: never `Timestamp` or `Duration`, and `Any` only for null.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Any,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_f64() => Self::Number,
            Value::Number(_) => Self::Integer,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    fn name(self) -> &'static str {
        NAMES.iter().find(|(kind, _)| *kind == self).map_or("any", |(_, name)| name)
    }

    fn with_article(self) -> String {
        let name = self.name();
        let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        format!("{article} {name}")
    }

    fn sample(self) -> Option<String> {
        let sample = match self {
            Self::Integer => "write 42",
            Self::Number => "write 1.5",
            Self::Boolean => "write true or false",
            Self::Object => r#"write {"key": "value"}"#,
            Self::Array => "write [1, 2]",
            Self::Timestamp => "write 2026-01-31T12:00:00Z",
            Self::Duration => "write 30s, 5m or 1h30m",
            Self::String | Self::Any => return None,
        };
        Some(sample.to_owned())
    }
}

fn whole(text: &str) -> Option<Value> {
    text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<u64>().map(Value::from)).ok()
}

fn is_whole(value: &Value) -> bool {
    value.is_i64()
        || value.is_u64()
        || value.as_f64().is_some_and(|number| number.fract() == 0.0 && number.abs() < 2f64.powi(53))
}

/// What a value is, in words, for messages.
pub(crate) fn noun(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// How many keys a message shows.
const KEYS_SHOWN: usize = 12;

/// What a value is and, for a map, which keys of which types it has; never a value.
pub(crate) fn outline(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(members) if members.is_empty() => "an empty map".to_owned(),
        Value::Object(members) => {
            let shown =
                members.iter().take(KEYS_SHOWN).map(|(key, value)| format!("{key} ({})", short(value)));
            let more = if members.len() > KEYS_SHOWN { ", ..." } else { "" };
            format!("a map with {}{more}", shown.collect::<Vec<_>>().join(", "))
        }
        other => noun(other).to_owned(),
    }
}

fn short(value: &Value) -> &'static str {
    noun(value).trim_start_matches("a ")
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Type {
    type Err = TypeError;

    fn from_str(text: &str) -> Result<Self, TypeError> {
        NAMES.iter().find(|(_, name)| *name == text).map(|(kind, _)| *kind).ok_or_else(|| TypeError {
            message: format!("`{text}` is not a type"),
            help: Some(format!("the types are {}", NAMES.map(|(_, name)| name).join(", "))),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(kind: Type, text: &str, expected: Option<Value>) {
        assert_eq!(kind.parse(text).ok(), expected, "{kind} {text:?}");
    }

    /// L-1: the declared type parses.
    #[test]
    fn text_is_read_by_the_declared_type() {
        check(Type::String, "007", Some(json!("007")));
        check(Type::String, " a ", Some(json!(" a ")));
        check(Type::Any, "5", Some(json!("5")));
        check(Type::Integer, "007", Some(json!(7)));
        check(Type::Integer, "18446744073709551615", Some(json!(18446744073709551615_u64)));
        check(Type::Integer, "1.5", None);
        check(Type::Number, "1.50", Some(json!(1.5)));
        check(Type::Number, "inf", None);
        check(Type::Boolean, "true", Some(json!(true)));
        check(Type::Boolean, "yes", None);
        check(Type::Object, "{\"a\": 1}", Some(json!({"a": 1})));
        check(Type::Object, "[1]", None);
        check(Type::Array, "[1]", Some(json!([1])));
        check(Type::Timestamp, "2026-01-31T12:00:00+01:00", Some(json!("2026-01-31T12:00:00+01:00")));
        check(Type::Timestamp, "tomorrow", None);
        check(Type::Duration, "1h30m", Some(json!("1h30m")));
        check(Type::Duration, "90", None);
    }

    #[test]
    fn a_value_of_another_type_is_named_but_not_shown() {
        let error = Type::Integer.check(&json!("canary")).unwrap_err();
        assert_eq!(error.message, "this is text, not an integer");
    }

    #[test]
    fn names_read_back() {
        for (kind, name) in NAMES {
            assert_eq!((name.parse(), kind.to_string().as_str()), (Ok(kind), name));
        }
        assert_eq!("int".parse::<Type>().unwrap_err().message, "`int` is not a type");
    }

    #[test]
    fn an_outline_has_keys_and_types_and_no_values() {
        let value = json!({"a": "canary", "b": [1], "c": {}, "d": null});
        assert_eq!(outline(&value), "a map with a (text), b (list), c (map), d (null)");
    }
}
