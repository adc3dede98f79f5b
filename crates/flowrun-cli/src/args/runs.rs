//! What may be said about runs that are kept.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::TalkArguments;

/// Where the runs are; without either, those of the command line.
#[derive(Debug, Args)]
pub(crate) struct WhereArguments {
    /// Those of a server, over its API; FLOWRUN_TOKEN, or the file that FLOWRUN_TOKEN_FILE names, holds a token of it.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// Those in the data folder of a server, of which only one that does not run is changed.
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "server")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// What to do with runs.
#[derive(Debug, Subcommand)]
pub(crate) enum RunsVerb {
    /// List the runs that are kept, the last to change first.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show how a run stands.
    Show {
        /// The run.
        id: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take a run up where its process left it.
    Resume(ResumeArguments),
    /// Take a run up and cancel it: it tidies up, and what it did is taken back.
    Cancel(CancelArguments),
    /// Tell what happened in a run, step by step, as far as it is kept. Nothing is done again.
    Replay {
        /// The run.
        id: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write a run as JSON: its flow, how it stands, and what happened. What is sensitive is taken out.
    Export {
        /// The run.
        id: String,
    },
    /// Let runs go on that are held since they were restored from a backup.
    Release(ReleaseArguments),
    /// Forget a person for good: their runs, whatever goes on in them, and what they wrote.
    Erase {
        /// The person, as channels know them: a phone number, a user id.
        #[arg(long, value_name = "PEER")]
        person: String,
    },
    /// Remove runs that are over.
    Prune {
        /// Only those that have been over for so long, such as 12h or 7d.
        #[arg(long, value_name = "DURATION", default_value = "7d")]
        older: String,
    },
}

/// Which runs go on.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true))]
pub(crate) struct ReleaseArguments {
    /// The run.
    #[arg(group = "which")]
    pub(crate) id: Option<String>,
    /// All that are held.
    #[arg(long, group = "which")]
    pub(crate) all: bool,
}

/// Which run, and what becomes of calls in doubt.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("resolve"))]
pub(crate) struct ResumeArguments {
    /// The run.
    pub(crate) id: String,
    /// Make calls in doubt again.
    #[arg(long, group = "resolve")]
    pub(crate) retry: bool,
    /// Go on without the calls in doubt.
    #[arg(long, group = "resolve")]
    pub(crate) skip: bool,
    /// Let the steps of calls in doubt fail.
    #[arg(long, group = "resolve")]
    pub(crate) fail: bool,
    /// What the run is told and tells.
    #[command(flatten)]
    pub(crate) talk: TalkArguments,
}

/// Which run.
#[derive(Debug, Args)]
pub(crate) struct CancelArguments {
    /// The run.
    pub(crate) id: String,
    /// What the run is told and tells.
    #[command(flatten)]
    pub(crate) talk: TalkArguments,
}
