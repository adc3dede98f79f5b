//! The ids of the contract, each a type with one checked constructor.
//!
//! They promise that a value which exists is legal, so nothing behind the door checks again.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Why a text is no legal name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a legal {what}: {rule}")]
pub struct InvalidName {
    /// What the text should have been.
    pub what: &'static str,
    /// The text as it was given.
    pub text: String,
    /// The rule it breaks, in words.
    pub rule: &'static str,
}

/// The handle of an integration: kept as typed, compared trimmed and without case (SEED-4).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IntegrationName {
    typed: String,
    key: String,
}

impl IntegrationName {
    const RULE: &'static str =
        "1 to 64 letters, digits, spaces, `.`, `_` or `-`, starting with a letter or digit";

    /// Checks and keeps a name.
    ///
    /// # Errors
    /// When it is empty, over 64 characters, or holds a character outside the rule.
    pub fn new(text: &str) -> Result<Self, InvalidName> {
        let typed = text.trim();
        let legal = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '_' | '-');
        let starts_well = typed.chars().next().is_some_and(char::is_alphanumeric);
        if !starts_well || typed.chars().count() > 64 || !typed.chars().all(legal) {
            return Err(InvalidName { what: "integration name", text: text.to_owned(), rule: Self::RULE });
        }
        Ok(Self { typed: typed.to_owned(), key: typed.to_lowercase() })
    }

    /// The name as the operator typed it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.typed
    }

    /// The form that is compared and stored: lower case, trimmed.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl PartialEq for IntegrationName {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for IntegrationName {}

impl Hash for IntegrationName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl fmt::Display for IntegrationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.typed)
    }
}

impl TryFrom<String> for IntegrationName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        Self::new(&text)
    }
}

impl From<IntegrationName> for String {
    fn from(name: IntegrationName) -> Self {
        name.typed
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $legal:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks and keeps an id.
            ///
            /// # Errors
            /// When the text breaks the rule the error states.
            pub fn new(text: &str) -> Result<Self, InvalidName> {
                let legal: fn(&str) -> bool = $legal;
                if legal(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidName { what: $what, text: text.to_owned(), rule: $rule })
                }
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_token(text: &str, most: usize) -> bool {
    !text.is_empty()
        && text.len() <= most
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))
}

id!(
    /// The id of a step within its flow (L-2, L-9).
    StepId, "step id", "a letter or `_`, then letters, digits or `_`", is_word
);
id!(
    /// The kind of a step, `fetch_variables` or a plugin's `vendor.name`.
    StepKind, "step kind", "words joined by at most one dot", |text| {
        text.split('.').count() <= 2 && text.split('.').all(is_word)
    }
);
id!(
    /// The id of a run, chosen by whoever starts it: starting twice with one id is one run.
    RunId, "run id", "1 to 128 letters, digits, `-`, `_`, `.` or `:`", |text| is_token(text, 128)
);
id!(
    /// Whose run it is; a command line and a single server know only [`Tenant::default`].
    Tenant, "tenant", "1 to 64 letters, digits, `-`, `_`, `.` or `:`", |text| is_token(text, 64)
);

impl Default for Tenant {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

/// In the settings of a step, an integration's name is in the language `integration`.
impl JsonSchema for IntegrationName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "IntegrationName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "x-flowrun": "integration" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integration_names_are_compared_without_case_and_blanks_seed_4() {
        let stored = IntegrationName::new("teamleader").unwrap();
        let selected = IntegrationName::new("  Teamleader ").unwrap();
        assert_eq!(stored, selected);
        assert_eq!(selected.as_str(), "Teamleader");
    }

    #[test]
    fn names_that_could_carry_markup_or_control_characters_are_refused() {
        for text in ["", " ", "<b>", "a\nb", "-a", "a/b", &"x".repeat(65)] {
            assert!(IntegrationName::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_plugins_kind_has_one_dot_and_words_l_8() {
        for (text, legal) in
            [("set", true), ("acme.lookup", true), ("a.b.c", false), ("a.", false), ("1a", false)]
        {
            assert_eq!(StepKind::new(text).is_ok(), legal, "{text}");
        }
    }
}
