//! The registry's errors in the words of the step contract: name, state, the exact command (OA-1).

use flowrun_step::{IntegrationName, StepError};

use crate::command::command;
use crate::live::state_of;
use crate::{CustodyError, RefreshError};

pub(crate) fn step_error(name: &IntegrationName, error: RefreshError) -> StepError {
    let state = match &error {
        RefreshError::NotUsable { state, .. } => Some(*state),
        RefreshError::Lookup(error) => state_of(error),
        _ => Some(flowrun_step::IntegrationState::Authorized),
    };
    let said = match &error {
        RefreshError::NotUsable { state, said: None, .. } => format!("it is {state}"),
        RefreshError::NotUsable { state, said: Some(said), .. } => format!("it is {state}: {said}"),
        other => other.to_string(),
    };
    StepError::Integration {
        name: name.clone(),
        state,
        said,
        help: error.help(),
        transient: error.is_transient(),
    }
}

/// An error of an integration that is authorised, and the verb that may mend it.
pub(crate) fn integration_error(name: &IntegrationName, said: &str, verb: &str) -> StepError {
    StepError::Integration {
        name: name.clone(),
        state: Some(flowrun_step::IntegrationState::Authorized),
        said: said.to_owned(),
        help: command(verb, name),
        transient: false,
    }
}

/// An error of the registry as a whole.
pub(crate) fn registry_error(error: &CustodyError) -> StepError {
    StepError::Failed { name: "registry".to_owned(), message: format!("{error}; {}", error.help()) }
}
