//! What token endpoints really answer, and what becomes of it (OA-29 to OA-35, OA-43).

use std::time::Duration;

use crate::scripted::{Script, now};
use flowrun_oauth::{
    Class, Client, Grant, KeepRule, Kept, Lifetime, Provider, Settings, TokenEndpoint, TokenError,
    TokenHeader,
};
use secrecy::ExposeSecret;

const REFRESH_TOKEN: &str = "the-old-refresh-token";
const SECRET: &str = "the-client-secret";

fn settings() -> Settings {
    Settings::authorization_code("https://id.example.com/authorize", "https://id.example.com/token")
}

fn refreshed(script: &Script, settings: Settings) -> Result<Grant, TokenError> {
    let provider = Provider::new(settings).unwrap();
    let client = Client { id: "client".to_owned(), secret: Some(SECRET.into()) };
    let endpoint = TokenEndpoint { exchange: script, provider: &provider, client: &client };
    now(endpoint.refresh(&REFRESH_TOKEN.into(), &Kept::new()))
}

fn by_client_credentials(body: &str) -> Result<Grant, TokenError> {
    let provider = Provider::new(Settings::client_credentials("https://id.example.com/token")).unwrap();
    let client = Client { id: "client".to_owned(), secret: Some(SECRET.into()) };
    let script = Script::json(body);
    now(TokenEndpoint { exchange: &script, provider: &provider, client: &client }.client_credentials(&[]))
}

/// What a refresh makes of a reply: token, type, lifetime, new refresh token, scopes; or the class and code.
fn summary(outcome: Result<Grant, TokenError>) -> String {
    match outcome {
        Ok(grant) => format!(
            "{} {} {:?} {} {}",
            grant.access_token.expose_secret(),
            grant.token_type,
            grant.lifetime,
            grant.refresh_token.as_ref().map_or("-", |token| token.expose_secret()),
            grant.scope.map_or("-".to_owned(), |scopes| scopes.join("+")),
        ),
        Err(error) => format!("{:?} {}", error.class, error.provider_code.unwrap_or_default()),
    }
}

#[track_caller]
fn check(status: u16, content_type: &str, body: &str, expected: &str) {
    let script = Script::reply(status, &[("content-type", content_type)], body);
    assert_eq!(summary(refreshed(&script, settings())), expected, "{status} {content_type} {body}");
}

