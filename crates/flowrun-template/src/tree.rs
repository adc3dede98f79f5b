//! A value whose strings may be texts.

use serde_json::Value;

use crate::error::{RenderError, SyntaxError};
use crate::mention::Mention;
use crate::place::Place;
use crate::rendered::Rendered;
use crate::slot::{Scope, Slots};
use crate::text::Text;

/// A compiled value: what has no text in it is kept as it is.
#[derive(Clone, Debug)]
pub enum Tree {
    /// A value without texts.
    Constant(Value),
    /// A text.
    Text(Text),
    /// A list.
    List(Vec<Tree>),
    /// A map, in the author's order.
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// Compiles every string leaf of `value` for `place`.
    ///
    /// # Errors
    /// Every problem, each with the JSON pointer (RFC 6901) of its leaf.
    pub fn compile(
        value: &Value,
        place: Place,
        slots: &mut Slots,
    ) -> Result<Self, Vec<(String, SyntaxError)>> {
        todo!("{value} {place:?} {slots:?}")
    }

    /// Renders every text in it; the error's `path` says which one failed.
    ///
    /// # Errors
    /// See [`Text::render`].
    pub fn render(&self, scope: &dyn Scope) -> Result<Rendered, RenderError> {
        todo!("{}", scope.value(todo!()).is_some())
    }

    /// Calls `visit` with the JSON pointer of each text and what it reads.
    pub fn visit_mentions(&self, visit: &mut dyn FnMut(&str, &Mention)) {
        todo!("{}", {
            visit("", todo!());
            0
        })
    }
}
