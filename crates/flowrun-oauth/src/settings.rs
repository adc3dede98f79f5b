//! What can be said about a provider, as plain data: typed into a form, written in a preset, kept in a store.
//!
//! Nothing here is checked; a [`Provider`](crate::Provider) is made of settings that are.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Everything flowrun must know of a provider to speak OAuth with it.
///
/// Start with [`Settings::authorization_code`] or [`Settings::client_credentials`] and change the fields the
/// provider's own documentation asks for; [`Provider::new`](crate::Provider::new) checks the whole.
///
/// # Example
/// ```
/// use flowrun_oauth::{AuthStyle, Provider, Settings};
///
/// let provider = Provider::new(Settings {
///     auth_style: AuthStyle::Basic,
///     authorize_params: vec![("access_type".into(), "offline".into())],
///     allowed_hosts: vec!["api.example.com".into()],
///     ..Settings::authorization_code("https://id.example.com/authorize", "https://id.example.com/token")
/// })?;
/// assert_eq!(provider.refresh_url().as_str(), "https://id.example.com/token");
/// # Ok::<(), flowrun_oauth::InvalidSettings>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How an access token is obtained.
    pub grant: GrantKind,
    /// The authorization endpoint (RFC 6749 3.1); only the authorization code grant has one.
    pub authorize_url: Option<String>,
    /// The token endpoint (RFC 6749 3.2). MessageBird's form calls it "OAuth endpoint authorization token".
    pub token_url: String,
    /// Where tokens are refreshed, if not at the token endpoint (SEED-19).
    pub refresh_url: Option<String>,
    /// Where a token is given back (RFC 7009 2).
    pub revoke_url: Option<String>,
    /// Where the provider says whether a token is still good (RFC 7662 2).
    pub introspect_url: Option<String>,
    /// Where a device without a browser asks for a code that a person types elsewhere (RFC 8628 3.1).
    pub device_url: Option<String>,
    /// How the client proves who it is at the token endpoint (SEED-21).
    pub auth_style: AuthStyle,
    /// How a token request's body is written.
    pub body_format: BodyFormat,
    /// What stands between two scopes (OA-12).
    pub scope_separator: ScopeSeparator,
    /// Parameters added to the authorization URL; a name may repeat (SEED-20, RFC 8707).
    pub authorize_params: Vec<(String, String)>,
    /// Parameters added when a code is redeemed or client credentials are used.
    pub token_params: Vec<(String, String)>,
    /// Parameters added when a token is refreshed.
    pub refresh_params: Vec<(String, String)>,
    /// The services a token is meant for, as absolute URIs (RFC 8707 2).
    pub resources: Vec<String>,
    /// Whether an attempt is bound to its beginning by PKCE (RFC 7636).
    pub pkce: Pkce,
    /// The issuer identifier; an `iss` in the callback must equal it (RFC 9207 2.4).
    pub issuer: Option<String>,
    /// Whether a callback without `iss` is refused, because the provider promises to send one (RFC 9207 2.4).
    pub issuer_required: bool,
    /// The callback parameter that proves by the client secret who made the callback, as Shopify's `hmac` does:
    /// HMAC-SHA256, in hexadecimal, over all other parameters, sorted by name and written as a form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_hmac: Option<String>,
    /// Callback values that are kept with the grant (OA-21).
    pub keep_from_callback: Vec<KeepRule>,
    /// Token reply values that are kept with the grant.
    pub keep_from_token: Vec<KeepRule>,
    /// The kept callback value that names the origin of the token endpoint, as Zoho's `accounts-server` does.
    pub token_origin_from: Option<String>,
    /// Where the access token stands in a token reply, as a JSON Pointer (RFC 6901); the field `access_token` if absent.
    pub access_token_path: Option<String>,
    /// How long, in seconds, a token lives when a reply with a refresh token does not say (OA-31).
    pub default_lifetime: Option<u64>,
    /// How long, in seconds, before its end a token is refreshed (OA-46); a minute if absent.
    pub refresh_margin: Option<u64>,
    /// The header that carries the token.
    pub token_header: TokenHeader,
    /// Replies, besides 401, that mean the token has expired (OA-48).
    pub expired_when: Vec<ExpirySign>,
    /// The hosts the token may be sent to (N4): `api.example.com`, or `.example.com` for every host below it.
    pub allowed_hosts: Vec<String>,
    /// Which redirect URIs the provider accepts.
    pub redirect: RedirectRule,
    /// Whether each refresh replaces the refresh token, so that a lost reply may have cost the grant (OA-45).
    pub rotates: bool,
    /// How long, in seconds, a replaced refresh token still works (OA-45).
    pub grace: Option<u64>,
    /// How long, in seconds, a refresh token lives that nobody uses (OA-52).
    pub refresh_idle: Option<u64>,
    /// How often the token endpoint may be asked (OA-51).
    pub budget: Option<Budget>,
}

impl Settings {
    /// Settings for the authorization code grant (RFC 6749 4.1), everything else as most providers have it.
    pub fn authorization_code(authorize_url: impl Into<String>, token_url: impl Into<String>) -> Self {
        Self { authorize_url: Some(authorize_url.into()), token_url: token_url.into(), ..Self::default() }
    }

    /// Settings for the client credentials grant (RFC 6749 4.4), everything else as most providers have it.
    pub fn client_credentials(token_url: impl Into<String>) -> Self {
        Self { grant: GrantKind::ClientCredentials, token_url: token_url.into(), ..Self::default() }
    }

