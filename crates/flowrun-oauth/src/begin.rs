//! Begins an authorization: the URL the browser opens, and what to remember until it comes back.
//!
//! Each attempt has a state and a PKCE verifier of its own, 256 bits each, from the caller's randomness.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use oauth2::{
    AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, basic::BasicClient,
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;

use crate::{
    pending::{PATIENCE, Pending},
    provider::{Provider, is_loopback},
    scopes::ScopeError,
    settings::{GrantKind, Pkce, RedirectRule},
};

/// What one authorization asks for (RFC 6749 4.1.1).
#[derive(Debug, Clone)]
pub struct AuthorizationRequest<'a> {
    /// The integration that is being authorised; the callback will be tied to it.
    pub integration: &'a str,
    /// The client id.
    pub client_id: &'a str,
    /// Where the provider sends the browser, letter by letter as registered there.
    pub redirect_uri: &'a str,
    /// The scopes; none leaves the parameter out (SEED-5).
    pub scopes: &'a [String],
    /// Asks for consent even if it was given before, for providers that otherwise give no refresh token (OA-15).
    pub force_consent: bool,
    /// A secret that only this browser holds, such as a cookie; the callback must show it again (N5).
    pub session_binding: Option<&'a str>,
}

/// Why an authorization cannot begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BeginError {
    /// The provider's grant needs no browser.
    #[error("this integration uses client credentials, so there is nothing to authorise in a browser")]
    NoBrowserNeeded,
    /// The redirect URI is no absolute URL, or has a fragment (RFC 6749 3.1.2) or user information.
    #[error("the redirect URI `{0}` is not a plain absolute URL")]
    RedirectMalformed(String),
    /// The provider accepts only https redirect URIs.
    #[error("the provider accepts only https redirect URIs, not `{0}`")]
    RedirectNotHttps(String),
    /// The code would travel in clear to another machine (RFC 9700 2.6).
    #[error("the redirect URI `{0}` is neither https nor on this machine")]
    RedirectInClear(String),
    /// The scopes cannot be asked for.
    #[error("the scopes cannot be asked for")]
    Scope(#[from] ScopeError),
}

impl BeginError {
    /// What to do next, in a sentence for the operator.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoBrowserNeeded => "nothing: a token is obtained when the first step asks for one",
            Self::RedirectMalformed(_) => "write it as https://flows.example.com/oauth/callback/…",
            Self::RedirectNotHttps(_) => {
                "use a public https address, or https://localhost and paste where it ends"
            }
            Self::RedirectInClear(_) => {
                "use https, or an address on this machine such as http://127.0.0.1:8437/…"
            }
            Self::Scope(_) => "write each scope once, as the provider's documentation does",
        }
    }
}

/// Begins an authorization: returns the URL for the browser and what to keep until the callback.
///
/// `entropy` fills a buffer with unpredictable bytes; `now` starts the ten minutes a person has.
///
/// # Errors
/// A [`BeginError`] when the request does not suit the provider; nothing has been used up.
///
/// # Example
/// ```
/// use flowrun_oauth::{AuthorizationRequest, Preset, begin};
///
/// let teamleader = Preset::named("teamleader").expect("a preset").provider(&Default::default())?;
/// let request = AuthorizationRequest {
///     integration: "teamleader",
///     client_id: "0a1b2c",
///     redirect_uri: "http://127.0.0.1:8437/oauth/callback/k3v9",
///     scopes: &[],
///     force_consent: false,
///     session_binding: None,
/// };
/// # let mut random = |bytes: &mut [u8]| bytes.fill(7);
/// let (url, pending) = begin(&teamleader, &request, &mut random, jiff::Timestamp::UNIX_EPOCH)?;
/// assert!(url.as_str().starts_with("https://focus.teamleader.eu/oauth2/authorize?response_type=code&"));
/// assert_eq!(pending.redirect_uri, request.redirect_uri);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn begin(
    provider: &Provider,
    request: &AuthorizationRequest<'_>,
    entropy: &mut dyn FnMut(&mut [u8]),
    now: Timestamp,
) -> Result<(Url, Pending), BeginError> {
    check_redirect(request.redirect_uri, provider.settings().redirect)?;
    let verifier = (provider.settings().pkce != Pkce::Off).then(|| unguessable(entropy));
    let pending = Pending {
        integration: request.integration.to_owned(),
        state: unguessable(entropy),
        verifier,
        redirect_uri: request.redirect_uri.to_owned(),
        token_url: provider.token_url().clone(),
        scopes: request.scopes.to_vec(),
        session_binding: request.session_binding.map(fingerprint),
        began_at: now,
        expires_at: now.checked_add(PATIENCE).unwrap_or(Timestamp::MAX),
    };
    let url = authorization_url(provider, request, &pending)?;
    Ok((url, pending))
}

/// What is kept of a session binding: enough to know it again, too little to show it.
pub(crate) fn fingerprint(secret: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(secret))
}

fn unguessable(entropy: &mut dyn FnMut(&mut [u8])) -> SecretString {
    let mut bytes = [0; 32];
    entropy(&mut bytes);
    BASE64_URL_SAFE_NO_PAD.encode(bytes).into()
}

fn authorization_url(
    provider: &Provider,
    request: &AuthorizationRequest<'_>,
    pending: &Pending,
) -> Result<Url, BeginError> {
    let settings = provider.settings();
    let endpoint = match (settings.grant, provider.authorize_url()) {
        (GrantKind::AuthorizationCode, Some(url)) => AuthUrl::from_url(url.clone()),
        _ => return Err(BeginError::NoBrowserNeeded),
    };
    let redirect = RedirectUrl::new(request.redirect_uri.to_owned())
        .map_err(|_| BeginError::RedirectMalformed(request.redirect_uri.to_owned()))?;
    let client = BasicClient::new(ClientId::new(request.client_id.to_owned()))
        .set_auth_uri(endpoint)
        .set_redirect_uri(redirect);
    let mut url = client.authorize_url(|| CsrfToken::new(pending.state.expose_secret().to_owned()));
    if let Some(verifier) = &pending.verifier {
        let verifier = PkceCodeVerifier::new(verifier.expose_secret().to_owned());
        url = url.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    }
    // The crate joins scopes with spaces; one scope that is already joined passes as it is.
    if let Some(joined) = settings.scope_separator.join(request.scopes)? {
        url = url.add_scope(Scope::new(joined));
    }
    for (name, value) in settings.authorize_extras() {
        url = url.add_extra_param(name, value);
    }
    let says_prompt = settings.authorize_params.iter().any(|(name, _)| name == "prompt");
    if request.force_consent && !says_prompt {
        url = url.add_extra_param("prompt", "consent");
    }
    Ok(url.url().0)
}

fn check_redirect(text: &str, rule: RedirectRule) -> Result<(), BeginError> {
    let malformed = || BeginError::RedirectMalformed(text.to_owned());
    let url = Url::parse(text).map_err(|_| malformed())?;
    if url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
        || url.host().is_none()
    {
        return Err(malformed());
    }
    match (url.scheme(), rule) {
        ("https", _) => Ok(()),
        (_, RedirectRule::HttpsRequired) => Err(BeginError::RedirectNotHttps(text.to_owned())),
        ("http", _) if is_loopback(&url) => Ok(()),
        _ => Err(BeginError::RedirectInClear(text.to_owned())),
    }
}
