//! The pass before the parser (L-6): refuses what looks like an operator of another language, with the fix.
//!
//! Jinja's parser was seen to drop what follows `&&` after a string; so nothing it might misread reaches it.

use std::ops::Range;

use crate::error::{SyntaxError, SyntaxErrorKind};

/// Checks `source` outside of its strings.
///
/// # Errors
/// At the first thing no expression has.
pub(crate) fn check(source: &str) -> Result<(), SyntaxError> {
    let mut at = 0;
    let mut braces = 0_usize;
    while let Some(c) = source[at..].chars().next() {
        let rest = &source[at..];
        if let Some((length, message, help)) = stranger(rest) {
            return Err(error(at..at + length, message, help));
        }
        match c {
            '"' | '\'' => at = end_of_string(source, at, c)?,
            '{' => braces += 1,
            '}' if braces == 0 => return Err(error(at..at + 1, "this brace closes nothing", "remove it")),
            '}' => braces -= 1,
            _ => {}
        }
        at += source[at..].chars().next().map_or(1, char::len_utf8);
    }
    Ok(())
}

/// What other languages have here: how long it is, what to say, what to write.
fn stranger(rest: &str) -> Option<(usize, &'static str, &'static str)> {
    const BRACES: (&str, &str) =
        ("an expression stands without braces", "write the name alone: status == \"open\"");
    const WORDS: [(&str, &str, &str); 11] = [
        ("{{", BRACES.0, BRACES.1),
        ("{%", BRACES.0, BRACES.1),
        ("{#", BRACES.0, BRACES.1),
        ("&&", "`&&` is no operator here", "write `and`"),
        ("||", "`||` is no operator here", "write `or`"),
        ("===", "`===` is no operator here", "write `==`"),
        ("&", "`&` is no operator here", "write `and`"),
        ("?", "`?` is no operator here", "write `a if condition else b`"),
        (";", "an expression is one value, without `;`", "remove it"),
        ("=>", "`=>` is no operator here", "write `>=` to compare"),
        ("$", "`$` has no meaning here", "write the name alone"),
    ];
    let found = WORDS.iter().find(|(word, ..)| rest.starts_with(word));
    if let Some((word, message, help)) = found {
        return Some((word.len(), message, help));
    }
    (rest.starts_with('!') && !rest.starts_with("!=")).then_some((
        1,
        "`!` is no operator here",
        "write `not`",
    ))
}

fn end_of_string(source: &str, start: usize, quote: char) -> Result<usize, SyntaxError> {
    let mut escaped = false;
    for (at, c) in source[start + 1..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Ok(start + 1 + at),
            _ => {}
        }
    }
    Err(error(start..source.len(), "this string has no end", "close it with the quote it began with"))
}

fn error(span: Range<usize>, message: &str, help: &str) -> SyntaxError {
    SyntaxError {
        kind: SyntaxErrorKind::Grammar,
        message: message.to_owned(),
        span,
        help: Some(help.to_owned()),
    }
}
