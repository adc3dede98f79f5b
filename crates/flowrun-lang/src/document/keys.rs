//! The keys of one map of the language: taken one by one, what is left over is unknown.

use crate::code::Code;
use crate::node::{Key, Node};
use crate::problems::Problems;
use crate::suggest::{instead, is_meant};

/// A map whose keys the language knows.
#[derive(Debug)]
pub(crate) struct Keys<'n> {
    path: String,
    left: Vec<&'n (Key, Node)>,
}

impl<'n> Keys<'n> {
    /// The keys of a map; what is no map is a problem. Keys that begin with `x-` are nobody's (L-7b).
    pub(crate) fn of(node: &'n Node, path: &str, problems: &mut Problems<'_>) -> Option<Self> {
        let what = if path.is_empty() { "a flow" } else { path.rsplit('.').next().unwrap_or(path) };
        Self::of_a(what, node, path, problems)
    }

    /// The same of a map that is called `what`.
    pub(crate) fn of_a(what: &str, node: &'n Node, path: &str, problems: &mut Problems<'_>) -> Option<Self> {
        let Some(entries) = node.entries() else {
            let wanted = format!("{what} is a map");
            wrong_shape(
                problems,
                (path, node),
                &wanted,
                "write its keys on lines of their own, as `key: value`",
            );
            return None;
        };
        let left = entries.iter().filter(|(key, _)| !key.text.starts_with("x-")).collect();
        Some(Self { path: path.to_owned(), left })
    }

    /// Where these keys stand.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The path of one of them.
    pub(crate) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The keys nobody has taken.
    pub(crate) fn left(&self) -> &[&'n (Key, Node)] {
        &self.left
    }

    /// Whether an unknown key was meant to be this one: then it is said of that key alone.
    pub(crate) fn hold_near_miss(&self, wanted: &str, known: &[&str]) -> bool {
        is_meant(wanted, self.left.iter().map(|(key, _)| key.text.as_str()), known.iter().copied())
    }

    /// Takes a key's value.
    pub(crate) fn take(&mut self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|(_, node)| node)
    }

    /// Takes a key and its value.
    pub(crate) fn entry(&mut self, key: &str) -> Option<&'n (Key, Node)> {
        let at = self.left.iter().position(|(k, _)| k.text == key)?;
        Some(self.left.remove(at))
    }

    /// Takes a text.
    pub(crate) fn text(&mut self, key: &str, problems: &mut Problems<'_>) -> Option<&'n str> {
        let node = self.take(key)?;
        if node.text().is_none() {
            let help = format!("{key}: \"a text\"");
            wrong_shape(problems, (&self.path_of(key), node), &format!("`{key}` is a text"), &help);
        }
        node.text()
    }

    /// Takes a map with free keys.
    pub(crate) fn map(&mut self, key: &str, problems: &mut Problems<'_>) -> &'n [(Key, Node)] {
        let Some(node) = self.take(key) else { return &[] };
        if node.entries().is_none() && !node.is_null() {
            let help = format!("write `name: value` pairs beneath `{key}:`");
            wrong_shape(problems, (&self.path_of(key), node), &format!("`{key}` is a map"), &help);
        }
        node.entries().unwrap_or_default()
    }

    /// Takes a list of texts.
    pub(crate) fn texts(&mut self, key: &str, problems: &mut Problems<'_>) -> Vec<(&'n str, &'n Node)> {
        let Some(node) = self.take(key) else { return Vec::new() };
        let Some(items) = node.items() else {
            let help = format!("{key}: [{}]", node.text().unwrap_or("NAME"));
            let wanted = format!("`{key}` is a list of names");
            wrong_shape(problems, (&self.path_of(key), node), &wanted, &help);
            return Vec::new();
        };
        items.iter().filter_map(|item| Some((item.text()?, item))).collect()
    }

    /// What is left is unknown: says so, with the nearest known key.
    pub(crate) fn refuse_rest(self, known: &[&str], problems: &mut Problems<'_>) {
        for (key, _) in self.left.iter().filter(|(key, _)| !known.contains(&key.text.as_str())) {
            let problem = problems.error(
                Code::UnknownKey,
                (&self.path_of(&key.text), key.bytes.clone()),
                format!("unknown key `{}`", key.text),
            );
            problem.set_help(instead(&key.text, known.iter().copied()));
        }
    }
}

/// A value of another shape than the language wants, and what to write instead.
pub(crate) fn wrong_shape(
    problems: &mut Problems<'_>,
    (path, node): (&str, &Node),
    wanted: &str,
    help: &str,
) {
    let message = format!("{wanted}, but this is {}", node.what());
    problems.error(Code::WrongShape, (path, node.bytes.clone()), message).set_help(help);
}