    /// The grace during which a replaced refresh token still works, if the provider states one.
    #[must_use]
    pub fn grace(&self) -> Option<Duration> {
        self.grace.map(Duration::from_secs)
    }

    /// What is added to an authorization request, of a browser or of a device.
    pub(crate) fn authorize_extras(&self) -> impl Iterator<Item = (&str, &str)> {
        self.with_resources(&self.authorize_params)
    }

    /// What is added when a code is redeemed or client credentials are used.
    pub(crate) fn token_extras(&self) -> impl Iterator<Item = (&str, &str)> {
        self.with_resources(&self.token_params)
    }

    /// What is added when a token is refreshed.
    pub(crate) fn refresh_extras(&self) -> impl Iterator<Item = (&str, &str)> {
        self.with_resources(&self.refresh_params)
    }

    /// RFC 8707 2: a resource that is asked for is named in each request, one parameter for each (OA-14).
    fn with_resources<'a>(
        &'a self,
        params: &'a [(String, String)],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let resources = self.resources.iter().map(|resource| ("resource", resource.as_str()));
        resources.chain(params.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            grant: GrantKind::AuthorizationCode,
            authorize_url: None,
            token_url: String::new(),
            refresh_url: None,
            revoke_url: None,
            introspect_url: None,
            device_url: None,
            auth_style: AuthStyle::Body,
            body_format: BodyFormat::Form,
            scope_separator: ScopeSeparator::Space,
            authorize_params: Vec::new(),
            token_params: Vec::new(),
            refresh_params: Vec::new(),
            resources: Vec::new(),
            pkce: Pkce::Try,
            issuer: None,
            issuer_required: false,
            callback_hmac: None,
            keep_from_callback: Vec::new(),
            keep_from_token: Vec::new(),
            token_origin_from: None,
            access_token_path: None,
            default_lifetime: None,
            refresh_margin: None,
            token_header: TokenHeader::default(),
            expired_when: Vec::new(),
            allowed_hosts: Vec::new(),
            redirect: RedirectRule::LoopbackOk,
            // Caution: taking a rotating provider for a fixed one loses grants, the reverse only asks a person.
            rotates: true,
            grace: None,
            refresh_idle: None,
            budget: None,
        }
    }
}

/// How an access token is obtained. Implicit and password grants do not exist here (RFC 9700 2.1.2, 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantKind {
    /// A person authorises in a browser (RFC 6749 4.1).
    AuthorizationCode,
    /// The client's own credentials are enough (RFC 6749 4.4).
    ClientCredentials,
}

/// How the client proves who it is at the token endpoint (RFC 6749 2.3.1). Never both, never tried in turn (OA-25).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthStyle {
    /// `client_id` and `client_secret` in the body.
    Body,
    /// HTTP Basic, id and secret form-encoded first, as RFC 6749 2.3.1 asks.
    Basic,
    /// HTTP Basic, id and secret as they are, for providers that decode nothing.
    BasicRaw,
    /// `client_id` only: a public client.
    None,
}

/// How a token request's body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyFormat {
    /// `application/x-www-form-urlencoded`, as RFC 6749 says.
    Form,
    /// A JSON object, as some providers want.
    Json,
}

/// What stands between two scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeSeparator {
    /// A space, as RFC 6749 3.3 says.
    Space,
    /// A comma, as Zoho and Slack have it.
    Comma,
}

/// Whether an attempt is bound to its beginning by PKCE (RFC 7636). The method is always `S256` (OA-9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    /// The provider refuses an attempt without it.
    Required,
    /// Sent, though the provider does not say that it looks; never dropped after an error.
    Try,
    /// Not sent: the provider refuses unknown parameters.
    Off,
}

/// A value that is kept beside the tokens: what it is called, and what it may be (OA-21).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepRule {
    /// The parameter or field.
    pub name: String,
    /// The values it may have; if none is listed and there is no pattern, any word of up to 128 letters, digits, `.`,
    /// `_` and `-`.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// What the whole of the value must look like, as a regular expression, where no list can say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
}

/// The header that carries the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenHeader {
    /// The header's name.
    pub name: String,
    /// The word before the token; empty if the token stands alone.
    pub scheme: String,
}

impl Default for TokenHeader {
    fn default() -> Self {
        Self { name: "Authorization".to_owned(), scheme: "Bearer".to_owned() }
    }
}

/// A reply that means the token has expired: a status, and perhaps what its JSON says (OA-48).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpirySign {
    /// The reply's HTTP status.
    pub status: u16,
    /// Where to look in the reply, as a JSON Pointer (RFC 6901); without it the status is enough.
    #[serde(default)]
    pub path: Option<String>,
    /// The texts that mean "expired" there; if none is listed, any value does.
    #[serde(default, rename = "in")]
    pub one_of: Vec<String>,
}

/// How many requests a token endpoint takes in how long (OA-51).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The requests.
    pub requests: u32,
    /// The seconds, a sliding window.
    pub seconds: u64,
}

/// Which redirect URIs a provider accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedirectRule {
    /// Only `https` URIs.
    HttpsRequired,
    /// `https`, or `http` to this machine, exactly as registered.
    LoopbackOk,
    /// As `LoopbackOk`, and the port of a loopback URI may differ from the registered one (RFC 8252 7.3).
    AnyPort,
}
