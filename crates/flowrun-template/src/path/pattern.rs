//! The regular expressions of `match` and `search` (RFC 9485), bounded.
//!
//! A literal one is compiled with its path. One that is read from the document is data: RFC 9535 allows it, so
//! it works, but only while it is short and small, and each compilation counts as many steps of the search.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::query::Operand;

/// Bytes of a pattern read from a document.
const DOCUMENT_PATTERN_BYTES: usize = 128;
/// Bytes one compiled pattern may take: enough for Unicode classes, too small for `(a{1000}){1000}`.
const COMPILED_BYTES: usize = 256 * 1024;
/// Groups inside each other.
const NESTING: u32 = 16;

/// The second argument of `match` or `search`.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    /// A literal, compiled; nothing for a literal that is no text, which never matches.
    Literal(Option<Regex>),
    /// Read from the document.
    Document(Box<Operand>),
}

/// Compiles `source` so that it must match the whole text, or any part of it.
pub(crate) fn compile(source: &str, whole: bool) -> Option<Regex> {
    let translated = translate(source);
    let anchored = if whole { format!(r"\A(?:{translated})\z") } else { translated };
    RegexBuilder::new(&anchored).size_limit(COMPILED_BYTES).nest_limit(NESTING).build().ok()
}

/// The text of a document's pattern, if it is one and not too long to be looked at.
pub(crate) fn of_document(value: Option<&Value>) -> Result<Option<&str>, ()> {
    match value.and_then(Value::as_str) {
        Some(text) if text.len() > DOCUMENT_PATTERN_BYTES => Err(()),
        text => Ok(text),
    }
}

/// RFC 9485's dot stands for anything but `\n` and `\r`; the regex crate's leaves out only `\n`.
fn translate(source: &str) -> String {
    let mut translated = String::with_capacity(source.len());
    let (mut escaped, mut in_class) = (false, false);
    for c in source.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '.' if !in_class => {
                translated.push_str(r"[^\n\r]");
                continue;
            }
            _ => {}
        }
        translated.push(c);
    }
    translated
}
