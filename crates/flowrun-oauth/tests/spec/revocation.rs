//! Giving tokens back (OA-65, RFC 7009).

use std::time::Duration;

use flowrun_oauth::{
    AuthStyle, BodyFormat, Class, Client, ExchangeErrorKind, Kept, Provider, Settings, TokenEndpoint,
    TokenError, TokenKind,
};

use crate::scripted::{Script, now};

const TOKEN: &str = "canary-refresh-token";

fn settings() -> Settings {
    Settings {
        revoke_url: Some("https://id.example.com/revoke?v=2".to_owned()),
        ..Settings::authorization_code("https://id.example.com/authorize", "https://id.example.com/token")
    }
}

fn revoked(script: &Script, settings: Settings, kept: &Kept) -> Result<(), TokenError> {
    let provider = Provider::new(settings).unwrap();
    let client = Client { id: "client".to_owned(), secret: Some("s3cret basic:/+".into()) };
    let endpoint = TokenEndpoint { exchange: script, provider: &provider, client: &client };
    now(endpoint.revocation(kept).unwrap().revoke(&TOKEN.into(), TokenKind::Refresh))
}

fn class(script: Script) -> Result<(), Class> {
    revoked(&script, settings(), &Kept::new()).map_err(|error| error.class)
}

#[test]
fn a_token_is_given_back_with_its_kind_and_the_clients_credentials_oa_65() {
    let script = Script::reply(200, &[], "");
    revoked(&script, settings(), &Kept::new()).unwrap();
    let (url, _, body) = script.one();
    assert_eq!(url, "https://id.example.com/revoke?v=2", "OA-27: the token is in the body alone");
    let token = format!("token={TOKEN}&token_type_hint=refresh_token");
    assert_eq!(body, format!("{token}&client_id=client&client_secret=s3cret+basic%3A%2F%2B"));

    for (auth_style, expected) in [
        // base64 of `client:s3cret+basic%3A%2F%2B`, and of `client:s3cret basic:/+` (OA-26)
        (AuthStyle::Basic, "Basic Y2xpZW50OnMzY3JldCtiYXNpYyUzQSUyRiUyQg=="),
        (AuthStyle::BasicRaw, "Basic Y2xpZW50OnMzY3JldCBiYXNpYzovKw=="),
    ] {
        let script = Script::reply(200, &[], "");
        revoked(&script, Settings { auth_style, ..settings() }, &Kept::new()).unwrap();
        let (_, headers, body) = script.one();
        assert_eq!((headers["authorization"].to_str().unwrap(), body), (expected, token.clone()), "OA-25");
    }
    let script = Script::reply(200, &[], "");
    revoked(&script, Settings { body_format: BodyFormat::Json, ..settings() }, &Kept::new()).unwrap();
    let sent: serde_json::Value = serde_json::from_str(&script.one().2).unwrap();
    assert_eq!(sent["token"], TOKEN, "a provider that reads JSON reads it here too");
}

/// RFC 7009 2.2: what the provider does not know is as good as revoked.
#[test]
fn an_unknown_token_is_revoked_oa_65() {
    assert_eq!(class(Script::reply(200, &[], "")), Ok(()));
    assert_eq!(class(Script::reply(200, &[], r#"{"revoked":true}"#)), Ok(()));
    assert_eq!(class(Script::reply(204, &[], "")), Ok(()));
    assert_eq!(class(Script::reply(400, &[], r#"{"error":"invalid_token"}"#)), Ok(()), "Google");
}

#[test]
fn what_was_not_revoked_is_said_to_be_so_oa_65() {
    let patience = Class::Transient { retry_after: Some(Duration::from_secs(120)) };
    assert_eq!(class(Script::reply(503, &[("retry-after", "120")], "")), Err(patience));
    let later = Class::Transient { retry_after: None };
    assert_eq!(class(Script::reply(503, &[], r#"{"error":"invalid_token"}"#)), Err(later));
    assert_eq!(class(Script::reply(401, &[], r#"{"error":"invalid_client"}"#)), Err(Class::Client));
    assert_eq!(
        class(Script::reply(400, &[], r#"{"error":"unsupported_token_type"}"#)),
        Err(Class::Malformed)
    );
    // Slack and Zoho.
    assert_eq!(class(Script::json(r#"{"ok":false,"error":"invalid_auth"}"#)), Err(Class::Malformed));
    assert_eq!(
        class(Script::reply(302, &[("location", "https://evil.test/")], "")),
        Err(Class::Client),
        "OA-28"
    );
    assert_eq!(class(Script::silence(ExchangeErrorKind::ReplyLost)), Err(later));
    let echo = Script::reply(400, &[], &format!(r#"{{"error":"x","error_description":"{TOKEN}?"}}"#));
    let error = revoked(&echo, settings(), &Kept::new()).unwrap_err();
    assert_eq!(error.provider_words.as_deref(), Some("[redacted]?"));
    assert_eq!(
        error.to_string(),
        "the revocation endpoint at id.example.com gave a reply that cannot be used"
    );
}

/// SEED-32: Zoho's tokens are given back where they came from.
#[test]
fn a_token_goes_back_to_the_accounts_own_data_centre() {
    let settings = Settings {
        keep_from_callback: serde_json::from_str(
            r#"[{"name":"server","one_of":["https://eu.example.com"]}]"#,
        )
        .unwrap(),
        token_origin_from: Some("server".to_owned()),
        ..settings()
    };
    for (kept, expected) in [
        ("https://eu.example.com", "https://eu.example.com/revoke?v=2"),
        ("https://evil.test", "https://id.example.com/revoke?v=2"),
    ] {
        let script = Script::reply(200, &[], "");
        revoked(&script, settings.clone(), &Kept::from([("server".to_owned(), kept.to_owned())])).unwrap();
        assert_eq!(script.one().0, expected);
    }
}
