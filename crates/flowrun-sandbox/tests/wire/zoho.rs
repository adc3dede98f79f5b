//! Zoho on the wire: data centres, offline access, errors with status 200 (SEED-31, SEED-32, OA-30).

use flowrun_sandbox::ProviderName::Zoho;
use flowrun_sandbox::{Answer, DataCentre};
use serde_json::{Value, json};

use crate::client::{Answered, LOOPBACK, Wire, parameter};

const COM: &str = "https://accounts.zoho.com/oauth/v2/auth";
const SCOPE: &str = "ZohoCRM.org.READ,ZohoCRM.modules.ALL";

async fn consent(wire: &Wire, more: &[(&str, &str)], answer: Answer) -> url::Url {
    let parameters = [&[("redirect_uri", LOOPBACK), ("state", "s1")], more].concat();
    wire.consent(Zoho, COM, &parameters, answer).await.unwrap()
}

async fn redeem(wire: &Wire, centre: DataCentre, code: &str) -> Answered {
    let parameters = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", LOOPBACK)];
    wire.token(Zoho, &token_url(centre), &parameters).await
}

async fn refresh(wire: &Wire, centre: DataCentre, token: &str) -> Answered {
    let parameters = [("grant_type", "refresh_token"), ("refresh_token", token)];
    wire.token(Zoho, &token_url(centre), &parameters).await
}

/// Tokens of an account in Europe, asked for with these parameters besides the scope.
async fn authorized(wire: &Wire, more: &[(&str, &str)]) -> Answered {
    let parameters = [&[("scope", SCOPE)], more].concat();
    let callback = consent(wire, &parameters, Answer::AllowFrom(DataCentre::Eu)).await;
    redeem(wire, DataCentre::Eu, &parameter(&callback, "code").unwrap()).await
}

fn token_url(centre: DataCentre) -> String {
    format!("https://{}/oauth/v2/token", centre.accounts_host())
}

fn error(code: &str) -> (u16, Value) {
    (200, json!({ "error": code }))
}

/// oauth 1.1: authorization starts at .com, and the callback says where the account lives.
#[tokio::test]
async fn the_callback_names_the_data_centre_of_the_account() {
    let wire = Wire::start().await;
    for centre in DataCentre::ALL.into_iter().filter(|centre| *centre != DataCentre::Cn) {
        let callback = consent(&wire, &[("scope", SCOPE)], Answer::AllowFrom(centre)).await;
        assert_eq!(parameter(&callback, "location").unwrap(), centre.location());
        let server = format!("https://{}", centre.accounts_host());
        assert_eq!(parameter(&callback, "accounts-server").unwrap(), server);
        let tokens = redeem(&wire, centre, &parameter(&callback, "code").unwrap()).await;
        assert_eq!(tokens.text("api_domain"), format!("https://{}", centre.api_host()));
    }
}

/// oauth 1.1: Canada's hosts are not made by replacing a top-level domain.
#[tokio::test]
async fn canada_is_at_zohocloud_and_zohoapis_ca() {
    assert_eq!(DataCentre::Ca.accounts_host(), "accounts.zohocloud.ca");
    assert_eq!(DataCentre::Ca.api_host(), "www.zohoapis.ca");
}

#[tokio::test]
async fn china_has_its_own_accounts_and_no_others() {
    let wire = Wire::start().await;
    let parameters = [("redirect_uri", LOOPBACK), ("scope", SCOPE)];
    let at = |url: &'static str, centre| wire.consent(Zoho, url, &parameters, Answer::AllowFrom(centre));
    let china = "https://accounts.zoho.com.cn/oauth/v2/auth";
    assert!(at(COM, DataCentre::Cn).await.is_err());
    assert!(at(china, DataCentre::Us).await.is_err());
    let callback = at(china, DataCentre::Cn).await.unwrap();
    assert_eq!(parameter(&callback, "location").unwrap(), "cn");
}

/// oauth 1.1: `invalid_code` covers wrong data centre, expired, used.
#[tokio::test]
async fn a_code_is_redeemed_in_its_data_centre_once_and_within_a_minute() {
    let wire = Wire::start().await;
    let callback = consent(&wire, &[("scope", SCOPE)], Answer::AllowFrom(DataCentre::Eu)).await;
    let code = parameter(&callback, "code").unwrap();
    let elsewhere = redeem(&wire, DataCentre::Us, &code).await;
    assert_eq!(elsewhere.parts(), error("invalid_code"));
    assert_eq!(redeem(&wire, DataCentre::Eu, &code).await.json()["expires_in"], 3600);
    assert_eq!(redeem(&wire, DataCentre::Eu, &code).await.parts(), error("invalid_code"));

    let callback = consent(&wire, &[("scope", SCOPE)], Answer::Allow).await;
    wire.pass(60);
    let late = redeem(&wire, DataCentre::Us, &parameter(&callback, "code").unwrap()).await;
    assert_eq!(late.parts(), error("invalid_code"));
    assert_eq!(wire.sandbox.stats(Zoho).refused, 3);
}

/// SEED-20: without offline access there is no refresh token, and without consent only the first time.
#[tokio::test]
async fn a_refresh_token_comes_with_the_first_offline_consent_or_a_forced_one() {
    let offline = ("access_type", "offline");
    let forced = ("prompt", "consent");
    let wire = Wire::start().await;
    let mut given = Vec::new();
    for more in [vec![offline], vec![offline], vec![offline, forced], vec![forced], vec![]] {
        given.push(authorized(&wire, &more).await.json().get("refresh_token").is_some());
    }
    assert_eq!(given, [true, false, true, false, false]);
}

