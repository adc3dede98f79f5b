//! What a channel can carry (R5), and the numbered list that stands in for buttons.
//!
//! The engine fits every message to its channel before it hands it over: a channel is never given what it said it lacks.

/// What a channel can carry for one account.
///
/// # Example
/// ```
/// use flowrun_step::Capabilities;
/// let sms = Capabilities::default().without_media().without_buttons().without_templates().max_text(160);
/// assert!(!sms.buttons);
/// assert_eq!(sms.max_text, Some(160));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Whether a message may have a picture, a sound or a document; if not, such a message is refused.
    pub media: bool,
    /// Whether a message may have buttons; if not, they become a numbered list in its text.
    pub buttons: bool,
    /// Whether it knows messages by name; if not, such a message is refused.
    pub templates: bool,
    /// The most characters (Unicode scalar values) of one text; a longer one is split. Any number if absent.
    pub max_text: Option<usize>,
}

impl Default for Capabilities {
    /// Everything, in texts of any length.
    fn default() -> Self {
        Self { media: true, buttons: true, templates: true, max_text: None }
    }
}

impl Capabilities {
    /// Texts only: no pictures, sounds and documents.
    #[must_use]
    pub fn without_media(mut self) -> Self {
        self.media = false;
        self
    }

    /// Nothing to press.
    #[must_use]
    pub fn without_buttons(mut self) -> Self {
        self.buttons = false;
        self
    }

    /// No messages that are known by name.
    #[must_use]
    pub fn without_templates(mut self) -> Self {
        self.templates = false;
        self
    }

    /// At most so many characters in one text; 0 is taken as 1.
    #[must_use]
    pub fn max_text(mut self, characters: usize) -> Self {
        self.max_text = Some(characters.max(1));
        self
    }
}

/// Whether choices are answered by their numbers: not if one of them is a number itself, for then nobody could tell which is
/// meant.
fn are_numbered<T: AsRef<str>>(labels: &[T]) -> bool {
    !labels.iter().any(|label| label.as_ref().trim().parse::<f64>().is_ok())
}

/// The list that is shown where nothing can be pressed: each label on a line of its own, numbered from 1.
#[must_use]
pub fn listed<T: AsRef<str>>(labels: &[T]) -> String {
    let is_numbered = are_numbered(labels);
    let line = |(at, label): (usize, &T)| match is_numbered {
        true => format!("{}. {}", at + 1, label.as_ref()),
        false => format!("- {}", label.as_ref()),
    };
    labels.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

/// The label that is meant by its number in the list, as a person types it: `2`, `2.`, `2)`.
#[must_use]
pub fn by_number<'a, T: AsRef<str>>(labels: &'a [T], said: &str) -> Option<&'a str> {
    let number: usize = said.trim().trim_end_matches(['.', ')']).parse().ok()?;
    let label = labels.get(number.checked_sub(1)?).filter(|_| are_numbered(labels))?;
    Some(label.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_meant_by_the_number_it_is_listed_with_r5() {
        assert_eq!(listed(&["Red", "green"]), "1. Red\n2. green");
        for (said, meant) in
            [(" 2 ", Some("green")), ("1.", Some("Red")), ("0", None), ("3", None), ("red", None)]
        {
            assert_eq!(by_number(&["Red", "green"], said), meant, "{said}");
        }
    }

    #[test]
    fn choices_that_are_numbers_have_no_numbers_of_their_own() {
        assert_eq!(listed(&["2", "4", "more"]), "- 2\n- 4\n- more");
        assert_eq!(by_number(&["2", "4", "more"], "3"), None);
    }
}
