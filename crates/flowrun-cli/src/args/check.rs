//! What may be said about checking flows.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// Flows, and folders in which every `*.flow.yaml` is checked.
    #[arg(required = true, value_name = "FILE|FOLDER")]
    pub(crate) paths: Vec<PathBuf>,
    /// How mistakes are shown; json and sarif go to stdout.
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) message_format: MessageFormat,
    /// Show what each flow may reach and what reaches it, on stdout: hosts, integrations, secrets, what starts it, events.
    /// No integration is asked.
    #[arg(long)]
    pub(crate) permissions: bool,
}

/// How a diagnostic is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MessageFormat {
    /// With the line it is about.
    Human,
    /// On one line each.
    Short,
    /// As JSON on stdout, one a line.
    Json,
    /// As one SARIF 2.1.0 log on stdout, which code hosts show beside the lines.
    Sarif,
}
