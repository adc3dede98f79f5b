//! A text with variables in it, compiled for its place and rendered from a scope (L-4, N3).

use crate::error::{RenderError, SyntaxError};
use crate::mention::Mention;
use crate::place::Place;
use crate::rendered::{LateName, Rendered};
use crate::slot::{Scope, Slot, Slots};

/// A compiled text.
#[derive(Clone, Debug)]
pub struct Text {
    source: String,
    place: Place,
    mentions: Vec<Mention>,
}

impl Text {
    /// Compiles `source` for `place`, interning the names it reads.
    ///
    /// # Errors
    /// Every problem that can be found without values.
    pub fn compile(source: &str, place: Place, slots: &mut Slots) -> Result<Self, Vec<SyntaxError>> {
        todo!("{source} {place:?} {slots:?}")
    }

    /// What the author wrote.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The place it was compiled for.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// What it reads, in order of appearance.
    #[must_use]
    pub fn mentions(&self) -> &[Mention] {
        &self.mentions
    }

    /// The secrets and kept fields it reads, without repeats.
    #[must_use]
    pub fn late(&self) -> Vec<LateName> {
        todo!()
    }

    /// The variable's slot when the text is exactly one bare `{{x}}`.
    #[must_use]
    pub fn as_slot(&self) -> Option<Slot> {
        todo!()
    }

    /// Renders the text.
    ///
    /// # Errors
    /// When a value is missing, null, of a kind that cannot stand there, or would change a route (L-4, N3).
    pub fn render(&self, scope: &dyn Scope) -> Result<Rendered, RenderError> {
        todo!("{:?}", scope.value(self.as_slot().unwrap_or_else(|| todo!())))
    }
}
