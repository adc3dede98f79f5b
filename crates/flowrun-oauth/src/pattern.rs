//! Texts that must have a certain shape before they go anywhere: parameters of presets, values that are kept (OA-7, N4).
//!
//! A pattern speaks of the whole text. What it may be used for is left to those who hold one.

use regex::{Regex, RegexBuilder};

/// How much memory a compiled pattern may take; those of presets take a tenth of it.
const LARGEST: usize = 1 << 20;

/// A pattern that the whole of a text must match.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(Regex);

impl Pattern {
    /// Reads a pattern; it need not say `^` and `$` itself.
    pub(crate) fn new(text: &str) -> Result<Self, regex::Error> {
        // On its own first: only what is whole by itself stays inside the brackets that anchor it.
        compiled(text)?;
        compiled(&format!(r"\A(?:{text})\z")).map(Self)
    }

    /// Whether the whole of `text` has the shape.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

fn compiled(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).size_limit(LARGEST).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_text_must_match_n4() {
        let label = Pattern::new("[a-z]+").unwrap();
        assert!(label.matches("acme"));
        for around in ["acme\n", "\nacme", "acme.evil", "1acme", ""] {
            assert!(!label.matches(around), "{around:?}");
        }
        let either = Pattern::new("a|b").unwrap();
        assert!(either.matches("a") && either.matches("b") && !either.matches("ab") && !either.matches("bx"));
        assert!(!Pattern::new("(?m)^a$").unwrap().matches("a\nb"));
    }

    #[test]
    fn a_pattern_cannot_break_out_of_its_anchors_n4() {
        for broken in ["a)|(b", "a)|(?:", "[a", "(", "a{2000}{2000}"] {
            assert!(Pattern::new(broken).is_err(), "{broken}");
        }
    }
}
