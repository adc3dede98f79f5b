//! What a URL's literal text must be, known when it is compiled (N3).
//!
//! The origin is either written out or the whole of one leading value; nothing else may decide where a
//! request goes.

use std::ops::Range;

use percent_encoding::{CONTROLS, utf8_percent_encode};
use url::Url;

use super::program::Part;
use super::scan::Lexeme;
use crate::error::{SyntaxError, SyntaxErrorKind};

/// Every problem of the literal text of a URL.
pub(crate) fn check(source: &str, lexemes: &[Lexeme]) -> Vec<SyntaxError> {
    let mut errors = Vec::new();
    for lexeme in lexemes {
        if let Lexeme::Literal(range) = lexeme {
            errors.extend(stray_character(source, range.clone()));
        }
    }
    if errors.is_empty() {
        errors.extend(start(source, lexemes));
    }
    errors
}

fn error<T>(kind: SyntaxErrorKind, span: Range<usize>, message: &str, help: &str) -> Result<T, SyntaxError> {
    let help = (!help.is_empty()).then(|| help.to_owned());
    Err(SyntaxError { kind, message: message.to_owned(), span, help })
}

fn stray_character(source: &str, range: Range<usize>) -> Option<SyntaxError> {
    let (at, found) = source[range.clone()]
        .char_indices()
        .find(|(_, c)| c.is_control() || c.is_whitespace() || "\"<>\\^`{|}#".contains(*c))?;
    let span = range.start + at..range.start + at + found.len_utf8();
    let encoded: String = found.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
    let message = match found {
        '#' => "a fragment (`#`) is never sent".to_owned(),
        c if c.is_control() || c.is_whitespace() => {
            "a URL cannot hold a blank or a control character".to_owned()
        }
        c => format!("a URL cannot hold `{c}`"),
    };
    error::<()>(SyntaxErrorKind::Url, span, &message, &format!("write {encoded}")).err()
}

/// The origin: written out, or one value followed by `/`, `?` or nothing.
fn start(source: &str, lexemes: &[Lexeme]) -> Option<SyntaxError> {
    match lexemes {
        [] => error::<()>(
            SyntaxErrorKind::Url,
            0..source.len(),
            "this URL is empty",
            "https://api.example.com/path",
        )
        .err(),
        [Lexeme::Literal(range), rest @ ..] => literal_origin(source, range.clone(), rest).err(),
        [Lexeme::Write(_)] => None,
        [Lexeme::Write(_), Lexeme::Literal(next), ..] if source[next.clone()].starts_with(['/', '?']) => None,
        [Lexeme::Write(base), ..] => error::<()>(
            SyntaxErrorKind::Authority,
            base.clone(),
            "a value at the start of a URL is its base, and a path must follow it",
            "write {{base}}/path",
        )
        .err(),
        [Lexeme::Block(span), ..] => error::<()>(
            SyntaxErrorKind::Authority,
            span.clone(),
            "a block cannot decide where a URL leads",
            "put the base in a variable: {{base}}/path",
        )
        .err(),
    }
}

fn literal_origin(source: &str, range: Range<usize>, rest: &[Lexeme]) -> Result<(), SyntaxError> {
    let text = &source[range.clone()];
    let lower = text.to_ascii_lowercase();
    let Some(scheme) = ["https://", "http://"].into_iter().find(|scheme| lower.starts_with(scheme)) else {
        let help = "write https://api.example.com/path, or {{base}}/path";
        return error(SyntaxErrorKind::Url, range, "this URL is not absolute", help);
    };
    let authority = &text[scheme.len()..];
    let end = authority.find(['/', '?', '#']);
    if let (None, Some(Lexeme::Write(span) | Lexeme::Block(span))) = (end, rest.first()) {
        let help = "put the whole origin in one variable: {{base}}/path";
        return error(
            SyntaxErrorKind::Authority,
            span.clone(),
            "a value cannot stand in the host of a URL",
            help,
        );
    }
    let end = scheme.len() + end.unwrap_or(authority.len());
    let span = range.start..range.start + end;
    if text[..end].contains('@') {
        let help = "send it as a header: Authorization: Basic {{base64 ...}}";
        return error(SyntaxErrorKind::Url, span, "a URL cannot hold a user or password", help);
    }
    match Url::parse(&text[..end]) {
        Ok(_) => Ok(()),
        Err(_) => error(
            SyntaxErrorKind::Url,
            span,
            "this URL has no valid host",
            "write https://api.example.com/path",
        ),
    }
}

/// Brings the literal parts to the form a URL parser gives them, so that a rendered URL can be compared
/// with what the parser reads: the host lower-cased and in ASCII, other letters percent-encoded.
pub(crate) fn normalise(parts: &mut [Part]) {
    if let Some((Part::Literal(origin), rest)) = parts.split_first_mut() {
        *origin = normalise_origin(origin);
        rest.iter_mut().for_each(normalise_part);
    } else {
        parts.iter_mut().for_each(normalise_part);
    }
}

fn normalise_part(part: &mut Part) {
    match part {
        Part::Literal(text) => *text = encode(text),
        Part::Write { .. } => {}
        Part::If { then, otherwise, .. } => then.iter_mut().chain(otherwise).for_each(normalise_part),
        Part::Each { body, otherwise, .. } => body.iter_mut().chain(otherwise).for_each(normalise_part),
    }
}

fn normalise_origin(text: &str) -> String {
    let path = crate::rendered::url::path_of(text).start;
    let origin = Url::parse(&text[..path]).map(|url| url.origin().ascii_serialization());
    format!("{}{}", origin.unwrap_or_default(), encode(&text[path..]))
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, CONTROLS).to_string()
}
