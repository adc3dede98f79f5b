//! YAML as a tree in which every key and value knows its bytes.
//!
//! Nothing is typed here: a scalar keeps its source text (L-7a). [`Node::value`] gives the value where
//! YAML types count, as serde_yaml reads it.

use std::ops::Range;

use serde_json::{Map, Value};

/// The longest text that a message repeats, in bytes.
const MOST_SHOWN: usize = 40;

/// One value of the file.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) bytes: Range<usize>,
    pub(crate) kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A text as written, without its quotes.
#[derive(Debug, Clone)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    pub(crate) style: Style,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Quoted,
    Block,
}

/// A key of a map.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) bytes: Range<usize>,
}

impl Node {
    /// The scalar, if it is one.
    pub(crate) fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The source text of a scalar that is not null (L-7a).
    pub(crate) fn text(&self) -> Option<&str> {
        self.scalar().filter(|scalar| !scalar.is_null()).map(|scalar| scalar.text.as_str())
    }

    /// Whether nothing, `~` or `null` is written.
    pub(crate) fn is_null(&self) -> bool {
        self.scalar().is_some_and(Scalar::is_null)
    }

    /// The items, if it is a list.
    pub(crate) fn items(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if it is a map.
    pub(crate) fn entries(&self) -> Option<&[(Key, Node)]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The entries of a map, none of anything else.
    pub(crate) fn into_entries(self) -> Vec<(Key, Node)> {
        match self.kind {
            Kind::Map(entries) => entries,
            Kind::Scalar(_) | Kind::List(_) => Vec::new(),
        }
    }

    /// The value of a key, if it is a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries()?.iter().find(|(k, _)| k.text == key).map(|(_, value)| value)
    }

    /// What it is, for messages: a short scalar as it was written.
    pub(crate) fn what(&self) -> String {
        let shown = |text: &str| text.len() <= MOST_SHOWN && !text.contains(['\n', '`']);
        match &self.kind {
            Kind::Scalar(scalar) if scalar.is_null() => "nothing".to_owned(),
            Kind::Scalar(scalar) if shown(&scalar.text) => format!("`{}`", scalar.text),
            Kind::Scalar(_) => "a text".to_owned(),
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a map".to_owned(),
        }
    }

    /// The value as YAML types it.
    pub(crate) fn value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(scalar) => scalar.value(),
            Kind::List(items) => Value::Array(items.iter().map(Self::value).collect()),
            Kind::Map(entries) => Value::Object(
                entries.iter().map(|(key, node)| (key.text.clone(), node.value())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// The node at a path such as `steps[0].set.total`, which may go on as a JSON pointer (`/a/0`).
    pub(crate) fn find(&self, path: &str) -> Option<&Node> {
        let rest = path.trim_start_matches(['.', '/']);
        if rest.is_empty() {
            return Some(self);
        }
        match &self.kind {
            Kind::Scalar(_) => None,
            Kind::List(items) => {
                let index = rest.trim_start_matches('[');
                let digits = index.len() - index.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                let item = items.get(index[..digits].parse::<usize>().ok()?)?;
                item.find(index[digits..].trim_start_matches(']'))
            }
            Kind::Map(entries) => {
                let begins = |key: &Key| {
                    let escaped = key.text.replace('~', "~0").replace('/', "~1");
                    [key.text.as_str(), &escaped].iter().find_map(|text| {
                        let after = rest.strip_prefix(text)?;
                        (after.is_empty() || after.starts_with(['.', '[', '/'])).then_some(after.len())
                    })
                };
                let found = entries.iter().filter_map(|(key, node)| Some((begins(key)?, node)));
                let (left, node) = found.min_by_key(|(left, _)| *left)?;
                node.find(&rest[rest.len() - left..])
            }
        }
    }
}

impl Scalar {
    /// Whether nothing, `~` or `null` is written, unquoted.
    pub(crate) fn is_null(&self) -> bool {
        self.style == Style::Plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// The value as YAML types it: only a plain scalar can be anything but text.
    pub(crate) fn value(&self) -> Value {
        let text = || Value::String(self.text.clone());
        let may_be_typed = self.text.starts_with(|c: char| c.is_ascii_digit() || "+-.~tTfFnN".contains(c));
        if self.is_null() {
            Value::Null
        } else if self.style == Style::Plain && may_be_typed {
            match serde_yaml::from_str::<serde_yaml::Value>(&self.text) {
                Ok(serde_yaml::Value::Bool(value)) => Value::Bool(value),
                Ok(serde_yaml::Value::Number(number)) => {
                    serde_json::to_value(number).ok().filter(|value| !value.is_null()).unwrap_or_else(text)
                }
                _ => text(),
            }
        } else {
            text()
        }
    }
}
