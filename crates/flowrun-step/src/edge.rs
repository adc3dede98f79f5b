//! The edges of a house: named integrations, secrets, time and randomness.
//!
//! Each is a trait because something stands on both sides of it: a registry or an embedder's vault,
//! the system clock or one a test moves.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{IntegrationName, Outbound, StepError, Tenant};

/// A future that may be sent between threads and stored.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why an integration that was once authorised cannot be used now (security, states).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NeedsAttention {
    /// The provider refused the refresh token.
    RefreshRefused,
    /// The grant was revoked.
    Revoked,
    /// The client id, a URL, a scope or a host was changed after the authorisation.
    ConfigChanged,
    /// The provider refuses the client id or secret.
    ClientRejected,
    /// The provider granted less than was asked for.
    ScopeReduced,
    /// The record is older than one this installation has already used.
    RestoredFromBackup,
    /// The key that sealed the record is gone.
    KeyMissing,
    /// A refresh was sent and its reply lost: the provider may have rotated the token.
    ReplyLost,
}

/// Whether an integration can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntegrationState {
    /// Registered, never authorised.
    Incomplete,
    /// Ready for use.
    Authorized,
    /// Once authorised, unusable until somebody acts.
    NeedsAttention(NeedsAttention),
}

impl NeedsAttention {
    /// What it means, for whoever has to act.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::RefreshRefused => "the provider refused the refresh token",
            Self::Revoked => "the grant was revoked",
            Self::ConfigChanged => "the client, a URL, a scope or a host was changed after the authorisation",
            Self::ClientRejected => "the provider refuses the client or its settings",
            Self::ScopeReduced => "the provider granted less than was asked for",
            Self::RestoredFromBackup => {
                "the registry was restored from a backup, and its refresh token may have been replaced since"
            }
            Self::KeyMissing => "the key that seals the registry is not there",
            Self::ReplyLost => {
                "a refresh was sent and its reply lost, so the provider may have replaced the refresh token"
            }
        }
    }
}

impl fmt::Display for NeedsAttention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RefreshRefused => "refresh_refused",
            Self::Revoked => "revoked",
            Self::ConfigChanged => "config_changed",
            Self::ClientRejected => "client_rejected",
            Self::ScopeReduced => "scope_reduced",
            Self::RestoredFromBackup => "restored_from_backup",
            Self::KeyMissing => "key_missing",
            Self::ReplyLost => "reply_lost",
        })
    }
}

impl fmt::Display for IntegrationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete => f.write_str("incomplete"),
            Self::Authorized => f.write_str("authorized"),
            Self::NeedsAttention(reason) => write!(f, "needs_attention({reason})"),
        }
    }
}

/// One integration as a check or a list sees it: no credential, nothing secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntegrationStatus {
    /// The name as it was typed.
    pub name: IntegrationName,
    /// Whether it can be used.
    pub state: IntegrationState,
    /// The names of the fields kept from the callback and the token reply, such as `api_domain`.
    pub kept: Vec<String>,
    /// The hosts its token may be sent to (N4): `api.example.com`, `.example.com` for every host below it,
    /// `127.0.0.1:8080`. Empty where the house does not say, so that no check judges by it.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// The address of its API, where the authorization itself said which it is (the kept `api_domain`).
    #[serde(default)]
    pub api_domain: Option<String>,
    /// The scopes that an authorization of it asks for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The scopes that it was granted; absent where nobody knows, so that no check judges by it.
    #[serde(default)]
    pub granted: Option<Vec<String>>,
}

impl IntegrationStatus {
    /// One of which no more is known than its name and state.
    #[must_use]
    pub fn new(name: IntegrationName, state: IntegrationState) -> Self {
        Self {
            name,
            state,
            kept: Vec::new(),
            hosts: Vec::new(),
            api_domain: None,
            scopes: Vec::new(),
            granted: None,
        }
    }
}

/// The named integrations of a house.
pub trait Integrations: Send + Sync {
    /// The status of every integration a tenant has.
    ///
    /// # Errors
    /// When the registry cannot be read.
    fn list<'a>(&'a self, tenant: &'a Tenant) -> BoxFuture<'a, Result<Vec<IntegrationStatus>, StepError>>;

    /// A way out that carries the integration's credential, resolved anew for every request.
    fn outbound(&self, tenant: &Tenant, name: &IntegrationName) -> Arc<dyn Outbound>;

    /// A field kept from the callback or the token reply, such as `api_domain`; never a token.
    ///
    /// # Errors
    /// When the integration is not usable or the registry cannot be read.
    fn kept<'a>(
        &'a self,
        tenant: &'a Tenant,
        name: &'a IntegrationName,
        field: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, StepError>>;
}

/// Where `secrets.NAME` comes from.
pub trait SecretSource: Send + Sync {
    /// The secret of that name, if this tenant has one.
    fn secret<'a>(&'a self, tenant: &'a Tenant, name: &'a str) -> BoxFuture<'a, Option<SecretString>>;
}

/// The one source of time: the system's, or one that a test moves.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Ends when the clock has reached `at`.
    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()>;
}

/// The one source of randomness.
pub trait Entropy: Send + Sync {
    /// Fills the bytes with randomness fit for secrets.
    fn fill(&self, bytes: &mut [u8]);
}
