//! What leads to the cursor by the brackets of a value.

use std::ops::Range;

use super::{Part, Spot};

/// Goes into the brackets of a value up to the cursor.
pub(super) fn within_value(text: &str, path: Vec<Part>, value: Range<usize>) -> Spot {
    let begin = value.start.min(value.end);
    let mut flow = Flow { path, levels: Vec::new(), start: begin };
    flow.read(text, begin..value.end);
    let beside = flow.levels.last().map(|level| level.keys.clone()).unwrap_or_default();
    let is_key = flow.levels.last().is_some_and(|level| level.is_map && !level.has_key);
    let start = flow.start.min(value.end);
    Spot { path: flow.path, beside: if is_key { beside } else { Vec::new() }, is_key, start }
}

/// Brackets that are open.
struct Flow {
    path: Vec<Part>,
    levels: Vec<Level>,
    /// Where the key or value under way begins.
    start: usize,
}

struct Level {
    is_map: bool,
    /// In a map: the key was read, its value is under way.
    has_key: bool,
    keys: Vec<String>,
    items: usize,
}

impl Flow {
    fn read(&mut self, text: &str, bytes: Range<usize>) {
        let mut at = bytes.start;
        while at < bytes.end {
            let rest = &text[at..bytes.end];
            let is_first = text[self.start.min(at)..at].trim().is_empty();
            let character = rest.chars().next().unwrap_or_default();
            at += match character {
                '"' | '\'' if is_first => self.quoted(rest, character),
                '{' if rest.starts_with("{{") => rest.find("}}").map_or(rest.len(), |end| end + 2),
                '{' | '[' if is_first => self.open(character == '{', at),
                '}' | ']' if !self.levels.is_empty() => self.close(at),
                ',' if !self.levels.is_empty() => self.comma(at),
                ':' if self.awaits_colon() => self.colon(&text[self.start..at], at),
                _ => character.len_utf8().max(1),
            };
        }
        if !self.levels.is_empty() {
            let left = &text[self.start.min(bytes.end)..bytes.end];
            self.start += left.len() - left.trim_start().len();
        }
    }

    fn quoted(&self, rest: &str, quote: char) -> usize {
        rest[1..].find(quote).map_or(rest.len(), |end| end + 2)
    }

    fn open(&mut self, is_map: bool, at: usize) -> usize {
        self.levels.push(Level { is_map, has_key: false, keys: Vec::new(), items: 0 });
        if !is_map {
            self.path.push(Part::Item(0));
        }
        self.start = at + 1;
        1
    }

    fn close(&mut self, at: usize) -> usize {
        if let Some(level) = self.levels.pop()
            && (!level.is_map || level.has_key)
        {
            self.path.pop();
        }
        self.start = at + 1;
        1
    }

    fn comma(&mut self, at: usize) -> usize {
        if let Some(level) = self.levels.last_mut() {
            if level.is_map && level.has_key {
                level.has_key = false;
                self.path.pop();
            } else if !level.is_map {
                level.items += 1;
                self.path.pop();
                self.path.push(Part::Item(level.items));
            }
        }
        self.start = at + 1;
        1
    }

    fn awaits_colon(&self) -> bool {
        self.levels.last().is_some_and(|level| level.is_map && !level.has_key)
    }

    fn colon(&mut self, key: &str, at: usize) -> usize {
        let key = key.trim().trim_matches(['"', '\'']).to_owned();
        if let Some(level) = self.levels.last_mut() {
            level.has_key = true;
            level.keys.push(key.clone());
        }
        self.path.push(Part::Key(key));
        self.start = at + 1;
        1
    }
}
