//! Which values from outside may be kept beside the tokens, and how any text from outside is made harmless.

use flowrun_template::{Redactor, redact_named};

use crate::{pattern::Pattern, settings::KeepRule};

/// How much of a provider's words is repeated (OA-35).
const LONGEST: usize = 200;

/// How long a kept value may be.
const LONGEST_KEPT: usize = 128;

impl KeepRule {
    /// Whether `value` may be kept (OA-21). One rule for callbacks and replies (N4).
    pub(crate) fn allows(&self, value: &str) -> bool {
        if !self.one_of.is_empty() {
            return self.one_of.iter().any(|allowed| allowed == value);
        }
        let is_short = (1..=LONGEST_KEPT).contains(&value.len());
        match &self.pattern {
            // Whatever the pattern lets through, a kept value is one line without blanks: it goes into addresses.
            Some(pattern) => {
                let has_shape = Pattern::new(pattern).is_ok_and(|pattern| pattern.matches(value));
                is_short && has_shape && value.bytes().all(|byte| byte.is_ascii_graphic())
            }
            None => is_short && value.bytes().all(is_of_word),
        }
    }
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

/// A provider's words, fit to be shown: known secrets gone, control characters gone, capped (OA-35, OA-64).
pub(crate) fn harmless(words: &str, secrets: &[&str]) -> String {
    let one_line = words.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let text: String = one_line.filter(|c| !is_treacherous(*c)).collect();
    // Only now: a sign that is dropped may have stood inside a secret.
    let mut known = Redactor::new();
    secrets.iter().filter(|secret| secret.len() >= 8).for_each(|secret| known.add(&(*secret).into()));
    let text = redact_named(&known.redact(&text)).into_owned();
    let mut capped: String = text.chars().take(LONGEST).collect();
    if capped.len() < text.len() {
        capped.push('…');
    }
    capped.trim().to_owned()
}

/// Control characters, and those that change the direction or the look of the text around them.
fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Whether a code or token is made of `VSCHAR` alone (RFC 6749 appendix A), so that it can harm no header (OA-33).
pub(crate) fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
}
