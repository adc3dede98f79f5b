//! What is said when an invocation ends badly and no place in a flow is to blame.
//!
//! A mistake with a place is a diagnostic, worded by `flowrun-lang` or the engine; this is the rest: the
//! command line, files, the registry.

use std::error::Error;

use flowrun::lang::Code;

use crate::exit::Exit;

/// Why an invocation ended badly: what, why, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// How the process ends.
    pub(crate) exit: Exit,
    /// The code of its page, where there is one.
    pub(crate) code: Option<Code>,
    /// What happened.
    pub(crate) message: String,
    /// Why, the nearest cause first.
    pub(crate) causes: Vec<String>,
    /// What to do next.
    pub(crate) help: Option<String>,
}

impl Complaint {
    /// A complaint without causes or help.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, code: None, message: message.into(), causes: Vec::new(), help: None }
    }

    /// A complaint made of an error and everything behind it.
    pub(crate) fn from_error(exit: Exit, error: &(dyn Error + 'static)) -> Self {
        let chain = std::iter::successors(error.source(), |&error| error.source());
        Self { causes: chain.map(ToString::to_string).collect(), ..Self::new(exit, error.to_string()) }
    }

    /// With the code of its page.
    pub(crate) fn with_code(mut self, code: Code) -> Self {
        self.code = Some(code);
        self
    }

    /// With a cause.
    pub(crate) fn because(mut self, cause: impl ToString) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// With what to do next.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
