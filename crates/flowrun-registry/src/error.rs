//! Why an operation on the registry failed, one enum for each kind of operation.
//!
//! An error names integrations, hosts and files, never a token or secret, and its `help` is the next thing to
//! type or do. A provider's own words are capped by `flowrun-oauth` before they come here.

use std::path::PathBuf;

use flowrun_oauth::{BeginError, CallbackError, Class, Endpoint, ScopeError, TokenError};
use flowrun_step::{BoxError, IntegrationName, IntegrationState};

use crate::command::command;
use crate::socket::AskError;

/// Why the registry itself could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CustodyError {
    /// Another process holds the registry, and did not let go in time (OA-56).
    #[error("the registry in {data_dir} is in use by {}", process(*holder))]
    InUse {
        /// The data folder.
        data_dir: PathBuf,
        /// The process that holds it, where that is known.
        holder: Option<u32>,
    },
    /// There are integrations, but not the key that sealed them; nothing is created (N9).
    #[error("the registry has integrations, but its key {path} is not there")]
    KeyMissing {
        /// Where the key should be.
        path: PathBuf,
    },
    /// The key file is not one that only its owner can have written and read (N9).
    #[error("the key file {path} {wrong}")]
    KeyUnsafe {
        /// The key file.
        path: PathBuf,
        /// What is wrong, to be read after the file's name.
        wrong: &'static str,
        /// What to do about it.
        fix: String,
    },
    /// The key seals another registry too, which a new key would not open; nothing is changed.
    #[error("the key file {path} also opens the registry of another data folder")]
    KeyShared {
        /// The key file.
        path: PathBuf,
        /// What shows it: the other registry's mark.
        mark: PathBuf,
    },
    /// The key does not open the registry, or the registry's list was changed by another hand.
    #[error("the key does not open this registry")]
    KeyWrong,
    /// One integration's record was changed, swapped or put back by another hand (T2).
    #[error("the record of integration `{0}` was changed by another hand")]
    Damaged(IntegrationName),
    /// The record opens, and holds what this version does not know; it is left as it is (OA-55).
    #[error("a newer flowrun wrote the record of integration `{0}`")]
    Newer(IntegrationName),
    /// A newer flowrun wrote this; it is left as it is (OA-55).
    #[error("the registry has format {found}, which this version does not know")]
    UnknownFormat {
        /// The format found.
        found: u8,
    },
    /// There is a registry where one was to be put back; nothing is replaced.
    #[error("there is a registry in {data_dir} already")]
    NotEmpty {
        /// The data folder.
        data_dir: PathBuf,
    },
    /// A file or folder could not be used.
    #[error("cannot {what} {path}")]
    File {
        /// What was tried: `read`, `create`, `write`.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database could not be read or written.
    #[error("the registry's database cannot be used")]
    Database(#[source] BoxError),
    /// The process that owns the registry gave no answer that can be used.
    #[error(transparent)]
    Owner(#[from] AskError),
}

impl CustodyError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::InUse { holder: Some(holder), .. } => {
                format!("wait for it to finish, or stop it: kill {holder}")
            }
            Self::InUse { holder: None, .. } => "wait for the other flowrun to finish, or stop it".to_owned(),
            Self::KeyMissing { path } => {
                format!("put the key back at {}; without it the integrations are lost", path.display())
            }
            Self::KeyUnsafe { fix, .. } => fix.clone(),
            Self::KeyShared { mark, .. } => {
                let mark = mark.display();
                format!(
                    "give the other one a copy in a file of its own, and remove {mark}; if its folder is gone, only remove that"
                )
            }
            Self::KeyWrong => "use the key file this registry was made with".to_owned(),
            Self::Damaged(name) => {
                format!("`{}`, then add it again", command("remove", name))
            }
            Self::UnknownFormat { .. } | Self::Newer(_) => {
                "use the version of flowrun that wrote it, or a newer one".to_owned()
            }
            Self::NotEmpty { .. } => {
                "restore into another home (FLOWRUN_HOME), or move that folder away".to_owned()
            }
            Self::File { .. } => "check the folder, its owner and its free space".to_owned(),
            Self::Database(_) => {
                "check the disk; restore the data folder from a backup if it is damaged".to_owned()
            }
            Self::Owner(error) => error.help(),
        }
    }
}

