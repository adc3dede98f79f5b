//! JSON from strangers, read within limits (N8): depth 128, 100,000 nodes.
//!
//! Nodes are counted while they are built, because a small text can become a large tree.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Nodes of one document: values of any kind, the containers included.
const NODES: usize = 100_000;

/// Why a text is not taken as JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotJson {
    /// It is none, or nested deeper than 128 levels.
    #[error("it is not JSON (line {line}, column {column})")]
    Malformed {
        /// Where reading stopped, counting from 1.
        line: usize,
        /// Where reading stopped, counting from 1.
        column: usize,
    },
    /// It is JSON, and more than is taken.
    #[error("it holds more than {NODES} values")]
    TooMany,
}

/// Reads a document.
///
/// # Errors
/// When it is no JSON or exceeds a limit; the error never shows what was read.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, NotJson> {
    // RFC 8259, 8.1: a byte order mark may be ignored rather than refused.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let left = Cell::new(NODES);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Node { left: &left }.deserialize(&mut deserializer);
    value.and_then(|value| deserializer.end().map(|()| value)).map_err(|error| match left.get() {
        0 if error.is_data() => NotJson::TooMany,
        _ => NotJson::Malformed { line: error.line(), column: error.column() },
    })
}

#[derive(Clone, Copy)]
struct Node<'c> {
    left: &'c Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| D::Error::custom(NotJson::TooMany))?;
        self.left.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key()? {
            map.insert(name, members.next_value_seed(self)?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_read_as_it_is_kept_in_order() {
        let text = r#"{"b": 1, "a": [null, true, -2, 1.5, 18446744073709551615, "\u00e9"], "c": {}}"#;
        let value = parse(text.as_bytes()).unwrap();
        assert_eq!(value, serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(value.as_object().unwrap().keys().collect::<Vec<_>>(), ["b", "a", "c"]);
        assert_eq!(parse(b"\xef\xbb\xbf1"), Ok(json!(1)));
    }

    #[test]
    fn one_value_more_than_the_limit_is_too_many_n8() {
        let list = |items: usize| format!("[{}1]", "1,".repeat(items - 1));
        assert!(parse(list(NODES - 1).as_bytes()).is_ok());
        assert_eq!(parse(list(NODES).as_bytes()), Err(NotJson::TooMany));
        let map = format!("{{\"a\":{}}}", list(NODES - 1));
        assert_eq!(parse(map.as_bytes()), Err(NotJson::TooMany));
    }

    #[test]
    fn nesting_ends_at_depth_128_n8() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(127).as_bytes()).is_ok());
        assert!(matches!(parse(nested(200_000).as_bytes()), Err(NotJson::Malformed { line: 1, .. })));
    }

    #[test]
    fn what_is_no_json_is_said_with_its_place_only() {
        for (text, line, column) in [("", 1, 0), ("<html>", 1, 1), ("{\"a\":1} x", 1, 9), ("[1,\n2", 2, 1)] {
            assert_eq!(parse(text.as_bytes()), Err(NotJson::Malformed { line, column }), "{text:?}");
        }
    }
}
