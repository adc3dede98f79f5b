//! Maps and lists on one line, `{ }` and `[ ]`: what may not stand in them without quotes.

use std::ops::Range;

use super::value::starts_with;
use super::{Trap, must_be_quoted, quote};
use crate::code::Code;

/// What a map or list gave.
pub(super) struct Scanned {
    /// The byte after its closing bracket; nothing if it has none.
    pub(super) end: Option<usize>,
    pub(super) traps: Vec<Trap>,
}

/// Reads the map or list that starts at `start`.
pub(super) fn scan(text: &str, start: usize) -> Scanned {
    let mut scan = Scan { text, at: start, open: Vec::new(), traps: Vec::new() };
    let end = scan.run();
    Scanned { end, traps: scan.traps }
}

/// The trap of a bracket that is never closed.
pub(super) fn endless(text: &str, value: Range<usize>) -> Trap {
    let bracket = &text[value.start..value.start + 1];
    let closing = if bracket == "{" { "}" } else { "]" };
    Trap {
        code: Code::Yaml,
        span: value.start..value.start + 1,
        message: format!("this `{bracket}` is never closed"),
        help: format!("close it with `{closing}`, or quote the text if it is none of YAML's"),
        unreadable: value,
    }
}

/// One bracket that is open.
struct Open {
    is_map: bool,
    /// Whether the entry under way has its key.
    has_key: bool,
    /// The plain value of the entry before: what a comma may have cut off.
    before: Option<Range<usize>>,
    /// The plain text of the entry under way.
    current: Option<Range<usize>>,
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
    open: Vec<Open>,
    traps: Vec<Trap>,
}

impl Scan<'_> {
    fn run(&mut self) -> Option<usize> {
        loop {
            let next = self.text[self.at..].chars().next()?;
            match next {
                '{' if self.text[self.at..].starts_with("{{") && !self.open.is_empty() => self.word(),
                '{' | '[' => self.enter(next == '{'),
                '}' | ']' => {
                    self.entry_ends();
                    self.open.pop();
                    self.at += 1;
                    if self.open.is_empty() {
                        return Some(self.at);
                    }
                }
                ',' => {
                    self.entry_ends();
                    self.at += 1;
                }
                ':' => {
                    self.key_ends();
                    self.at += 1;
                }
                '#' if self.text[..self.at].ends_with(char::is_whitespace) => {
                    self.at += self.text[self.at..].find('\n').unwrap_or(self.text.len() - self.at);
                }
                '"' | '\'' => self.quoted()?,
                _ if next.is_whitespace() => self.at += next.len_utf8(),
                _ => self.word(),
            }
        }
    }

    fn enter(&mut self, is_map: bool) {
        if let Some(open) = self.open.last_mut() {
            open.current = None;
            open.has_key = true;
        }
        self.open.push(Open { is_map, has_key: false, before: None, current: None });
        self.at += 1;
    }

    fn key_ends(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.has_key = true;
            open.before = None;
            open.current = None;
        }
    }

    /// At a comma or a closing bracket: an entry of a map without a key was part of the text before.
    fn entry_ends(&mut self) {
        let Some(open) = self.open.last_mut() else { return };
        let current = open.current.take();
        match (&current, open.before.take()) {
            (Some(current), Some(before)) if open.is_map && !open.has_key => {
                let whole = before.start..current.end;
                let message = "a text with `,` in it must be quoted inside `{ }`: YAML ends the value there";
                self.traps.push(must_be_quoted(self.text, whole.clone(), message.to_owned()));
                open.before = Some(whole);
            }
            _ => open.before = current.filter(|_| open.has_key),
        }
        open.has_key = false;
    }

    fn quoted(&mut self) -> Option<()> {
        let start = self.at;
        let end = quote::end(self.text, start)?;
        self.at = end;
        let value = start..self.text_end();
        // JSON writes no blank after a key's colon, and YAML takes that from a quoted key.
        let is_key = self.text[end..].starts_with(':');
        if is_key || self.text[end..value.end].trim().is_empty() {
            self.traps.extend(quote::bad_escape(self.text, &(start..end)));
            self.at = end;
        } else {
            self.traps.push(quote::goes_on(self.text, start..end, value.clone()));
            self.at = value.end;
        }
        if let Some(open) = self.open.last_mut() {
            open.current = None;
            open.has_key |= !self.text[self.at..].trim_start().starts_with(':');
        }
        Some(())
    }

    /// A plain text, in which brackets, braces and question marks are traps.
    fn word(&mut self) {
        let start = self.at;
        let end = self.text_end();
        let word = start..end;
        let written = &self.text[word.clone()];
        self.at = end;
        let is_key = self.text[end..].starts_with(':');
        let trapped = ["{{", "{", "[", "?"].into_iter().find(|mark| written.contains(mark));
        if let Some(mark) = trapped.filter(|_| !is_key) {
            let message = format!("a text with `{mark}` in it must be quoted inside `{{ }}` and `[ ]`");
            self.traps.push(must_be_quoted(self.text, word.clone(), message));
        } else if let Some(first) = written.chars().next().filter(|c| "@%`!|>".contains(*c)) {
            self.traps.push(must_be_quoted(self.text, word.clone(), starts_with(first)));
        }
        if let Some(open) = self.open.last_mut() {
            open.current = Some(word);
        }
    }

    /// Where the plain text under way ends: brackets within it belong to it if they are balanced.
    fn text_end(&self) -> usize {
        self.text_end_with(true).or_else(|| self.text_end_with(false)).unwrap_or(self.text.len())
    }

    /// The same with brackets counted or not; nothing if one of them has no partner on the line.
    fn text_end_with(&self, counts_brackets: bool) -> Option<usize> {
        let mut open = Vec::new();
        let rest = &self.text[self.at..];
        let mut before = 'x';
        for (at, character) in rest.char_indices() {
            let next = rest[at + character.len_utf8()..].chars().next().unwrap_or(' ');
            let ends = match character {
                '\n' | '\r' => true,
                '{' | '[' => {
                    open.extend(counts_brackets.then_some(if character == '{' { '}' } else { ']' }));
                    false
                }
                '}' | ']' if !open.is_empty() => {
                    if open.pop() != Some(character) {
                        return None;
                    }
                    false
                }
                '}' | ']' => true,
                ',' => open.is_empty(),
                ':' => open.is_empty() && (next.is_whitespace() || ",]}".contains(next)),
                '#' => open.is_empty() && before.is_whitespace(),
                _ => false,
            };
            if ends {
                return open.is_empty().then_some(self.at + rest[..at].trim_end().len());
            }
            before = character;
        }
        open.is_empty().then_some(self.at + rest.trim_end().len())
    }
}
