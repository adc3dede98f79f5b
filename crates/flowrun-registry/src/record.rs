//! What is kept of an integration, in the form it has on disk; the whole of it is sealed (N9).
//!
//! The form belongs to this crate and to the format byte of its envelope. Two parts are other crates' own stored
//! forms: a provider is written as its `Settings`, the form of the preset files, and checked again when read; a
//! pending authorization is made by `flowrun-oauth` to be kept in a sealed store.

use std::collections::BTreeMap;
use std::time::Duration;

use flowrun_oauth::{AuthStyle, Client, Grant, GrantKind, Lifetime, Pending, Provider, margin};
use flowrun_step::{IntegrationState, NeedsAttention};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::hosts::HostRule;

/// How long a token lives when nobody says and none did before (OA-31).
const USUAL_LIFETIME: u64 = 3600;

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    pub(crate) provider: Provider,
    pub(crate) preset: Option<String>,
    pub(crate) client_id: Option<String>,
    #[serde(with = "secret")]
    pub(crate) client_secret: Option<SecretString>,
    pub(crate) scopes: Vec<String>,
    pub(crate) hosts: Vec<HostRule>,
    pub(crate) port: u16,
    /// Where the callback is not the loopback one.
    pub(crate) redirect_uri: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) authorized_at: Option<Timestamp>,
    pub(crate) refreshed_at: Option<Timestamp>,
    pub(crate) last_failure: Option<FailureRecord>,
    pub(crate) failures: u32,
    pub(crate) cooling_until: Option<Timestamp>,
    /// Grows with every set of tokens, and when they are destroyed.
    pub(crate) generation: u64,
    pub(crate) tokens: Option<Tokens>,
    pub(crate) kept: BTreeMap<String, String>,
    pub(crate) attention: Option<NeedsAttention>,
    /// Written before a refresh is sent; found by another holder of the lock, it means that the reply was lost.
    pub(crate) refreshing: Option<Refreshing>,
    pub(crate) pending: Option<Pending>,
    /// The callback URL it had when it was last authorised in a browser.
    #[serde(default)]
    pub(crate) callback_then: Option<String>,
    /// When the token endpoint was asked, as far back as the budget looks (OA-51).
    #[serde(default)]
    pub(crate) asked_at: Vec<Timestamp>,
    /// Whether it was imported, and nothing has been granted to it since.
    #[serde(default)]
    pub(crate) is_copy: bool,
    /// How many seconds the provider's clock was ahead at the last exchange, where it said.
    #[serde(default)]
    pub(crate) provider_ahead: Option<i64>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tokens {
    #[serde(with = "needed_secret")]
    pub(crate) access: SecretString,
    #[serde(with = "secret")]
    pub(crate) refresh: Option<SecretString>,
    /// When the request for them began (OA-47).
    pub(crate) obtained_at: Timestamp,
    /// Seconds; none means without end.
    pub(crate) lifetime: Option<u64>,
    pub(crate) refresh_expires_at: Option<Timestamp>,
    pub(crate) scope: Option<Vec<String>>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refreshing {
    pub(crate) generation: u64,
    pub(crate) since: Timestamp,
    /// Whether this is the one retry that a provider's grace allows (OA-45).
    pub(crate) is_retry: bool,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FailureRecord {
    pub(crate) at: Timestamp,
    pub(crate) said: String,
    #[serde(default)]
    pub(crate) stage: Stage,
}

/// Where something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// A person or the provider said no.
    Authorize,
    /// The browser came back too late.
    Callback,
    /// The provider granted nothing for a code, or for client credentials.
    Exchange,
    /// The same, because it refuses the client itself.
    ExchangeClient,
    /// A refresh.
    #[default]
    Refresh,
    /// Giving the grant back: gone here, perhaps not there.
    Revoke,
}

/// When an exchange began and ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) began: Timestamp,
    pub(crate) ended: Timestamp,
}

/// What the clock says about an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    Good,
    /// To be refreshed if that can be, and used otherwise: close to its end, or so far beyond it that the clock may as
    /// well be wrong (`docs/decisions/clocks-that-jump.md`).
    Due,
    Expired,
}

