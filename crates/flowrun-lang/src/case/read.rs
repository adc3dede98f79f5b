//! The shapes that a test file is made of: texts with their places, lists, moments, durations, whole numbers.

use std::time::Duration;

use flowrun_template::duration;
use jiff::Timestamp;

use super::Written;
use crate::code::Code;
use crate::document::{Keys, wrong_shape};
use crate::node::{Key, Node};
use crate::problems::Problems;

/// A text and where it stands.
pub(super) fn written(
    keys: &mut Keys<'_>,
    key: &str,
    problems: &mut Problems<'_>,
) -> Option<Written<String>> {
    let path = keys.path_of(key);
    let (_, node) = keys.entry(key)?;
    let text = text(node, &path, problems)?;
    Some(Written { is: text, place: problems.source().place(&path, node.bytes.clone()) })
}

/// Says of a key that must be there that it is missing.
pub(super) fn needed(node: &Node, (path, key): (&str, &str), problems: &mut Problems<'_>) {
    if node.get(key).is_none() {
        let at = node.bytes.start..node.bytes.start;
        let problem = problems.error(Code::MissingKey, (path, at), format!("`{key}` is missing"));
        problem.set_help(format!("add `{key}:`"));
    }
}

/// A key and where it stands.
pub(super) fn key_of(key: &Key, path: &str, problems: &Problems<'_>) -> Written<String> {
    Written { is: key.text.clone(), place: problems.source().place(path, key.bytes.clone()) }
}

/// The source text of a scalar (L-7a).
pub(super) fn text(node: &Node, path: &str, problems: &mut Problems<'_>) -> Option<String> {
    let text = node.text().map(str::to_owned);
    if text.is_none() {
        wrong_shape(problems, (path, node), "this is a text", "write it in quotes: \"a text\"");
    }
    text
}

/// The items of a list, each with its path.
pub(super) fn list<'n>(node: &'n Node, path: &str, problems: &mut Problems<'_>) -> Vec<(String, &'n Node)> {
    let Some(items) = node.items() else {
        let key = path.rsplit('.').next().unwrap_or(path);
        let wanted = format!("`{key}` is a list");
        wrong_shape(problems, (path, node), &wanted, "write each item on a line of its own, after `- `");
        return Vec::new();
    };
    items.iter().enumerate().map(|(at, item)| (format!("{path}[{at}]"), item)).collect()
}

/// A map of texts, each under a name with its place.
pub(super) fn texts_by_name(
    keys: &mut Keys<'_>,
    key: &str,
    problems: &mut Problems<'_>,
) -> Vec<(Written<String>, String)> {
    let path = keys.path_of(key);
    let mut texts = Vec::new();
    for (name, node) in keys.map(key, problems) {
        let path = format!("{path}.{}", name.text);
        let name = key_of(name, &path, problems);
        texts.extend(text(node, &path, problems).map(|text| (name, text)));
    }
    texts
}

/// A moment (RFC 3339).
pub(super) fn moment(keys: &mut Keys<'_>, key: &str, problems: &mut Problems<'_>) -> Option<Timestamp> {
    let path = keys.path_of(key);
    let node = keys.take(key)?;
    let moment = node.text().and_then(|text| text.parse().ok());
    if moment.is_none() {
        let wanted = format!("`{key}` is a moment");
        wrong_shape(problems, (&path, node), &wanted, &format!("{key}: 2026-01-31T12:00:00Z"));
    }
    moment
}

/// A duration with its unit (L-7).
pub(super) fn duration(keys: &mut Keys<'_>, key: &str, problems: &mut Problems<'_>) -> Option<Duration> {
    let path = keys.path_of(key);
    let node = keys.take(key)?;
    match duration::parse(node.text().unwrap_or_default()) {
        Ok(duration) => Some(duration),
        Err(error) => {
            let problem = problems.error(Code::Duration, (&path, node.bytes.clone()), error.message.clone());
            problem.help = error.help;
            None
        }
    }
}

/// A whole number between two others.
pub(super) fn whole(
    node: &Node,
    (path, least, most): (&str, u64, u64),
    problems: &mut Problems<'_>,
) -> Option<u64> {
    let number = node.text().and_then(|text| text.parse().ok());
    let number = number.filter(|number| (least..=most).contains(number));
    if number.is_none() {
        let wanted = format!("this is a whole number from {least} to {most}");
        wrong_shape(problems, (path, node), &wanted, "write the number without quotes or units");
    }
    number
}

/// One word of a few.
pub(crate) fn word<T: Copy>(
    node: &Node,
    path: &str,
    words: &[(&str, T)],
    problems: &mut Problems<'_>,
) -> Option<T> {
    let text = node.text().unwrap_or_default();
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, meant)| *meant);
    if found.is_none() {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let wanted = format!("this is one of `{}`", known.join("`, `"));
        let help = crate::suggest::instead(text, known);
        wrong_shape(problems, (path, node), &wanted, &help);
    }
    found
}
