//! The settings of a catalogue's kind: checked by its own schema, compiled by the language of each field.
//!
//! A schema says under `x-flowrun` which language a string is written in. What is constant is checked
//! here at its place; what holds a template is checked by the step once it is rendered.

mod schema;
mod validate;

use std::ops::Range;

use flowrun_machine::Placed;
use flowrun_step::ErasedStep;
use flowrun_template::{Picks, Place, Tree};
use serde_json::{Map, Value};

use crate::code::Code;
use crate::compile::{Compiler, Spot};
use crate::node::{Key, Kind, Node};
use crate::suggest::{instead, is_meant};
pub(crate) use schema::{Language, Shape};
pub(crate) use validate::Judge;

/// A step's settings, compiled.
pub(crate) struct Settings {
    pub(crate) tree: Tree,
    pub(crate) picks: Option<Placed<Picks>>,
}

/// Whether a text is a template rather than a constant.
pub(crate) fn is_template(text: &str) -> bool {
    text.contains("{{")
}

/// The names that a kind's `variables` would write, for a first walk that compiles nothing.
pub(crate) fn pick_names(kind: &dyn ErasedStep, settings: &Node) -> Vec<String> {
    let schema = kind.settings_schema();
    pick_places(schema.as_value(), settings).into_iter().map(|(name, ..)| name).collect()
}

/// The same by the kind's schema, each with its path within the settings and its bytes.
pub(crate) fn pick_places(schema: &Value, settings: &Node) -> Vec<(String, String, Range<usize>)> {
    let shape = Shape::of(schema);
    let picks = settings.entries().unwrap_or_default().iter().filter(|(key, _)| {
        shape.property(&key.text).is_some_and(|field| field.language() == Language::Picks)
    });
    let place = |field: &str, name: &str, bytes: &Range<usize>| {
        (name.to_owned(), format!("{field}.{name}"), bytes.clone())
    };
    let places = |(field, node): &(Key, Node)| match &node.kind {
        Kind::Map(entries) => {
            entries.iter().map(|(key, _)| place(&field.text, &key.text, &key.bytes)).collect()
        }
        Kind::List(items) => {
            let named = items.iter().filter_map(|item| Some((item.text()?, item)));
            named.map(|(name, item)| place(&field.text, name, &item.bytes)).collect()
        }
        Kind::Scalar(_) => Vec::new(),
    };
    picks.flat_map(places).collect()
}

