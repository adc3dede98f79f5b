//! Teamleader on the wire (SEED-15, SEED-27 to SEED-29, SEED-34).

use flowrun_sandbox::ProviderName::Teamleader;
use flowrun_sandbox::{Answer, ConsentError, DataCentre, Stats};
use http::Method;
use serde_json::json;

use crate::client::{Answered, CHALLENGE, LOOPBACK, VERIFIER, Wire, parameter};

const AUTHORIZE: &str = "https://app.teamleader.eu/oauth2/authorize";
const TOKEN: &str = "https://app.teamleader.eu/oauth2/access_token";
const INFO: &str = "https://api.teamleader.eu/contacts.info";

async fn code(wire: &Wire) -> String {
    let parameters = [("redirect_uri", LOOPBACK), ("state", "s 1")];
    let callback = wire.consent(Teamleader, AUTHORIZE, &parameters, Answer::Allow).await.unwrap();
    assert_eq!(parameter(&callback, "state").as_deref(), Some("s 1"));
    parameter(&callback, "code").unwrap()
}

async fn redeem(wire: &Wire, code: &str, more: &[(&str, &str)]) -> Answered {
    let grant = [("grant_type", "authorization_code"), ("code", code)];
    wire.token(Teamleader, TOKEN, &[&grant[..], more].concat()).await
}

async fn authorized(wire: &Wire) -> Answered {
    let tokens = redeem(wire, &code(wire).await, &[("redirect_uri", LOOPBACK)]).await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    tokens
}

