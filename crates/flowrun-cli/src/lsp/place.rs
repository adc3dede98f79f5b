//! Bytes of a text and positions of an editor: lines from 0, columns in UTF-16 units or bytes (LSP 3.17).

use std::ops::Range as Bytes;

use ls_types::{Position, PositionEncodingKind, Range};

/// What a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16,
}

impl Encoding {
    /// As the protocol calls it.
    pub(super) fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    /// The editor's range of some bytes.
    pub(super) fn range(self, text: &str, bytes: &Bytes<usize>) -> Range {
        Range { start: self.position(text, bytes.start), end: self.position(text, bytes.end) }
    }

    fn position(self, text: &str, byte: usize) -> Position {
        let before = &text[..text.floor_char_boundary(byte.min(text.len()))];
        let begin = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count();
        let column = match self {
            Self::Utf8 => before.len() - begin,
            Self::Utf16 => before[begin..].encode_utf16().count(),
        };
        // A flow has at most 1 MiB.
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Position { line: number(line), character: number(column) }
    }

    /// The byte at a position; a column beyond its line is the line's end, as the protocol has it.
    pub(super) fn byte(self, text: &str, position: Position) -> usize {
        let mut begin = 0;
        for _ in 0..position.line {
            match text[begin..].find('\n') {
                Some(end) => begin += end + 1,
                None => return text.len(),
            }
        }
        let line = text[begin..].split('\n').next().unwrap_or_default().trim_end_matches('\r');
        let mut left = position.character as usize;
        for (at, character) in line.char_indices() {
            let width = match self {
                Self::Utf8 => character.len_utf8(),
                Self::Utf16 => character.len_utf16(),
            };
            if left < width {
                return begin + at;
            }
            left -= width;
        }
        begin + line.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_and_its_byte_are_the_same_place_in_both_encodings() {
        let text = "é: 😀x\r\n\nb";
        let x = text.find('x').expect("it is there");
        for (encoding, column) in [(Encoding::Utf16, 5), (Encoding::Utf8, 8)] {
            let place = Position { line: 0, character: column };
            assert_eq!((encoding.position(text, x), encoding.byte(text, place)), (place, x));
        }
        for byte in text.char_indices().map(|(at, _)| at).filter(|at| !text[*at..].starts_with(['\r', '\n']))
        {
            let place = Encoding::Utf16.position(text, byte);
            assert_eq!(Encoding::Utf16.byte(text, place), byte);
        }
    }

    #[test]
    fn what_lies_beyond_the_text_is_its_nearest_end() {
        let text = "ab\r\nc";
        let byte = |line, character| Encoding::Utf16.byte(text, Position { line, character });
        assert_eq!((byte(0, 99), byte(1, 99), byte(9, 0)), (2, 5, 5));
        // Within a character of two units: its beginning.
        assert_eq!(Encoding::Utf16.byte("😀", Position { line: 0, character: 1 }), 0);
    }
}
