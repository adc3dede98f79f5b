//! What may be a name in a flow (L-2), and which names are taken (L-7).
//!
//! Only the form and the lists; who may declare what is the flow's checker's business.

/// Names no flow may give to a variable or step (L-2): the roots of what the engine itself provides.
pub const RESERVED: &[&str] = &[
    "steps",
    "run",
    "trigger",
    "conversation",
    "integrations",
    "secrets",
    "callbacks",
    "error",
    "item",
    "index",
    "now",
];

/// The helpers of a text (L-4); their names are reserved too (L-7).
pub const HELPERS: &[&str] = &[
    "default",
    "json",
    "url_encode",
    "base64",
    "upper",
    "lower",
    "trim",
    "join",
    "length",
    "number",
    "date",
    "hmac_sha256",
];

/// Whether `text` has the form of a name: `[A-Za-z_][A-Za-z0-9_]*` (L-2).
///
/// Says nothing about [`RESERVED`] and [`HELPERS`].
#[must_use]
pub fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// L-2.
    #[test]
    fn a_name_is_letters_digits_and_underscores_and_starts_with_no_digit() {
        for (text, expected) in [
            ("a", true),
            ("_9", true),
            ("A_b1", true),
            ("", false),
            ("9a", false),
            ("a-b", false),
            ("é", false),
        ] {
            assert_eq!(is_name(text), expected, "{text:?}");
        }
    }
}
