//! The net at every sink: known secrets are cut out of whatever is about to be written (N2).
//!
//! It is a net, not the wall: a secret should never come this far. It knows the spellings that programs give
//! a text: as it is, percent-encoded, base64 at any offset, JSON-escaped, hexadecimal. Whoever adds a
//! secret has refused those under [`crate::limits::SECRET_BYTES`], which would cut ordinary words.

mod named;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

pub use named::{is_named_secret, redact_named};

use crate::rendered::escape::UNRESERVED;

/// What stands where a secret stood.
const REDACTED: &str = "[redacted]";

/// What a URL parser encodes in a query, and nothing more.
const QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'\'');

/// Finds known secrets by value, in every spelling a program might give them.
///
/// ```
/// use flowrun_template::Redactor;
///
/// let mut redactor = Redactor::new();
/// redactor.add(&"s3cret/value".into());
/// assert_eq!(redactor.redact("?key=s3cret%2fvalue&x=1"), "?key=[redacted]&x=1");
/// ```
#[derive(Clone, Default)]
pub struct Redactor {
    spellings: Vec<Spelling>,
}

#[derive(Clone)]
struct Spelling {
    text: SecretString,
    /// Hexadecimal digits come in both cases.
    any_case: bool,
}

impl Redactor {
    /// Knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret.
    pub fn add(&mut self, secret: &SecretString) {
        let secret = secret.expose_secret();
        self.spell(secret.to_owned(), false);
        self.spell(json_text(secret), false);
        self.spell(json_ascii(secret), true);
        for set in [UNRESERVED, NON_ALPHANUMERIC, QUERY] {
            let encoded = utf8_percent_encode(secret, set).to_string();
            self.spell(encoded.replace("%20", "+"), true);
            self.spell(encoded, true);
        }
        self.spell(secret.bytes().map(|byte| format!("{byte:02x}")).collect(), true);
        // Basic authentication encodes a secret twice: as a form does, then as base64 (RFC 6749 2.3.1).
        for secret in [secret.to_owned(), form(secret)] {
            for offset in 0..3 {
                self.spell(base64_core(&STANDARD_NO_PAD, &secret, offset), false);
                self.spell(base64_core(&URL_SAFE_NO_PAD, &secret, offset), false);
            }
        }
    }

    /// Adds a secret together with the id it is joined to for Basic authentication (RFC 7617).
    pub fn add_pair(&mut self, id: &str, secret: &SecretString) {
        self.add(secret);
        let pair = format!("{id}:{}", secret.expose_secret());
        self.spell(STANDARD_NO_PAD.encode(&pair), false);
        self.spell(URL_SAFE_NO_PAD.encode(&pair), false);
    }

    fn spell(&mut self, text: String, any_case: bool) {
        let known =
            |spelling: &Spelling| spelling.any_case == any_case && spelling.text.expose_secret() == text;
        if !text.is_empty() && !self.spellings.iter().any(known) {
            let text = if any_case { text.to_ascii_lowercase() } else { text };
            self.spellings.push(Spelling { text: text.into(), any_case });
        }
    }

