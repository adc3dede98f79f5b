//! What is sent to a token endpoint (OA-11, OA-14, OA-25 to OA-27), and where (OA-21).

use std::collections::BTreeMap;

use flowrun_oauth::{
    Arrival, AuthStyle, AuthorizationRequest, BodyFormat, Client, Kept, Preset, Provider, ScopeSeparator,
    Settings, TokenEndpoint, begin, callback,
};
use jiff::Timestamp;

use crate::scripted::{Script, now};

const REDIRECT: &str = "http://127.0.0.1:8437/oauth/callback/k3v9";
const GRANTED: &str = r#"{"access_token":"at","refresh_token":"rt"}"#;

fn settings() -> Settings {
    Settings::authorization_code("https://id.example.com/authorize", "https://id.example.com/token")
}

fn client() -> Client {
    Client { id: "the client".to_owned(), secret: Some("s3cret basic:/+".into()) }
}

/// What a refresh sends: URL, `Authorization`, content type, body.
fn refresh(settings: Settings) -> (String, String, String, String) {
    let provider = Provider::new(settings).unwrap();
    let script = Script::json(GRANTED);
    let endpoint = TokenEndpoint { exchange: &script, provider: &provider, client: &client() };
    now(endpoint.refresh(&"old".into(), &Kept::new())).unwrap();
    let (url, headers, body) = script.one();
    assert_eq!(headers["accept"], "application/json", "OA-27");
    let header = |name| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    (url, header("authorization"), header("content-type"), body)
}

/// OA-25, OA-26, RFC 6749 2.3.1: exactly as configured, never both.
#[test]
fn the_client_proves_itself_the_configured_way_and_no_other() {
    let grant = "grant_type=refresh_token&refresh_token=old";
    for (auth_style, authorization, body) in [
        (AuthStyle::Body, "", "&client_id=the+client&client_secret=s3cret+basic%3A%2F%2B"),
        // base64 of `the+client:s3cret+basic%3A%2F%2B`
        (AuthStyle::Basic, "Basic dGhlK2NsaWVudDpzM2NyZXQrYmFzaWMlM0ElMkYlMkI=", ""),
        // base64 of `the client:s3cret basic:/+`
        (AuthStyle::BasicRaw, "Basic dGhlIGNsaWVudDpzM2NyZXQgYmFzaWM6Lys=", ""),
        (AuthStyle::None, "", "&client_id=the+client"),
    ] {
        let sent = refresh(Settings { auth_style, ..settings() });
        assert_eq!((&*sent.1, &*sent.3), (authorization, &*format!("{grant}{body}")), "{auth_style:?}");
        assert_eq!(
            (&*sent.0, &*sent.2),
            ("https://id.example.com/token", "application/x-www-form-urlencoded")
        );
    }
}

#[test]
fn a_json_body_says_the_same() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let refresh_params = vec![pair("resource", "a"), pair("resource", "b"), pair("resource", "c")];
    let sent = refresh(Settings { body_format: BodyFormat::Json, refresh_params, ..settings() });
    assert_eq!(sent.2, "application/json");
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&sent.3).unwrap(),
        serde_json::json!({
            "grant_type": "refresh_token", "refresh_token": "old", "client_id": "the client",
            "client_secret": "s3cret basic:/+", "resource": ["a", "b", "c"],
        })
    );
}

/// SEED-19: the refresh URL is the token URL unless the settings say otherwise.
#[test]
fn a_refresh_goes_to_the_refresh_url() {
    let refresh_url = Some("https://id.example.com/refresh".to_owned());
    assert_eq!(refresh(Settings { refresh_url, ..settings() }).0, "https://id.example.com/refresh");
}

