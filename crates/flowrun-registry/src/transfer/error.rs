//! Why integrations were not exported or imported; nothing has changed then.

use flowrun_step::IntegrationName;

use crate::{CustodyError, LookupError};

/// Why integrations were not exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// There is nothing to export.
    #[error("there are no integrations")]
    Nothing,
    /// Whoever has the file can try passphrases as long as they like.
    #[error("the passphrase has fewer than {least} characters")]
    ShortPassphrase {
        /// How many it needs.
        least: usize,
    },
    /// There is none of this name, or the registry could not be used.
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

impl ExportError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Nothing => "flowrun integrations add NAME".to_owned(),
            Self::ShortPassphrase { .. } => "use a few words that nobody would guess".to_owned(),
            Self::Lookup(error) => error.help(),
        }
    }
}

/// Why integrations were not imported; none of them was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It is not a file that an export wrote, or not all of it.
    #[error("this is no export of integrations, or not the whole of one")]
    NotAnExport,
    /// A newer flowrun wrote it.
    #[error("the export has format {found}, which this version does not know")]
    UnknownFormat {
        /// The format found.
        found: u64,
    },
    /// Its key is made in a way that this version does not know, or that would exhaust the machine.
    #[error("the export's first line asks for a key that this version does not make")]
    UnknownKey,
    /// Another passphrase sealed it, or another hand changed it.
    #[error("the passphrase does not open the export, or the export was changed")]
    DoesNotOpen,
    /// It opens, and holds what this version does not know.
    #[error("a newer flowrun wrote what is in the export")]
    Newer,
    /// There are integrations of these names already.
    #[error("there is an integration {} already", list(.0))]
    NamesTaken(Vec<IntegrationName>),
    /// The registry could not be used.
    #[error(transparent)]
    Custody(#[from] CustodyError),
}

impl ImportError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NotAnExport => "name a file that `flowrun integrations export --to FILE` wrote".to_owned(),
            Self::UnknownFormat { .. } | Self::UnknownKey | Self::Newer => {
                "use the version of flowrun that wrote it, or a newer one".to_owned()
            }
            Self::DoesNotOpen => "type the passphrase it was exported with".to_owned(),
            Self::NamesTaken(_) => "add --replace, or rename what is here".to_owned(),
            Self::Custody(error) => error.help(),
        }
    }
}

fn list(names: &[IntegrationName]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
