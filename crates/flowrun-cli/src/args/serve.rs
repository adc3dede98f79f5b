//! What may be said about the server and its tokens.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// How the server is set up.
#[derive(Debug, Args)]
pub(crate) struct ConfigArguments {
    /// The configuration; without it `flowrun.toml` here, if there is one.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The server's data folder, in place of FLOWRUN_SERVER_DATA_DIR and of `server.data_dir` in the file.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The key of the registry, in place of FLOWRUN_KEY_FILE and of `server.key_file` in the file.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
}

/// How the server starts.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// The file that sets it up.
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
    /// Where it listens, in place of FLOWRUN_SERVER_LISTEN and of `server.listen` in the file.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// How the world reaches it, in place of FLOWRUN_SERVER_PUBLIC_URL and of `server.public_url` in the file.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// Only read the configuration and check its flows; nothing is made.
    #[arg(long)]
    pub(crate) check_config: bool,
}

/// What to do with the tokens of the server's API.
#[derive(Debug, Subcommand)]
pub(crate) enum TokensVerb {
    /// Make a token; it is shown once, on stdout.
    Create {
        /// What it is for.
        name: String,
        /// What it opens; may be said several times.
        #[arg(long, value_name = "SCOPE", required = true)]
        scope: Vec<ScopeName>,
        /// How long it is good, such as 90d; without it until it is revoked.
        #[arg(long, value_name = "DURATION")]
        expires: Option<String>,
        /// The file that sets the server up.
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// List the tokens there are; never their text.
    List {
        /// The file that sets the server up.
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// End a token.
    Revoke {
        /// Its id, as `list` shows it.
        id: String,
        /// The file that sets the server up.
        #[command(flatten)]
        config: ConfigArguments,
    },
}

/// What a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScopeName {
    /// Start runs, tell events, bring messages.
    Start,
    /// Look at runs and flows.
    Read,
    /// Publish flows.
    Deploy,
    /// Cancel runs, and say what becomes of calls in doubt.
    Operate,
}

/// What to do with the log of what was done with tokens.
#[derive(Debug, Args)]
pub(crate) struct AuditArguments {
    /// Check that no line was changed, removed or moved.
    #[arg(long, required = true)]
    pub(crate) verify: bool,
    /// The file that sets the server up.
    #[command(flatten)]
    pub(crate) config: ConfigArguments,
}
