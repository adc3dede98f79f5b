//! Finds the error in a token endpoint's reply, wherever the provider has put it.
//!
//! RFC 6749 5.2 says `error` and `error_description`, with status 400. Providers nest them, number them, leave out the
//! code, or send all of it with status 200. What an error means is decided elsewhere.

use serde_json::{Map, Value};

/// What a reply says of an error.
#[derive(Debug, Default)]
pub(super) struct Complaint {
    /// Whether it is one by its own account, whatever its status (OA-30).
    pub(super) is_error: bool,
    /// The error code.
    pub(super) code: Option<String>,
    /// What is said about it, to people.
    pub(super) words: String,
}

impl Complaint {
    pub(super) fn read(fields: &Map<String, Value>) -> Self {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let (is_error, code) = match fields.get("error") {
            None | Some(Value::Null | Value::Bool(false)) => (false, None),
            Some(Value::Object(error)) => {
                (true, ["code", "type", "status"].iter().find_map(|name| text(error.get(*name)?)))
            }
            Some(Value::String(code)) => {
                (!code.is_empty(), Some(code.clone()).filter(|code| !code.is_empty()))
            }
            Some(error) => (true, text(error)),
        };
        let places = [
            "/error_description",
            "/error/message",
            "/message",
            "/hint",
            "/errors/0/title",
            "/errors/0/message",
        ];
        let whole = Value::Object(fields.clone());
        let words: Vec<String> =
            places.iter().filter_map(|place| text(whole.pointer(place)?)).take(2).collect();
        let is_error = is_error || fields.get("ok") == Some(&Value::Bool(false));
        Self { is_error, code, words: words.join(": ") }
    }
}
