//! Turns what went wrong outside the machine into the machine's `Failure`.

use flowrun_machine::Failure;
use flowrun_step::{ErrorKind, StepError};
use flowrun_template::{FillError, FillErrorKind, LateName};

/// A step's own error.
pub(crate) fn of_step(error: &StepError) -> Failure {
    let name = match error {
        StepError::Failed { name, .. } => Some(name.clone()),
        _ => None,
    };
    Failure {
        name,
        status: error.status(),
        retry_after: error.retry_after(),
        effect: error.effect(),
        retryable: error.is_retryable(),
        help: error.help().map(str::to_owned),
        ..Failure::new(error.kind(), words(error))
    }
}

/// A secret or a kept field that could not be filled in.
pub(crate) fn of_fill(error: &FillError) -> Failure {
    let (kind, help) = match (&error.kind, &error.name) {
        (FillErrorKind::NoSecret, Some(LateName::Secret(name))) => (
            ErrorKind::Missing,
            Some(format!("set FLOWRUN_SECRET_{name}, or put {name} in the secrets file")),
        ),
        (FillErrorKind::NoField, Some(LateName::Kept { integration, .. })) => {
            (ErrorKind::Missing, Some(format!("flowrun integrations show {integration} lists what is kept")))
        }
        _ => (ErrorKind::Refused, None),
    };
    Failure { help, ..Failure::new(kind, error.message.clone()) }
}

/// The error in words: its own, then what the service said.
fn words(error: &StepError) -> String {
    match error {
        StepError::Http { said, .. } if !said.is_empty() => format!("{error}: {said}"),
        StepError::Connect { source, .. } | StepError::Broken { source, .. } => format!("{error}: {source}"),
        _ => error.to_string(),
    }
}
