//! What a service said when it refused: one short line, safe to show.
//!
//! Services have a few habits: RFC 9457 problems, OAuth's `error` and `error_description`, lists of
//! `errors` with titles, a bare `message`. Anything else that is short and plain text is taken as it is.

use serde_json::Value;

/// Characters kept.
const MOST: usize = 200;

/// The one line a body says, empty when it says nothing readable.
pub(crate) fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let words = match crate::json::parse(body) {
        Ok(value) => words(&value).unwrap_or_default(),
        // A page is for eyes, not for an error line.
        Err(_) if text.trim_start().starts_with('<') => String::new(),
        Err(_) => text.into_owned(),
    };
    plain(&words)
}

fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => items.iter().find_map(words),
        Value::Object(_) => in_object(value),
        _ => None,
    }
}

fn in_object(value: &Value) -> Option<String> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    // OAuth (RFC 6749, 5.2) and problems (RFC 9457) say it in two parts.
    for (first, second) in [("error", "error_description"), ("title", "detail"), ("code", "message")] {
        if let (Some(first), Some(second)) = (text(first), text(second)) {
            return Some(format!("{first}: {second}"));
        }
    }
    let single =
        ["message", "error_description", "detail", "title", "error", "code"].into_iter().find_map(text);
    single
        .map(str::to_owned)
        .or_else(|| ["errors", "error"].into_iter().find_map(|key| words(value.get(key)?)))
}

/// One line without what could steer a terminal or reorder text (T24).
fn plain(text: &str) -> String {
    let shown: String =
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| is_shown(*c)).collect();
    let line = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn is_shown(c: char) -> bool {
    let is_bidi =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !is_bidi
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: &str) {
        assert_eq!(said(body.as_bytes()), expected, "{body}");
    }

    #[test]
    fn the_shapes_services_use_for_errors_are_read() {
        check(
            r#"{"errors":[{"title":"The access token expired.","status":401}]}"#,
            "The access token expired.",
        );
        check(
            r#"{"error":"invalid_grant","error_description":"Code expired"}"#,
            "invalid_grant: Code expired",
        );
        check(
            r#"{"type":"about:blank","title":"Not found","detail":"No contact 7"}"#,
            "Not found: No contact 7",
        );
        check(
            r#"{"code":"INVALID_TOKEN","details":{},"message":"invalid oauth token"}"#,
            "INVALID_TOKEN: invalid oauth token",
        );
        check(r#"{"error":{"code":403,"message":"Rate limit","status":"DENIED"}}"#, "Rate limit");
        check(
            r#"{"type":"error.list","errors":[{"code":"not_found","message":"User Not Found"}]}"#,
            "not_found: User Not Found",
        );
        check(r#"{"message":"no"}"#, "no");
        check("upstream is down", "upstream is down");
    }

    #[test]
    fn what_says_nothing_readable_is_empty() {
        for body in ["", "{}", "[]", "42", "<html><body>502</body></html>", r#"{"data":{"last_name":"Doe"}}"#]
        {
            check(body, "");
        }
    }

    #[test]
    fn nothing_said_steers_a_terminal_or_fills_a_screen_t24() {
        check("{\"message\":\"a\\u001b]52;c;x\\u0007b\\u202ec\\r\\nd\\u009b31m\"}", "a]52;c;xbc d31m");
        check(&"é".repeat(300), &format!("{}…", "é".repeat(200)));
    }
}
