//! The URL the browser opens and what is remembered of it (OA-8 to OA-15, N5).

use std::collections::BTreeMap;

use flowrun_oauth::{
    AuthorizationRequest, BeginError, Pending, Pkce, Provider, RedirectRule, ScopeError, ScopeSeparator,
    Settings, begin,
};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use url::Url;

const REDIRECT: &str = "http://127.0.0.1:8437/oauth/callback/k3v9";

fn settings() -> Settings {
    Settings::authorization_code("https://id.example.com/authorize", "https://id.example.com/token")
}

fn request() -> AuthorizationRequest<'static> {
    AuthorizationRequest {
        integration: "teamleader",
        client_id: "client",
        redirect_uri: REDIRECT,
        scopes: &[],
        force_consent: false,
        session_binding: None,
    }
}

/// Begins with bytes that differ each time, as randomness does.
fn begun(settings: Settings, request: &AuthorizationRequest<'_>) -> Result<(Url, Pending), BeginError> {
    let mut next = 0_u8;
    let mut entropy = |bytes: &mut [u8]| {
        next += 1;
        bytes.fill(next);
    };
    begin(&Provider::new(settings).unwrap(), request, &mut entropy, Timestamp::UNIX_EPOCH)
}

fn params(url: &Url) -> BTreeMap<String, String> {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let params: BTreeMap<String, String> = pairs.iter().cloned().collect();
    assert_eq!(params.len(), pairs.len(), "no parameter twice (RFC 6749 3.1): {url}");
    params
}

#[test]
fn the_url_asks_for_a_code_and_nothing_else() {
    let (url, pending) = begun(settings(), &request()).unwrap();
    let mut params = params(&url);
    assert_eq!(params.remove("state").as_deref(), Some(pending.state.expose_secret()));
    assert_eq!(params.remove("code_challenge").unwrap().len(), 43);
    let rest: Vec<(&str, &str)> =
        params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        rest,
        [
            ("client_id", "client"),
            ("code_challenge_method", "S256"),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
        ]
    );
}

/// OA-9, RFC 7636 4.1 and 4.2: 256 bits each, one not derived from the other, challenge = SHA-256.
#[test]
fn state_and_verifier_are_fresh_and_apart() {
    let (url, pending) = begun(settings(), &request()).unwrap();
    let verifier = pending.verifier.unwrap();
    assert_eq!(verifier.expose_secret(), "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE");
    assert_eq!(pending.state.expose_secret(), "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI");
    // Computed with openssl: printf AQEB… | openssl dgst -sha256 -binary | base64
    assert_eq!(params(&url)["code_challenge"], CHALLENGE);
    assert!(!url.as_str().contains(verifier.expose_secret()));
}

const CHALLENGE: &str = "VtX6czP210fbQsI5QH5dpMMvTHnzXQkrE0_TWkAtnFw";

#[test]
fn pkce_is_left_out_only_where_the_settings_say_so() {
    for (pkce, sent) in [(Pkce::Required, true), (Pkce::Try, true), (Pkce::Off, false)] {
        let (url, pending) = begun(Settings { pkce, ..settings() }, &request()).unwrap();
        assert_eq!(params(&url).contains_key("code_challenge"), sent, "{pkce:?}");
        assert_eq!(pending.verifier.is_some(), sent, "{pkce:?}");
    }
}

/// OA-12: one parameter, the provider's separator, none if there are no scopes (SEED-5).
#[test]
fn scopes_are_one_parameter_in_the_providers_spelling() {
    let scopes = ["a.READ".to_owned(), "b".to_owned()];
    for (scope_separator, expected) in
        [(ScopeSeparator::Space, "a.READ b"), (ScopeSeparator::Comma, "a.READ,b")]
    {
        let asked = AuthorizationRequest { scopes: &scopes, ..request() };
        let (url, pending) = begun(Settings { scope_separator, ..settings() }, &asked).unwrap();
        assert_eq!(params(&url)["scope"], expected);
        assert_eq!(pending.scopes, scopes);
    }
    let twice = ["a".to_owned(), "a".to_owned()];
    let refused = begun(settings(), &AuthorizationRequest { scopes: &twice, ..request() }).unwrap_err();
    assert_eq!(refused, BeginError::Scope(ScopeError::Repeated("a".to_owned())));
}