/// What redeeming a code sends, after a callback that adds `query`.
fn redeem(provider: &Provider, query: &str) -> (String, BTreeMap<String, String>) {
    let request = AuthorizationRequest {
        integration: "one",
        client_id: "the client",
        redirect_uri: REDIRECT,
        scopes: &[],
        force_consent: false,
        session_binding: None,
    };
    let at = Timestamp::UNIX_EPOCH;
    let (_, pending) = begin(provider, &request, &mut |bytes| bytes.fill(7), at).unwrap();
    let address = format!("code=the+code&state=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc{query}");
    let back =
        callback(Arrival { address: &address, session_binding: None, at }, &pending, provider).unwrap();
    let script = Script::json(GRANTED);
    let grant = now(TokenEndpoint { exchange: &script, provider, client: &client() }.redeem(&pending, &back));
    assert_eq!(grant.unwrap().kept, back.kept);
    let (url, _, body) = script.one();
    (url, url::form_urlencoded::parse(body.as_bytes()).into_owned().collect())
}

/// OA-9, OA-11, RFC 6749 4.1.3, RFC 7636 4.5.
#[test]
fn a_code_is_redeemed_with_its_verifier_and_the_same_redirect_uri() {
    let token_params = vec![("expiring".to_owned(), "1".to_owned())];
    let (url, body) = redeem(&Provider::new(Settings { token_params, ..settings() }).unwrap(), "");
    assert_eq!(url, "https://id.example.com/token");
    let sent: Vec<(&str, &str)> = body.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        sent,
        [
            ("client_id", "the client"),
            ("client_secret", "s3cret basic:/+"),
            ("code", "the code"),
            ("code_verifier", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"),
            ("expiring", "1"),
            ("grant_type", "authorization_code"),
            ("redirect_uri", REDIRECT),
        ]
    );
}

/// SEED-32: Zoho says in the callback where the account lives; code and refresh token go there and nowhere else.
#[test]
fn zoho_tokens_come_from_the_accounts_own_data_centre() {
    let zoho = Preset::named("zoho").unwrap().provider(&BTreeMap::new()).unwrap();
    for server in ["https://accounts.zoho.eu", "https://accounts.zohocloud.ca"] {
        let token_url = format!("{server}/oauth/v2/token");
        assert_eq!(redeem(&zoho, &format!("&location=eu&accounts-server={server}")).0, token_url);

        let kept = Kept::from([("accounts-server".to_owned(), server.to_owned())]);
        let script =
            Script::json(r#"{"access_token":"at","api_domain":"https://www.zohoapis.eu","expires_in":3600}"#);
        let endpoint = TokenEndpoint { exchange: &script, provider: &zoho, client: &client() };
        let grant = now(endpoint.refresh(&"old".into(), &kept)).unwrap();
        assert_eq!(script.one().0, token_url);
        assert_eq!(grant.kept["api_domain"], "https://www.zohoapis.eu");
        assert_eq!(grant.kept["accounts-server"], server, "the next refresh needs it again");
    }
    assert_eq!(redeem(&zoho, "").0, "https://accounts.zoho.com/oauth/v2/token");
    // A record that was tampered with names no origin of the list, and is not followed.
    let kept = Kept::from([("accounts-server".to_owned(), "https://evil.test".to_owned())]);
    let script = Script::json(GRANTED);
    let endpoint = TokenEndpoint { exchange: &script, provider: &zoho, client: &client() };
    now(endpoint.refresh(&"old".into(), &kept)).unwrap();
    assert_eq!(script.one().0, "https://accounts.zoho.com/oauth/v2/token");
}

/// RFC 6749 4.4.2, OA-53.
#[test]
fn client_credentials_ask_for_scopes_in_the_providers_spelling() {
    let settings = Settings {
        scope_separator: ScopeSeparator::Comma,
        ..Settings::client_credentials("https://id.example.com/token")
    };
    let provider = Provider::new(settings).unwrap();
    let script = Script::json(GRANTED);
    let endpoint = TokenEndpoint { exchange: &script, provider: &provider, client: &client() };
    now(endpoint.client_credentials(&["a".to_owned(), "b".to_owned()])).unwrap();
    assert_eq!(
        script.one().2,
        "grant_type=client_credentials&scope=a%2Cb&client_id=the+client&client_secret=s3cret+basic%3A%2F%2B"
    );
    let script = Script::json(GRANTED);
    let endpoint = TokenEndpoint { exchange: &script, provider: &provider, client: &client() };
    assert!(now(endpoint.client_credentials(&["not a scope".to_owned()])).is_err());
    assert!(script.asked().is_empty());
}
