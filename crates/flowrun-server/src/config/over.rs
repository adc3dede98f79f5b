//! What stands before the file: flags, then variables of the environment (R15).

use super::wrong::Source;
use toml::Spanned;

/// Values that are said elsewhere than in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Over {
    /// In place of `server.listen`.
    pub listen: Option<Said>,
    /// In place of `server.public_url`.
    pub public_url: Option<Said>,
}

/// A value, and what says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The flag or the variable.
    pub by: String,
    /// The value.
    pub value: String,
}

impl Said {
    /// The same as if it stood in a file of that name.
    pub(super) fn source(&self) -> (Source<'_>, Spanned<String>) {
        let whole = 0..self.value.len();
        (Source { file: &self.by, text: &self.value }, Spanned::new(whole, self.value.clone()))
    }
}
