//! Intercom on the wire: https redirects, tokens for ever, regions apart.

use flowrun_sandbox::Answer;
use flowrun_sandbox::ProviderName::Intercom;
use serde_json::json;

use crate::client::{Answered, LOOPBACK, Wire, parameter};

const REDIRECT: &str = "https://localhost/oauth/callback/1";
const TOKEN: &str = "https://api.intercom.io/auth/eagle/token";

async fn code(wire: &Wire, url: &str) -> String {
    let parameters = [("redirect_uri", REDIRECT), ("state", "s1")];
    let callback = wire.consent(Intercom, url, &parameters, Answer::Allow).await.unwrap();
    parameter(&callback, "code").unwrap()
}

async fn authorized(wire: &Wire) -> Answered {
    let code = code(wire, "https://app.intercom.com/oauth").await;
    wire.token(Intercom, TOKEN, &[("code", code.as_str())]).await
}

/// Requirement 7 of oauth 0: Intercom's redirect must be https, so a loopback callback is refused.
#[tokio::test]
async fn a_loopback_redirect_over_http_is_refused() {
    let wire = Wire::start().await;
    let parameters = [("redirect_uri", LOOPBACK)];
    let url = "https://app.intercom.com/oauth";
    let refused = wire.consent(Intercom, url, &parameters, Answer::Allow).await.unwrap_err();
    assert!(refused.to_string().ends_with("redirect_uri must be https"), "{refused}");
}

/// OA-31: no `expires_in` and no refresh token means a token that does not expire.
#[tokio::test]
async fn a_token_comes_under_two_names_and_never_expires() {
    let wire = Wire::start().await;
    let tokens = authorized(&wire).await;
    let token = tokens.text("access_token");
    let expected = json!({ "token_type": "Bearer", "token": token, "access_token": token });
    assert_eq!(tokens.parts(), (200, expected));
    wire.pass(10 * 365 * 86_400);
    let me = wire.get("https://api.intercom.io/me", &format!("Bearer {token}")).await;
    assert_eq!((me.status, &me.json()["type"]), (200, &json!("admin")));
}

#[tokio::test]
async fn a_code_and_its_token_hold_in_one_region() {
    let wire = Wire::start().await;
    let code = code(&wire, "https://app.eu.intercom.com/oauth").await;
    assert_eq!(wire.token(Intercom, TOKEN, &[("code", code.as_str())]).await.status, 400);
    let url = "https://api.eu.intercom.io/auth/eagle/token";
    let token = wire.token(Intercom, url, &[("code", code.as_str())]).await.text("token");
    for (host, status) in [("api.eu.intercom.io", 200), ("api.intercom.io", 401), ("api.au.intercom.io", 401)]
    {
        let me = wire.get(&format!("https://{host}/me"), &format!("Bearer {token}")).await;
        assert_eq!(me.status, status, "{host}");
    }
}

#[tokio::test]
async fn contacts_are_read_by_id_and_the_rest_is_an_error_list() {
    let wire = Wire::start().await;
    let bearer = format!("Bearer {}", authorized(&wire).await.text("token"));
    let contact = wire.get("https://api.intercom.io/contacts/42", &bearer).await;
    assert_eq!(contact.json()["name"], "Emma Peeters");
    let reset: i64 = contact.header("x-ratelimit-reset").parse().unwrap();
    assert_eq!((contact.header("x-ratelimit-limit"), reset), ("1666", 1_795_529_055));
    assert_eq!(contact.header("x-ratelimit-remaining"), "1665");
    let unknown = wire.get("https://api.intercom.io/contacts/7", &bearer).await;
    assert_eq!((unknown.status, &unknown.json()["type"]), (404, &json!("error.list")));
    assert_eq!(unknown.json()["errors"], json!([{ "code": "not_found", "message": "User Not Found" }]));
}

#[tokio::test]
async fn a_bad_token_or_client_is_unauthorized() {
    let wire = Wire::start().await;
    let me = wire.get("https://api.intercom.io/me", "Bearer nonsense").await;
    assert_eq!(me.status, 401);
    assert_eq!(me.json()["errors"], json!([{ "code": "unauthorized", "message": "Access Token Invalid" }]));
    let client = wire.post_form(TOKEN, "code=x&client_id=sandbox-intercom&client_secret=y").await;
    assert_eq!((client.status, &client.json()["type"]), (401, &json!("error.list")));
}

#[tokio::test]
async fn a_code_lives_five_minutes_and_is_used_once() {
    let wire = Wire::start().await;
    let (used, late) = (
        code(&wire, "https://app.intercom.com/oauth").await,
        code(&wire, "https://app.intercom.com/oauth").await,
    );
    for status in [200, 400] {
        assert_eq!(wire.token(Intercom, TOKEN, &[("code", used.as_str())]).await.status, status);
    }
    wire.pass(300);
    assert_eq!(wire.token(Intercom, TOKEN, &[("code", late.as_str())]).await.status, 400);
}
