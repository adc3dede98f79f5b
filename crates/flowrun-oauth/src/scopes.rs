//! Scopes: typed by a person, checked one by one, joined the way the provider wants them (OA-12).

use crate::settings::ScopeSeparator;

/// What is wrong with a list of scopes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// A scope has a character that RFC 6749 3.3 forbids, or the provider's separator.
    #[error("`{0}` is not a scope")]
    Malformed(String),
    /// A scope is listed twice.
    #[error("scope `{0}` is listed twice")]
    Repeated(String),
}

impl ScopeSeparator {
    /// Splits what a person typed: at white space, and at commas if that is the provider's way (SEED-5).
    #[must_use]
    pub fn split(self, typed: &str) -> Vec<String> {
        let apart = |c: char| c.is_whitespace() || (self == Self::Comma && c == ',');
        typed.split(apart).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
    }

    /// Joins scopes for a request; none where there are none, so that the parameter is left out.
    ///
    /// # Errors
    /// [`ScopeError`] for the first scope that is malformed or repeated.
    pub fn join(self, scopes: &[String]) -> Result<Option<String>, ScopeError> {
        for (place, scope) in scopes.iter().enumerate() {
            if !self.allows(scope) {
                return Err(ScopeError::Malformed(scope.clone()));
            }
            if scopes[..place].contains(scope) {
                return Err(ScopeError::Repeated(scope.clone()));
            }
        }
        Ok((!scopes.is_empty()).then(|| scopes.join(self.text())))
    }

    /// RFC 6749 3.3: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`.
    fn allows(self, scope: &str) -> bool {
        let in_set = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        !scope.is_empty() && scope.bytes().all(in_set) && !scope.contains(self.text())
    }

    fn text(self) -> &'static str {
        match self {
            Self::Space => " ",
            Self::Comma => ",",
        }
    }
}
