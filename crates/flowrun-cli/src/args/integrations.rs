//! What may be said about integrations.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::by_hand::ByHandArguments;

/// What to do with integrations.
#[derive(Debug, Subcommand)]
pub(crate) enum IntegrationVerb {
    /// Register an integration, or the draft of one; prints the callback URL to give the provider.
    Add(AddArguments),
    /// List all of them with their states.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show one, without its secrets.
    Show {
        /// Its name.
        name: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Change one; what is not given stays.
    Edit(EditArguments),
    /// Give it another name, and show where flows still say the old one.
    Rename {
        /// Its name.
        old: String,
        /// Its name from now on.
        new: String,
        /// The folder of flows to look at; `flows` if there is one.
        #[arg(long, value_name = "FOLDER")]
        flows: Option<PathBuf>,
    },
    /// Have it authorised by a person, in a browser.
    Authorize(AuthorizeArguments),
    /// Name the leg that fails, of the ten an integration stands on, and say what to do.
    Check {
        /// Its name; all of them without one.
        name: Option<String>,
        /// Ask the provider whether it still takes the token, and believe it.
        #[arg(long, requires = "name")]
        remote: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Renew its access token if that is due.
    Refresh {
        /// Its name.
        name: String,
        /// Renew it even if it is not due.
        #[arg(long)]
        force: bool,
    },
    /// Let its token go to one more host.
    Allow {
        /// Its name.
        name: String,
        /// `api.example.com`, `.example.com` for every host below it, or `127.0.0.1:8080`.
        host: String,
    },
    /// End its grant: give its tokens back to the provider, and destroy them here.
    Revoke {
        /// Its name.
        name: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Remove it with its secrets; the grant at the provider is not revoked.
    Remove {
        /// Its name.
        name: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Write integrations with their secrets into a file that a passphrase seals.
    Export(ExportArguments),
    /// Take in what was exported; all of it or nothing.
    Import(ImportArguments),
    /// Seal everything with a new key, which replaces the key file.
    RotateKey,
    /// Answer other flowrun processes of yours from this one's registry, until Ctrl-C.
    Serve,
    /// List the providers that are known, and what is to be chosen for each; or show one whole.
    Presets {
        /// The one to show: its addresses, what to choose, what it rests on.
        name: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// What an integration is made of.
#[derive(Debug, Args)]
pub(crate) struct AddArguments {
    /// The name that flows will use.
    pub(crate) name: String,
    /// The provider; if nothing is said of it, the preset that is called like the integration.
    #[command(flatten)]
    pub(crate) provider: ProviderArguments,
    /// The client.
    #[command(flatten)]
    pub(crate) client: ClientArguments,
    /// A host its token may go to beside the provider's own.
    #[arg(long, value_name = "HOST")]
    pub(crate) allow: Vec<String>,
}

/// What is to be changed.
#[derive(Debug, Args)]
pub(crate) struct EditArguments {
    /// Its name.
    pub(crate) name: String,
    /// The provider; a preset, an issuer or addresses replace it as a whole, anything else changes what was known.
    #[command(flatten)]
    pub(crate) provider: ProviderArguments,
    /// The client.
    #[command(flatten)]
    pub(crate) client: ClientArguments,
}

/// A provider: a known one, or its addresses typed by hand, or a known one with differences.
#[derive(Debug, Args)]
pub(crate) struct ProviderArguments {
    /// A known provider; `flowrun integrations presets` lists them.
    #[arg(long = "from", visible_alias = "preset", value_name = "PRESET")]
    pub(crate) preset: Option<String>,
    /// What the preset leaves open: `dc=eu`; once for each thing.
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub(crate) parameters: Vec<String>,
    /// The authorization endpoint.
    #[arg(long, value_name = "URL")]
    pub(crate) authorize_url: Option<String>,
    /// The token endpoint.
    #[arg(long, value_name = "URL")]
    pub(crate) token_url: Option<String>,
    /// How it gets its tokens.
    #[arg(long, value_name = "GRANT")]
    pub(crate) grant: Option<GrantName>,
    /// How the client proves itself at the token endpoint.
    #[arg(long, value_name = "STYLE")]
    pub(crate) auth_style: Option<AuthStyleName>,
    /// A parameter for the authorization request: `access_type=offline`.
    #[arg(long = "authorize-param", value_name = "NAME=VALUE")]
    pub(crate) authorize_parameters: Vec<String>,
    /// The rest.
    #[command(flatten)]
    pub(crate) by_hand: ByHandArguments,
}

/// The client at the provider, and what it asks for.
#[derive(Debug, Args)]
pub(crate) struct ClientArguments {
    /// The client id that the provider gave.
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// Where the client secret comes from.
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
    /// The scopes to ask for, separated by blanks; empty for none.
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scopes: Option<String>,
    /// The port of the callback URL on this machine.
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// A callback URL that is not on this machine.
    #[arg(long, value_name = "URL")]
    pub(crate) redirect_uri: Option<String>,
}

impl ClientArguments {
    /// Whether nothing is said of scopes or callback.
    pub(crate) fn is_bare(&self) -> bool {
        self.scopes.is_none() && self.port.is_none() && self.redirect_uri.is_none()
    }
}

/// Where the client secret comes from: typed, piped or a file, never an argument (OA-3).
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct SecretArguments {
    /// Read the client secret from a file.
    #[arg(long = "client-secret-file", value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Read the client secret from stdin.
    #[arg(long = "client-secret-stdin")]
    pub(crate) stdin: bool,
    /// Ask for the client secret; it is not shown while it is typed.
    #[arg(long = "client-secret-prompt")]
    pub(crate) prompt: bool,
}

/// How a person authorises.
#[derive(Debug, Args)]
pub(crate) struct AuthorizeArguments {
    /// Its name.
    pub(crate) name: String,
    /// Only print the address; open no browser.
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Paste the address the browser ends on, for a machine without a browser.
    #[arg(long)]
    pub(crate) paste: bool,
    /// Type a code into a browser on another device; nothing needs to come back here.
    #[arg(long, conflicts_with_all = ["paste", "port", "redirect_uri", "force_consent"])]
    pub(crate) device: bool,
    /// Listen on this port, for providers that accept any.
    #[arg(long, value_name = "PORT", conflicts_with_all = ["paste", "redirect_uri"])]
    pub(crate) port: Option<u16>,
    /// Another callback URL for this attempt.
    #[arg(long, value_name = "URL")]
    pub(crate) redirect_uri: Option<String>,
    /// How long to wait for the browser.
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    pub(crate) timeout: String,
    /// Ask for consent even if it was given before.
    #[arg(long)]
    pub(crate) force_consent: bool,
}

/// What is taken out, and where to.
#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// Their names; all of them without one.
    pub(crate) names: Vec<String>,
    /// The file to write; it must not be there yet, and only its owner can read it.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// The passphrase that seals it.
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArguments,
}

/// What is taken in.
#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// The file that an export wrote.
    pub(crate) file: PathBuf,
    /// Replace integrations of the same names, with their secrets.
    #[arg(long)]
    pub(crate) replace: bool,
    /// The passphrase that seals it.
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArguments,
}

/// Where a passphrase comes from: typed unless said otherwise, never an argument (OA-3).
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct PassphraseArguments {
    /// Read the passphrase from a file.
    #[arg(long = "passphrase-file", value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// Read the passphrase from stdin.
    #[arg(long = "passphrase-stdin")]
    pub(crate) by_stdin: bool,
}

/// A grant, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum GrantName {
    /// A person authorises in a browser.
    AuthorizationCode,
    /// The client acts for itself; no person is asked.
    ClientCredentials,
}

/// A way for the client to prove itself, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum AuthStyleName {
    /// Id and secret in the body of the token request.
    Body,
    /// HTTP Basic, as RFC 6749 says.
    Basic,
    /// HTTP Basic without the encoding that RFC 6749 asks for.
    BasicRaw,
    /// No secret: a public client.
    None,
}
