//! What may be said about running a flow.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What to run, and how.
#[derive(Debug, Args)]
pub(crate) struct StartArguments {
    /// The flow's file; `-` reads it from stdin.
    #[arg(required = true, value_name = "FLOW")]
    pub(crate) flow: Option<PathBuf>,
    /// Gives an input: `id=42`, or `letter=@file` for a file's text without its last line end.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub(crate) inputs: Vec<String>,
    /// Gives inputs from a JSON object in a file; `-` reads it from stdin, `--var` wins.
    #[arg(long = "vars", value_name = "FILE")]
    pub(crate) inputs_file: Option<PathBuf>,
    /// What starts the flow, read as `trigger` in it: a JSON object, or `@file`.
    #[arg(long, value_name = "JSON")]
    pub(crate) trigger: Option<String>,
    /// What the run is told and tells.
    #[command(flatten)]
    pub(crate) talk: TalkArguments,
    /// Show each request as a curl command and send none.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Run against services on this machine that behave like the real ones; no account is needed or touched.
    #[arg(long)]
    pub(crate) sandbox: bool,
    /// Answer requests as a case of a test file does, and send none: its first, or the first whose name holds TEXT.
    #[arg(long, value_name = "FILE[#TEXT]", conflicts_with_all = ["sandbox", "dry_run"])]
    pub(crate) mock: Option<String>,
    /// Write the run as a case of this test file, without what is secret; a new one, or one more of its cases.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["mock", "dry_run"])]
    pub(crate) record: Option<PathBuf>,
    /// Keep the run on disk, so that it can be taken up again if its process dies: `flowrun runs`.
    #[arg(long, conflicts_with_all = ["sandbox", "mock", "dry_run", "record"])]
    pub(crate) durable: bool,
    /// The id of a run that is kept; a run of the same id is not begun twice.
    #[arg(long, value_name = "ID", requires = "durable")]
    pub(crate) id: Option<String>,
}

/// What a run is told while it runs, and what it tells.
#[derive(Debug, Args)]
pub(crate) struct TalkArguments {
    /// Says this where the flow asks, as a person would; once for each question.
    #[arg(long = "say", value_name = "TEXT")]
    pub(crate) said: Vec<String>,
    /// Gives the data of an event that the flow waits for.
    #[arg(long = "event", value_name = "NAME=JSON")]
    pub(crate) events: Vec<String>,
    /// Gives the body of the call that a step waits for at its own URL.
    #[arg(long = "call", value_name = "STEP=JSON")]
    pub(crate) calls: Vec<String>,
    /// What goes to stdout: what the flow sent, all of it as one object, or events, one a line.
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(crate) output: Output,
    /// Say nothing about steps on stderr.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// What a run writes to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// The texts that the flow sent.
    Text,
    /// One JSON object when the run has ended.
    Json,
    /// A JSON object a line, as things happen.
    Ndjson,
}
