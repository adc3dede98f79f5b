//! What may be said about backups.

use std::path::PathBuf;

use clap::Args;

use super::ConfigArguments;

/// Which backup, and of which server.
#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    /// The file of the backup.
    pub(crate) file: PathBuf,
    /// The file that sets the server up.
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
}
