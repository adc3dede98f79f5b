//! What may be done after a failure at the token endpoint: the classes of OA-36, OA-44 and OA-45.

use std::time::Duration;

use crate::scripted::{Script, now};
use flowrun_oauth::{Class, Client, ExchangeErrorKind, Kept, Provider, Settings, TokenEndpoint, TokenError};

const LATER: Class = Class::Transient { retry_after: None };

fn settings(rotates: bool) -> Settings {
    let url = "https://id.example.com";
    Settings { rotates, ..Settings::authorization_code(format!("{url}/authorize"), format!("{url}/token")) }
}

fn refusal(script: &Script, settings: Settings) -> TokenError {
    let provider = Provider::new(settings).unwrap();
    let client = Client { id: "client".to_owned(), secret: Some("secret".into()) };
    let endpoint = TokenEndpoint { exchange: script, provider: &provider, client: &client };
    let error = now(endpoint.refresh(&"refresh-token".into(), &Kept::new())).unwrap_err();
    assert_eq!(script.asked().len(), 1, "never a second request");
    assert_eq!(error.host, "id.example.com");
    error
}

#[track_caller]
fn check(status: u16, body: &str, expected: Class) {
    let error = refusal(&Script::reply(status, &[], body), settings(true));
    assert_eq!((error.class, error.status), (expected, Some(status)), "{status} {body}");
}

#[test]
fn a_refused_grant_asks_for_a_person() {
    for code in ["invalid_grant", "invalid_code", "invalid_refresh_token", "token_revoked", "INVALID_GRANT"] {
        for status in [200, 400, 401, 403] {
            check(status, &format!(r#"{{"error":"{code}"}}"#), Class::Grant);
        }
    }
    let older_php =
        r#"{"error":"invalid_request","message":"The refresh token is invalid.","hint":"Token has expired"}"#;
    check(401, older_php, Class::Grant);
    let teamleader = r#"{"errors":[{"title":"The refresh token is invalid.","status":400}]}"#;
    check(400, teamleader, Class::Grant);
    check(401, teamleader, Class::Grant);
}

#[test]
fn a_refused_client_asks_for_an_operator() {
    let codes = [
        "invalid_client",
        "unauthorized_client",
        "invalid_request",
        "invalid_scope",
        "redirect_uri_mismatch",
    ];
    for code in codes {
        check(400, &format!(r#"{{"error":"{code}"}}"#), Class::Client);
    }
    check(400, r#"{"error":"invalid_request","error_description":"refresh token missing"}"#, Class::Client);
    // No code at all: the client is not let in, or this is no token endpoint.
    for status in [302, 307, 401, 404, 405, 410] {
        check(status, "<html>", Class::Client);
    }
}

#[test]
fn an_unwell_provider_asks_for_patience() {
    for status in [408, 429, 500, 502, 503, 504] {
        check(status, "<html>", LATER);
        // Whatever it says: a server that is unwell is not to be believed about the grant.
        check(status, r#"{"error":"invalid_grant"}"#, LATER);
    }
    for code in ["temporarily_unavailable", "server_error", "slow_down", "rate_limited", "access_denied"] {
        check(400, &format!(r#"{{"error":"{code}"}}"#), LATER);
    }
}

#[test]
fn an_unknown_error_says_nothing_of_the_grant() {
    for body in [
        r#"{"error":"brand_new_code"}"#,
        r#"{"error":{"message":"?"}}"#,
        r#"{"error":["x"]}"#,
        r#"{"message":"?"}"#,
        "<html>",
        "",
    ] {
        check(400, body, Class::Malformed);
        check(403, body, Class::Malformed);
    }
}

#[test]
fn how_long_to_wait_is_read_from_the_reply_alone() {
    let date = ("date", "Tue, 24 Nov 2026 15:00:00 GMT");
    for (headers, expected) in [
        (vec![("retry-after", "120")], Some(120)),
        (vec![("retry-after", "Tue, 24 Nov 2026 15:01:30 GMT"), date], Some(90)),
        (vec![("retry-after", "Tue, 24 Nov 2026 14:00:00 GMT"), date], Some(0)),
        (vec![("retry-after", "Tue, 24 Nov 2026 15:01:30 GMT")], None),
        (vec![("retry-after", "soon"), date], None),
        (vec![], None),
    ] {
        let error = refusal(&Script::reply(503, &headers, ""), settings(true));
        let retry_after = expected.map(Duration::from_secs);
        assert_eq!(error.class, Class::Transient { retry_after }, "{headers:?}");
    }
}

/// OA-44, OA-45: what a missing reply may have cost depends on how far the request came, and on rotation.
#[test]
fn a_missing_reply_is_ambiguous_only_where_it_may_have_cost_the_grant() {
    use ExchangeErrorKind::{Refused, ReplyLost, TimedOut, TooLarge, Unreachable};
    for (kind, rotating, fixed) in [
        (Unreachable, LATER, LATER),
        (TimedOut, Class::Ambiguous, LATER),
        (ReplyLost, Class::Ambiguous, LATER),
        (TooLarge, Class::Ambiguous, Class::Malformed),
        (Refused, Class::Forbidden, Class::Forbidden),
    ] {
        for (rotates, expected) in [(true, rotating), (false, fixed)] {
            let error = refusal(&Script::silence(kind), settings(rotates));
            assert_eq!((error.class, error.status), (expected, None), "{kind:?} rotates: {rotates}");
            assert_eq!(error.source.unwrap().kind, kind);
        }
    }
}

#[test]
fn words_are_told_even_without_a_code() {
    for body in [
        r#"{"message":"so it is"}"#,
        r#"{"errors":[{"title":"so it is"}]}"#,
        r#"{"error":{"message":"so it is","code":7}}"#,
        "error=brand_new&error_description=so+it+is",
    ] {
        let error = refusal(&Script::reply(400, &[], body), settings(true));
        assert_eq!(error.provider_words.as_deref(), Some("so it is"), "{body}");
    }
}

#[test]
fn an_error_says_where_and_what_and_what_to_do() {
    let body = r#"{"error":"invalid_code","error_description":"wrong"}"#;
    let error = refusal(&Script::reply(200, &[], body), settings(true));
    assert_eq!(error.to_string(), "the token endpoint at id.example.com refuses the grant");
    assert_eq!(error.provider_words.as_deref(), Some("wrong"));
    assert!(error.help().contains("another data centre"), "{}", error.help());
}