/// OA-6, OA-14, OA-15: the endpoint's own query stays, extra parameters follow, consent is forced at most once.
#[test]
fn extra_parameters_are_added_and_none_is_lost() {
    let authorize_url = Some("https://id.example.com/authorize?tenant=1".to_owned());
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let offline = vec![pair("access_type", "offline")];
    let forced = AuthorizationRequest { force_consent: true, ..request() };
    let settings = Settings { authorize_url, authorize_params: offline, ..settings() };
    let (url, _) = begun(settings.clone(), &forced).unwrap();
    let sent = params(&url);
    assert_eq!((&*sent["tenant"], &*sent["access_type"], &*sent["prompt"]), ("1", "offline", "consent"));

    let (url, _) = begun(settings.clone(), &request()).unwrap();
    assert!(!params(&url).contains_key("prompt"));

    let authorize_params = vec![pair("prompt", "login consent")];
    let (url, _) = begun(Settings { authorize_params, ..settings.clone() }, &forced).unwrap();
    assert_eq!(params(&url)["prompt"], "login consent");

    let authorize_params = vec![pair("resource", "https://one.test"), pair("resource", "https://two.test")];
    let (url, _) = begun(Settings { authorize_params, ..settings }, &request()).unwrap();
    assert_eq!(url.query_pairs().filter(|(name, _)| name == "resource").count(), 2, "RFC 8707 2");
}

#[test]
fn a_redirect_uri_must_suit_the_provider_and_the_wire() {
    let begin_at = |redirect_uri, redirect| {
        begun(Settings { redirect, ..settings() }, &AuthorizationRequest { redirect_uri, ..request() })
            .map(|(url, _)| params(&url)["redirect_uri"].clone())
    };
    // OA-11: letter by letter, even where a URL could be spelled otherwise.
    for kept in [
        "https://Flows.example.com:443/callback/../x?y=%7e",
        "http://localhost:8437/c",
        "http://[::1]:1/c",
        REDIRECT,
    ] {
        assert_eq!(begin_at(kept, RedirectRule::LoopbackOk).as_deref(), Ok(kept));
        assert_eq!(begin_at(kept, RedirectRule::AnyPort).as_deref(), Ok(kept));
    }
    let https = "https://localhost/oauth/callback/k3v9";
    assert_eq!(begin_at(https, RedirectRule::HttpsRequired).as_deref(), Ok(https));
    let not_https = BeginError::RedirectNotHttps(REDIRECT.to_owned());
    assert_eq!(begin_at(REDIRECT, RedirectRule::HttpsRequired), Err(not_https));
    for open in ["http://flows.example.com/callback", "http://127.0.0.1.evil.test/c", "myapp://callback"] {
        assert_eq!(
            begin_at(open, RedirectRule::LoopbackOk),
            Err(BeginError::RedirectInClear(open.to_owned()))
        );
    }
    for malformed in
        ["/callback", "", "https://u@h.test/c", "https://h.test/c#f", "urn:ietf:wg:oauth:2.0:oob"]
    {
        let error = BeginError::RedirectMalformed(malformed.to_owned());
        assert_eq!(begin_at(malformed, RedirectRule::LoopbackOk), Err(error));
    }
}

#[test]
fn client_credentials_need_no_browser() {
    let settings = Settings::client_credentials("https://id.example.com/token");
    assert_eq!(begun(settings, &request()).unwrap_err(), BeginError::NoBrowserNeeded);
}

/// OA-10, OA-23, N5: it survives a restart whole, lives ten minutes, and shows none of its secrets.
#[test]
fn what_is_pending_can_be_stored_and_not_read_by_accident() {
    let bound = AuthorizationRequest { session_binding: Some("cookie-value"), ..request() };
    let (_, pending) = begun(settings(), &bound).unwrap();
    assert_eq!(pending.expires_at.duration_since(pending.began_at), SignedDuration::from_mins(10));

    let stored = serde_json::to_string(&pending).unwrap();
    let restored: Pending = serde_json::from_str(&stored).unwrap();
    assert_eq!(serde_json::to_string(&restored).unwrap(), stored);
    assert_eq!(restored.state.expose_secret(), pending.state.expose_secret());

    let shown = format!("{pending:?}");
    assert!(!shown.contains(pending.state.expose_secret()), "{shown}");
    assert!(!shown.contains(pending.verifier.unwrap().expose_secret()), "{shown}");
    assert!(!stored.contains("cookie-value"), "only its hash is kept");
}
