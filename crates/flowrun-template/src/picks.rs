//! The `variables:` of a request: which paths of a reply become which variables.

use serde_json::Value;

use crate::error::SyntaxError;
use crate::path::PickError;

/// A compiled `variables:`.
#[derive(Clone, Debug)]
pub struct Picks {
    names: Vec<String>,
}

impl Picks {
    /// Compiles `name: path`, `name: {path, default, type, required}` or a list of names.
    ///
    /// # Errors
    /// Every problem, each with the JSON pointer (RFC 6901) of its place.
    pub fn compile(value: &Value) -> Result<Self, Vec<(String, SyntaxError)>> {
        todo!("{value}")
    }

    /// The variables it writes, in the author's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The variables with a `default`, with it: what they get when the step's failure was handled (L-11).
    pub fn defaults(&self) -> impl Iterator<Item = (&str, &Value)> {
        std::iter::empty()
    }

    /// The variables' values from the `body` of a reply.
    ///
    /// # Errors
    /// When a required path finds nothing, a value is not of its type, or a search is too long.
    pub fn pick(&self, body: &Value) -> Result<Vec<(String, Value)>, PickError> {
        todo!("{body}")
    }
}
