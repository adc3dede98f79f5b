//! A refusal on the wire: the registry's errors, each as what it says, so that both ends show a person the same.

use std::error::Error;

use flowrun_step::{IntegrationName, IntegrationState};
use serde::{Deserialize, Serialize};

use crate::socket::AskError;
use crate::{CustodyError, LookupError, RefreshError, UnknownIntegration};

/// What is wrong with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::socket) enum Fault {
    TooLarge,
    Late,
    NotJson,
    /// Or a field of it that is unknown, missing or of another type.
    UnknownVerb,
}

/// Why the owner does not do what it was asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::socket) enum Refusal {
    NotUnderstood {
        fault: Fault,
    },
    /// No rule of the integration names the host.
    HostNotCovered {},
    Unknown {
        name: IntegrationName,
        similar: Vec<IntegrationName>,
    },
    NotUsable {
        name: IntegrationName,
        state: IntegrationState,
        said: Option<String>,
    },
    NothingToRefreshWith {
        name: IntegrationName,
    },
    NotNow {
        name: IntegrationName,
        said: String,
    },
    Busy {
        name: IntegrationName,
    },
    InUse {
        data_dir: String,
        holder: Option<u32>,
    },
    KeyMissing {
        path: String,
    },
    Registry {
        said: String,
        help: String,
    },
}

impl From<RefreshError> for Refusal {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::NotUsable { name, state, said } => Self::NotUsable { name, state, said },
            RefreshError::NothingToRefreshWith(name) => Self::NothingToRefreshWith { name },
            RefreshError::NotNow { name, said } => Self::NotNow { name, said },
            RefreshError::Busy(name) => Self::Busy { name },
            RefreshError::Lookup(error) => error.into(),
        }
    }
}

impl From<LookupError> for Refusal {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Unknown(UnknownIntegration { name, similar }) => Self::Unknown { name, similar },
            LookupError::Custody(error) => error.into(),
        }
    }
}

impl From<CustodyError> for Refusal {
    fn from(error: CustodyError) -> Self {
        match error {
            CustodyError::InUse { data_dir, holder } => {
                Self::InUse { data_dir: data_dir.display().to_string(), holder }
            }
            CustodyError::KeyMissing { path } => Self::KeyMissing { path: path.display().to_string() },
            error => Self::Registry { said: chain(&error), help: error.help() },
        }
    }
}

/// An error and everything behind it; custody's errors name files and what the system said of them.
fn chain(error: &CustodyError) -> String {
    let causes = std::iter::successors(error.source(), |&error| error.source());
    causes.fold(error.to_string(), |said, cause| format!("{said}: {cause}"))
}

impl Refusal {
    /// As the registry itself would have said it.
    pub(in crate::socket) fn refresh(self) -> RefreshError {
        match self {
            Self::NotUsable { name, state, said } => RefreshError::NotUsable { name, state, said },
            Self::NothingToRefreshWith { name } => RefreshError::NothingToRefreshWith(name),
            Self::NotNow { name, said } => RefreshError::NotNow { name, said },
            Self::Busy { name } => RefreshError::Busy(name),
            other => RefreshError::Lookup(other.lookup()),
        }
    }

    /// The same, where nothing is refreshed.
    pub(in crate::socket) fn lookup(self) -> LookupError {
        match self {
            Self::Unknown { name, similar } => UnknownIntegration { name, similar }.into(),
            other => other.custody().into(),
        }
    }

    /// The same, where no integration is named.
    pub(in crate::socket) fn custody(self) -> CustodyError {
        match self {
            Self::InUse { data_dir, holder } => CustodyError::InUse { data_dir: data_dir.into(), holder },
            Self::KeyMissing { path } => CustodyError::KeyMissing { path: path.into() },
            Self::Registry { said, help } => AskError::Owner { said, help }.into(),
            _ => AskError::NotUnderstood.into(),
        }
    }
}