impl Compiler<'_, '_, '_> {
    /// Compiles a kind's settings; nothing if they are no map.
    pub(crate) fn settings(&mut self, kind: &dyn ErasedStep, node: &Node, path: &str) -> Option<Settings> {
        let schema = kind.settings_schema();
        let shape = Shape::of(schema.as_value());
        let Some(entries) = node.entries() else {
            let wanted = format!("`{}` has settings beneath it", kind.info().kind);
            let first = shape.required().next().or(shape.property_names().first().copied());
            let help = format!("write them on the lines below: {}: …", first.unwrap_or("name"));
            crate::document::wrong_shape(self.problems, (path, node), &wanted, &help);
            return None;
        };
        self.missing_settings(&shape, node, path);
        let mut settings = Settings { tree: Tree::Constant(Value::Null), picks: None };
        let mut members = Vec::new();
        for (key, value) in entries.iter().filter(|(key, _)| !key.text.starts_with("x-")) {
            let path = format!("{path}.{}", key.text);
            match shape.property(&key.text) {
                Some(field) if field.language() == Language::Picks => {
                    settings.picks = self.picks(value, &path);
                    members.push((key.text.clone(), Tree::Constant(value.value())));
                }
                Some(field) => members.push((key.text.clone(), self.field(&field, value, &path, node))),
                None => self.unknown_setting(&shape, key, &path),
            }
        }
        let judge = self.judges.entry(kind.info().kind.to_string());
        let judge = judge.or_insert_with(|| Judge::of(schema.as_value())).clone();
        validate::constants(self.problems, &judge, node, path);
        settings.tree = Tree::Map(members);
        Some(settings)
    }

    fn missing_settings(&mut self, shape: &Shape<'_>, node: &Node, path: &str) {
        let written = || node.entries().unwrap_or_default().iter().map(|(key, _)| key.text.as_str());
        for key in shape.required().filter(|key| node.get(key).is_none()) {
            if !is_meant(key, written(), shape.property_names()) {
                self.missing(key, node, path);
            }
        }
    }

    fn unknown_setting(&mut self, shape: &Shape<'_>, key: &Key, path: &str) {
        let message = format!("unknown setting `{}`", key.text);
        let help = instead(&key.text, shape.property_names());
        self.problems.error(Code::UnknownKey, (path, key.bytes.clone()), message).set_help(help);
    }

    fn picks(&mut self, node: &Node, path: &str) -> Option<Placed<Picks>> {
        for (key, how) in node.entries().unwrap_or_default() {
            if let Some(default) = how.get("default").filter(|_| how.get("type").is_none()) {
                self.prints_as_written(default, &format!("{path}.{}.default", key.text));
            }
        }
        match Picks::compile(&picks_as_written(node)) {
            Ok(picks) => Some(Placed { path: path.to_owned(), part: picks }),
            Err(errors) => {
                for (pointer, error) in errors {
                    let (path, bytes) = self.spot(node, path, &pointer, &error.span);
                    self.report(&error, Code::Path, &path, bytes);
                }
                None
            }
        }
    }

    /// One setting, in the language its schema names.
    fn field(&mut self, shape: &Shape<'_>, node: &Node, path: &str, settings: &Node) -> Tree {
        let spot = Spot { may_hold_secrets: true, ..Spot::default() };
        match shape.language() {
            Language::Url => {
                self.reaches(node, settings, path);
                self.text_for(node, path, Place::Url, Spot::default()).part
            }
            Language::Text => self.tree(&texts(node), node, path, (Place::Text, Spot::default())).part,
            Language::Header => self.tree(&texts(node), node, path, (Place::Header, spot)).part,
            Language::Form => self.tree(&texts(node), node, path, (Place::Value, spot)).part,
            Language::Json => self.json(node, path, spot),
            Language::Body => self.text_for(node, path, body_place(settings), spot).part,
            Language::Duration => {
                self.duration(node, path);
                Tree::Constant(texts(node))
            }
            Language::Expression => {
                self.logic(node, path);
                Tree::Constant(texts(node))
            }
            Language::Until => {
                let outer = std::mem::replace(&mut self.has_item, true);
                self.until = self.logic(node, path);
                self.has_item = outer;
                Tree::Constant(texts(node))
            }
            Language::Integration => {
                self.literal(node, path);
                self.integration_setting(&texts(node), node, path);
                Tree::Constant(texts(node))
            }
            Language::Literal | Language::Picks => self.nested(shape, node, path, settings),
        }
    }

    /// A value in which YAML types count and texts are templates (L-7a).
    fn json(&mut self, node: &Node, path: &str, spot: Spot) -> Tree {
        self.prints_as_written(node, path);
        self.tree(&node.value(), node, path, (Place::Value, spot)).part
    }

    /// A setting without a language of its own: a constant, or a map or list whose members may have one.
    fn nested(&mut self, shape: &Shape<'_>, node: &Node, path: &str, settings: &Node) -> Tree {
        match &node.kind {
            Kind::Map(entries) if shape.has_members() => {
                let member = |(key, value): &(Key, Node)| {
                    let path = format!("{path}.{}", key.text);
                    let member = shape.property(&key.text);
                    let tree = member.map_or(Tree::Constant(value.value()), |member| {
                        self.field(&member, value, &path, settings)
                    });
                    (key.text.clone(), tree)
                };
                Tree::Map(entries.iter().map(member).collect())
            }
            _ => {
                self.literal(node, path);
                Tree::Constant(if shape.is_text() { texts(node) } else { node.value() })
            }
        }
    }

    /// A template where only a literal may stand (N1).
    fn literal(&mut self, node: &Node, path: &str) {
        if node.text().is_some_and(is_template) {
            let key = path.rsplit('.').next().unwrap_or(path);
            let message = format!("`{key}` is a literal: a template cannot stand here");
            let problem = self.problems.error(Code::Setting, (path, node.bytes.clone()), message);
            problem.set_help("write the value itself; to choose between two, use two steps with `if`");
        }
    }
}

/// N3: a body is escaped for what it says it is.
fn body_place(settings: &Node) -> Place {
    let content_type =
        settings.get("content_type").and_then(Node::text).unwrap_or_default().to_ascii_lowercase();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    match essence {
        "application/x-www-form-urlencoded" => Place::Form,
        essence if essence == "application/json" || essence.ends_with("+json") => Place::Json,
        _ => Place::Body,
    }
}

/// `variables` as written: a `default` is a value, and with a `type` the text that is read as it.
fn picks_as_written(node: &Node) -> Value {
    let mut written = texts(node);
    for (key, how) in node.entries().unwrap_or_default() {
        let is_typed = how.get("type").is_some();
        let default = how.get("default").filter(|default| !is_typed || default.scalar().is_none());
        let long = written.get_mut(&key.text).and_then(Value::as_object_mut);
        if let (Some(default), Some(long)) = (default, long) {
            long.insert("default".to_owned(), default.value());
        }
    }
    written
}

/// A value in which every scalar is its source text (L-7a); null stays null.
fn texts(node: &Node) -> Value {
    match &node.kind {
        Kind::Scalar(scalar) if scalar.is_null() => Value::Null,
        Kind::Scalar(scalar) => match scalar.value() {
            Value::Bool(value) => Value::Bool(value),
            _ => Value::String(scalar.text.clone()),
        },
        Kind::List(items) => Value::Array(items.iter().map(texts).collect()),
        Kind::Map(entries) => Value::Object(
            entries.iter().map(|(key, node)| (key.text.clone(), texts(node))).collect::<Map<_, _>>(),
        ),
    }
}
