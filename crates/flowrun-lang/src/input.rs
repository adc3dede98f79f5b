//! The inputs a flow declares, and the one door by which values come in (L-1, T21).

mod accept;
mod answer;

use flowrun_template::{Path, Slot, Slots, Type};
use serde_json::Value;

use crate::code::Code;
use crate::document::{Keys, wrong_shape};
use crate::node::{Key, Node};
use crate::problems::Problems;

pub(crate) use accept::fits;
pub(crate) use answer::Answer;

/// An input as declared.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// What a given text is parsed as, and a given value must be.
    pub kind: Type,
    /// What it is where nothing is given.
    pub default: Option<Value>,
    /// What a person would be asked.
    pub ask: Option<String>,
    /// Where in the trigger it is found, where nobody gave it.
    pub(crate) from: Option<Path>,
    /// Whether its value must not be shown.
    pub is_sensitive: bool,
    /// `enum`, `pattern`, `minimum`, `maximum` as a JSON schema.
    pub(crate) rules: Value,
    /// The variable it becomes.
    pub(crate) slot: Slot,
}

/// A value from outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// From a command line or a person: parsed by the declared type.
    Text(String),
    /// From a program: it must have the declared type.
    Value(Value),
}

/// The types an input may have.
pub(crate) const TYPES: &[&str] =
    &["string", "integer", "number", "boolean", "object", "array", "timestamp", "duration", "any"];

/// The keys of an input.
pub(crate) const KEYS: &[&str] =
    &["type", "default", "ask", "enum", "pattern", "minimum", "maximum", "sensitive", "from", "description"];

/// Reads the `inputs` of a flow.
pub(crate) fn inputs(entries: &[(Key, Node)], slots: &mut Slots, problems: &mut Problems<'_>) -> Vec<Input> {
    entries.iter().filter_map(|(key, node)| input(key, node, slots, problems)).collect()
}

fn input(key: &Key, node: &Node, slots: &mut Slots, problems: &mut Problems<'_>) -> Option<Input> {
    let path = format!("inputs.{}", key.text);
    if !flowrun_template::is_name(&key.text)
        || flowrun_template::RESERVED.contains(&key.text.as_str())
        || flowrun_template::HELPERS.contains(&key.text.as_str())
    {
        let message = format!("`{}` cannot be the name of an input", key.text);
        let problem = problems.error(Code::IllegalName, (&path, key.bytes.clone()), message);
        problem.set_help("use a letter or `_`, then letters, digits or `_`; not a word of the language");
    }
    let slot = slots.intern(&key.text);
    let plain = |kind| Input {
        name: key.text.clone(),
        kind,
        default: None,
        ask: None,
        from: None,
        is_sensitive: false,
        rules: Value::Bool(true),
        slot,
    };
    if node.is_null() {
        return Some(plain(Type::Any));
    }
    let mut keys = Keys::of(node, &path, problems)?;
    let kind = keys.take("type").map_or(Type::Any, |node| kind_of(node, &keys.path_of("type"), problems));
    let mut input = plain(kind);
    input.ask = keys.text("ask", problems).map(str::to_owned);
    input.is_sensitive = keys.take("sensitive").is_some_and(|node| node.value() == Value::Bool(true));
    input.from = keys.take("from").and_then(|node| from(node, &keys.path_of("from"), problems));
    input.rules = rules(&mut keys, &["enum", "pattern", "minimum", "maximum"], kind, problems);
    if let Some(node) = keys.take("default") {
        input.default = default(&input, node, &keys.path_of("default"), problems);
    }
    keys.text("description", problems);
    keys.refuse_rest(KEYS, problems);
    Some(input)
}

/// A path into the trigger (L-1, L-5).
fn from(node: &Node, path: &str, problems: &mut Problems<'_>) -> Option<Path> {
    match Path::compile(node.text().unwrap_or_default()) {
        Ok(from) => Some(from),
        Err(error) => {
            let problem = problems.error(Code::Path, (path, node.bytes.clone()), error.message);
            problem.set_help(error.help.unwrap_or_else(|| "from: body.customer.email".to_owned()));
            None
        }
    }
}

fn kind_of(node: &Node, path: &str, problems: &mut Problems<'_>) -> Type {
    let text = node.text().unwrap_or_default();
    text.parse().unwrap_or_else(|_| {
        let problem =
            problems.error(Code::WrongShape, (path, node.bytes.clone()), format!("`{text}` is no type"));
        problem.set_help(crate::suggest::instead(text, TYPES.iter().copied()));
        Type::Any
    })
}

/// The rules beyond the type, in the words of JSON Schema, whose names these keys are; always a usable schema.
fn rules(keys: &mut Keys<'_>, known: &[&str], kind: Type, problems: &mut Problems<'_>) -> Value {
    let mut rules = serde_json::Map::new();
    let mut at = 0..0;
    for key in known.iter().copied() {
        let Some(node) = keys.take(key) else { continue };
        if key == "pattern" {
            at = node.bytes.clone();
        }
        let value = match key {
            "pattern" => node.text().map(Value::from),
            "enum" => node.items().map(|items| items.iter().map(|item| as_declared(item, kind)).collect()),
            _ => Some(node.value()).filter(Value::is_number),
        };
        match value {
            Some(value) => {
                rules.insert(key.to_owned(), value);
            }
            None => {
                let (wanted, help) = rule_words(key);
                wrong_shape(problems, (&keys.path_of(key), node), wanted, help);
            }
        }
    }
    let rules = Value::Object(rules);
    if let Err(error) = jsonschema::validator_for(&rules) {
        let message = format!("the rules of this input are not usable: {error}");
        let problem = problems.error(Code::WrongShape, (&keys.path_of("pattern"), at), message);
        problem.set_help("pattern: '^[0-9]+$'");
        return Value::Bool(true);
    }
    rules
}

fn rule_words(key: &str) -> (&'static str, &'static str) {
    match key {
        "enum" => ("`enum` is a list of values", "enum: [small, large]"),
        "pattern" => ("`pattern` is a regular expression", "pattern: '^[0-9]+$'"),
        "minimum" => ("`minimum` is a number", "minimum: 1"),
        _ => ("`maximum` is a number", "maximum: 100"),
    }
}

fn as_declared(node: &Node, kind: Type) -> Value {
    match node.text() {
        Some(text) if kind == Type::String => Value::from(text),
        _ => node.value(),
    }
}

fn default(input: &Input, node: &Node, path: &str, problems: &mut Problems<'_>) -> Option<Value> {
    let value = as_declared(node, input.kind);
    match input.check(&value) {
        Ok(()) => Some(value),
        Err(wrong) => {
            let message = format!("the default does not fit: {wrong}");
            let problem = problems.error(Code::InputValue, (path, node.bytes.clone()), message);
            problem.set_help(fitting(input.kind, &value));
            None
        }
    }
}

/// What to write where a default does not fit: one of the type, or the type it has.
fn fitting(declared: Type, value: &Value) -> String {
    let example = match declared {
        Type::String | Type::Any => "a default that its rules allow",
        Type::Integer => "default: 0",
        Type::Number => "default: 0.5",
        Type::Boolean => "default: false",
        Type::Object => "default: {}",
        Type::Array => "default: []",
        Type::Timestamp => "default: 2026-01-31T09:00:00Z",
        Type::Duration => "default: 30s",
    };
    match Type::of(value) {
        other if declared.check(value).is_err() && other != Type::Any => {
            format!("{example}, or type: {other}")
        }
        _ => "write one that the input's own rules allow, or loosen the rules".to_owned(),
    }
}