/// The longest wait a provider can ask for.
pub(crate) const LONGEST_COOLDOWN: Duration = Duration::from_secs(3600);

/// Whether a cooldown lasts; one that seems longer than any can be was begun before the clock was set back (OA-47).
pub(crate) fn is_cooling(until: Timestamp, now: Timestamp) -> bool {
    let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
    !left.is_zero() && left <= LONGEST_COOLDOWN
}

impl Record {
    pub(crate) fn state(&self) -> IntegrationState {
        match (self.attention, &self.tokens) {
            (Some(reason), _) => IntegrationState::NeedsAttention(reason),
            (None, Some(_)) => IntegrationState::Authorized,
            (None, None) => IntegrationState::Incomplete,
        }
    }

    /// The client, if the draft is finished; otherwise what is missing.
    pub(crate) fn client(&self) -> Result<Client, &'static str> {
        let id = self.client_id.clone().ok_or("client id")?;
        let needs_secret = self.provider.settings().auth_style != AuthStyle::None;
        if needs_secret && self.client_secret.is_none() {
            return Err("client secret");
        }
        Ok(Client { id, secret: self.client_secret.clone() })
    }

    /// Takes what a person's authorization granted, in place of anything before it.
    pub(crate) fn authorized(&mut self, grant: Grant, times: Times) {
        self.take(grant, times.began);
        self.attention = None;
        self.authorized_at = Some(times.ended);
    }

    /// Takes what a refresh granted; where it brought no refresh token, the old one stays (OA-43).
    ///
    /// What else asks for attention, because somebody changed it meanwhile, still does.
    pub(crate) fn refreshed(&mut self, mut grant: Grant, times: Times) {
        if let Some(old) = &self.tokens {
            if grant.refresh_token.is_none() {
                let left = old.refresh_expires_at.map(|end| end.duration_since(times.began));
                grant.refresh_lifetime =
                    grant.refresh_lifetime.or(left.and_then(|left| Duration::try_from(left).ok()));
                grant.refresh_token.clone_from(&old.refresh);
            }
            // RFC 6749 6: a reply without a scope grants what was granted before.
            grant.scope = grant.scope.or_else(|| old.scope.clone());
        }
        self.take(grant, times.began);
        self.refreshed_at = Some(times.ended);
    }

    /// What went wrong at this stage, if nothing has gone well since.
    pub(crate) fn failed_at(&self, stages: &[Stage]) -> Option<&FailureRecord> {
        let last = self.last_failure.as_ref().filter(|_| self.failures > 0);
        last.filter(|failure| stages.contains(&failure.stage))
    }

    /// Why no refresh is tried now, if the last one failed a moment ago (OA-44).
    pub(crate) fn cooling_words(&self, now: Timestamp) -> Option<String> {
        self.cooling_until.filter(|until| is_cooling(*until, now))?;
        Some(self.last_failure.as_ref().map_or_else(String::new, |failure| failure.said.clone()))
    }

    fn take(&mut self, grant: Grant, began: Timestamp) {
        let known = self.tokens.as_ref().and_then(|tokens| tokens.lifetime);
        let ends = |lifetime: Duration| began.checked_add(lifetime).ok();
        self.tokens = Some(Tokens {
            access: grant.access_token,
            refresh: grant.refresh_token,
            obtained_at: began,
            lifetime: match grant.lifetime {
                Lifetime::Seconds(seconds) => Some(seconds),
                Lifetime::NeverExpires => None,
                Lifetime::Unstated => Some(known.unwrap_or(USUAL_LIFETIME)),
            },
            refresh_expires_at: grant.refresh_lifetime.and_then(ends),
            scope: grant.scope,
        });
        self.kept = grant.kept;
        self.generation += 1;
        self.refreshing = None;
        self.is_copy = false;
        self.failures = 0;
        self.cooling_until = None;
    }

    /// When its refresh token ends, as far as that is known: by what the provider said, or because nobody uses it.
    pub(crate) fn refresh_ends_at(&self) -> Option<Timestamp> {
        let tokens = self.tokens.as_ref().filter(|tokens| tokens.refresh.is_some())?;
        let idle = self.provider.settings().refresh_idle.map(Duration::from_secs);
        let idle_end = idle.and_then(|idle| tokens.obtained_at.checked_add(idle).ok());
        tokens.refresh_expires_at.into_iter().chain(idle_end).min()
    }

    /// Whether it only waits for a person to say that no other copy goes on with its refresh token.
    pub(crate) fn is_waiting_copy(&self) -> bool {
        self.is_copy && self.attention == Some(NeedsAttention::RestoredFromBackup)
    }

    /// Whether another copy of it could use up its refresh token (N9).
    pub(crate) fn is_rotating(&self) -> bool {
        let has_refresh_token = self.tokens.as_ref().is_some_and(|tokens| tokens.refresh.is_some());
        has_refresh_token && self.provider.settings().rotates && !self.uses_client_credentials()
    }

    /// Whether its token can be renewed without a person.
    pub(crate) fn is_refreshable(&self) -> bool {
        let has_refresh_token = self.tokens.as_ref().is_some_and(|tokens| tokens.refresh.is_some());
        self.tokens.is_some() && (has_refresh_token || self.uses_client_credentials())
    }

    pub(crate) fn uses_client_credentials(&self) -> bool {
        self.provider.settings().grant == GrantKind::ClientCredentials
    }

    /// Asked-for scopes that were not granted (OA-34); none where the provider does not say.
    pub(crate) fn missing_scopes(&self) -> Vec<String> {
        let granted = self.tokens.as_ref().and_then(|tokens| tokens.scope.as_ref());
        let is_missing = |scope: &&String| granted.is_some_and(|granted| !granted.contains(scope));
        self.scopes.iter().filter(is_missing).cloned().collect()
    }

    pub(crate) fn fail(&mut self, stage: Stage, said: String, now: Timestamp) {
        self.last_failure = Some(FailureRecord { at: now, said, stage });
        self.failures = self.failures.saturating_add(1);
    }

    /// Destroys tokens, so that none of them reaches where they were not granted for (N4).
    pub(crate) fn destroy_tokens(&mut self) {
        self.generation += 1;
        self.tokens = None;
        self.refreshing = None;
        self.pending = None;
        self.cooling_until = None;
        self.kept.clear();
    }

    /// Asks for a new authorization, if there ever was one (OA-4).
    pub(crate) fn config_changed(&mut self) {
        self.attention = self.authorized_at.map(|_| NeedsAttention::ConfigChanged);
        self.pending = None;
    }
}

