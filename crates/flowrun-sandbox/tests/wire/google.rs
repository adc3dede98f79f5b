//! Google on the wire: offline access, S256, two forms of errors.

use flowrun_sandbox::Answer;
use flowrun_sandbox::ProviderName::Google;
use serde_json::json;

use crate::client::{Answered, CHALLENGE, LOOPBACK, VERIFIER, Wire, parameter};

const AUTHORIZE: &str = "https://accounts.google.com/o/oauth2/v2/auth";
const TOKEN: &str = "https://oauth2.googleapis.com/token";
const PEOPLE: &str = "https://people.googleapis.com/v1/people/me?personFields=names";
const OFFLINE: (&str, &str) = ("access_type", "offline");

async fn authorized(wire: &Wire, scope: &str, more: &[(&str, &str)]) -> Answered {
    let fixed = [
        ("redirect_uri", LOOPBACK),
        ("state", "s1"),
        ("scope", scope),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let parameters = [&fixed[..], more].concat();
    let callback = wire.consent(Google, AUTHORIZE, &parameters, Answer::Allow).await.unwrap();
    let code = parameter(&callback, "code").unwrap();
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", LOOPBACK),
        ("code_verifier", VERIFIER),
    ];
    wire.token(Google, TOKEN, &grant).await
}

async fn refresh(wire: &Wire, token: &str) -> Answered {
    wire.token(Google, TOKEN, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

fn bearer(tokens: &Answered) -> String {
    format!("Bearer {}", tokens.text("access_token"))
}

/// SEED-20: only offline access gives a refresh token, and only at the first consent or a forced one.
#[tokio::test]
async fn a_refresh_token_comes_with_the_first_offline_consent_or_a_forced_one() {
    let forced = ("prompt", "select_account consent");
    let wire = Wire::start().await;
    let mut given = Vec::new();
    for more in [vec![OFFLINE], vec![OFFLINE], vec![OFFLINE, forced], vec![forced]] {
        let tokens = authorized(&wire, "openid email", &more).await;
        given.push(tokens.json().get("refresh_token").is_some());
    }
    assert_eq!(given, [true, false, true, false]);
}

#[tokio::test]
async fn a_refresh_token_is_used_again_and_again_and_not_replaced() {
    let wire = Wire::start().await;
    let first = authorized(&wire, "openid profile", &[OFFLINE]).await;
    for _ in 0..2 {
        wire.pass(3600);
        let renewed = refresh(&wire, &first.text("refresh_token")).await;
        assert_eq!(renewed.json().get("refresh_token"), None);
        assert_eq!(renewed.text("scope"), "openid profile");
        assert_eq!(wire.get(PEOPLE, &bearer(&renewed)).await.status, 200);
    }
    assert_eq!(wire.get(PEOPLE, &bearer(&first)).await.status, 401);
}

#[tokio::test]
async fn who_one_is_depends_on_the_scopes_granted() {
    let wire = Wire::start().await;
    let url = "https://openidconnect.googleapis.com/v1/userinfo";
    let email = authorized(&wire, "openid email", &[]).await;
    let seen = wire.get(url, &bearer(&email)).await.json();
    assert_eq!((&seen["email"], seen.get("name")), (&json!("emma.peeters@atelier.example"), None));
    let profile = authorized(&wire, "https://www.googleapis.com/auth/userinfo.profile", &[]).await;
    let seen = wire.get("https://www.googleapis.com/oauth2/v3/userinfo", &bearer(&profile)).await.json();
    assert_eq!((&seen["family_name"], seen.get("email")), (&json!("Peeters"), None));
}

/// User info is OpenID Connect's and fails in OAuth's form; the People API fails in Google's own.
#[tokio::test]
async fn a_bad_token_is_told_in_the_form_of_each_api() {
    let wire = Wire::start().await;
    let info = wire.get("https://www.googleapis.com/oauth2/v3/userinfo", "Bearer nonsense").await;
    let oauth = json!({ "error": "invalid_request", "error_description": "Invalid Credentials" });
    assert_eq!(info.parts(), (401, oauth));
    let people = wire.get(PEOPLE, "Bearer nonsense").await;
    let error = &people.json()["error"];
    assert_eq!(
        (people.status, &error["code"], &error["status"]),
        (401, &json!(401), &json!("UNAUTHENTICATED"))
    );
}

/// OA-50: 403 for a missing scope, which a refresh would not mend.
#[tokio::test]
async fn a_token_without_the_scope_is_forbidden() {
    let wire = Wire::start().await;
    let tokens = authorized(&wire, "openid email", &[]).await;
    let refused = wire.get(PEOPLE, &bearer(&tokens)).await;
    assert_eq!((refused.status, &refused.json()["error"]["status"]), (403, &json!("PERMISSION_DENIED")));
}

/// RFC 6749 section 5.2, in Google's words.
#[tokio::test]
async fn a_refused_token_request_has_an_error_and_a_description() {
    let wire = Wire::start().await;
    let unknown = refresh(&wire, "1//0nonsense").await;
    let expected = json!({
        "error": "invalid_grant", "error_description": "Token has been expired or revoked.",
    });
    assert_eq!(unknown.parts(), (400, expected));
    let client = wire.post_form(TOKEN, "client_id=x&client_secret=y&grant_type=refresh_token").await;
    assert_eq!((client.status, client.text("error").as_str()), (401, "invalid_client"));
    let kind = wire.token(Google, TOKEN, &[("grant_type", "password")]).await;
    assert_eq!((kind.status, kind.text("error").as_str()), (400, "unsupported_grant_type"));
}

#[tokio::test]
async fn a_denial_carries_the_state() {
    let wire = Wire::start().await;
    let parameters = [("redirect_uri", LOOPBACK), ("state", "s1"), ("scope", "email")];
    let callback = wire.consent(Google, AUTHORIZE, &parameters, Answer::Deny).await.unwrap();
    assert_eq!(callback.query(), Some("error=access_denied&state=s1"));
}