/// OA-29: form may vary, the meaning is the same.
#[test]
fn a_grant_is_read_whatever_its_form() {
    let json = "application/json";
    let plain = "at bearer Seconds(3600) - -";
    for (status, content_type, body, expected) in [
        (200, json, r#"{"access_token":"at","token_type":"Bearer","expires_in":3600}"#, plain),
        (201, json, r#"{"access_token":"at","token_type":"bearer","expires_in":3600}"#, plain),
        (200, "text/html", r#"{"access_token":"at","token_type":"BEARER","expires_in":3600}"#, plain),
        (200, json, r#"{"access_token":"at","expires_in":"3600"}"#, plain),
        (200, json, r#"{"access_token":"at","token_type":null,"expires_in":3600.7}"#, plain),
        (200, json, r#"{"access_token":"at","token_type":"","expires_in":" 3600 "}"#, plain),
        (200, json, "\u{feff}{\"access_token\":\"at\",\"expires_in\":3600}", plain),
        (
            200,
            "application/x-www-form-urlencoded",
            "access_token=at&expires_in=3600&token_type=bearer",
            plain,
        ),
        (200, json, "access_token=at&scope=repo%2Cuser&token_type=bearer", "at bearer Unstated - repo+user"),
        (
            200,
            json,
            r#"{"access_token":"at","expires_in":null,"scope":["a","b"]}"#,
            "at bearer Unstated - a+b",
        ),
        (200, json, r#"{"access_token":"at","scope":"a b"}"#, "at bearer Unstated - a+b"),
        (200, json, r#"{"access_token":"at","scope":"a,b"}"#, "at bearer Unstated - a+b"),
        (200, json, r#"{"access_token":"at","scope":""}"#, "at bearer Unstated - -"),
    ] {
        check(status, content_type, body, expected);
    }
}

/// OA-43: null and empty are absent; absent keeps the old one, which is the caller's to keep.
#[test]
fn a_refresh_token_replaces_the_old_one_only_if_there_is_one() {
    for (field, expected) in [
        (r#""refresh_token":"rt""#, "at bearer Unstated rt -"),
        (r#""refresh_token":null"#, "at bearer Unstated - -"),
        (r#""refresh_token":"""#, "at bearer Unstated - -"),
        (r#""other":1"#, "at bearer Unstated - -"),
    ] {
        check(200, "application/json", &format!(r#"{{"access_token":"at",{field}}}"#), expected);
    }
}

/// OA-31: silence and zero mean the same; below zero is nonsense.
#[test]
fn a_missing_lifetime_depends_on_what_there_is_to_refresh_with() {
    let read = |lifetime: &str, default_lifetime| {
        let script = Script::json(&format!(r#"{{"access_token":"at"{lifetime}}}"#));
        refreshed(&script, Settings { default_lifetime, ..settings() }).map(|grant| grant.lifetime)
    };
    assert_eq!(read("", None), Ok(Lifetime::Unstated));
    assert_eq!(read("", Some(7200)), Ok(Lifetime::Seconds(7200)));
    assert_eq!(read(r#","expires_in":0"#, Some(7200)), Ok(Lifetime::Seconds(7200)));
    assert_eq!(read(r#","expires_in":60"#, Some(7200)), Ok(Lifetime::Seconds(60)));
    for nonsense in [r#","expires_in":-1"#, r#","expires_in":"soon""#, r#","expires_in":1e300"#] {
        assert_eq!(read(nonsense, None).unwrap_err().class, Class::Malformed, "{nonsense}");
    }
    for endless in [r#"{"access_token":"at"}"#, r#"{"access_token":"at","expires_in":0}"#] {
        assert_eq!(by_client_credentials(endless).unwrap().lifetime, Lifetime::NeverExpires);
    }
}

/// OA-30: the status does not make a success.
#[test]
fn an_error_with_status_200_is_an_error() {
    let json = "application/json";
    for (body, expected) in [
        (r#"{"error":"invalid_code"}"#, "Grant invalid_code"),
        (r#"{"error":"bad_verification_code","error_description":"…"}"#, "Grant bad_verification_code"),
        (r#"{"ok":false,"error":"invalid_refresh_token"}"#, "Grant invalid_refresh_token"),
        (r#"{"ok":false}"#, "Malformed "),
        (r#"{"error":"invalid_client_secret"}"#, "Client invalid_client_secret"),
        (
            r#"{"error":"Access Denied","error_description":"You have made too many requests","status":"failure"}"#,
            "Transient { retry_after: None } Access Denied",
        ),
        ("error=incorrect_client_credentials&error_uri=x", "Client incorrect_client_credentials"),
        (r#"{"error":"invalid_grant","access_token":"at"}"#, "Grant invalid_grant"),
        (r#"{"error":{"type":"OAuthException","code":190},"access_token":"at"}"#, "Malformed 190"),
        (r#"{"error":false,"access_token":"at"}"#, "at bearer Unstated - -"),
        (r#"{"error":null,"access_token":"at"}"#, "at bearer Unstated - -"),
        (r#"{"error":"","access_token":"at"}"#, "at bearer Unstated - -"),
    ] {
        check(200, json, body, expected);
    }
}

/// OA-32, OA-33: what cannot be used safely is not used at all.
#[test]
fn a_token_that_could_do_harm_is_refused() {
    for body in [
        "{\"access_token\":\"at\\r\\nX-Evil: 1\"}",
        r#"{"access_token":"täkt"}"#,
        r#"{"access_token":""}"#,
        r#"{"access_token":null}"#,
        r#"{"access_token":["at"]}"#,
        "{\"access_token\":\"at\",\"refresh_token\":\"rt\\u0000\"}",
        r#"{"access_token":"at","token_type":"mac"}"#,
        "{}",
        "[]",
        "null",
        "",
        "<html>It works!</html>",
    ] {
        check(200, "application/json", body, "Malformed ");
    }
}

#[test]
fn another_token_type_is_accepted_where_the_settings_say_how_to_send_it() {
    let token_header = TokenHeader { name: "X-Access".to_owned(), scheme: String::new() };
    let script = Script::json(r#"{"access_token":"at","token_type":"User"}"#);
    let grant = refreshed(&script, Settings { token_header, ..settings() });
    assert_eq!(grant.unwrap().token_type, "user");
}

/// Slack nests a user's token, with its refresh token beside it; the outer ones are another token's (OA-29).
#[test]
fn a_nested_token_brings_what_stands_beside_it() {
    let body = r#"{"ok":true,"access_token":"bot","refresh_token":"bot-rt","expires_in":1,"team":{"id":"T1"},
        "authed_user":{"access_token":"user","refresh_token":"user-rt","expires_in":43200,"scope":"a,b"}}"#;
    let access_token_path = Some("/authed_user/access_token".to_owned());
    let outcome = refreshed(&Script::json(body), Settings { access_token_path, ..settings() });
    assert_eq!(summary(outcome), "user bearer Seconds(43200) user-rt a+b");
}

#[test]
fn the_lifetime_of_the_refresh_token_is_kept_where_it_is_said() {
    for (field, expected) in [
        (r#""refresh_token_expires_in":15897600"#, Some(15_897_600)),
        (r#""x_refresh_token_expires_in":"8726400""#, Some(8_726_400)),
        (r#""refresh_expires_in":1800"#, Some(1800)),
        (r#""refresh_expires_in":0"#, None),
        (r#""refresh_expires_in":"never""#, None),
    ] {
        let grant = refreshed(&Script::json(&format!(r#"{{"access_token":"at",{field}}}"#)), settings());
        assert_eq!(grant.unwrap().refresh_lifetime, expected.map(Duration::from_secs), "{field}");
    }
}

/// N4: one rule for what is kept; what breaks it is left out and named.
#[test]
fn a_value_is_kept_only_if_it_is_what_it_may_be() {
    let keep_from_token = vec![
        KeepRule {
            name: "api_domain".to_owned(),
            one_of: vec!["https://www.zohoapis.eu".to_owned()],
            ..KeepRule::default()
        },
        KeepRule { name: "realm".to_owned(), ..KeepRule::default() },
    ];
    let read = |body| {
        let settings = Settings { keep_from_token: keep_from_token.clone(), ..settings() };
        let grant = refreshed(&Script::json(body), settings).unwrap();
        (grant.kept.into_iter().collect::<Vec<_>>(), grant.unexpected)
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        read(r#"{"access_token":"at","api_domain":"https://www.zohoapis.eu","realm":4711,"other":"x"}"#),
        (vec![pair("api_domain", "https://www.zohoapis.eu"), pair("realm", "4711")], vec![])
    );
    assert_eq!(
        read(r#"{"access_token":"at","api_domain":"https://evil.test","realm":"a/b"}"#),
        (vec![], vec!["api_domain".to_owned(), "realm".to_owned()])
    );
}

/// OA-35, OA-63: a provider's words are shown short, in one line, and never with a secret of ours in them.
#[test]
fn a_providers_words_are_made_harmless() {
    let read = |words: &str| {
        let body = serde_json::json!({ "error": "invalid_grant", "error_description": words }).to_string();
        refreshed(&Script::reply(400, &[], &body), settings()).unwrap_err().provider_words
    };
    assert_eq!(read("Token\r\n\u{1b}]52;c;eA==\u{7}gone").as_deref(), Some("Token  ]52;c;eA==gone"));
    assert_eq!(read("a\u{202e}b\u{200b}c").as_deref(), Some("abc"));
    assert_eq!(read(&"long ".repeat(100)).unwrap().chars().count(), 201);
    assert_eq!(
        read(&format!("{REFRESH_TOKEN} and {SECRET} are wrong")).as_deref(),
        Some("[redacted] and [redacted] are wrong")
    );
    let hidden = REFRESH_TOKEN.replace("old", "o\u{200b}l\u{0}d");
    assert_eq!(read(&hidden).as_deref(), Some("[redacted]"));
    assert_eq!(read(""), None);
}

/// OA-63: no way of printing an outcome shows what the provider sent or what we sent.
#[test]
fn neither_grant_nor_error_prints_a_secret() {
    let canary = "canary-7f3a";
    let granted = format!(r#"{{"access_token":"{canary}","refresh_token":"{canary}"}}"#);
    let broken = format!(r#"{{"access_token":["{canary}"]}}"#);
    let refused = format!(r#"{{"error":"invalid_grant","refresh_token":"{canary}"}}"#);
    for script in [Script::json(&granted), Script::json(&broken), Script::reply(400, &[], &refused)] {
        let outcome = refreshed(&script, settings());
        let printed = match &outcome {
            Ok(grant) => format!("{grant:?}"),
            Err(error) => format!("{error} {error:?} {}", error.help()),
        };
        assert!(!printed.contains(canary) && !printed.contains(SECRET), "{printed}");
        assert!(!printed.contains(REFRESH_TOKEN), "{printed}");
    }
}
