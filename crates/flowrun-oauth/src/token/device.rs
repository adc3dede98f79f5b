//! The device grant (RFC 8628): a device shows a code, a person types it into a browser elsewhere, the device asks
//! until the person has decided (OA-67).
//!
//! Nothing here waits: [`Device::pause`] says how long the caller does, and each [`DeviceGrant::poll`] is one exchange
//! that sets the next pause. The device code buys the grant, so it is a secret; the user code is there to be shown.

use std::time::Duration;

use oauth2::TokenResponse;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::Url;

use super::{
    TokenEndpoint,
    error::{Class, TokenError},
    grant::{Grant, Kept},
    reply::seconds,
    wire::{Asking, Wire},
};
use crate::{keep::is_visible, provider::checked_endpoint};

/// RFC 8628 3.2: the pause where the provider states none, and what `slow_down` adds to it (3.5).
const USUAL_INTERVAL: Duration = Duration::from_secs(5);

/// What steers a browser means nothing to a device, and Google refuses a parameter that it does not expect.
const OF_BROWSERS: [&str; 7] = [
    "access_type",
    "approval_prompt",
    "display",
    "include_granted_scopes",
    "login_hint",
    "prompt",
    "response_mode",
];

/// The longest pause that a provider's silence leads to.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How long the codes live where the provider does not say, though RFC 8628 3.2 asks it to.
const USUAL_LIFETIME: u64 = 600;

/// More than any person would type.
const LONGEST_USER_CODE: usize = 64;

/// The device grant at one provider, for one client.
#[derive(Debug, Clone)]
pub struct DeviceGrant<'a> {
    endpoint: TokenEndpoint<'a>,
    url: Url,
}

/// A device whose code waits to be typed.
#[derive(Debug, Clone)]
pub struct Device {
    /// What the person types. It is meant to be shown.
    pub user_code: String,
    /// Where the person types it.
    pub verification_uri: Url,
    /// The same address with the code in it, to be opened or drawn as a picture.
    pub verification_uri_complete: Option<Url>,
    /// How long the codes are good, from the start of the request.
    pub lifetime: Duration,
    code: SecretString,
    interval: Duration,
    pause: Duration,
}

/// What a device is told when it asks (RFC 8628 3.5).
#[derive(Debug)]
#[non_exhaustive]
pub enum Poll {
    /// The person has said yes.
    Granted(Box<Grant>),
    /// The person has not decided yet.
    Pending,
    /// The device asks too often; from now on its pauses are 5 s longer.
    SlowDown,
    /// The provider or the network is unwell; the next pause is longer.
    Unwell,
    /// The person, or the provider for them, has said no.
    Denied {
        /// The provider's words, capped and stripped of control characters.
        provider_words: Option<String>,
    },
    /// The codes have expired.
    Expired,
}

impl Device {
    /// How long to wait before asking (again).
    #[must_use]
    pub fn pause(&self) -> Duration {
        self.pause
    }

    /// Sets the next pause.
    fn heed(&mut self, poll: &Poll, retry_after: Option<Duration>) {
        match poll {
            Poll::SlowDown => {
                self.interval = self.interval.saturating_add(USUAL_INTERVAL);
                self.pause = self.interval;
            }
            // RFC 8628 3.5: exponential backoff is recommended where there is no answer.
            Poll::Unwell => {
                let longer = self.pause.saturating_mul(2).min(LONGEST_PAUSE.max(self.interval));
                self.pause = longer.max(retry_after.unwrap_or_default());
            }
            _ => self.pause = self.interval,
        }
    }
}

impl<'a> TokenEndpoint<'a> {
    /// The device grant, if the provider has one.
    #[must_use]
    pub fn device_grant(&self) -> Option<DeviceGrant<'a>> {
        Some(DeviceGrant { endpoint: *self, url: self.provider.device_url()? })
    }
}

