//! What comes to a run from outside in a case: what starts it, what a person says, events, calls of its own URLs.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Written, read};
use crate::document::{Keys, wrong_shape};
use crate::node::Node;
use crate::problems::Problems;
use crate::trigger::{KINDS, fields};

/// Something a person says.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The message: `{text, choice, attachments}`.
    pub message: Value,
    /// When, counted from the start; without it, once a question waits.
    pub after: Option<Duration>,
}

/// An event that happens, or a call that comes.
#[derive(Debug, Clone)]
pub struct Happened {
    /// The event's name, or the id of the step whose URL is called.
    pub name: Written<String>,
    /// What an event is about.
    pub key: Option<String>,
    /// An event's data, or a call's `{body, query, headers}`.
    pub data: Value,
    /// When, counted from the start.
    pub after: Duration,
}

/// Reads `start`: one kind of trigger, and what it brings.
pub(super) fn start(
    keys: &mut Keys<'_>,
    problems: &mut Problems<'_>,
) -> Option<Written<(String, Map<String, Value>)>> {
    let path = keys.path_of("start");
    let node = keys.take("start")?;
    let help = "start: { message: { text: hello } }";
    let entry = node.entries().and_then(|entries| match entries {
        [entry] if KINDS.contains(&entry.0.text.as_str()) => Some(entry),
        _ => None,
    });
    let Some((kind, node)) = entry else {
        let wanted = "`start` is `message`, `webhook`, `schedule` or `event`, with what it brings";
        wrong_shape(problems, (&path, node), wanted, help);
        return None;
    };
    let at = format!("{path}.{}", kind.text);
    let mut brings = Map::new();
    if !node.is_null() {
        let mut keys = Keys::of_a("what starts a flow", node, &at, problems)?;
        for field in fields(&kind.text) {
            let node = keys.take(field);
            brings.extend(node.map(|node| ((*field).to_owned(), value(node, field))));
        }
        keys.refuse_rest(fields(&kind.text), problems);
    }
    let place = problems.source().place(&at, kind.bytes.clone());
    Some(Written { is: (kind.text.clone(), brings), place })
}

/// What a person typed is text, whatever YAML would make of it (L-7a).
fn value(node: &Node, field: &str) -> Value {
    match node.text().filter(|_| ["text", "choice", "at", "last"].contains(&field)) {
        Some(text) => Value::from(text),
        None => node.value(),
    }
}

/// Reads `say`: texts, or maps that say more.
pub(super) fn say(keys: &mut Keys<'_>, problems: &mut Problems<'_>) -> Vec<Said> {
    let path = keys.path_of("say");
    let Some(node) = keys.take("say") else { return Vec::new() };
    let items = read::list(node, &path, problems).into_iter();
    items.filter_map(|(path, node)| said(node, &path, problems)).collect()
}

fn said(node: &Node, path: &str, problems: &mut Problems<'_>) -> Option<Said> {
    let message = |text: Option<&str>, choice: Option<&str>, attachments: Value| json!({ "text": text.unwrap_or_default(), "choice": choice, "attachments": attachments });
    if node.entries().is_none() {
        let text = read::text(node, path, problems)?;
        return Some(Said { message: message(Some(&text), None, json!([])), after: None });
    }
    let mut keys = Keys::of_a("what is said", node, path, problems)?;
    let (text, choice) = (keys.text("text", problems), keys.text("choice", problems));
    let attachments = keys.take("attachments").map_or_else(|| json!([]), Node::value);
    let after = read::duration(&mut keys, "after", problems);
    keys.refuse_rest(&["text", "choice", "attachments", "after"], problems);
    Some(Said { message: message(text, choice, attachments), after })
}

/// Reads `events` or `calls`, each under its name.
pub(super) fn happened(
    keys: &mut Keys<'_>,
    key: &str,
    name: &str,
    problems: &mut Problems<'_>,
) -> Vec<Happened> {
    let path = keys.path_of(key);
    let Some(node) = keys.take(key) else { return Vec::new() };
    let items = read::list(node, &path, problems).into_iter();
    items.filter_map(|(path, node)| one(node, &path, name, problems)).collect()
}

fn one(node: &Node, path: &str, name: &str, problems: &mut Problems<'_>) -> Option<Happened> {
    let mut keys = Keys::of_a("what happens", node, path, problems)?;
    let called = read::written(&mut keys, name, problems);
    read::needed(node, (path, name), problems);
    let after = read::duration(&mut keys, "after", problems).unwrap_or_default();
    let (key, data) = if name == "event" {
        let key = keys.text("key", problems).map(str::to_owned);
        let data = keys.take("data").map_or_else(|| json!({}), Node::value);
        keys.refuse_rest(&["event", "key", "data", "after"], problems);
        (key, data)
    } else {
        let mut part = |name: &str, absent: Value| keys.take(name).map_or(absent, Node::value);
        let (body, query) = (part("body", Value::Null), part("query", json!({})));
        let data = json!({ "body": body, "query": query, "headers": part("headers", json!({})) });
        keys.refuse_rest(&["step", "body", "query", "headers", "after"], problems);
        (None, data)
    };
    Some(Happened { name: called?, key, data, after })
}
