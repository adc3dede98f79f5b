//! Paths into a reply: those that the replies of the flow's own cases have.
//!
//! A recorded case shows what a service says, so nobody has to guess. Of a reply only keys and types are shown: what it
//! holds may be about people.

use std::borrow::Cow;

use flowrun_template::is_name;
use serde_json::Value;

use super::Asked;
use crate::case::{self, Answer, Body, Canned};
use crate::editor::locate::Part;
use crate::editor::reading::Reading;
use crate::editor::{Completion, CompletionKind, Edit};
use crate::node::Node;
use crate::settings::Language;
use crate::source::SourceText;

/// The most paths that are offered.
const MOST_PATHS: usize = 200;
/// How deep a reply is looked into.
const DEPTH: usize = 8;

/// A path of a reply: the type of what is there, and the case that has it.
struct Seen {
    path: String,
    kind: &'static str,
    case: String,
}

impl Asked<'_> {
    /// The paths that replies to the step under the cursor have; none where no path stands.
    pub(super) fn reply_paths<'c>(
        &self,
        cases: impl FnOnce() -> Option<Cow<'c, SourceText>>,
    ) -> Vec<Completion> {
        let Some((at, kind, settings)) = self.call() else { return Vec::new() };
        let Some(from) = self.picked_from(kind, settings) else { return Vec::new() };
        let Some(Ok(suite)) = cases().map(|cases| case::read(&cases)) else { return Vec::new() };
        let reading = Reading::of(self.source, Some(self.offset), self.catalog, self.atlas);
        let Some(step) = reading.root.as_ref().and_then(|root| node_at(root, &self.spot.path[..at])) else {
            return Vec::new();
        };
        let mut seen = Vec::new();
        if from == From::Pages && step.get(kind).is_some_and(|it| self.pages(kind, it)) {
            for (path, kind) in [("items", "list"), ("pages", "number")] {
                seen.push(Seen { path: path.to_owned(), kind, case: "all pages".to_owned() });
            }
        } else {
            for case in &suite.cases {
                let bodies =
                    case.replies.iter().filter(|canned| answers(canned, step, kind)).filter_map(body);
                bodies.for_each(|body| look(body, String::new(), 0, &case.name.is, &mut seen));
            }
        }
        seen.into_iter().map(|seen| self.path(seen)).collect()
    }

    /// The step that calls a service at the cursor: where its map stands, its kind, and what leads on from there.
    fn call(&self) -> Option<(usize, &str, &[Part])> {
        let path = &self.spot.path;
        let calls = |part: &Part| matches!(part, Part::Key(key) if self.atlas.shape(key).is_some());
        let at = (1..path.len()).find(|at| matches!(path[at - 1], Part::Item(_)) && calls(&path[*at]))?;
        let Part::Key(kind) = &path[at] else { return None };
        Some((at, kind, &path[at + 1..]))
    }

    /// What a path at these settings picks from, if a path stands there.
    fn picked_from(&self, kind: &str, settings: &[Part]) -> Option<From> {
        let keys: Vec<&str> = settings
            .iter()
            .map(|part| match part {
                Part::Key(key) => key.as_str(),
                Part::Item(_) => "",
            })
            .collect();
        let is_picks = |key: &str| {
            let setting = self.atlas.shape(kind).and_then(|shape| shape.property(key));
            setting.is_some_and(|setting| setting.language() == Language::Picks)
        };
        match keys.as_slice() {
            [picks, _] | [picks, _, "path"] if is_picks(picks) => Some(From::Pages),
            [pages, "items" | "next"] | [pages, "next", "from"] if self.is_paging(kind, pages) => {
                Some(From::Reply)
            }
            _ => None,
        }
    }

    fn is_paging(&self, kind: &str, setting: &str) -> bool {
        self.catalog.steps.get(kind).is_some_and(|step| step.info().pages == Some(setting))
    }

    /// Whether a call goes through pages, so that what it gives is all of them.
    fn pages(&self, kind: &str, settings: &Node) -> bool {
        let setting = self.catalog.steps.get(kind).and_then(|step| step.info().pages);
        setting.is_some_and(|setting| settings.get(setting).is_some())
    }

    /// A path in place of what has been typed of one; quoted where brackets would end a map.
    fn path(&self, Seen { path, kind, case }: Seen) -> Completion {
        let is_part = |c: char| c.is_alphanumeric() || "_-.$[]*@'".contains(c);
        let before = self.text[self.spot.start.min(self.offset)..self.offset].trim_end_matches(is_part).len();
        let start = self.spot.start.min(self.offset) + before;
        let after =
            self.text[self.offset..].len() - self.text[self.offset..].trim_start_matches(is_part).len();
        let is_quoted = self.text[..start].ends_with(['"', '\'']);
        let line = &self.text[self.text[..start].rfind('\n').map_or(0, |at| at + 1)..start];
        let is_within = line.matches('{').count() > line.matches('}').count();
        let text =
            if path.contains('[') && is_within && !is_quoted { format!("\"{path}\"") } else { path.clone() };
        // Braces and brackets after the cursor belong to the map, not to the path.
        let end = if is_within { self.offset } else { self.offset + after };
        Completion {
            label: path,
            kind: CompletionKind::Value,
            detail: Some(format!("a {kind}, in `{case}`")),
            documentation: None,
            edit: Edit { bytes: start..end, text },
        }
    }
}

