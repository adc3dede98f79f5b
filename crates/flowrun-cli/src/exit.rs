//! How the process ends: the numbers a script can rely on.

use std::process::ExitCode;

use flowrun::lang::{Code, Diagnostic};

/// The end of an invocation. Every one but [`Exit::Done`] has said what, where, why and what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All went well.
    Done = 0,
    /// A step failed, or an operation did.
    Failed = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// The flow or its inputs are wrong; nothing was sent.
    Invalid = 3,
    /// An integration is known but cannot be used; nothing was sent.
    Unusable = 4,
    /// The run's time was up.
    TimedOut = 5,
    /// The run waits until somebody says what becomes of a call in doubt.
    InDoubt = 6,
    /// Somebody interrupted it.
    Interrupted = 130,
}

impl Exit {
    /// The table for `--help`.
    pub(crate) const TABLE: &str = "\
Exit codes:
  0    done
  1    a step failed
  2    the command line cannot be understood
  3    the flow or its inputs are wrong; nothing was sent
  4    an integration cannot be used; nothing was sent
  5    the run's time was up
  6    a call is in doubt; the run waits until somebody says what becomes of it
  130  interrupted";

    /// How a check ends. An integration that is known but unusable is another matter than a flow that is wrong.
    pub(crate) fn of(diagnostics: &[Diagnostic]) -> Self {
        let mut errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
        match errors.next() {
            None => Self::Done,
            Some(first) if std::iter::once(first).chain(errors).all(is_unusable) => Self::Unusable,
            Some(_) => Self::Invalid,
        }
    }
}

fn is_unusable(error: &Diagnostic) -> bool {
    matches!(error.code, Code::NotAuthorized | Code::ScopeMissing)
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
