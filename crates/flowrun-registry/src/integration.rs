//! An integration as it is described from outside: what one gives to add or change it, what one sees of it.
//!
//! Secrets go in and never come out (OA-3): the view has everything but the client secret and the tokens.

use flowrun_oauth::{GrantKind, Provider};
use flowrun_step::{IntegrationName, IntegrationState};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Serialize;

use crate::Leg;

/// What is given to add an integration. A draft may lack client id and secret (SEED-9).
///
/// # Example
/// ```
/// use flowrun_oauth::Preset;
/// use flowrun_registry::NewIntegration;
/// use flowrun_step::IntegrationName;
///
/// let provider = Preset::named("teamleader").expect("a preset").provider(&Default::default())?;
/// let draft = NewIntegration {
///     preset: Some("teamleader".to_owned()),
///     ..NewIntegration::new(IntegrationName::new("teamleader")?, provider)
/// };
/// assert!(draft.client_id.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct NewIntegration {
    /// The name flows will use.
    pub name: IntegrationName,
    /// The provider, from a preset or typed by hand.
    pub provider: Provider,
    /// The preset it came from, to be shown.
    pub preset: Option<String>,
    /// The client id, if the provider's form has already been filled in.
    pub client_id: Option<String>,
    /// The client secret, likewise.
    pub client_secret: Option<SecretString>,
    /// The scopes to ask for.
    pub scopes: Vec<String>,
    /// The loopback port of the callback; one is chosen and kept if absent (OA-16).
    pub port: Option<u16>,
    /// The callback URL, where it is not to be the loopback one (OA-22).
    pub redirect_uri: Option<String>,
}

impl NewIntegration {
    /// A draft with a name and a provider.
    #[must_use]
    pub fn new(name: IntegrationName, provider: Provider) -> Self {
        Self {
            name,
            provider,
            preset: None,
            client_id: None,
            client_secret: None,
            scopes: Vec::new(),
            port: None,
            redirect_uri: None,
        }
    }
}

/// What is to be changed; what is absent stays.
///
/// A new client id, a new URL or a new request parameter destroys the tokens, and the client secret unless it is
/// given again here (N4). New scopes or hosts ask for a new authorization.
///
/// # Example
/// ```
/// use flowrun_registry::Edit;
/// let edit = Edit { client_id: Some("0a1b2c".to_owned()), ..Edit::default() };
/// assert!(edit.provider.is_none());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// Another name; flows refer to the old one.
    pub name: Option<IntegrationName>,
    /// Another provider, or the same with other settings.
    pub provider: Option<Provider>,
    /// Another client id.
    pub client_id: Option<String>,
    /// Another client secret.
    pub client_secret: Option<SecretString>,
    /// Other scopes.
    pub scopes: Option<Vec<String>>,
    /// Another loopback port.
    pub port: Option<u16>,
    /// Another callback URL.
    pub redirect_uri: Option<String>,
}

/// An integration as anybody may see it: nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Integration {
    /// Its name, as it was typed.
    pub name: IntegrationName,
    /// Whether it can be used.
    pub state: IntegrationState,
    /// The preset it came from.
    pub preset: Option<String>,
    /// How it gets its tokens.
    pub grant: GrantKind,
    /// The authorization endpoint.
    pub authorize_url: Option<String>,
    /// The token endpoint.
    pub token_url: String,
    /// The issuer, where it is known.
    pub issuer: Option<String>,
    /// Where its tokens are given back, where that is known.
    pub revoke_url: Option<String>,
    /// Where the provider says whether a token is still good, where that is known.
    pub introspect_url: Option<String>,
    /// Where a device asks for its codes, where that is known.
    pub device_url: Option<String>,
    /// The services its token is meant for.
    pub resources: Vec<String>,
    /// The client id, unless it is yet to be given.
    pub client_id: Option<String>,
    /// Whether a client secret is kept.
    pub has_client_secret: bool,
    /// The callback URL to register at the provider, letter by letter (OA-72).
    pub redirect_uri: String,
    /// The random part of the callback's path, which tells integrations apart (N5).
    pub callback_id: String,
    /// The loopback port of the callback.
    pub port: u16,
    /// The scopes that are asked for.
    pub scopes: Vec<String>,
    /// The scopes that were granted, where the provider said.
    pub granted_scopes: Option<Vec<String>>,
    /// The hosts its token may be sent to (N4).
    pub hosts: Vec<String>,
    /// What was kept from the callback and the token reply, such as `api_domain`.
    pub kept: flowrun_oauth::Kept,
    /// When it was added.
    pub created_at: Timestamp,
    /// When somebody last authorised it.
    pub authorized_at: Option<Timestamp>,
    /// When its token was last refreshed.
    pub refreshed_at: Option<Timestamp>,
    /// When the access token ends, where that is known.
    pub expires_at: Option<Timestamp>,
    /// When the refresh token ends if nobody uses it, where that is known.
    pub refresh_expires_at: Option<Timestamp>,
    /// Whether its token can be renewed without a person.
    pub is_refreshable: bool,
    /// What went wrong last.
    pub last_failure: Option<Failure>,
    /// How often it went wrong since it last went well.
    pub failures: u32,
    /// Until when no refresh is tried, after a failure that may pass (OA-44).
    pub cooling_until: Option<Timestamp>,
}

/// Something that went wrong, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Failure {
    /// When.
    pub at: Timestamp,
    /// At which leg.
    pub leg: Leg,
    /// What, in words; the provider's own are capped and labelled.
    pub said: String,
}

/// What an edit did beside changing what it was asked to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Edited {
    /// The integration as it is now.
    pub integration: Integration,
    /// The tokens were destroyed: it must be authorised again.
    pub tokens_destroyed: bool,
    /// The client secret was destroyed: it must be typed again.
    pub secret_destroyed: bool,
}

/// How an authorization begins.
#[derive(Debug, Clone, Default)]
pub struct Begin {
    /// Another callback URL for this attempt.
    pub redirect_uri: Option<String>,
    /// A secret that only this browser holds; the callback must show it again (N5).
    pub session_binding: Option<String>,
    /// Asks for consent even if it was given before (OA-15).
    pub force_consent: bool,
}

/// An authorization that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Begun {
    /// What the person opens.
    pub url: url::Url,
    /// Where the browser will come back.
    pub redirect_uri: String,
    /// After this it is void.
    pub expires_at: Timestamp,
}

/// An authorization that succeeded: it is on disk already.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Authorized {
    /// The integration as it is now.
    pub integration: Integration,
    /// Scopes that were asked for and not granted (OA-34); worth a warning.
    pub missing_scopes: Vec<String>,
}