/// What a path picks from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    /// One reply.
    Reply,
    /// The reply, or all pages of one that comes in pages.
    Pages,
}

fn node_at<'n>(root: &'n Node, path: &[Part]) -> Option<&'n Node> {
    path.iter().try_fold(root, |node, part| match part {
        Part::Key(key) => node.get(key),
        Part::Item(at) => node.items()?.get(*at),
    })
}

/// Whether a reply is one to this step: by its id, or by a request that may be the step's.
fn answers(canned: &Canned, step: &Node, kind: &str) -> bool {
    if let Some(named) = &canned.step {
        return step.get("id").and_then(Node::text) == Some(&named.is);
    }
    let asked = step.get(kind).and_then(|settings| settings.get("url")).and_then(Node::text);
    let asked = asked.map(|url| url.split("{{").next().unwrap_or_default());
    let heard = canned.when.as_ref().and_then(|when| when.url.as_deref());
    let heard = heard.map(|url| url.split('*').next().unwrap_or_default());
    // What is known of both is the same; a URL that begins with a value says nothing.
    matches!((asked, heard), (Some(a), Some(b)) if a.len().min(b.len()) > 0 && (a.starts_with(b) || b.starts_with(a)))
}

/// The JSON of a reply that went well.
fn body(canned: &Canned) -> Option<&Value> {
    match &canned.answer.is {
        Answer::Reply { status: 200..=299, body: Body::Json(body), .. } => Some(body),
        _ => None,
    }
}

/// Writes every path of a value down; of a list, its first item and all of them.
fn look(value: &Value, path: String, depth: usize, case: &str, seen: &mut Vec<Seen>) {
    if depth > DEPTH || seen.len() >= MOST_PATHS {
        return;
    }
    if !path.is_empty() && seen.iter().all(|known| known.path != path) {
        seen.push(Seen { path: path.clone(), kind: what(value), case: case.to_owned() });
    }
    match value {
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(key, member)| look(member, member_of(&path, key), depth + 1, case, seen));
        }
        Value::Array(items) => {
            let Some(first) = items.first() else { return };
            for item in ["[0]", "[*]"] {
                look(first, format!("{path}{item}"), depth + 1, case, seen);
            }
        }
        _ => {}
    }
}

/// The path of a member; a key that is no name stands in brackets (RFC 9535 2.3.1).
fn member_of(path: &str, key: &str) -> String {
    match (is_name(key), path.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{path}.{key}"),
        (false, _) => {
            let key = key.replace('\\', "\\\\").replace('\'', "\\'");
            format!("{}['{key}']", if path.is_empty() { "$" } else { path })
        }
    }
}

fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    }
}