    /// The text without the secrets.
    #[must_use]
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let found = self.find(text);
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut clean = String::with_capacity(text.len());
        let mut at = 0;
        for range in found {
            clean.push_str(&text[at..range.start]);
            clean.push_str(REDACTED);
            at = range.end;
        }
        clean.push_str(&text[at..]);
        Cow::Owned(clean)
    }

    /// Cuts the secrets out of every string and key of `value`.
    pub fn redact_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(clean) = self.redact(text) {
                    *text = clean;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_value(item)),
            Value::Object(members) => {
                members.values_mut().for_each(|member| self.redact_value(member));
                if members.keys().any(|key| !self.find(key).is_empty()) {
                    let clean = std::mem::take(members).into_iter();
                    *members = clean
                        .map(|(key, member)| (self.redact(&key).into_owned(), member))
                        .collect::<Map<_, _>>();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Where secrets stand, in order, overlapping ones merged.
    fn find(&self, text: &str) -> Vec<Range<usize>> {
        let folded = text.to_ascii_lowercase();
        let mut found: Vec<Range<usize>> = Vec::new();
        for spelling in &self.spellings {
            let haystack = if spelling.any_case { &folded } else { text };
            let wanted = spelling.text.expose_secret();
            found.extend(haystack.match_indices(wanted).map(|(at, _)| at..at + wanted.len()));
        }
        found.sort_by_key(|range| (range.start, range.end));
        let mut merged: Vec<Range<usize>> = Vec::with_capacity(found.len());
        for range in found {
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        merged
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("spellings", &self.spellings.len()).finish()
    }
}

fn form(secret: &str) -> String {
    url::form_urlencoded::byte_serialize(secret.as_bytes()).collect()
}

fn json_text(secret: &str) -> String {
    let quoted = Value::from(secret).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// JSON as cautious encoders write it: every character beyond ASCII, and `/`, escaped.
fn json_ascii(secret: &str) -> String {
    let mut text = String::new();
    for c in json_text(secret).chars() {
        match c {
            '/' => text.push_str("\\/"),
            c if c.is_ascii() => text.push(c),
            c => text.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
        }
    }
    text
}

/// The characters of base64 that depend on nothing but the secret, when `offset` bytes stand before it.
fn base64_core(engine: &impl base64::Engine, secret: &str, offset: usize) -> String {
    let mut bytes = vec![0; offset];
    bytes.extend_from_slice(secret.as_bytes());
    let encoded = engine.encode(&bytes);
    // The first characters mix with what stands before, the last with what follows.
    let start = (offset * 8).div_ceil(6);
    let end = bytes.len() * 8 / 6;
    encoded.get(start..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECRET: &str = "cänary/\"token\" 1+~";

    fn check(text: &str, expected: &str) {
        let mut redactor = Redactor::new();
        redactor.add_pair("client", &SECRET.into());
        assert_eq!(redactor.redact(text), expected);
    }

    #[test]
    fn every_spelling_of_a_secret_is_cut_out() {
        check(&format!("a {SECRET} b {SECRET}"), "a [redacted] b [redacted]");
        check("k=c%C3%A4nary%2F%22token%22%201%2B~&", "k=[redacted]&");
        check("k=c%c3%a4nary%2f%22token%22%201%2b~&", "k=[redacted]&");
        check("k=c%C3%A4nary%2F%22token%22+1%2B~&", "k=[redacted]&");
        check("k=c%C3%A4nary%2F%22token%22%201%2B%7E&", "k=[redacted]&");
        check("{\"k\":\"cänary/\\\"token\\\" 1+~\"}", "{\"k\":\"[redacted]\"}");
        check("{\"k\":\"c\\u00E4nary\\/\\\"token\\\" 1+~\"}", "{\"k\":\"[redacted]\"}");
        let hex: String = SECRET.bytes().map(|byte| format!("{byte:02X}")).collect();
        check(&hex, "[redacted]");
        check(&hex.to_lowercase(), "[redacted]");
    }

    #[test]
    fn a_secret_inside_base64_is_found_at_any_offset() {
        for prefix in ["", "a", "ab", "abc", "another id:"] {
            for engine in
                [base64::engine::general_purpose::STANDARD, base64::engine::general_purpose::URL_SAFE]
            {
                let encoded = engine.encode(format!("{prefix}{SECRET}suffix"));
                let mut redactor = Redactor::new();
                redactor.add(&SECRET.into());
                assert!(redactor.redact(&encoded).contains(REDACTED), "{prefix}");
            }
        }
        let encoded = STANDARD_NO_PAD.encode(format!("client:{}x", form(SECRET)));
        check(&format!("Basic {encoded}"), "Basic Y2xpZW50Om[redacted]Xg");
        check(&format!("Basic {}", STANDARD_NO_PAD.encode(format!("client:{SECRET}"))), "Basic [redacted]");
    }

    #[test]
    fn values_lose_secrets_in_strings_and_keys() {
        let mut redactor = Redactor::new();
        redactor.add(&"canary-token".into());
        let mut value = json!({"a": ["x canary-token", 5], "canary-token": null});
        redactor.redact_value(&mut value);
        assert_eq!(value, json!({"a": ["x [redacted]", 5], "[redacted]": null}));
    }

    #[test]
    fn what_holds_no_secret_is_borrowed_as_it_is() {
        let redactor = Redactor::new();
        assert!(matches!(redactor.redact("ordinary"), Cow::Borrowed("ordinary")));
        assert!(!format!("{redactor:?}").contains("canary"));
    }
}
