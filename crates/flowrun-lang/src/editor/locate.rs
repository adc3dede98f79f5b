//! Where the cursor is, told from the lines alone: what leads to it by indentation, then by brackets.
//!
//! This holds for a text that no YAML parser takes. Lines above count only where they begin further left than what
//! was found so far; the value of a key that goes on over lines is found by its key.

use std::ops::Range;

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

/// A line by its dashes and its key.
#[derive(Debug)]
struct Line<'t> {
    text: &'t str,
    bytes: Range<usize>,
    /// Where its dashes stand.
    dashes: Vec<usize>,
    /// Where its content begins, after dashes.
    content: usize,
    /// Its key, and where the value after the colon begins.
    key: Option<(String, usize)>,
}

impl<'t> Line<'t> {
    fn at(text: &'t str, offset: usize) -> Self {
        let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let end = text[offset..].find('\n').map_or(text.len(), |at| offset + at);
        Self::of(text, start..end)
    }

    fn of(text: &'t str, bytes: Range<usize>) -> Self {
        let line = &text[bytes.clone()];
        let mut content = bytes.start + line.len() - line.trim_start_matches(' ').len();
        let mut dashes = Vec::new();
        loop {
            let rest = text[content..bytes.end].trim_end_matches('\r');
            let Some(after) =
                rest.strip_prefix('-').filter(|after| after.is_empty() || after.starts_with(' '))
            else {
                break;
            };
            dashes.push(content);
            content += 1 + after.len() - after.trim_start_matches(' ').len();
        }
        let key = key(&text[content..bytes.end]).map(|(name, after)| (name, content + after));
        Self { text, bytes, dashes, content, key }
    }

    fn is_blank(&self) -> bool {
        let said = self.text[self.content..self.bytes.end].trim();
        self.dashes.is_empty() && (said.is_empty() || said.starts_with('#'))
    }

    /// Where the line's value begins, if the cursor is in it.
    fn value_before(&self, offset: usize) -> Option<usize> {
        self.key.as_ref().map(|(_, value)| *value).filter(|value| {
            // Right after the colon counts: `url:|`.
            self.text[..*value].trim_end_matches([' ', '\t']).len() <= offset && self.content < offset
        })
    }

    /// Whether something that goes on stands after the key.
    fn has_value(&self) -> bool {
        self.key.as_ref().is_some_and(|(_, value)| {
            let said = self.text[*value..self.bytes.end].trim();
            !said.is_empty() && !said.starts_with('#')
        })
    }
}

/// The key a line's content begins with, and how far it is to its value.
fn key(content: &str) -> Option<(String, usize)> {
    let (name, colon) = match content.chars().next()? {
        quote @ ('"' | '\'') => {
            let end = content[1..].find(quote)? + 1;
            (&content[1..end], end + 1)
        }
        '{' | '[' | '#' | '&' | '*' | '|' | '>' => return None,
        _ => {
            let colons = content.match_indices(':').map(|(at, _)| at);
            let is_end = |at: &usize| content[at + 1..].chars().next().is_none_or(char::is_whitespace);
            let colon = colons.into_iter().find(is_end)?;
            (&content[..colon], colon)
        }
    };
    let after = content.get(colon..)?.strip_prefix(':')?;
    let blanks = after.len() - after.trim_start_matches([' ', '\t']).len();
    (!name.contains(" #")).then(|| (name.trim_end().to_owned(), colon + 1 + blanks))
}

/// One thing that leads to the cursor.
#[derive(Debug)]
struct Found {
    column: usize,
    part: Part,
    /// The start of its line and of its value, where it is a key with something after it.
    value: Option<(usize, usize)>,
}

/// What leads to the cursor, the nearest first.
#[derive(Debug)]
struct Chain {
    found: Vec<Found>,
    /// The column of the map under the cursor, if it is at a key.
    column: usize,
    beside: Vec<String>,
    /// How many of `found` stand on the cursor's own line.
    own: usize,
}

