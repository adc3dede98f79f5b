//! Where the cursor is, told from the lines alone: what leads to it by indentation, then by brackets.
//!
//! This holds for a text that no YAML parser takes. Lines above count only where they begin further left than what
//! was found so far; the value of a key that goes on over lines is found by its key.

mod brackets;
mod chain;
mod line;

use brackets::within_value;
use chain::Chain;
use line::Line;

/// One step from the file to the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Key(String),
    Item(usize),
}

/// A place in a flow as it is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    /// What leads to the map whose key, or to the value, under the cursor.
    pub(super) path: Vec<Part>,
    /// The other keys of that map; none at a value.
    pub(super) beside: Vec<String>,
    /// Whether a key may stand here; a lone word in a list may be a value too.
    pub(super) is_key: bool,
    /// Where the value, or the key, begins.
    pub(super) start: usize,
}

impl Spot {
    /// The path as the rest of the house writes it: `steps[0].set`.
    pub(super) fn dotted(&self, parts: usize) -> String {
        let mut path = String::new();
        for part in &self.path[..parts.min(self.path.len())] {
            match part {
                Part::Key(key) if path.is_empty() => path.push_str(key),
                Part::Key(key) => path.extend([".", key]),
                Part::Item(at) => path.push_str(&format!("[{at}]")),
            }
        }
        path
    }
}

/// Finds out where a byte is.
pub(super) fn locate(text: &str, offset: usize) -> Spot {
    let offset = text.floor_char_boundary(offset.min(text.len()));
    let line = Line::at(text, offset);
    let mut chain = Chain::of(&line, offset);
    chain.climb(text, line.bytes.start);
    chain.descend(text, &line);
    let chain = chain;
    match chain.open_value(text, line.bytes.start) {
        Some((depth, start)) => within_value(text, chain.path(depth), start..offset),
        None => match line.value_before(offset) {
            Some(start) => within_value(text, chain.path(chain.found.len()), start..offset),
            None => Spot {
                path: chain.path(chain.found.len()),
                beside: chain.beside,
                is_key: true,
                start: line.content.min(offset),
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where `|` is: the path, whether at a key, and the keys beside it.
    #[track_caller]
    fn check(text: &str, path: &str, is_key: bool, beside: &[&str]) {
        let offset = text.find('¦').expect("a cursor");
        let text = text.replace('¦', "");
        let spot = locate(&text, offset);
        let mut found = spot.beside.clone();
        found.sort();
        assert_eq!((spot.dotted(usize::MAX).as_str(), spot.is_key), (path, is_key), "{text}");
        assert_eq!(found, beside, "{text}");
    }

    #[test]
    fn a_key_is_found_by_the_indentation_above_it() {
        check("na¦", "", true, &[]);
        check("name: x\nst¦", "", true, &["name"]);
        check("steps:\n  - ¦", "steps[0]", true, &[]);
        check("steps:\n- se¦", "steps[0]", true, &[]);
        check(
            "steps:\n  - send: hi\n  - id: a\n    ¦\n    send: x\n  - end\n",
            "steps[1]",
            true,
            &["id", "send"],
        );
        check(
            "steps:\n  - fetch_variables:\n      url: x\n      ¦",
            "steps[0].fetch_variables",
            true,
            &["url"],
        );
        check("steps:\n  - if: a\n    then:\n      - ¦\n", "steps[0].then[0]", true, &[]);
        check("a:\n  b: 1\nsteps:\n\n  # why\n  - set:\n      ¦", "steps[0].set", true, &[]);
    }

    #[test]
    fn a_value_is_found_on_its_line_and_below_it() {
        check("steps:\n  - send: Hello {{¦", "steps[0].send", false, &[]);
        check("steps:\n  - id: é\n    send: |\n      Note: a\n        b {{¦\n", "steps[0].send", false, &[]);
        check("steps:\n  - send: one\n      two ¦", "steps[0].send", false, &[]);
        check("steps:\n  - send:¦", "steps[0].send", false, &[]);
        check("secrets:\n  - A\n  - B¦", "secrets[1]", true, &[]);
    }

    #[test]
    fn brackets_lead_on() {
        check("inputs:\n  id: { ty¦", "inputs.id", true, &[]);
        check("inputs:\n  id: { type: string, ¦ }", "inputs.id", true, &["type"]);
        check("inputs:\n  id: { type: ¦", "inputs.id.type", false, &[]);
        check(
            "steps: [ { send: a }, { log: { text: \"a, {{b}}\", level: ¦",
            "steps[1].log.level",
            false,
            &[],
        );
        check("x:\n  - retry: { times: 3,\n      errors: [ 5xx, ¦", "x[0].retry.errors[1]", false, &[]);
        check("x: { a: [1, 2], b: ¦", "x.b", false, &[]);
    }
}