impl DeviceGrant<'_> {
    /// Asks for the codes (RFC 8628 3.1).
    ///
    /// # Errors
    /// A [`TokenError`]; of class [`Class::Client`], with nothing sent, if the scopes cannot be asked for.
    pub async fn begin(&self, scopes: &[String]) -> Result<Device, TokenError> {
        let wire = Wire::new(self.endpoint, self.url.clone(), Asking::Device, Vec::new());
        let settings = self.endpoint.provider.settings();
        let joined = settings.scope_separator.join(scopes).map_err(|_| wire.error(Class::Client))?;
        let mut form: Vec<_> = joined.iter().map(|joined| ("scope", joined.as_str())).collect();
        form.extend(settings.authorize_extras().filter(|(name, _)| !OF_BROWSERS.contains(name)));
        let fields = wire.post(&form).await?;
        fields.and_then(|fields| device(&fields)).ok_or_else(|| wire.error(Class::Malformed))
    }

    /// Asks whether the person has decided, after the device's pause (RFC 8628 3.4).
    ///
    /// # Errors
    /// A [`TokenError`] after which asking again is of no use.
    pub async fn poll(&self, device: &mut Device) -> Result<Poll, TokenError> {
        let provider = self.endpoint.provider;
        let code = device.code.expose_secret().to_owned();
        let wire = Wire::new(self.endpoint, provider.token_url().clone(), Asking::Decision, vec![&code]);
        let grant_type = "urn:ietf:params:oauth:grant-type:device_code";
        let mut form = vec![("grant_type", grant_type), ("device_code", &*code)];
        form.extend(provider.settings().token_extras());
        let (poll, retry_after) = match wire.grant(&form).await {
            Ok(reply) => {
                let is_refreshable = reply.refresh_token().is_some();
                let grant = Grant::read(&reply, provider, &Kept::new(), is_refreshable);
                (Poll::Granted(Box::new(grant)), None)
            }
            Err(error) => answered(error)?,
        };
        device.heed(&poll, retry_after);
        Ok(poll)
    }
}

/// What an error says to a device that asks (RFC 8628 3.5, and what Microsoft says instead).
fn answered(error: TokenError) -> Result<(Poll, Option<Duration>), TokenError> {
    let retry_after = match error.class {
        Class::Transient { retry_after } => retry_after,
        _ => None,
    };
    let is_unwell = error.status.is_some_and(|status| status >= 500);
    let poll = match error.provider_code.as_deref().filter(|_| !is_unwell) {
        Some("authorization_pending") => Poll::Pending,
        Some("slow_down") => Poll::SlowDown,
        Some("access_denied" | "authorization_declined") => {
            Poll::Denied { provider_words: error.provider_words }
        }
        Some("expired_token") => Poll::Expired,
        _ if matches!(error.class, Class::Transient { .. }) => Poll::Unwell,
        _ => return Err(error),
    };
    Ok((poll, retry_after))
}

/// Reads a device authorization response (RFC 8628 3.2); none if it cannot be used.
fn device(fields: &Map<String, Value>) -> Option<Device> {
    let text = |name: &str| fields.get(name)?.as_str().filter(|text| is_visible(text));
    // Only where a browser is safe: what stands there is shown to a person to be opened.
    let address = |name: &'static str| checked_endpoint(name, text(name)?).ok();
    let interval = seconds(fields.get("interval")).ok()?.map_or(USUAL_INTERVAL, Duration::from_secs);
    let lifetime = seconds(fields.get("expires_in")).ok()?.unwrap_or(USUAL_LIFETIME);
    Some(Device {
        code: text("device_code")?.into(),
        user_code: text("user_code").filter(|code| code.len() <= LONGEST_USER_CODE)?.to_owned(),
        // Google's name for it is older than the RFC's.
        verification_uri: address("verification_uri").or_else(|| address("verification_url"))?,
        verification_uri_complete: address("verification_uri_complete"),
        lifetime: Duration::from_secs(lifetime),
        interval,
        pause: interval,
    })
}
