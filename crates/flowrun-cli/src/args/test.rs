//! What may be said about trying flows out.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Which cases to run, and how they are told of.
#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    /// Test files, flows with one beside them, and folders in which every `*.test.yaml` is run.
    #[arg(value_name = "FILE|FOLDER", default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    /// Run only the cases whose name holds this text.
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// List the steps and branches that no case reaches.
    #[arg(long)]
    pub(crate) coverage: bool,
    /// How results are told: to a person on stderr, or on stdout as JSON, a case a line, or as JUnit's XML.
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) message_format: ResultFormat,
}

/// How the result of a case is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultFormat {
    /// For a person.
    Human,
    /// As JSON on stdout, a case a line.
    Json,
    /// As JUnit's XML on stdout, which build servers read.
    Junit,
}
