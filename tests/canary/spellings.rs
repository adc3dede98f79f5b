//! The spellings in which programs write a text: as it is, percent-encoded, base64 at any offset, hexadecimal, JSON.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Every spelling of a secret, each once.
pub(crate) fn spellings(secret: &str) -> Vec<String> {
    let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let hexadecimal: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let quoted = serde_json::to_string(secret).expect("a text");
    let mut all = vec![
        secret.to_owned(),
        percent.to_ascii_lowercase(),
        percent.replace("%20", "+"),
        percent,
        hexadecimal.to_ascii_uppercase(),
        hexadecimal,
        quoted.trim_matches('"').to_owned(),
        // A list of bytes, as `Debug` prints one.
        format!("{:?}", secret.as_bytes()).trim_matches(['[', ']']).to_owned(),
    ];
    for offset in 0..3 {
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            // The letters at both ends also spell what stands beside the secret.
            let text = engine.encode(format!("{}{secret}", "_".repeat(offset)));
            let first = [0, 2, 3][offset];
            all.push(text[first..text.len() - 1].to_owned());
        }
    }
    all.sort();
    all.dedup();
    all
}
