//! What a provider publishes about itself, and what of it is believed (OA-68, OA-69, RFC 8414).

use flowrun_oauth::{AuthStyle, DiscoveryError, ExchangeErrorKind, Pkce, Provider, Settings, discover};

use crate::scripted::{Script, now};

const ISSUER: &str = "https://id.example.com";

/// The document of [`ISSUER`], with these members added or replaced.
fn document(members: &str) -> String {
    let mut all: serde_json::Map<String, serde_json::Value> = serde_json::from_str(
        r#"{"issuer":"https://id.example.com","authorization_endpoint":"https://id.example.com/authorize",
            "token_endpoint":"https://token.example.net/token"}"#,
    )
    .unwrap();
    all.extend(serde_json::from_str::<serde_json::Map<_, _>>(&format!("{{{members}}}")).unwrap());
    serde_json::Value::Object(all).to_string()
}

fn discovered(members: &str) -> Result<Settings, DiscoveryError> {
    now(discover(&Script::json(&document(members)), ISSUER))
}

fn asked(script: &Script) -> Vec<String> {
    let asked = script.asked();
    assert!(asked.iter().all(|request| request.method() == http::Method::GET && request.body().is_empty()));
    asked.iter().map(|request| request.uri().to_string()).collect()
}

#[test]
fn the_endpoints_of_the_document_become_settings_oa_68() {
    let settings = discovered(
        r#""revocation_endpoint":"https://id.example.com/revoke","introspection_endpoint":"https://id.example.com/in",
           "device_authorization_endpoint":"https://id.example.com/device","jwks_uri":"https://id.example.com/keys""#,
    )
    .unwrap();
    let expected = Settings {
        revoke_url: Some("https://id.example.com/revoke".to_owned()),
        introspect_url: Some("https://id.example.com/in".to_owned()),
        device_url: Some("https://id.example.com/device".to_owned()),
        auth_style: AuthStyle::Basic,
        issuer: Some(ISSUER.to_owned()),
        ..Settings::authorization_code("https://id.example.com/authorize", "https://token.example.net/token")
    };
    assert_eq!(settings, expected);
    Provider::new(settings).unwrap();
}

/// RFC 8414 3.1 and 5: both well-known places, the issuer's path kept.
#[test]
fn the_document_is_looked_for_at_two_places_and_no_redirect_is_followed_oa_68() {
    let moved = || Script::reply(302, &[("location", "https://evil.test/")], "");
    let found = document(r#""issuer":"https://id.example.com/realms/one""#);
    let script = moved().then(Script::json(&found));
    now(discover(&script, "https://id.example.com/realms/one")).unwrap();
    assert_eq!(
        asked(&script),
        [
            "https://id.example.com/.well-known/oauth-authorization-server/realms/one",
            "https://id.example.com/realms/one/.well-known/openid-configuration",
        ]
    );
    let script = moved().then(Script::reply(404, &[], ""));
    let none = now(discover(&script, ISSUER));
    assert_eq!(none, Err(DiscoveryError::NoMetadata { host: "id.example.com".to_owned(), status: 404 }));
    let script = Script::silence(ExchangeErrorKind::Unreachable);
    assert!(matches!(now(discover(&script, ISSUER)), Err(DiscoveryError::NoReply { .. })));
    assert_eq!(asked(&script).len(), 1);
}

/// RFC 8414 3.3, OA-68: a server that builds its endpoints from the Host header still has one name.
#[test]
fn a_document_of_another_issuer_is_refused_whole_oa_68() {
    let trap = document(
        r#""issuer":"http://127.0.0.1:4455","authorization_endpoint":"http://localhost:4455/auth",
           "token_endpoint":"http://localhost:4455/token""#,
    );
    let refused = now(discover(&Script::json(&trap), "http://localhost:4455")).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the metadata is that of `http://127.0.0.1:4455`, not of `http://localhost:4455`"
    );
    for issuer in ["https://id.example.com/", "https://ID.example.com", "https://id.example.com:443"] {
        let refused = now(discover(&Script::json(&document("")), issuer));
        assert!(matches!(refused, Err(DiscoveryError::OtherIssuer { .. })), "{issuer}: {refused:?}");
    }
    for other in [r#""issuer":null"#, r#""issuer":["https://id.example.com"]"#] {
        assert!(matches!(discovered(other), Err(DiscoveryError::OtherIssuer { .. })), "{other}");
    }
}

