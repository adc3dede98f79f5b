//! The value after a key or a dash: what its first character makes of it, and what it silently ends at.

use std::collections::HashSet;
use std::ops::Range;

use super::{Trap, flow, line_with, must_be_quoted, quote, quoted};
use crate::code::Code;

/// Keys whose value is an expression: a comment after it cuts nothing off.
const EXPRESSIONS: [&str; 2] = ["if", "until"];

/// Which lines belong to the value that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Only its own.
    Line,
    /// Those indented more than its key.
    Indented,
    /// All up to the one with this byte.
    LineAfter(usize),
}

/// Reads values and keeps the traps.
#[derive(Debug)]
pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    /// The names that stand after a `*` or a `&` somewhere in the text.
    aliases: HashSet<&'t str>,
    anchors: HashSet<&'t str>,
    pub(super) traps: Vec<Trap>,
    /// A bracket was never closed: none after it is looked for beyond its line, or time would be squared.
    is_unclosed: bool,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            aliases: marked(text, '*'),
            anchors: marked(text, '&'),
            traps: Vec::new(),
            is_unclosed: false,
        }
    }

    /// Reads the value at the end of a line, beneath a key if it has one.
    pub(super) fn read(&mut self, value: Range<usize>, place: (Option<&str>, usize)) -> Next {
        let written = &self.text[value.clone()];
        let mut characters = written.chars();
        let first = characters.next().unwrap_or_default();
        let is_alone = characters.next().is_none_or(char::is_whitespace);
        match first {
            _ if written.starts_with("{{") => self.template(value),
            '"' | '\'' => return self.quoted(value),
            '{' | '[' => return self.flow(value),
            '|' | '>' => return self.block(value),
            '#' => self.cut_whole(value, place),
            '&' => return self.anchor(value, place),
            '*' if self.anchors.contains(name(&written[1..])) => {}
            '!' => self.tag(value),
            '-' | '?' if is_alone => self.indicator(value, first),
            '*' | '@' | '%' | '`' | ',' | ']' | '}' => self.indicator(value, first),
            _ => return self.plain(value, place.0),
        }
        Next::Line
    }

    fn quote(&mut self, value: Range<usize>, message: String) {
        self.traps.push(must_be_quoted(self.text, value, message));
    }

    fn template(&mut self, value: Range<usize>) {
        let value = without_comment(self.text, value);
        self.quote(
            value,
            "a value that starts with `{{` must be quoted: YAML takes `{` for a map".to_owned(),
        );
    }

    fn indicator(&mut self, value: Range<usize>, first: char) {
        let value = without_comment(self.text, value);
        self.quote(value, starts_with(first));
    }

    fn tag(&mut self, value: Range<usize>) {
        let value = without_comment(self.text, value);
        let mut trap = must_be_quoted(
            self.text,
            value.clone(),
            "a value that starts with `!` is a tag of YAML, and tags are not part of the language".to_owned(),
        );
        let rest = self.text[value.clone()].trim_start_matches('!').trim_start();
        let before = &self.text[..value.start];
        if EXPRESSIONS.iter().any(|key| before.trim_end().ends_with(&format!("{key}:"))) {
            trap.help = line_with(self.text, &value, &format!("not {rest}"));
        }
        trap.code = Code::TagOrMerge;
        self.traps.push(trap);
    }

    /// `key: #text` has no value at all.
    fn cut_whole(&mut self, value: Range<usize>, (key, indent): (Option<&str>, usize)) {
        let is_glued =
            self.text[value.start + 1..value.end].starts_with(|c: char| !c.is_whitespace() && c != '#');
        let next = self.text[value.end..].lines().skip(1).find(|line| !line.trim().is_empty());
        let has_block = next.is_some_and(|line| {
            let next_indent = line.len() - line.trim_start().len();
            next_indent > indent || (next_indent == indent && line.trim_start().starts_with('-'))
        });
        if key.is_some() && is_glued && !has_block {
            self.comment(value.clone(), value);
        }
    }

    /// A `#` that makes a comment of what was meant as text.
    fn comment(&mut self, value: Range<usize>, lost: Range<usize>) {
        let message = if value == lost {
            "`#` starts a comment here, so nothing is left of this text".to_owned()
        } else {
            let left = self.text[value.start..lost.start].trim_end();
            format!("` #` starts a comment, so this text ends after `{left}`")
        };
        let help = line_with(self.text, &value, &quoted(&self.text[value.clone()]));
        self.traps.push(Trap {
            code: Code::CommentCutsText,
            span: lost,
            message,
            help: format!("{help} (or put the comment on a line of its own)"),
            unreadable: value,
        });
    }

    fn anchor(&mut self, value: Range<usize>, place: (Option<&str>, usize)) -> Next {
        let written = &self.text[value.clone()];
        let name = name(&written[1..]);
        let rest = written[1 + name.len()..].trim_start();
        if !self.aliases.contains(name) && !rest.is_empty() {
            self.indicator(value, '&');
            return Next::Line;
        }
        if rest.is_empty() { Next::Line } else { self.read(value.end - rest.len()..value.end, place) }
    }

    fn block(&mut self, value: Range<usize>) -> Next {
        let written = &self.text[value.clone()];
        let header = written.split(" #").next().unwrap_or_default().trim_end();
        if header[1..].bytes().all(|byte| byte.is_ascii_digit() || byte == b'-' || byte == b'+') {
            return Next::Indented;
        }
        let first = written.chars().next().unwrap_or_default();
        self.indicator(value, first);
        Next::Line
    }

    fn quoted(&mut self, value: Range<usize>) -> Next {
        let Some(end) = quote::end(self.text, value.start) else {
            self.traps.push(quote::endless(self.text, value.start));
            return Next::Line;
        };
        let line_end = self.text[end..].find('\n').map_or(self.text.len(), |at| end + at);
        let rest = self.text[end..line_end].trim_end();
        if rest.trim_start().is_empty() || rest.trim_start().starts_with('#') {
            self.traps.extend(quote::bad_escape(self.text, &(value.start..end)));
            return if end > value.end { Next::LineAfter(end) } else { Next::Line };
        }
        if end > value.end {
            // The quote that closes it was meant to open another value.
            self.traps.push(quote::endless(self.text, value.start));
            return Next::Line;
        }
        self.traps.push(quote::goes_on(self.text, value.start..end, value));
        Next::Line
    }

    fn flow(&mut self, value: Range<usize>) -> Next {
        let visible = if self.is_unclosed { value.end } else { self.text.len() };
        let scanned = flow::scan(&self.text[..visible], value.start);
        let Some(end) = scanned.end else {
            let first_line = |trap: &Trap| trap.span.start < value.end;
            self.traps.extend(scanned.traps.into_iter().filter(first_line));
            self.traps.push(flow::endless(self.text, value));
            self.is_unclosed = true;
            return Next::Line;
        };
        let line_end = self.text[end..].find('\n').map_or(self.text.len(), |at| end + at);
        let rest = self.text[end..line_end].trim();
        if rest.is_empty() || rest.starts_with('#') {
            self.traps.extend(scanned.traps);
            return if end > value.end { Next::LineAfter(end) } else { Next::Line };
        }
        let open = &self.text[value.start..value.start + 1];
        let whole = without_comment(self.text, value.start..line_end);
        self.quote(
            whole,
            format!("a text that starts with `{open}` must be quoted: YAML takes it for a list or a map"),
        );
        if end > value.end { Next::LineAfter(end) } else { Next::Line }
    }

    fn plain(&mut self, value: Range<usize>, key: Option<&str>) -> Next {
        let written = &self.text[value.clone()];
        let left = without_comment(self.text, value.clone());
        let text = &self.text[left.clone()];
        if left.end < value.end && cuts(text, written, key) {
            let lost = value.start
                + text.len()
                + (written.len() - text.len() - written[text.len()..].trim_start().len());
            self.comment(value.clone(), lost..value.end);
        } else if let Some(colon) = colon(text).filter(|_| key.is_some()) {
            let mut trap = must_be_quoted(
                self.text,
                left.clone(),
                "a text with a `:` before a blank or at its end must be quoted: YAML takes it for a key"
                    .to_owned(),
            );
            trap.span = left.start + colon..left.start + colon + 1;
            self.traps.push(trap);
        }
        Next::Indented
    }
}

