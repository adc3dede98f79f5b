//! Walks the lines of a text: indentation, dashes, keys; what follows a key is [`super::value`]'s.
//!
//! Lines within block texts, quoted texts, one-line maps and longer plain texts belong to the value that began
//! before them and are passed over.

use std::collections::HashSet;
use std::ops::Range;

use super::value::{Next, Place};
use super::{Trap, must_be_quoted, value};
use crate::code::Code;

/// Every trap of the text, from top to bottom.
pub(super) fn find(text: &str) -> Vec<Trap> {
    let mut lines = Lines { text, at: 0, within: None, aliases: aliases(text), traps: Vec::new() };
    while lines.at < text.len() {
        lines.line();
    }
    lines.traps
}

/// What the anchors of the text must be called to be used.
fn aliases(text: &str) -> HashSet<&str> {
    text.split_whitespace()
        .filter_map(|word| word.trim_end_matches([',', ']', '}']).trim_start_matches(['[', '{']).strip_prefix('*'))
        .collect()
}

struct Lines<'t> {
    text: &'t str,
    at: usize,
    /// Lines indented more than this belong to the value before; -1 would be the whole file's.
    within: Option<Within>,
    aliases: HashSet<&'t str>,
    traps: Vec<Trap>,
}

#[derive(Clone, Copy)]
struct Within {
    indent: usize,
    is_block: bool,
}

impl<'t> Lines<'t> {
    fn line(&mut self) {
        let start = self.at;
        let end = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at);
        let line = self.text[start..end].trim_end_matches('\r');
        self.at = (end + 1).min(self.text.len()).max(start + 1);
        let indent = line.len() - line.trim_start_matches(' ').len();
        if line.trim().is_empty() || self.is_within(indent) {
            return;
        }
        self.within = None;
        if line[indent..].starts_with('\t') {
            self.tab(start, line);
        } else if !line[indent..].starts_with('#') {
            self.entry(start..start + line.trim_end().len(), start + indent);
        }
    }

    fn is_within(&self, indent: usize) -> bool {
        self.within.is_some_and(|within| indent > within.indent)
    }

    fn tab(&mut self, start: usize, line: &str) {
        let content = line.trim_start();
        let blanks = start..start + line.len() - content.len();
        self.traps.push(Trap {
            code: Code::Tab,
            span: start + line.find('\t').unwrap_or_default()..blanks.end,
            message: "a tab in the indentation; YAML indents with spaces".to_owned(),
            help: format!("{}{content}", self.text[blanks.clone()].replace('\t', "  ")),
            unreadable: blanks,
        });
        self.within = None;
    }

    /// One line with dashes and a key, or a value alone.
    fn entry(&mut self, line: Range<usize>, mut at: usize) {
        let mut indent = at - line.start;
        while self.text[at..line.end] == *"-" || self.text[at..line.end].starts_with("- ") {
            let rest = self.text[at + 1..line.end].trim_start();
            if rest.is_empty() {
                return;
            }
            indent = at - line.start;
            at = line.end - rest.len();
        }
        let place = match key(&self.text[at..line.end]) {
            Some(key) => {
                let rest = self.text[at + key.len() + 1..line.end].trim_start();
                let place = Place { key: Some(&self.text[at..at + key.len()]), indent: at - line.start };
                at = line.end - rest.len();
                place
            }
            None => Place { key: None, indent },
        };
        if at < line.end {
            self.value(at..line.end, place);
        } else {
            self.within = None;
        }
    }

    fn value(&mut self, value: Range<usize>, place: Place<'t>) {
        let mut traps = Vec::new();
        let next = value::read(self.text, value, place, &mut traps);
        traps.retain(|trap| !self.is_anchor_in_use(trap));
        self.traps.append(&mut traps);
        match next {
            Next::Line => {}
            Next::Plain => self.within = Some(Within { indent: place.indent, is_block: false }),
            Next::Block => self.within = Some(Within { indent: place.indent, is_block: true }),
            Next::LineAfter(byte) => {
                self.at = self.text[byte..].find('\n').map_or(self.text.len(), |at| byte + at + 1);
            }
        }
    }
}
