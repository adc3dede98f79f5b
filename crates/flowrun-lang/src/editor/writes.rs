//! Every place that gives a name to something: inputs, variables, step ids.

use std::ops::Range;

use crate::document::{Document, Handler, KindNode, StepNode};
use crate::editor::ground::Atlas;
use crate::node::{Key, Kind, Node};
use crate::settings::Language;

/// How a variable comes by its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum How {
    /// Given from outside; what the declaration says.
    Input(String),
    /// By `set`, of this type if it is a constant.
    Set(Option<&'static str>),
    /// By `compute`, as this expression.
    Compute(String),
    /// Picked from a reply by this path, of this type if one is declared.
    Picked(String, Option<String>),
    /// Picked from a reply by its own name.
    PickedByName,
    /// A step's whole output.
    Into,
    /// An item of this list.
    Item(String),
}

/// One place that writes a variable.
#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) name: String,
    pub(super) bytes: Range<usize>,
    pub(super) how: How,
    /// The id and the kind of the step that does it.
    pub(super) step: Option<(Option<String>, String)>,
}

/// One step that has an id.
#[derive(Debug, Clone)]
pub(super) struct Id {
    pub(super) name: String,
    pub(super) bytes: Range<usize>,
    pub(super) kind: String,
}

/// All of them, from top to bottom.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) writes: Vec<Write>,
    pub(super) ids: Vec<Id>,
}

/// Walks a document.
pub(super) fn names(document: &Document<'_>, atlas: &Atlas) -> Names {
    let mut walk = Walk { names: Names::default(), atlas };
    document.inputs.iter().for_each(|(key, node)| walk.input(key, node));
    walk.steps(&document.steps);
    walk.handler(&document.on_error);
    walk.steps(&document.finally);
    // An alias repeats a step at the same place.
    walk.names.writes.dedup_by(|a, b| a.bytes == b.bytes);
    walk.names.ids.dedup_by(|a, b| a.bytes == b.bytes);
    walk.names
}

struct Walk<'a> {
    names: Names,
    atlas: &'a Atlas,
}

impl Walk<'_> {
    fn input(&mut self, key: &Key, node: &Node) {
        let text = |key| node.get(key).and_then(Node::text);
        let kind = text("type").unwrap_or("any");
        let default = node.get("default").map(|node| format!(", {} unless given", node.what()));
        let about = text("description").map(|about| format!("\n\n{about}")).unwrap_or_default();
        let how = How::Input(format!("type `{kind}`{}{about}", default.unwrap_or_default()));
        self.write(&key.text, key.bytes.clone(), how, None);
    }

    fn steps(&mut self, steps: &[StepNode<'_>]) {
        steps.iter().for_each(|step| self.step(step));
    }

    fn handler(&mut self, handler: &Handler<'_>) {
        if let Handler::Steps(steps) = handler {
            self.steps(steps);
        }
    }

    fn step(&mut self, step: &StepNode<'_>) {
        if let Some((node, name)) = named(step.id) {
            let (name, bytes) = (name.to_owned(), node.bytes.clone());
            self.names.ids.push(Id { name, bytes, kind: step.name.to_owned() });
        }
        if let Some((node, name)) = named(step.into) {
            self.write(name, node.bytes.clone(), How::Into, Some(step));
        }
        self.kind(step);
        self.handler(&step.on_error);
        self.steps(&step.finally);
    }

    fn kind(&mut self, step: &StepNode<'_>) {
        match &step.kind {
            KindNode::Set(entries) => entries.iter().for_each(|(key, node)| {
                self.write(&key.text, key.bytes.clone(), How::Set(type_of(node)), Some(step));
            }),
            KindNode::Compute(entries) => entries.iter().for_each(|(key, node)| {
                let how = How::Compute(node.text().unwrap_or_default().to_owned());
                self.write(&key.text, key.bytes.clone(), how, Some(step));
            }),
            KindNode::ForEach(settings, steps) => {
                if let Some((node, name)) = named(settings.get("as")) {
                    let list = settings.get("in").and_then(Node::text).unwrap_or_default();
                    self.write(name, node.bytes.clone(), How::Item(list.to_owned()), Some(step));
                }
                self.steps(steps);
            }
            KindNode::If(guarded) => {
                self.steps(&guarded.then);
                self.steps(&guarded.otherwise);
            }
            KindNode::Switch(cases) => cases.iter().for_each(|case| self.steps(&case.steps)),
            KindNode::Parallel(branches, _) => {
                branches.iter().for_each(|branch| self.steps(&branch.steps));
            }
            KindNode::Do(steps) | KindNode::Repeat(_, steps) => self.steps(steps),
            KindNode::Call(settings) => self.picks(step, settings),
            _ => {}
        }
    }

    fn picks(&mut self, step: &StepNode<'_>, settings: &Node) {
        let Some(shape) = self.atlas.shape(step.name) else { return };
        let is_picks =
            |key: &Key| shape.property(&key.text).is_some_and(|field| field.language() == Language::Picks);
        let entries = settings.entries().unwrap_or_default().iter();
        for (_, node) in entries.filter(|(key, _)| is_picks(key)) {
            match &node.kind {
                Kind::Map(picks) => picks.iter().for_each(|(key, pick)| {
                    let path = pick.text().or_else(|| pick.get("path")?.text()).unwrap_or(&key.text);
                    let kind = pick.get("type").and_then(Node::text).map(str::to_owned);
                    let how = How::Picked(path.to_owned(), kind);
                    self.write(&key.text, key.bytes.clone(), how, Some(step));
                }),
                Kind::List(items) => {
                    for (node, name) in items.iter().filter_map(|item| named(Some(item))) {
                        self.write(name, node.bytes.clone(), How::PickedByName, Some(step));
                    }
                }
                Kind::Scalar(_) => {}
            }
        }
    }

    fn write(&mut self, name: &str, bytes: Range<usize>, how: How, step: Option<&StepNode<'_>>) {
        let id = |step: &StepNode<'_>| step.id.and_then(Node::text).map(str::to_owned);
        let step = step.map(|step| (id(step), step.name.to_owned()));
        self.names.writes.push(Write { name: name.to_owned(), bytes, how, step });
    }
}

fn named(node: Option<&Node>) -> Option<(&Node, &str)> {
    node.and_then(|node| Some((node, node.text()?)))
}

/// The type of a constant.
fn type_of(node: &Node) -> Option<&'static str> {
    match &node.kind {
        Kind::List(_) => Some("array"),
        Kind::Map(_) => Some("object"),
        Kind::Scalar(scalar) if scalar.text.contains("{{") => None,
        Kind::Scalar(scalar) => match scalar.value() {
            serde_json::Value::Bool(_) => Some("boolean"),
            serde_json::Value::Number(number) if number.is_f64() => Some("number"),
            serde_json::Value::Number(_) => Some("integer"),
            serde_json::Value::String(_) => Some("string"),
            _ => None,
        },
    }
}
