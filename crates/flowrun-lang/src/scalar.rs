//! From an offset in a scalar's value to a byte in the file, through quotes, escapes and folded lines.
//!
//! The value and its source are read side by side, one character at a time. Where they part, which no valid
//! YAML does, the whole node is given instead.

use std::ops::Range;

use crate::node::{Node, Style};

/// The bytes in the file of a span within a scalar's value; the whole node where they cannot be told.
pub(crate) fn within(text: &str, node: &Node, span: &Range<usize>) -> Range<usize> {
    let whole = node.bytes.clone();
    let Some(scalar) = node.scalar() else { return whole };
    let Some(raw) = text.get(whole.start..) else { return whole };
    let line = text[..whole.start].rfind('\n').map_or(0, |at| at + 1);
    let Some(mut walk) = Walk::new((&text[line..whole.start], raw), scalar.style, &scalar.text) else {
        return whole;
    };
    let mut found: Option<Range<usize>> = None;
    for (at, character) in scalar.text.char_indices() {
        if at >= span.end && found.is_some() {
            break;
        }
        let Some(bytes) = walk.next(character) else { return whole };
        if at + character.len_utf8() > span.start {
            found = Some(found.map_or(bytes.clone(), |found| found.start..bytes.end));
        }
    }
    let end = walk.at;
    let found = found.unwrap_or(end..end);
    whole.start + found.start..whole.start + found.end
}

/// The source of one scalar, read along its value.
struct Walk<'t> {
    raw: &'t str,
    at: usize,
    style: Style,
    quote: Option<char>,
    /// How far a block text is indented.
    indent: usize,
}

impl<'t> Walk<'t> {
    fn new((before, raw): (&str, &'t str), style: Style, value: &str) -> Option<Self> {
        let mut walk = Self { raw, at: 0, style, quote: None, indent: 0 };
        match style {
            Style::Plain => {}
            Style::Quoted => {
                walk.quote = raw.chars().next();
                walk.at = 1;
            }
            // The parser's span begins at the header, or at the first written character.
            Style::Block if before.trim().is_empty() => walk.indent = before.len(),
            Style::Block => walk.enter_block(value)?,
        }
        Some(walk)
    }

    /// Passes the header of a block text; its indentation is its first written line's, less what the value keeps.
    fn enter_block(&mut self, value: &str) -> Option<()> {
        self.at = self.raw.find('\n')? + 1;
        let blanks = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let written = self.raw[self.at..].lines().find(|line| !line.trim().is_empty())?;
        let kept = value.lines().find(|line| !line.trim().is_empty())?;
        self.indent = blanks(written).checked_sub(blanks(kept))?;
        self.pass_indent();
        Some(())
    }

    fn rest(&self) -> &'t str {
        &self.raw[self.at..]
    }

    fn pass_indent(&mut self) {
        let blanks = self.rest().bytes().take_while(|byte| *byte == b' ').count();
        self.at += blanks.min(self.indent);
    }

    /// The bytes of the value's next character.
    fn next(&mut self, character: char) -> Option<Range<usize>> {
        let is_break = if self.style == Style::Block { self.is_at_break() } else { self.is_before_break() };
        match self.quote {
            _ if is_break && character.is_whitespace() => Some(self.fold(character)),
            Some('"') if self.rest().starts_with('\\') => self.escape(character),
            Some('\'') if self.rest().starts_with("''") => self.take(2),
            _ if self.rest().starts_with(character) => self.take(character.len_utf8()),
            _ => None,
        }
    }

    fn take(&mut self, bytes: usize) -> Option<Range<usize>> {
        let start = self.at;
        self.at += bytes;
        Some(start..self.at)
    }

    fn is_at_break(&self) -> bool {
        self.rest().starts_with(['\n', '\r'])
    }

    fn is_before_break(&self) -> bool {
        self.rest().trim_start_matches([' ', '\t']).starts_with(['\n', '\r'])
    }

    /// Line ends: one becomes a blank, or all of them line ends but perhaps the first.
    fn fold(&mut self, character: char) -> Range<usize> {
        let start = self.at;
        let blanks = self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
        self.at += if self.style == Style::Block { 0 } else { blanks };
        self.pass_break();
        if self.style != Style::Block {
            self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
            if character == '\n' && self.is_at_break() {
                self.pass_break();
                self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
            }
        }
        start..self.at
    }

    fn pass_break(&mut self) {
        let length = if self.rest().starts_with("\r\n") { 2 } else { 1 };
        self.at += length.min(self.rest().len());
        self.pass_indent();
    }

    fn escape(&mut self, character: char) -> Option<Range<usize>> {
        let start = self.at;
        let kind = self.rest()[1..].chars().next()?;
        if kind == '\n' || kind == '\r' {
            // An escaped line end is nothing at all.
            self.at += 1;
            self.pass_break();
            self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
            return self.next(character);
        }
        let digits = match kind {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        let end = start + 1 + kind.len_utf8() + digits;
        self.raw.get(start..end)?;
        self.at = end;
        Some(start..end)
    }
}

#[cfg(test)]
mod tests {
    use crate::node::Node;
    use crate::problems::Problems;
    use crate::source::SourceText;

    /// What `{{x}}` in the value of `a` is in the file.
    #[track_caller]
    fn check(text: &str) {
        let source = SourceText::new("f", text.as_bytes().to_vec()).unwrap();
        let root = crate::parse::parse(&mut Problems::new(&source)).unwrap();
        let node: &Node = root.get("a").unwrap();
        let value = &node.scalar().unwrap().text;
        let at = value.find("{{x}}").unwrap();
        let bytes = super::within(source.text(), node, &(at..at + 5));
        assert_eq!(&source.text()[bytes], "{{x}}", "{value:?}");
    }

    #[test]
    fn a_span_is_found_through_every_way_to_write_a_text() {
        check("a: hello {{x}} there");
        check("a: hello\n  dear {{x}}\n");
        check("a: 'it''s {{x}}'");
        check("a: \"\\u00e9 \\\"quoted\\\" \\t {{x}}\"");
        check("a: \"one\n\n  two {{x}}\"");
        check("a: \"one \\\n   two {{x}}\"");
        check("a: |\n  one\n    two\n\n  é {{x}}\n");
        check("b: 1\na: |-\r\n  one\r\n  {{x}}\r\n");
    }
}