/// Words for a text whose first character is one of YAML's.
pub(super) fn starts_with(first: char) -> String {
    let first = if first == '`' { "a backtick".to_owned() } else { format!("`{first}`") };
    format!("a text that starts with {first} must be quoted: YAML keeps it for itself")
}

/// Where a colon in a plain text would end a key.
fn colon(text: &str) -> Option<usize> {
    text.find(": ").or(text.ends_with(':').then(|| text.len() - 1))
}

/// Whether the comment after a plain text was meant as part of it: it is glued to its `#`, or the text has words.
fn cuts(text: &str, written: &str, key: Option<&str>) -> bool {
    let comment = written[text.len()..].trim_start().trim_start_matches('#');
    let is_glued = comment.starts_with(|c: char| !c.is_whitespace());
    let has_words = text.contains(' ') && !key.is_some_and(|key| EXPRESSIONS.contains(&key));
    is_glued || has_words
}

/// `value` up to the comment after it.
fn without_comment(text: &str, value: Range<usize>) -> Range<usize> {
    let written = &text[value.clone()];
    let comments = written.match_indices('#').map(|(at, _)| at);
    let comment = comments.into_iter().find(|at| written[..*at].ends_with([' ', '\t']));
    let kept = written[..comment.unwrap_or(written.len())].trim_end();
    value.start..value.start + kept.len()
}

/// Every name of the text that stands right after `mark`.
fn marked(text: &str, mark: char) -> HashSet<&str> {
    text.match_indices(mark).map(|(at, _)| name(&text[at + 1..])).filter(|name| !name.is_empty()).collect()
}

/// The letters, digits, `_` and `-` a text starts with.
fn name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(text.len());
    &text[..end]
}