async fn refresh(wire: &Wire, token: &str) -> Answered {
    wire.token(Teamleader, TOKEN, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

fn bearer(tokens: &Answered) -> String {
    format!("Bearer {}", tokens.text("access_token"))
}

fn refused(status: u16, title: &str) -> (u16, serde_json::Value) {
    (status, json!({ "errors": [{ "title": title, "status": status }] }))
}

/// The seed's whole journey: consent, code with PKCE, one GET, a last name.
#[tokio::test]
async fn the_seeds_get_gives_the_last_name_peeters_for_contact_42() {
    let wire = Wire::start().await;
    let parameters =
        [("redirect_uri", LOOPBACK), ("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let callback = wire.consent(Teamleader, AUTHORIZE, &parameters, Answer::Allow).await.unwrap();
    let code = parameter(&callback, "code").unwrap();
    let tokens = redeem(&wire, &code, &[("redirect_uri", LOOPBACK), ("code_verifier", VERIFIER)]).await;
    assert_eq!(tokens.json()["token_type"], "Bearer");
    assert_eq!(tokens.json()["expires_in"], 3600);
    let contact = wire.get(&format!("{INFO}?id=42"), &bearer(&tokens)).await;
    assert_eq!((contact.status, &contact.json()["data"]["last_name"]), (200, &json!("Peeters")));
    let expected = Stats { authorizations: 1, codes: 1, refreshes: 0, api_calls: 1, refused: 0 };
    assert_eq!(wire.sandbox.stats(Teamleader), expected);
}

/// Today's hosts and the seed's are doors to the same accounts, so a preset of either works.
#[tokio::test]
async fn what_one_generation_of_hosts_gave_holds_at_the_other() {
    let wire = Wire::start().await;
    let url = "https://focus.teamleader.eu/oauth2/access_token";
    let code = code(&wire).await;
    let grant = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", LOOPBACK)];
    let tokens = wire.token(Teamleader, url, &grant).await;
    for host in ["api.teamleader.eu", "api.focus.teamleader.eu"] {
        let contact = wire.get(&format!("https://{host}/contacts.info?id=42"), &bearer(&tokens)).await;
        assert_eq!(contact.status, 200, "{host}");
    }
}

/// SEED-34: the documents ask for POST and JSON, the seed for GET and a query; both are answered.
#[tokio::test]
async fn contacts_are_found_by_post_too_on_both_generations_of_hosts() {
    let wire = Wire::start().await;
    let tokens = authorized(&wire).await;
    let authorization = bearer(&tokens);
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    for body in [r#"{"id":"42"}"#, r#"{"id":42}"#] {
        let url = "https://api.focus.teamleader.eu/contacts.info";
        let contact = wire.send(Method::POST, url, &headers, body).await;
        assert_eq!(contact.json()["data"]["last_name"], "Peeters", "{body}");
    }
    let unknown = wire.send(Method::POST, INFO, &headers, r#"{"id":"999"}"#).await;
    assert_eq!(unknown.parts(), refused(404, "Contact not found"));
    let without_id = wire.get(INFO, &authorization).await;
    assert_eq!(without_id.parts(), refused(400, "id must not be empty"));
}

/// SEED-34: 204 with an empty body on writes.
#[tokio::test]
async fn a_write_is_answered_with_204_and_nothing_and_is_kept() {
    let wire = Wire::start().await;
    let authorization = bearer(&authorized(&wire).await);
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let url = "https://api.teamleader.eu/contacts.update";
    let written = wire.send(Method::POST, url, &headers, r#"{"id":"43","last_name":"De Smet"}"#).await;
    assert_eq!((written.status, written.body.as_str()), (204, ""));
    let contact = wire.get(&format!("{INFO}?id=43"), &authorization).await;
    assert_eq!(contact.json()["data"]["last_name"], "De Smet");
}

/// SEED-15: Teamleader's denial carries the error and nothing else, not even the state.
#[tokio::test]
async fn a_denial_is_access_denied_and_nothing_else() {
    let wire = Wire::start().await;
    let parameters = [("redirect_uri", "http://127.0.0.1:4711/callback?keep=1"), ("state", "s1")];
    let callback = wire.consent(Teamleader, AUTHORIZE, &parameters, Answer::Deny).await.unwrap();
    assert_eq!(callback.query(), Some("keep=1&error=access_denied"));
    assert_eq!(wire.sandbox.stats(Teamleader).authorizations, 0);
}

#[tokio::test]
async fn a_code_lives_ten_minutes() {
    let wire = Wire::start().await;
    let (early, late) = (code(&wire).await, code(&wire).await);
    wire.pass(599);
    assert_eq!(redeem(&wire, &early, &[("redirect_uri", LOOPBACK)]).await.status, 200);
    wire.pass(1);
    let refusal = redeem(&wire, &late, &[("redirect_uri", LOOPBACK)]).await;
    assert_eq!(refusal.parts(), refused(400, "The authorization code is invalid, used or expired."));
}

/// RFC 6749 section 4.1.2: a code used twice is refused, and what it gave is revoked (OA-36).
#[tokio::test]
async fn a_code_used_twice_ends_the_grant() {
    let wire = Wire::start().await;
    let code = code(&wire).await;
    let tokens = redeem(&wire, &code, &[("redirect_uri", LOOPBACK)]).await;
    assert_eq!(redeem(&wire, &code, &[("redirect_uri", LOOPBACK)]).await.status, 400);
    assert_eq!(wire.get(INFO, &bearer(&tokens)).await.status, 401);
}

/// RFC 6749 section 4.1.3 (OA-11) and RFC 7636 section 4.6 (OA-9).
#[tokio::test]
async fn redirect_uri_and_verifier_must_be_those_of_the_authorization() {
    let wire = Wire::start().await;
    let pkce = [("redirect_uri", LOOPBACK), ("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let callback = wire.consent(Teamleader, AUTHORIZE, &pkce, Answer::Allow).await.unwrap();
    let code = parameter(&callback, "code").unwrap();
    let verifier = ("code_verifier", VERIFIER);
    let redirect = "The redirect URI does not match.";
    let mismatch = "The code verifier does not match.";
    for (more, title) in [
        (vec![verifier], redirect),
        (vec![verifier, ("redirect_uri", "http://127.0.0.1:4711/other")], redirect),
        (vec![("redirect_uri", LOOPBACK)], mismatch),
        (vec![("redirect_uri", LOOPBACK), ("code_verifier", "another")], mismatch),
    ] {
        assert_eq!(redeem(&wire, &code, &more).await.parts(), refused(400, title), "{more:?}");
    }
    assert_eq!(redeem(&wire, &code, &[verifier, ("redirect_uri", LOOPBACK)]).await.status, 200);
}

/// RFC 9700 section 4.8.2: a verifier for a code that was asked without a challenge is a downgrade.
#[tokio::test]
async fn a_verifier_without_a_challenge_is_refused() {
    let wire = Wire::start().await;
    let more = [("redirect_uri", LOOPBACK), ("code_verifier", VERIFIER)];
    assert_eq!(redeem(&wire, &code(&wire).await, &more).await.status, 400);
}

#[tokio::test]
async fn an_access_token_lives_an_hour_unless_the_options_say_otherwise() {
    let wire = Wire::start().await;
    let authorization = bearer(&authorized(&wire).await);
    wire.pass(3599);
    assert_eq!(wire.get(&format!("{INFO}?id=42"), &authorization).await.status, 200);
    wire.pass(1);
    let expired = wire.get(&format!("{INFO}?id=42"), &authorization).await;
    assert_eq!(expired.parts(), refused(401, "The access token is invalid or has expired."));

    let short = std::time::Duration::from_secs(2);
    let wire = Wire::start_with(|options| options.access_tokens_live(short)).await;
    let tokens = authorized(&wire).await;
    assert_eq!(tokens.json()["expires_in"], 2);
    wire.pass(2);
    assert_eq!(wire.get(INFO, &bearer(&tokens)).await.status, 401);
}

/// SEED-34: the refresh token is used once and replaced by a new one.
#[tokio::test]
async fn a_refresh_gives_a_new_pair() {
    let wire = Wire::start().await;
    let first = authorized(&wire).await;
    wire.pass(3600);
    let second = refresh(&wire, &first.text("refresh_token")).await;
    assert_ne!(second.text("refresh_token"), first.text("refresh_token"));
    assert_eq!(wire.get(&format!("{INFO}?id=42"), &bearer(&second)).await.status, 200);
    assert_eq!(wire.sandbox.stats(Teamleader).refreshes, 1);
}

/// RFC 9700 section 4.14.2, and what the certified server does: the loser of a race ends the grant (OA-37).
#[tokio::test]
async fn a_refresh_token_used_again_is_refused_and_ends_the_grant() {
    let wire = Wire::start().await;
    let first = authorized(&wire).await;
    let second = refresh(&wire, &first.text("refresh_token")).await;
    let again = refresh(&wire, &first.text("refresh_token")).await;
    assert_eq!(again.parts(), refused(400, "The refresh token is invalid."));
    assert_eq!(wire.get(INFO, &bearer(&second)).await.status, 401);
    assert_eq!(refresh(&wire, &second.text("refresh_token")).await.status, 400);
}

/// oauth 0.1, measured at the certified server: of three refreshes at once one wins, and then it is dead too.
#[tokio::test]
async fn of_three_refreshes_at_once_one_wins_and_the_losers_kill_what_it_won() {
    let wire = Wire::start().await;
    let token = authorized(&wire).await.text("refresh_token");
    let (one, two, three) =
        tokio::join!(refresh(&wire, &token), refresh(&wire, &token), refresh(&wire, &token));
    let (won, lost): (Vec<_>, Vec<_>) = [one, two, three].into_iter().partition(|reply| reply.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 2));
    assert_eq!(wire.get(INFO, &bearer(&won[0])).await.status, 401);
    assert_eq!(wire.sandbox.stats(Teamleader).refreshes, 1);
}

/// OA-25: credentials travel in the body, and both must be right.
#[tokio::test]
async fn a_client_that_is_not_known_gets_no_tokens() {
    let wire = Wire::start().await;
    let wrong =
        wire.post_form(TOKEN, "grant_type=refresh_token&client_id=sandbox-teamleader&client_secret=x");
    assert_eq!(wrong.await.parts(), refused(401, "Client authentication failed"));
    let none = wire.post_form(TOKEN, "grant_type=refresh_token").await;
    assert_eq!(none.parts(), refused(400, "The request is missing a required parameter."));
    let password = wire.token(Teamleader, TOKEN, &[("grant_type", "password")]).await;
    assert_eq!(password.parts(), refused(400, "The grant type is not supported."));
}

/// The vendor takes forms and JSON at the token endpoint.
#[tokio::test]
async fn a_token_request_may_be_json() {
    use secrecy::ExposeSecret as _;
    let wire = Wire::start().await;
    let client = wire.sandbox.client(Teamleader);
    let body = json!({
        "client_id": client.id, "client_secret": client.secret.expose_secret(),
        "grant_type": "authorization_code", "code": code(&wire).await, "redirect_uri": LOOPBACK,
    });
    let headers = [("content-type", "application/json")];
    assert_eq!(wire.send(Method::POST, TOKEN, &headers, &body.to_string()).await.status, 200);
}

/// SEED-34: 200 a sliding minute; the reset is a timestamp whose offset has no colon.
#[tokio::test]
async fn the_two_hundred_and_first_call_within_a_minute_is_too_many() {
    let wire = Wire::start().await;
    let authorization = bearer(&authorized(&wire).await);
    let url = format!("{INFO}?id=42");
    let last = wire.burst(200, &url, &authorization).await;
    assert_eq!((last.status, last.header("x-ratelimit-remaining")), (200, "0"));
    wire.pass(59);
    let denied = wire.get(&url, &authorization).await;
    assert_eq!(denied.parts(), refused(429, "Too many requests"));
    assert_eq!(denied.header("x-ratelimit-limit"), "200");
    assert_eq!(denied.header("x-ratelimit-reset"), "2026-11-24T15:05:05.000+0100");
    wire.pass(1);
    assert_eq!(wire.get(&url, &authorization).await.status, 200);
}

#[tokio::test]
async fn consent_tells_why_it_came_to_no_callback() {
    let wire = Wire::start().await;
    let elsewhere = wire.consent(Teamleader, "https://evil.test/oauth2/authorize", &[], Answer::Allow).await;
    assert!(matches!(elsewhere, Err(ConsentError::NotOurs(host)) if host == "evil.test"));
    let refused = wire.consent(Teamleader, AUTHORIZE, &[], Answer::Allow).await.unwrap_err();
    let words = "the provider refused the authorization request with status 400: redirect_uri is missing";
    assert_eq!(refused.to_string(), words);
    let parameters = [("redirect_uri", LOOPBACK)];
    let account = Answer::AllowFrom(DataCentre::Eu);
    let no_account = wire.consent(Teamleader, AUTHORIZE, &parameters, account).await;
    assert!(matches!(no_account, Err(ConsentError::NoSuchAccount(DataCentre::Eu))));
}
