//! What a binary of somebody else's adds to the house: step kinds of their own (R12).

use flowrun::step::{KindTaken, Step, StepSet};

/// The house a command line is of: both HTTP steps, and what is added here.
///
/// # Example
/// ```no_run
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     // `house.step(MyStep)` for each kind of one's own.
///     flowrun_cli::main(|house| house)
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct House {
    steps: Result<StepSet, KindTaken>,
}

impl House {
    pub(crate) fn new() -> Self {
        Self { steps: Ok(StepSet::new()) }
    }

    /// Adds a step kind: `check`, `test`, `schema`, `lsp` and runs know it as they know flowrun's own.
    pub fn step(mut self, step: impl Step) -> Self {
        self.steps = self.steps.and_then(|steps| steps.with(step));
        self
    }

    pub(crate) fn into_steps(self) -> Result<StepSet, KindTaken> {
        self.steps
    }
}