/// A process in words.
pub(crate) fn process(holder: Option<u32>) -> String {
    holder.map_or_else(|| "another process".to_owned(), |holder| format!("process {holder}"))
}

/// There is no integration of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no integration `{name}`")]
pub struct UnknownIntegration {
    /// The name that was asked for.
    pub name: IntegrationName,
    /// Names like it, the most like first (OA-2).
    pub similar: Vec<IntegrationName>,
}

impl UnknownIntegration {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self.similar.first() {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => command("add", &self.name),
        }
    }
}

/// Why an integration could not be looked up or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// There is none of this name.
    #[error(transparent)]
    Unknown(#[from] UnknownIntegration),
    /// The registry could not be used.
    #[error(transparent)]
    Custody(#[from] CustodyError),
}

impl LookupError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Unknown(error) => error.help(),
            Self::Custody(error) => error.help(),
        }
    }
}

/// Why an integration was not added or changed; nothing was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// There is one of this name already; names are compared without case (SEED-4).
    #[error("there is an integration `{0}` already")]
    NameTaken(IntegrationName),
    /// The scopes cannot be asked for.
    #[error("the scopes cannot be asked for")]
    Scope(#[from] ScopeError),
    /// The redirect URI does not suit the provider or is no plain absolute URL.
    #[error("the callback URL cannot be used")]
    Redirect(#[from] flowrun_oauth::BeginError),
    /// The text is no host a token could be sent to.
    #[error("`{0}` is no host")]
    NotAHost(String),
    /// It does not exist, or the registry could not be used.
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

impl EditError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NameTaken(name) => format!("choose another name, or `{}`", command("edit", name)),
            Self::Scope(_) => "write each scope once, as the provider's documentation does".to_owned(),
            Self::Redirect(error) => error.help().to_owned(),
            Self::NotAHost(_) => {
                "write api.example.com, .example.com for every host below it, or 127.0.0.1:8080".to_owned()
            }
            Self::Lookup(error) => error.help(),
        }
    }
}

/// Why an authorization did not begin or did not succeed; an earlier one stays as it was (OA-19, SEED-18).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizeError {
    /// The draft is not finished (SEED-9).
    #[error("integration `{name}` has no {missing} yet")]
    Unfinished {
        /// Which one.
        name: IntegrationName,
        /// What is missing: `client id` or `client secret`.
        missing: &'static str,
    },
    /// The request does not suit the provider.
    #[error("the authorization of `{name}` cannot begin")]
    Begin {
        /// Which one.
        name: IntegrationName,
        /// What does not suit.
        source: flowrun_oauth::BeginError,
    },
    /// No authorization waits for a callback: none was begun, or this one was used already (OA-10).
    #[error("no authorization of `{0}` waits for a callback")]
    NothingPending(IntegrationName),
    /// The callback brings no code that may be exchanged.
    #[error("the callback does not authorise `{name}`")]
    Callback {
        /// Which one.
        name: IntegrationName,
        /// What is wrong with it, or what the provider said.
        source: CallbackError,
    },
    /// The provider granted nothing.
    #[error("the provider granted `{name}` nothing")]
    Token {
        /// Which one.
        name: IntegrationName,
        /// What the token endpoint said.
        source: Box<TokenError>,
    },
    /// The provider has no such endpoint, as far as its settings say.
    #[error("no {endpoint} is known for `{name}`")]
    NoEndpoint {
        /// Which one.
        name: IntegrationName,
        /// What is not known.
        endpoint: Endpoint,
    },
    /// The person, or the provider for them, said no at the device's address (RFC 8628 3.5).
    #[error("the authorization of `{name}` was denied")]
    Denied {
        /// Which one.
        name: IntegrationName,
        /// The provider's words, capped and stripped of control characters.
        provider_words: Option<String>,
    },
    /// Nobody typed the code while it was good (RFC 8628 3.5).
    #[error("the code for `{0}` has expired")]
    CodeExpired(IntegrationName),
    /// The provider was asked as often as its settings allow (OA-51); nothing is lost.
    #[error("`{name}` cannot be authorised now: {said}")]
    NotNow {
        /// Which one.
        name: IntegrationName,
        /// Why, and when it goes on.
        said: String,
    },
    /// Another process refreshes or authorises this integration and does not finish (45 s).
    #[error("another process is busy with `{0}`")]
    Busy(IntegrationName),
    /// The integration was removed or changed while the provider was asked.
    #[error("`{0}` was changed while it was being authorised")]
    Changed(IntegrationName),
    /// It does not exist, or the registry could not be used.
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