impl Chain {
    fn of(line: &Line<'_>, offset: usize) -> Self {
        let start = line.bytes.start;
        let mut found = Vec::new();
        if let (Some(_), Some((name, _))) = (line.value_before(offset), &line.key) {
            found.push(Found { column: line.content - start, part: Part::Key(name.clone()), value: None });
        }
        let dashes = line.dashes.iter().rev().filter(|dash| **dash < offset);
        found.extend(dashes.map(|dash| Found { column: dash - start, part: Part::Item(0), value: None }));
        let is_bare = line.is_blank() || line.content > offset;
        let column = if is_bare { offset - start } else { line.content - start };
        Self { own: found.len(), found, column, beside: Vec::new() }
    }

    /// Reads the lines above, from below, until nothing can stand further left.
    fn climb(&mut self, text: &str, mut start: usize) {
        while start > 0 {
            let line = Line::at(text, start - 1);
            start = line.bytes.start;
            if !line.is_blank() {
                self.pass(&line);
            }
            if matches!(self.found.last(), Some(Found { column: 0, part: Part::Key(_), .. })) {
                break;
            }
        }
    }

    /// What a line above adds: a parent, or one more item before.
    fn pass(&mut self, line: &Line<'_>) {
        if let Some((name, value)) = &line.key {
            let column = line.content - line.bytes.start;
            let value = line.has_value().then_some((line.bytes.start, *value));
            self.key(column, name, value);
        }
        for dash in line.dashes.iter().rev() {
            self.dash(dash - line.bytes.start);
        }
    }

    fn key(&mut self, column: usize, name: &str, value: Option<(usize, usize)>) {
        let is_parent = match self.found.last() {
            None => column < self.column,
            Some(Found { column: last, part: Part::Item(_), .. }) => column <= *last,
            Some(Found { column: last, .. }) => column < *last,
        };
        if is_parent {
            self.found.push(Found { column, part: Part::Key(name.to_owned()), value });
        } else if self.found.len() == self.own && self.is_at_key() && column == self.column {
            self.beside.push(name.to_owned());
        }
    }

    fn dash(&mut self, column: usize) {
        match self.found.last_mut() {
            Some(Found { column: last, part: Part::Item(at), .. }) if *last == column => *at += 1,
            last => {
                let limit = last.map_or(self.column, |last| last.column);
                if column < limit {
                    self.found.push(Found { column, part: Part::Item(0), value: None });
                }
            }
        }
    }

    /// Whether the cursor is at a key whose map began on a line above or on its own.
    fn is_at_key(&self) -> bool {
        !matches!(self.found.first(), Some(Found { part: Part::Key(_), .. }) if self.own > 0)
    }

    /// Reads the keys beside the cursor's on its own line and below.
    fn descend(&mut self, text: &str, line: &Line<'_>) {
        if !self.is_at_key() {
            return;
        }
        let mut start = line.bytes.end + 1;
        while start < text.len() {
            let line = Line::at(text, start);
            start = line.bytes.end + 1;
            let indent = line.dashes.first().copied().unwrap_or(line.content) - line.bytes.start;
            if line.is_blank() {
                continue;
            }
            if indent < self.column {
                break;
            }
            if let Some((name, _)) = line.key.filter(|_| indent == self.column && line.dashes.is_empty()) {
                self.beside.push(name);
            }
        }
    }

    /// The outermost key above whose value goes on down to the cursor, and where that value begins.
    fn open_value(&self, text: &str, line: usize) -> Option<(usize, usize)> {
        let above = self.found.iter().enumerate().rev();
        above.into_iter().find_map(|(at, found)| {
            let (_, value) = found.value.filter(|(start, _)| *start < line)?;
            let said = text[value..].lines().next().unwrap_or_default();
            // An anchor names what stands below.
            let is_anchor = said.starts_with('&') && !said.trim_end().contains(' ');
            (!is_anchor).then_some((self.found.len() - at, value))
        })
    }

    /// The first `depth` parts, from the file down.
    fn path(&self, depth: usize) -> Vec<Part> {
        self.found.iter().rev().take(depth).map(|found| found.part.clone()).collect()
    }
}

/// Goes into the brackets of a value up to the cursor.
fn within_value(text: &str, path: Vec<Part>, value: Range<usize>) -> Spot {
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