/// OA-43: a refresh's reply has no refresh token, and the old one stays good.
#[tokio::test]
async fn a_refresh_gives_no_refresh_token_and_leaves_the_old_one_good() {
    let wire = Wire::start().await;
    let token = authorized(&wire, &[("access_type", "offline")]).await.text("refresh_token");
    for _ in 0..2 {
        let renewed = refresh(&wire, DataCentre::Eu, &token).await;
        assert_eq!(renewed.json().get("refresh_token"), None, "{renewed:?}");
        assert_eq!(renewed.text("api_domain"), "https://www.zohoapis.eu");
    }
    let elsewhere = refresh(&wire, DataCentre::In, &token).await;
    assert_eq!(elsewhere.parts(), error("invalid_code"));
}

/// OA-51, oauth 1.1: the eleventh access token within ten minutes is refused, with status 200.
#[tokio::test]
async fn the_eleventh_refresh_within_ten_minutes_is_access_denied() {
    let wire = Wire::start().await;
    let token = authorized(&wire, &[("access_type", "offline")]).await.text("refresh_token");
    for _ in 0..10 {
        assert!(refresh(&wire, DataCentre::Eu, &token).await.json().get("access_token").is_some());
    }
    let denied = refresh(&wire, DataCentre::Eu, &token).await;
    assert_eq!((denied.status, denied.text("error").as_str()), (200, "Access Denied"));
    wire.pass(600);
    assert!(refresh(&wire, DataCentre::Eu, &token).await.json().get("access_token").is_some());
}

/// OA-30: Zoho says no with status 200.
#[tokio::test]
async fn a_refused_client_or_request_is_told_with_status_200() {
    let wire = Wire::start().await;
    let id = wire.sandbox.client(Zoho).id;
    let url = token_url(DataCentre::Us);
    for (form, code) in [
        ("client_id=x&client_secret=y&grant_type=refresh_token".to_owned(), "invalid_client"),
        (format!("client_id={id}&client_secret=y&grant_type=refresh_token"), "invalid_client_secret"),
        ("grant_type=refresh_token".to_owned(), "invalid_request"),
    ] {
        assert_eq!(wire.post_form(&url, &form).await.parts(), error(code), "{form}");
    }
}

/// Zoho's documents show the token request's parameters in the query.
#[tokio::test]
async fn a_token_request_may_have_its_parameters_in_the_query() {
    use secrecy::ExposeSecret as _;
    let wire = Wire::start().await;
    let client = wire.sandbox.client(Zoho);
    let callback = consent(&wire, &[("scope", SCOPE)], Answer::Allow).await;
    let mut url = url::Url::parse(&token_url(DataCentre::Us)).unwrap();
    url.query_pairs_mut()
        .append_pair("client_id", &client.id)
        .append_pair("client_secret", client.secret.expose_secret())
        .append_pair("grant_type", "authorization_code")
        .append_pair("code", &parameter(&callback, "code").unwrap())
        .append_pair("redirect_uri", LOOPBACK);
    assert!(wire.post_form(url.as_str(), "").await.json().get("access_token").is_some());
}

/// SEED-31, SEED-32: the organisation, under either scheme, in the account's own data centre.
#[tokio::test]
async fn the_organisation_is_read_in_its_own_data_centre_under_either_scheme() {
    let wire = Wire::start().await;
    let token = authorized(&wire, &[]).await.text("access_token");
    for (url, scheme) in [
        ("https://www.zohoapis.eu/crm/v8/org", "Zoho-oauthtoken"),
        ("https://www.zohoapis.eu/crm/v2/org", "Bearer"),
    ] {
        let organisation = wire.get(url, &format!("{scheme} {token}")).await;
        assert_eq!(organisation.json()["org"][0]["company_name"], "Atelier Peeters", "{organisation:?}");
    }
    let elsewhere = wire.get("https://www.zohoapis.com/crm/v8/org", &format!("Bearer {token}")).await;
    let invalid = json!({
        "code": "INVALID_TOKEN", "details": {}, "message": "invalid oauth token", "status": "error",
    });
    assert_eq!(elsewhere.parts(), (401, invalid));
}

/// OA-50: a token without the scope is told so, in a way a refresh would not mend.
#[tokio::test]
async fn a_token_without_the_scope_is_told_so() {
    let wire = Wire::start().await;
    let callback = consent(&wire, &[("scope", "ZohoCRM.users.READ")], Answer::Allow).await;
    let code = parameter(&callback, "code").unwrap();
    let token = redeem(&wire, DataCentre::Us, &code).await.text("access_token");
    let refused = wire.get("https://www.zohoapis.com/crm/v8/org", &format!("Zoho-oauthtoken {token}")).await;
    assert_eq!((refused.status, refused.text("code").as_str()), (401, "OAUTH_SCOPE_MISMATCH"));
}

/// OA-12: Zoho's scopes are separated by commas; spaces are somebody else's.
#[tokio::test]
async fn scopes_separated_by_spaces_are_refused() {
    let wire = Wire::start().await;
    let parameters = [("redirect_uri", LOOPBACK), ("scope", "ZohoCRM.org.READ ZohoCRM.users.READ")];
    let refused = wire.consent(Zoho, COM, &parameters, Answer::Allow).await.unwrap_err();
    assert!(refused.to_string().ends_with("scope is not valid"), "{refused}");
}
