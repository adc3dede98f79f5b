//! Walks the lines of a text: indentation, dashes, keys; what follows a key is [`super::value`]'s.
//!
//! Lines within block texts, quoted texts, one-line maps and longer plain texts belong to the value that began
//! before them and are passed over.

use std::ops::Range;

use super::Trap;
use super::value::{Next, Reader};
use crate::code::Code;

/// Every trap of the text, from top to bottom.
pub(super) fn find(text: &str) -> Vec<Trap> {
    let mut lines = Lines { text, at: 0, within: None, reader: Reader::new(text) };
    while lines.at < text.len() {
        lines.line();
    }
    let mut traps = lines.reader.traps;
    traps.sort_by_key(|trap| trap.span.start);
    traps
}

struct Lines<'t> {
    text: &'t str,
    at: usize,
    /// Lines indented more than this belong to the value before.
    within: Option<usize>,
    reader: Reader<'t>,
}

impl Lines<'_> {
    fn line(&mut self) {
        let start = self.at;
        let end = self.text[start..].find('\n').map_or(self.text.len(), |at| start + at);
        let line = &self.text[start..end];
        self.at = end + 1;
        let indent = line.len() - line.trim_start_matches(' ').len();
        if line.trim().is_empty() || self.within.is_some_and(|within| indent > within) {
            return;
        }
        self.within = None;
        let content = &line[indent..];
        if content.starts_with('\t') {
            self.reader.traps.push(tab(line, start));
        } else if !content.starts_with('#') && !is_marker(line) {
            self.entry(start..start + line.trim_end().len(), start + indent);
        }
    }

    /// One line from its first dash or key on.
    fn entry(&mut self, line: Range<usize>, mut at: usize) {
        let mut indent = at - line.start;
        while let Some(rest) = self.text[at..line.end].strip_prefix("- ") {
            indent = at - line.start;
            at = line.end - rest.trim_start().len();
        }
        let content = &self.text[at..line.end];
        let key = key(content);
        if let Some((_, value)) = key {
            indent = at - line.start;
            at = line.end - value.trim_start().len();
        }
        if at >= line.end || content == "-" {
            return;
        }
        match self.reader.read(at..line.end, (key.map(|(key, _)| key), indent)) {
            Next::Line => {}
            Next::Indented => self.within = Some(indent),
            Next::LineAfter(byte) => {
                self.at = self.text[byte..].find('\n').map_or(self.text.len(), |end| byte + end + 1);
            }
        }
    }
}

/// Whether the line is a marker of YAML itself: `---`, `...`, `%YAML`.
fn is_marker(line: &str) -> bool {
    let line = line.trim_end();
    matches!(line, "---" | "...")
        || line.starts_with("--- ")
        || line.starts_with("%YAML")
        || line.starts_with("%TAG")
}

/// The key at the start of a line's content, and what follows its colon.
fn key(content: &str) -> Option<(&str, &str)> {
    let end = match content.as_bytes().first()? {
        b'"' | b'\'' => super::quote::end(content, 0)?,
        b'{' | b'[' | b'&' | b'*' | b'!' | b'|' | b'>' | b'%' | b'@' | b'`' => return None,
        b'?' if content.starts_with("? ") => return None,
        _ => {
            let end = content.find(": ").or(content.strip_suffix(':').map(str::len))?;
            // What follows is a comment, and its colon is no key's.
            Some(end).filter(|end| !content[..*end].contains(" #"))?
        }
    };
    let (key, rest) = content.split_at_checked(end)?;
    let value = rest.trim_start_matches(' ').strip_prefix(':')?;
    let is_key = value.is_empty() || value.starts_with([' ', '\t']);
    (is_key && !key.contains('\n')).then_some((key, value))
}

fn tab(line: &str, start: usize) -> Trap {
    let content = line.trim();
    let blanks = line.len() - line.trim_start().len();
    let first = line.find('\t').unwrap_or_default();
    Trap {
        code: Code::Tab,
        span: start + first..start + first + 1,
        message: "a tab in the indentation: YAML indents with spaces".to_owned(),
        help: format!("indent with spaces: {}{content}", line[..blanks].replace('\t', "  ")),
        unreadable: start..start + blanks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_key_may_hold_a_hash() {
        for text in [
            "\"order #1\": it has shipped\n",
            "'order #1': it has shipped\n",
            "- \"order #1\":\n    a: b\n",
            "\"order #1\" : it has shipped\n",
            "query:\n  'a # b': [c]\n",
            "\"it is: #1\": \"a #b\" # a comment\n",
        ] {
            assert_eq!(find(text), [], "{text}");
        }
    }

    #[test]
    fn a_hash_after_a_quoted_key_still_cuts_a_text() {
        let codes: Vec<Code> =
            find("\"order #1\": Order #{{id}} shipped\n").iter().map(|it| it.code).collect();
        assert_eq!(codes, [Code::CommentCutsText]);
    }
}
