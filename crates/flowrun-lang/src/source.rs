//! A flow's text as it was written, and the way from a byte to a line and column.

use std::ops::Range;
use std::sync::Arc;

use crate::code::Code;
use crate::diagnostic::{Diagnostic, Place};

/// The largest flow taken, in bytes (N8).
const MOST_BYTES: usize = 1024 * 1024;

/// The longest line that a place repeats, in bytes: a file of one long line may have thousands of problems.
const MOST_EXCERPT: usize = 2048;

/// The text of one file, valid UTF-8, with the name it is shown under.
#[derive(Debug, Clone)]
pub struct SourceText {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: String,
    text: String,
    /// The byte at which each line begins.
    lines: Vec<usize>,
}

impl SourceText {
    /// Takes a file's bytes; a byte order mark is left out.
    ///
    /// # Errors
    /// When they are not UTF-8 or more than 1 MiB; the diagnostic says where.
    #[expect(clippy::result_large_err, reason = "made once a file, and shown")]
    pub fn new(name: &str, bytes: Vec<u8>) -> Result<Self, Diagnostic> {
        if bytes.len() > MOST_BYTES {
            let message = format!("the file has {} bytes; a flow may have {MOST_BYTES}", bytes.len());
            return Err(Diagnostic::error(Code::TooLarge, message)
                .at(Place::whole(name))
                .help("move parts of it into flows of their own"));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self::of(name, text)),
            Err(error) => Err(not_utf8(name, &error)),
        }
    }

    fn of(name: &str, mut text: String) -> Self {
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        let begins = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        let lines = begins.collect();
        Self { inner: Arc::new(Inner { name: name.to_owned(), text, lines }) }
    }

    /// The name it is shown under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.inner.text
    }

    /// The place of these bytes, called `path` in the flow.
    #[must_use]
    pub fn place(&self, path: &str, bytes: Range<usize>) -> Place {
        let text = self.text();
        let start = text.floor_char_boundary(bytes.start.min(text.len()));
        let end = text.floor_char_boundary(bytes.end.clamp(start, text.len()));
        let line = self.inner.lines.partition_point(|begin| *begin <= start).max(1);
        let begin = self.inner.lines[line - 1];
        Place {
            file: self.name().to_owned(),
            path: path.to_owned(),
            line,
            column: text[begin..start].chars().count() + 1,
            bytes: start..end,
            excerpt: Some(self.line(line))
                .filter(|line| line.len() <= MOST_EXCERPT)
                .unwrap_or_default()
                .to_owned(),
        }
    }

    /// One line without its line end; lines count from 1.
    #[must_use]
    pub fn line(&self, line: usize) -> &str {
        let begin = self.inner.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        self.text()[begin..].lines().next().unwrap_or_default()
    }
}

fn not_utf8(name: &str, error: &std::string::FromUtf8Error) -> Diagnostic {
    let at = error.utf8_error().valid_up_to();
    let before = String::from_utf8_lossy(&error.as_bytes()[..at]).into_owned();
    let place = SourceText::of(name, before).place("", at..at);
    Diagnostic::error(Code::NotUtf8, format!("byte {} of the file is not UTF-8", at + 1))
        .at(place)
        .help("save the file as UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
        let place = SourceText::new("f", text.as_bytes().to_vec()).unwrap().place("", byte..byte);
        (place.line, place.column)
    }

    #[test]
    fn columns_count_characters_not_bytes() {
        assert_eq!(line_and_column("é: x\ny: ü z", 0), (1, 1));
        assert_eq!(line_and_column("é: x\ny: ü z", "é: x\ny: ü ".len()), (2, 6));
        assert_eq!(line_and_column("a\r\nb", 3), (2, 1));
        assert_eq!(line_and_column("a\n", 2), (2, 1));
    }

    #[test]
    fn a_line_too_long_to_read_is_not_repeated() {
        let line = format!("a: {}", "x".repeat(MOST_EXCERPT));
        let place = SourceText::new("f", line.into_bytes()).unwrap().place("", 3..9);
        assert_eq!((place.line, place.column, place.excerpt.as_str()), (1, 4, ""));
    }

    #[test]
    fn a_byte_that_is_not_utf_8_is_shown_where_it_stands() {
        let error = SourceText::new("f", b"a: b\nc: \xff".to_vec()).unwrap_err();
        assert_eq!(error.place.map(|p| (p.line, p.column)), Some((2, 4)));
    }
}
