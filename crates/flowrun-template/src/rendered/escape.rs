//! Escaping by place (N3), the same for what is rendered now and for what is filled late.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// Everything but RFC 3986's unreserved characters is encoded.
pub(crate) const UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How a value is written where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Escape {
    /// As it is.
    Plain,
    /// Only characters a header may have.
    Header,
    /// Percent-encoded: a segment or a query of a URL, or form text.
    Percent,
    /// The start of a URL.
    Origin,
    /// Inside a JSON string.
    JsonString,
    /// A whole JSON value.
    JsonValue,
}

/// Appends `text`, escaped; `None` says that it cannot stand there.
#[must_use]
pub(crate) fn push(out: &mut String, text: &str, escape: Escape) -> Option<()> {
    match escape {
        Escape::Plain => out.push_str(text),
        Escape::Header if is_header_text(text) => out.push_str(text),
        Escape::Header => return None,
        Escape::Percent => out.extend(utf8_percent_encode(text, UNRESERVED)),
        Escape::Origin => out.push_str(&super::url::origin(text).ok()?),
        Escape::JsonString => {
            let quoted = serde_json::Value::String(text.to_owned()).to_string();
            out.push_str(&quoted[1..quoted.len() - 1]);
        }
        Escape::JsonValue => out.push_str(&serde_json::Value::String(text.to_owned()).to_string()),
    }
    Some(())
}

/// Whether a header's value may hold `text`: visible ASCII, space and tab (N3).
pub(crate) fn is_header_text(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))
}