impl Tokens {
    /// Takes the access token for one whose time is over, because its provider says that it is (OA-66).
    pub(crate) fn expire(&mut self, now: Timestamp) {
        let lifetime = Duration::from_secs(*self.lifetime.get_or_insert(0));
        self.obtained_at = now.checked_sub(lifetime).unwrap_or(Timestamp::MIN).min(self.obtained_at);
    }

    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        self.obtained_at.checked_add(Duration::from_secs(self.lifetime?)).ok()
    }

    /// OA-46, 47: a clock that shows a time before the token was asked for, or long after its end, cannot judge it.
    pub(crate) fn freshness(&self, provider: &Provider, now: Timestamp) -> Freshness {
        let Some(lifetime) = self.lifetime.map(Duration::from_secs) else { return Freshness::Good };
        let Ok(age) = Duration::try_from(now.duration_since(self.obtained_at)) else {
            return Freshness::Good;
        };
        if age >= lifetime && age <= lifetime.saturating_mul(2) {
            Freshness::Expired
        } else if age >= lifetime - margin(lifetime, provider) {
            Freshness::Due
        } else {
            Freshness::Good
        }
    }
}

mod secret {
    use secrecy::{ExposeSecret, SecretString};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &Option<SecretString>, out: S) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(ExposeSecret::expose_secret).serialize(out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Option<SecretString>, D::Error> {
        Ok(Option::<String>::deserialize(input)?.map(SecretString::from))
    }
}

mod needed_secret {
    use secrecy::{ExposeSecret, SecretString};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &SecretString, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(secret.expose_secret())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<SecretString, D::Error> {
        String::deserialize(input).map(SecretString::from)
    }
}
