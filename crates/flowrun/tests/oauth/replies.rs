//! What token servers say, over the wire and as they say it, and what becomes of the integration (OA-29 to OA-36, OA-42
//! to OA-45).
//!
//! Each row is said twice: in answer to a code, and in answer to a refresh of a grant that was good until then.

use flowrun::oauth::Class;
use flowrun::registry::AuthorizeError;

use crate::house::{House, SECRET, name};
use crate::scripted::{json, packed, reply};

const HTML: &str = "<!doctype html><title>Oops</title>";

/// What a code buys: `authorized`, or the class of the refusal.
async fn bought(says: &[u8]) -> String {
    let house = House::new().await;
    house.server.says(says);
    let outcome = house.authorize().await;
    assert_eq!(house.server.seen().len(), 1, "a code is sent once, whatever comes back (OA-36)");
    assert_harmless(&outcome.as_ref().err().map(told).unwrap_or_default());
    match outcome {
        Ok(authorized) => authorized.integration.state.to_string(),
        Err(AuthorizeError::Token { source, .. }) => class(source.class),
        Err(other) => panic!("{other:?}"),
    }
}

fn class(class: Class) -> String {
    match class {
        Class::Transient { .. } => "transient".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// What is left of a good grant after a refresh.
async fn refreshed(says: &[u8]) -> String {
    let house = House::authorized().await;
    house.server.says(says);
    let outcome = house.registry.force_refresh(&name()).await;
    assert_eq!(house.server.seen().len(), 2, "one request for one refresh");
    let integration = house.registry.show(&name()).await.unwrap();
    assert_eq!(integration.state.to_string() == "authorized" && integration.failures == 0, outcome.is_ok());
    assert_harmless(&format!(
        "{integration:?} {}",
        outcome.err().map(|error| error.to_string()).unwrap_or_default()
    ));
    integration.state.to_string()
}

fn told(error: &AuthorizeError) -> String {
    let mut told = format!("{error} {error:?} {}", error.help());
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        told += &format!(" {error}");
        cause = error.source();
    }
    told
}

/// OA-35, OA-63: nothing that was sent or read is repeated, and nothing steers a terminal.
fn assert_harmless(told: &str) {
    for canary in [SECRET, "canary-access", "canary-refresh", "canary-code", "\u{1b}"] {
        assert!(!told.contains(canary), "{told}");
    }
}

/// The reply; what a code buys with it; what is left of a grant after it.
async fn check(oa: &str, says: Vec<u8>, code: &str, refresh: &str) {
    let shown = String::from_utf8_lossy(&says[..says.len().min(300)]).into_owned();
    assert_eq!(bought(&says).await, code, "{oa}, for a code: {shown}");
    assert_eq!(refreshed(&says).await, refresh, "{oa}, for a refresh: {shown}");
}

const GOOD: (&str, &str) = ("authorized", "authorized");

#[tokio::test]
async fn a_grant_is_taken_whatever_its_form_oa_29_oa_31_oa_43() {
    let plain = br#"{"access_token":"canary-access","token_type":"bearer","expires_in":3600}"#;
    for (oa, says) in [
        (
            "OA-29: as the RFC says",
            json(200, r#"{"access_token":"a1","token_type":"Bearer","expires_in":3600}"#),
        ),
        ("OA-29: 201", json(201, r#"{"access_token":"a1","token_type":"Bearer","expires_in":3600}"#)),
        ("OA-29: mislabelled", reply(200, "content-type: text/html\r\n", plain)),
        ("OA-29: no label", reply(200, "", plain)),
        (
            "OA-29: a form",
            reply(
                200,
                "content-type: application/x-www-form-urlencoded\r\n",
                b"access_token=a1&scope=&token_type=bearer",
            ),
        ),
        ("OA-29: a form that is called JSON", json(200, "access_token=a1&expires_in=3600")),
        ("OA-29: no token_type", json(200, r#"{"access_token":"a1","expires_in":3600}"#)),
        (
            "OA-29: null fields",
            json(200, r#"{"access_token":"a1","token_type":null,"scope":null,"expires_in":null}"#),
        ),
        ("OA-29: a scope array", json(200, r#"{"access_token":"a1","scope":["a","b"]}"#)),
        ("OA-29: packed", packed(plain)),
        ("OA-31: a text", json(200, r#"{"access_token":"a1","expires_in":"3600"}"#)),
        ("OA-31: a fraction", json(200, r#"{"access_token":"a1","expires_in":3599.5}"#)),
        ("OA-31: zero", json(200, r#"{"access_token":"a1","expires_in":0}"#)),
        ("OA-31: absent", json(200, r#"{"access_token":"a1"}"#)),
        ("OA-43: null", json(200, r#"{"access_token":"a1","refresh_token":null}"#)),
        ("OA-43: empty", json(200, r#"{"access_token":"a1","refresh_token":""}"#)),
    ] {
        check(oa, says, GOOD.0, GOOD.1).await;
    }
}

/// OA-42: a rotating provider that granted something unreadable may have replaced the refresh token.
const MAY_BE_LOST: &str = "needs_attention(reply_lost)";
const REFUSED: &str = "needs_attention(refresh_refused)";
const REJECTED: &str = "needs_attention(client_rejected)";

#[tokio::test]
async fn what_cannot_be_used_is_refused_oa_31_oa_32_oa_33() {
    for (oa, says) in [
        ("OA-31: negative", json(200, r#"{"access_token":"canary-access","expires_in":-1}"#)),
        ("OA-31: no number", json(200, r#"{"access_token":"canary-access","expires_in":"soon"}"#)),
        ("OA-32: another type", json(200, r#"{"access_token":"canary-access","token_type":"mac"}"#)),
        ("OA-33: CRLF", json(200, r#"{"access_token":"canary-access\r\nX-Evil: 1"}"#)),
        (
            "OA-33: NUL in a refresh token",
            json(200, r#"{"access_token":"canary-access","refresh_token":"r\u0000"}"#),
        ),
        ("OA-33: nothing", reply(200, "", b"")),
        ("OA-44: a page", reply(200, "content-type: text/html\r\n", HTML.as_bytes())),
    ] {
        check(oa, says, "malformed", MAY_BE_LOST).await;
    }
}

#[tokio::test]
async fn a_reply_without_end_is_cut_off_packed_or_not_oa_33() {
    let padded =
        |bytes: usize| format!(r#"{{"access_token":"a1","padding":"{}"}}"#, "x".repeat(bytes)).into_bytes();
    let bomb = packed(&padded(64 * 1024 * 1024));
    assert!(bomb.len() < 256 * 1024, "small on the wire: {} bytes", bomb.len());
    check("OA-33: a gzip bomb", bomb, "ambiguous", MAY_BE_LOST).await;
    check("OA-33: a large body", reply(200, "", &padded(1024 * 1024)), "ambiguous", MAY_BE_LOST).await;
    check("OA-33: a megabyte is enough", reply(200, "", &padded(1024 * 1024 - 64)), GOOD.0, GOOD.1).await;
}

#[tokio::test]
async fn an_error_is_an_error_whatever_its_status_oa_30_oa_44() {
    for (oa, says, code, refresh) in [
        ("OA-30: GitHub", json(200, r#"{"error":"bad_verification_code"}"#), "grant", REFUSED),
        ("OA-30: Zoho", json(200, r#"{"error":"invalid_code"}"#), "grant", REFUSED),
        ("OA-30: Slack", json(200, r#"{"ok":false,"error":"invalid_refresh_token"}"#), "grant", REFUSED),
        ("OA-44: RFC 6749 5.2", json(400, r#"{"error":"invalid_grant"}"#), "grant", REFUSED),
        ("OA-44: the client", json(401, r#"{"error":"invalid_client"}"#), "client", REJECTED),
        (
            "OA-44: Zoho's limit",
            json(200, r#"{"error":"Access Denied","status":"failure"}"#),
            "transient",
            "authorized",
        ),
        (
            "OA-44: a new code",
            json(400, r#"{"error":"brand_new","error_description":"\u001b[31mred"}"#),
            "malformed",
            "authorized",
        ),
    ] {
        check(oa, says, code, refresh).await;
    }
}

#[tokio::test]
async fn an_unwell_server_costs_nothing_oa_44() {
    for status in [429, 500, 502, 503, 504] {
        let html = reply(status, "content-type: text/html\r\nretry-after: 1\r\n", HTML.as_bytes());
        check("OA-44: a page", html, "transient", "authorized").await;
        check(
            "OA-44: not to be believed",
            json(status, r#"{"error":"invalid_grant"}"#),
            "transient",
            "authorized",
        )
        .await;
    }
}

/// OA-36, OA-45: where the reply is lost, the code is spent and a rotating provider may have acted.
#[tokio::test]
async fn a_lost_reply_is_said_to_be_lost_and_asked_for_no_more_oa_36_oa_45() {
    check("OA-45: hung up", Vec::new(), "ambiguous", MAY_BE_LOST).await;
    let half = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"access_token\":\"canary-access\"";
    check("OA-45: half a reply", half.to_vec(), "ambiguous", MAY_BE_LOST).await;
    check("OA-45: no HTTP", b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), "ambiguous", MAY_BE_LOST).await;
}

/// OA-35, OA-64: a server that repeats what it was sent does not get it shown.
#[tokio::test]
async fn an_error_that_repeats_what_was_sent_shows_none_of_it_oa_35() {
    let echo =
        |said: &str| json(400, &format!(r#"{{"error":"invalid_grant","error_description":"{said}"}}"#));
    assert_eq!(bought(&echo("canary-code canary-client-secret")).await, "grant");
    assert_eq!(refreshed(&echo("canary-refresh canary-client-secret")).await, REFUSED);
}
