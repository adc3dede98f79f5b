//! An authorization that has begun and not ended: what must be remembered until the browser comes back.
//!
//! It can be serialised, secrets in clear, so that it survives a restart in a *sealed* store (OA-23, OA-54);
//! `Debug` never shows them. Using it once is the store's promise: take it out before redeeming (OA-10).

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

/// How long a person has between beginning and coming back (OA-10).
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

/// An authorization that has begun: keep it sealed until its callback comes, then use it once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pending {
    /// The integration that is being authorised.
    pub integration: String,
    /// The unguessable value that ties the callback to this attempt (RFC 6749 10.12).
    #[serde(with = "sealed")]
    pub state: SecretString,
    /// The PKCE verifier (RFC 7636 4.1), unless PKCE is off.
    #[serde(with = "sealed_option")]
    pub verifier: Option<SecretString>,
    /// The redirect URI, letter by letter as it was sent (OA-11).
    pub redirect_uri: String,
    /// The token endpoint at the beginning; a code meant for it goes to no other (OA-10, RFC 9700 4.4).
    pub token_url: Url,
    /// The scopes that were asked for.
    pub scopes: Vec<String>,
    /// The SHA-256 of the value that the browser must show again, in base64url (N5).
    pub session_binding: Option<String>,
    /// When it began.
    pub began_at: Timestamp,
    /// After this it is void.
    pub expires_at: Timestamp,
}

mod sealed {
    use secrecy::{ExposeSecret, SecretString};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &SecretString, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(secret.expose_secret())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<SecretString, D::Error> {
        String::deserialize(input).map(SecretString::from)
    }
}

mod sealed_option {
    use secrecy::{ExposeSecret, SecretString};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &Option<SecretString>, out: S) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(ExposeSecret::expose_secret).serialize(out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Option<SecretString>, D::Error> {
        Ok(Option::<String>::deserialize(input)?.map(SecretString::from))
    }
}
