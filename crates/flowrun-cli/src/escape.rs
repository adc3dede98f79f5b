//! Makes text harmless to a terminal (N8): what would move the cursor, set the clipboard or turn the reading
//! direction is shown as what it is.

use std::borrow::Cow;

/// The text with every control and direction-changing character spelled out; line ends and tabs stay.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_unsafe(character) {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// JSON text with the same characters in JSON's own spelling (RFC 8259, 7): it still means the same.
pub(crate) fn escape_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_unsafe) {
        return Cow::Borrowed(json);
    }
    let spell = |character: char| match is_unsafe(character) {
        true => format!("\\u{:04x}", u32::from(character)),
        false => character.to_string(),
    };
    Cow::Owned(json.chars().map(spell).collect())
}

/// C0 but for tab and line feed, DEL, C1, and what Unicode's bidirectional algorithm or a line break listens to.
fn is_unsafe(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}' | '\u{2029}' => true,
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => true,
        _ => character.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, shown: &str) {
        assert_eq!(escape(text), shown);
    }

    /// T24: OSC 52 would write the clipboard.
    #[test]
    fn a_sequence_for_the_terminal_is_shown_instead_of_obeyed() {
        check("\u{1b}]52;c;cGF5bG9hZA==\u{7}", "\\u{1b}]52;c;cGF5bG9hZA==\\u{7}");
        check("\u{9b}31m", "\\u{9b}31m");
        check("over\rwritten", "over\\u{d}written");
    }

    /// T24: a text whose direction turns reads as another text.
    #[test]
    fn what_turns_the_direction_of_reading_is_shown() {
        check("pay \u{202e}001 to me", "pay \\u{202e}001 to me");
        check("\u{2066}x\u{2069}\u{200f}", "\\u{2066}x\\u{2069}\\u{200f}");
    }

    #[test]
    fn json_stays_json_with_the_same_meaning() {
        let text = "a\u{202e}b\u{9b}c";
        let json = serde_json::to_string(text).unwrap();
        let shown = escape_json(&json);
        assert_eq!(shown, r#""a\u202eb\u009bc""#);
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }

    #[test]
    fn letters_of_every_script_lines_and_tabs_stay() {
        check("Ærø\t\u{5d0}\u{5d1}\n\u{1f600}", "Ærø\t\u{5d0}\u{5d1}\n\u{1f600}");
    }
}
