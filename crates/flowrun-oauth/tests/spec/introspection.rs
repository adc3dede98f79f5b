//! Asking whether a token is still good (OA-66, RFC 7662).

use flowrun_oauth::{Class, Client, Kept, Provider, Settings, TokenEndpoint, TokenKind};

use crate::scripted::{Script, now};

fn active(script: &Script) -> Result<bool, Class> {
    let settings = Settings {
        introspect_url: Some("https://id.example.com/introspect".to_owned()),
        ..Settings::authorization_code("https://id.example.com/authorize", "https://id.example.com/token")
    };
    let provider = Provider::new(settings).unwrap();
    let client = Client { id: "client".to_owned(), secret: Some("the-secret".into()) };
    let endpoint = TokenEndpoint { exchange: script, provider: &provider, client: &client };
    let introspection = endpoint.introspection(&Kept::new()).unwrap();
    now(introspection.is_active(&"canary-token".into(), TokenKind::Access)).map_err(|error| error.class)
}

#[test]
fn a_token_is_active_if_the_provider_says_so_oa_66() {
    let script = Script::json(r#"{"active":true,"scope":"a","token_type":"bearer"}"#);
    assert_eq!(active(&script), Ok(true));
    let (url, _, body) = script.one();
    assert_eq!(url, "https://id.example.com/introspect");
    assert_eq!(
        body,
        "token=canary-token&token_type_hint=access_token&client_id=client&client_secret=the-secret"
    );
    assert_eq!(active(&Script::json(r#"{"active":false}"#)), Ok(false));
}

/// A reply that says neither is no reason to throw a token away.
#[test]
fn anything_else_says_nothing_of_the_token_oa_66() {
    for body in ["{}", r#"{"active":"no"}"#, r#"{"active":null}"#, "", "<html>"] {
        assert_eq!(active(&Script::json(body)), Err(Class::Malformed), "{body}");
    }
    assert_eq!(active(&Script::reply(401, &[], r#"{"error":"invalid_client"}"#)), Err(Class::Client));
    assert_eq!(active(&Script::reply(503, &[], "")), Err(Class::Transient { retry_after: None }));
    assert_eq!(active(&Script::reply(404, &[], r#"{"active":false}"#)), Err(Class::Client));
}
