//! What may be said about a server that is asked over its API.
//!
//! The token is no argument: other users of the machine can read those (OA-3).

use std::path::PathBuf;

use clap::Args;

/// What is put on a server.
#[derive(Debug, Args)]
pub(crate) struct DeployArguments {
    /// The folder of the flows: every *.yaml and *.yml in it, but for tests of flows and what is hidden.
    #[arg(value_name = "DIR", required_unless_present = "rollback", conflicts_with = "rollback")]
    pub(crate) folder: Option<PathBuf>,
    /// The server, as https://flows.example.com; FLOWRUN_TOKEN, or the file that FLOWRUN_TOKEN_FILE names, holds a token of it.
    #[arg(long, value_name = "URL")]
    pub(crate) server: String,
    /// Only if the server has this revision: what somebody else deployed meanwhile is not replaced.
    #[arg(long, value_name = "REVISION")]
    pub(crate) if_revision: Option<String>,
    /// Go back to the set that was served before, or to another that the server keeps.
    #[arg(long, value_name = "REVISION", num_args = 0..=1, require_equals = true)]
    pub(crate) rollback: Option<Option<String>>,
}
