//! What may be typed after `flowrun`.
//!
//! A flow's file is the first word of the short form; the verbs stand beside it. A file named like a verb needs
//! `./`. No secret is ever an argument: other users of the machine can read those (OA-3).

mod backup;
mod by_hand;
mod check;
mod eval;
mod graph;
mod integrations;
mod remote;
mod runs;
mod serve;
mod start;
mod test;

use clap::{Parser, Subcommand, ValueEnum};

pub(crate) use backup::BackupArguments;
pub(crate) use by_hand::{ByHandArguments, PkceName, SeparatorName};
pub(crate) use check::{CheckArguments, MessageFormat};
pub(crate) use eval::{EvalArguments, PlaceName};
pub(crate) use graph::{GraphArguments, GraphFormat};
pub(crate) use integrations::{
    AddArguments, AuthStyleName, AuthorizeArguments, ClientArguments, EditArguments, ExportArguments,
    GrantName, ImportArguments, IntegrationVerb, PassphraseArguments, ProviderArguments, SecretArguments,
};
pub(crate) use remote::DeployArguments;
pub(crate) use runs::{ReleaseArguments, ResumeArguments, RunsVerb, WhereArguments};
pub(crate) use serve::{AuditArguments, ConfigArguments, ScopeName, ServeArguments, TokensVerb};
pub(crate) use start::{Output, StartArguments, TalkArguments};
pub(crate) use test::{ResultFormat, TestArguments};

use crate::exit::Exit;

/// Runs flows written in YAML.
#[derive(Debug, Parser)]
#[command(
    name = "flowrun",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    override_usage = "flowrun <FLOW> [OPTIONS]\n       flowrun <VERB> …",
    after_help = Exit::TABLE,
    before_help = "Runs flows written in YAML.\n
    flowrun flow.yaml --var id=42            run a flow
    flowrun flow.yaml --var id=42 --sandbox  run it against services on this machine
    flowrun check flows/                     find every mistake, send nothing
    flowrun test flows/                      run their cases, without a network
    flowrun integrations add teamleader      register a service to authorise",
    about = None,
)]
pub(crate) struct Arguments {
    /// What to do instead of running a flow.
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
    /// What to run.
    #[command(flatten)]
    pub(crate) start: StartArguments,
    /// When to colour what is said.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: When,
    /// Trace what happens, on stderr; FLOWRUN_LOG chooses more finely.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless the environment says otherwise.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do instead of running a flow.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Find every mistake in flows; nothing is sent.
    Check(CheckArguments),
    /// Try flows out with the cases of their test files; no network is used.
    Test(TestArguments),
    /// Register, authorise and look after integrations.
    Integrations {
        /// What to do with them.
        #[command(subcommand)]
        verb: Box<IntegrationVerb>,
    },
    /// Look after runs that are kept: by `flowrun FLOW --durable`, or by a server.
    Runs {
        /// Where they are.
        #[command(flatten)]
        at: WhereArguments,
        /// What to do with them.
        #[command(subcommand)]
        verb: RunsVerb,
    },
    /// Host flows over HTTP: an API, webhooks, channels; `flowrun.toml` sets it up.
    Serve(ServeArguments),
    /// Put a folder of flows on a server, in place of those that it has.
    Deploy(DeployArguments),
    /// Put everything that a server and its registry keep into one file, all but the key, whether or not it runs.
    Backup(BackupArguments),
    /// Put a backup back where there is nothing yet.
    Restore(BackupArguments),
    /// Look after the tokens of the server's API.
    Tokens {
        /// What to do with them.
        #[command(subcommand)]
        verb: TokensVerb,
    },
    /// Check the log of what was done with tokens.
    Audit(AuditArguments),
    /// Try one path, template or expression; JSON on stdout.
    Eval(EvalArguments),
    /// Draw a flow: its steps, branches, loops and handlers, on stdout.
    Graph(GraphArguments),
    /// Write the JSON Schema (draft-07) of a flow on stdout, for editors; or the same as a page for people.
    Schema {
        /// What is written.
        #[arg(long, value_name = "FORMAT", default_value = "json")]
        format: SchemaFormat,
    },
    /// Explain an error code: what happened, why, what to do.
    Explain {
        /// The code, such as F014; without one, all of them are listed.
        code: Option<String>,
    },
    /// Serve an editor as a language server, over stdin and stdout.
    Lsp {
        /// The only way there is; some editors insist on saying so.
        #[arg(long, hide = true)]
        stdio: bool,
    },
    /// Write completions for a shell on stdout.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What `flowrun schema` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SchemaFormat {
    /// A JSON Schema.
    Json,
    /// The reference of the language, every word with what it is for.
    Markdown,
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_flow_named_like_a_verb_needs_a_dot_and_slash() {
        let flow = |word: &str| Arguments::try_parse_from(["flowrun", word]).ok()?.start.flow;
        assert_eq!(flow("./check"), Some(PathBuf::from("./check")));
        assert_eq!(flow("check"), None);
    }

    #[test]
    fn no_secret_can_be_an_argument_oa_3() {
        for verb in ["add", "edit"] {
            let words = ["flowrun", "integrations", verb, "x", "--client-secret", "hunter2"];
            assert!(Arguments::try_parse_from(words).is_err(), "{verb}");
        }
    }
}
