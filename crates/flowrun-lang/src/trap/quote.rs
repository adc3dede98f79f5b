//! Quoted values: where they end, and whether what is in them is YAML.

use std::ops::Range;

use super::{Trap, line_with};
use crate::code::Code;

/// The byte after the closing quote of the value that starts at `start`; nothing if it has no end.
pub(super) fn end(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let quote = bytes[start];
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if quote == b'"' => at += 2,
            b'\'' if quote == b'\'' && bytes.get(at + 1) == Some(&b'\'') => at += 2,
            _ if *byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// The first escape of a double-quoted value that YAML does not know, such as `\d`.
pub(super) fn bad_escape(text: &str, value: &Range<usize>) -> Option<Trap> {
    if text.as_bytes()[value.start] != b'"' {
        return None;
    }
    let inner = &text[value.start + 1..value.end - 1];
    let mut characters = inner.char_indices();
    while let Some((at, character)) = characters.next() {
        if character != '\\' {
            continue;
        }
        let (_, escape) = characters.next()?;
        if !"0abtnvfre \"/\\N_LPxuU\t\n\r".contains(escape) {
            let start = value.start + 1 + at;
            let fix = format!("'{}'", inner.replace('\'', "''"));
            return Some(Trap {
                code: Code::Yaml,
                span: start..start + 1 + escape.len_utf8(),
                message: format!("`\\{escape}` is no escape of a text in double quotes"),
                help: line_with(text, value, &fix),
                unreadable: value.clone(),
            });
        }
    }
    None
}

/// The trap of a quote that is never closed.
pub(super) fn endless(text: &str, start: usize) -> Trap {
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let value = text[start..line_end].trim_end();
    let quote = &value[..1];
    let span = start..start + value.len();
    Trap {
        code: Code::Yaml,
        help: line_with(text, &span, &format!("{value}{quote}")),
        span: start..start + 1,
        message: format!("this {quote} is never closed"),
        unreadable: span,
    }
}

/// The trap of a value that goes on after its closing quote.
pub(super) fn goes_on(text: &str, quoted: Range<usize>, value: Range<usize>) -> Trap {
    let written = &text[value.clone()];
    let quote = &written[..1];
    let inner = &written[1..];
    // `'It's fine'`: the quotes were meant to stand around all of it.
    let whole = inner.strip_suffix(quote).filter(|_| text[quoted.end..].starts_with(char::is_alphanumeric));
    Trap {
        code: Code::MustBeQuoted,
        help: line_with(text, &value, &super::quoted(whole.unwrap_or(written))),
        span: value.end - text[quoted.end..value.end].trim_start().len()
            ..quoted.end + text[quoted.end..value.end].trim_end().len(),
        message: format!("the text ends at its closing {quote}, and more follows; quote all of it"),
        unreadable: value,
    }
}
