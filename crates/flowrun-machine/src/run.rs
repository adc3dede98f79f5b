//! A run: everything that changes while a plan is walked.

use crate::plan::Plan;

/// One run of a plan.
#[derive(Debug)]
pub struct Run {
    id: String,
}

impl Run {
    /// A run that has not begun. The id is the caller's; keys and waits of the run derive from it.
    #[must_use]
    pub fn new(id: &str, _plan: &Plan) -> Self {
        Self { id: id.to_owned() }
    }
}