#[test]
fn an_endpoint_in_clear_or_on_this_machine_is_refused_oa_68_n7() {
    for (member, wrong) in [
        (r#""token_endpoint":"http://id.example.com/token""#, "does not begin with https://"),
        (r#""token_endpoint":null"#, "is missing"),
        (r#""token_endpoint":7"#, "is missing"),
        (r#""authorization_endpoint":"javascript:alert(1)""#, "does not begin with https://"),
        (r#""revocation_endpoint":"https://user@id.example.com/""#, "has a user name"),
        (r#""introspection_endpoint":"https://127.0.0.1/in""#, "is on this machine"),
        (r#""device_authorization_endpoint":"http://localhost:9/d""#, "is on this machine"),
    ] {
        let refused = discovered(member).unwrap_err();
        assert!(matches!(refused, DiscoveryError::Endpoint(_)), "{member}: {refused:?}");
        assert!(refused.to_string().contains(wrong), "{member}: {refused}");
    }
    let local = document(
        r#""issuer":"http://127.0.0.1:4455","authorization_endpoint":"http://127.0.0.1:4455/auth",
           "token_endpoint":"http://127.0.0.1:4455/token""#,
    );
    now(discover(&Script::json(&local), "http://127.0.0.1:4455")).unwrap();
}

#[test]
fn an_issuer_is_a_plain_https_url_and_nothing_is_sent_otherwise_oa_68() {
    for issuer in [
        "id.example.com",
        "http://id.example.com",
        "https://id.example.com?x=1",
        "https://id.example.com#x",
        "",
    ] {
        let script = Script::default();
        let refused = now(discover(&script, issuer)).unwrap_err();
        assert!(matches!(refused, DiscoveryError::NotAnIssuer(_)), "{issuer}: {refused:?}");
        assert!(asked(&script).is_empty());
    }
}

#[test]
fn the_rest_is_driven_by_what_the_document_says_oa_69() {
    let style = |methods: &str| {
        discovered(&format!(r#""token_endpoint_auth_methods_supported":{methods}"#)).map(|it| it.auth_style)
    };
    assert_eq!(discovered("").unwrap().auth_style, AuthStyle::Basic, "RFC 8414 2: the default");
    assert_eq!(style(r#"["client_secret_post","client_secret_basic"]"#), Ok(AuthStyle::Basic));
    assert_eq!(style(r#"["private_key_jwt","client_secret_post"]"#), Ok(AuthStyle::Body));
    assert_eq!(style(r#"["none"]"#), Ok(AuthStyle::None));
    let only = style(r#"["private_key_jwt","tls_client_auth"]"#).unwrap_err();
    assert_eq!(only, DiscoveryError::NoAuthStyle("private_key_jwt, tls_client_auth".to_owned()));

    let pkce =
        |methods: &str| discovered(&format!(r#""code_challenge_methods_supported":{methods}"#)).unwrap().pkce;
    assert_eq!(discovered("").unwrap().pkce, Pkce::Try);
    assert_eq!(pkce(r#"["plain","S256"]"#), Pkce::Required);
    assert_eq!(pkce(r#"["plain"]"#), Pkce::Off, "OA-9: `plain` is never sent");

    let promise = |value: &str| {
        discovered(&format!(r#""authorization_response_iss_parameter_supported":{value}"#))
            .unwrap()
            .issuer_required
    };
    assert_eq!([promise("true"), promise("false"), promise("null")], [true, false, false], "RFC 9207 3");
}

#[test]
fn what_is_no_document_is_said_to_be_none() {
    for body in ["", "[]", "<html>It works!</html>"] {
        let refused = now(discover(&Script::json(body), ISSUER)).unwrap_err();
        assert!(matches!(refused, DiscoveryError::Unreadable { .. }), "{body}: {refused:?}");
        assert!(refused.help().contains("--token-url"));
    }
}
