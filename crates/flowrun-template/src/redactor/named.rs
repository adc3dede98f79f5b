//! The second net: what stands behind the name of a credential is cut out, whatever it is (OA-63).
//!
//! It catches secrets that nobody here knows, such as a new token in a provider's own error text.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::REDACTED;

/// OAuth's names in URLs, forms and JSON, and the headers that carry credentials. Words that also stand in plain
/// sentences (`code`, `state`, `token`) count only as parameters, before an equals sign.
const PATTERN: &str = concat!(
    r#"(?i)\b((?:access_token|refresh_token|id_token|device_code|client_secret|code_verifier|client_assertion|assertion)"#,
    r#"(?:\\?["'])?\s*[:=]\s*(?:\\?["'])?"#,
    r"|(?:code|state|token)=",
    r"|(?:proxy-)?authorization:\s*(?:[a-z-]+\s+)?|set-cookie:\s*)",
    r#"[^\s"'\\&,;}\])]+"#,
);

/// The text without what stands behind the name of a credential.
///
/// ```
/// use flowrun_template::redact_named;
///
/// assert_eq!(redact_named("?code=4f9a&page=2"), "?code=[redacted]&page=2");
/// assert_eq!(redact_named("the code: 42"), "the code: 42");
/// ```
#[must_use]
pub fn redact_named(text: &str) -> Cow<'_, str> {
    #[expect(clippy::expect_used, reason = "the pattern is part of the program, and tests use it")]
    static NAMED: LazyLock<Regex> = LazyLock::new(|| Regex::new(PATTERN).expect("a well-formed pattern"));
    NAMED.replace_all(text, |found: &regex::Captures<'_>| format!("{}{REDACTED}", &found[1]))
}

/// Parts of names that stand for something secret.
const SECRET: [&str; 11] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "authorization",
    "cookie",
    "apikey",
    "privatekey",
    "credential",
    "session",
];

/// Parts of names that speak of tokens which are none: a place in a list, a kind, a length of time.
const NO_SECRET: [&str; 6] = ["page", "next", "cursor", "type", "expires", "count"];

/// Whether a member, a header or a parameter of that name usually holds a secret.
///
/// ```
/// use flowrun_template::is_named_secret;
///
/// assert!(is_named_secret("X-Api-Key") && is_named_secret("access_token"));
/// assert!(!is_named_secret("nextPageToken") && !is_named_secret("last_name"));
/// ```
#[must_use]
pub fn is_named_secret(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let name = letters.collect::<String>().to_ascii_lowercase();
    SECRET.iter().any(|part| name.contains(part)) && !NO_SECRET.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_like_a_credential_is_cut_out_in_urls_forms_headers_and_json_oa_63() {
        for (text, expected) in [
            (
                r#"{"access_token":"a+b/~.1","expires_in":60}"#,
                r#"{"access_token":"[redacted]","expires_in":60}"#,
            ),
            (r#"{\"refresh_token\": \"abc\"}"#, r#"{\"refresh_token\": \"[redacted]\"}"#),
            (
                "grant_type=refresh_token&refresh_token=abc&x=1",
                "grant_type=refresh_token&refresh_token=[redacted]&x=1",
            ),
            ("https://h/cb?code=abc&state=def#x", "https://h/cb?code=[redacted]&state=[redacted]"),
            (
                "client_secret = abc, code_verifier: def",
                "client_secret = [redacted], code_verifier: [redacted]",
            ),
            ("Authorization: Bearer abc\r\nAccept: */*", "Authorization: Bearer [redacted]\r\nAccept: */*"),
            ("authorization: abc", "authorization: [redacted]"),
            ("Set-Cookie: sid=abc; Path=/", "Set-Cookie: [redacted]; Path=/"),
        ] {
            assert_eq!(redact_named(text), expected);
        }
    }

    #[test]
    fn words_about_credentials_stay() {
        for text in [
            "error code: 42, state: open",
            "the access_token has expired",
            "Invalid token: it was revoked",
            "invalid_grant: refresh token is invalid",
        ] {
            assert!(matches!(redact_named(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }
}