impl AuthorizeError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Unfinished { name, .. } => command("edit", name),
            Self::Begin { source: error @ BeginError::NoBrowserNeeded, .. } => error.help().to_owned(),
            Self::Begin { name, source } => followed_by(source.help(), "edit", name),
            Self::NothingPending(name) | Self::Changed(name) => command("authorize", name),
            Self::Callback { name, source } => followed_by(source.help(), "authorize", name),
            Self::Token { name, source } => token_help(name, source),
            Self::NoEndpoint { name, endpoint: Endpoint::Device } => {
                format!("if the provider has one: {} --device-url URL", command("edit", name))
            }
            Self::NoEndpoint { name, .. } => command("edit", name),
            Self::Denied { name, .. } => followed_by("begin again, and accept", "authorize", name),
            Self::CodeExpired(name) => followed_by("begin again", "authorize", name) + " --device",
            Self::NotNow { name, .. } => format!("then: {}", command("authorize", name)),
            Self::Busy(name) => followed_by("try again later", "authorize", name),
            Self::Lookup(error) => error.help(),
        }
    }
}

/// A sentence, and the command that begins what it says.
pub(crate) fn followed_by(sentence: &str, verb: &str, name: &IntegrationName) -> String {
    format!("{sentence}: {}", command(verb, name))
}

/// What to do after an error of an endpoint, with the command to type (OA-44).
pub(crate) fn token_help(name: &IntegrationName, error: &TokenError) -> String {
    let verb = match error.class {
        Class::Client => "edit",
        Class::Malformed | Class::Forbidden => "show",
        _ => "authorize",
    };
    followed_by(error.help(), verb, name)
}

/// Why there is no usable token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// Nobody can use it before somebody acts.
    #[error("integration `{name}` is {state}{}", said.as_deref().map(|said| format!(": {said}")).unwrap_or_default())]
    NotUsable {
        /// Which one.
        name: IntegrationName,
        /// Its state.
        state: IntegrationState,
        /// What happened last, in words.
        said: Option<String>,
    },
    /// There is nothing to refresh with: the provider gave no refresh token.
    #[error("the provider gave `{0}` no refresh token")]
    NothingToRefreshWith(IntegrationName),
    /// The provider or the network is unwell; everything is kept (OA-44).
    #[error("the token of `{name}` could not be refreshed now: {said}")]
    NotNow {
        /// Which one.
        name: IntegrationName,
        /// What happened, in words.
        said: String,
    },
    /// Another process refreshes this integration and does not finish (45 s).
    #[error("another process is busy with `{0}`")]
    Busy(IntegrationName),
    /// It does not exist, or the registry could not be used.
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

impl RefreshError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::NotUsable { name, .. } | Self::NothingToRefreshWith(name) => command("authorize", name),
            Self::NotNow { name, .. } | Self::Busy(name) => followed_by("try again later", "refresh", name),
            Self::Lookup(error) => error.help(),
        }
    }

    /// Whether the same call may succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NotNow { .. } | Self::Busy(_) => true,
            Self::Lookup(LookupError::Custody(CustodyError::Owner(error))) => error.is_transient(),
            Self::Lookup(LookupError::Custody(error)) => matches!(error, CustodyError::InUse { .. }),
            _ => false,
        }
    }
}

macro_rules! from_custody {
    ($($error:ident),*) => {
        $(impl From<CustodyError> for $error {
            fn from(error: CustodyError) -> Self {
                Self::Lookup(LookupError::Custody(error))
            }
        })*
    };
}

from_custody!(EditError, AuthorizeError, RefreshError);
