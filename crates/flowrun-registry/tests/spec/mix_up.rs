//! A code goes to the token endpoint of the provider it was asked of, and to no other (RFC 9700 4.4, OA-10, OA-20, T12).

use flowrun_oauth::Settings;
use flowrun_registry::{AuthorizeError, Begin, Edit, NewIntegration};
use flowrun_step::IntegrationState;

use crate::world::{House, NAME, name};

/// Two integrations, one of them with a provider that means harm; a person is sent to the one and comes back with what
/// belongs to the other.
#[tokio::test]
async fn mix_up_code_never_reaches_other_token_url_t12() {
    let honest = House::new().await;
    let evil = format!("http://{}/evil", honest.provider.address());
    let registry = honest.open();
    registry.add(honest.draft(honest.settings())).await.unwrap();
    let settings = Settings::authorization_code(format!("{evil}/authorize"), format!("{evil}/token"));
    let draft = NewIntegration { name: name("evil"), ..honest.draft(settings) };
    registry.add(draft).await.unwrap();
    let (good, bad) = (name(NAME), name("evil"));
    let begun_good = registry.begin_authorization(&good, Begin::default()).await.unwrap();
    let begun_bad = registry.begin_authorization(&bad, Begin::default()).await.unwrap();
    let callback = honest.provider.consent(&begun_good.url);

    // The honest provider's code, at the callback of the other, whole or with the other's path or state.
    let query = callback.split_once('?').unwrap().1;
    let at_bad = format!("{}?{query}", begun_bad.redirect_uri);
    let state_of_bad = honest.provider.consent(&begun_bad.url);
    let good_path_bad_state = state_of_bad.replace(&begun_bad.redirect_uri, &begun_good.redirect_uri);
    for (integration, address) in [
        (&bad, &*callback),
        (&bad, &*at_bad),
        (&bad, query),
        (&good, &*good_path_bad_state),
        (&good, &*state_of_bad),
    ] {
        let refused = registry.complete_authorization(integration, address, None).await.unwrap_err();
        assert!(matches!(refused, AuthorizeError::Callback { .. }), "{address}: {refused:?}");
    }
    assert!(honest.provider.token_requests().is_empty() && honest.provider.calls().is_empty());
    registry.complete_authorization(&good, &callback, None).await.unwrap();
    assert_eq!(honest.provider.token_requests().len(), 1);
    assert!(honest.provider.calls().is_empty(), "nothing went to the other token endpoint");
}

/// The attempt remembers its token endpoint, also across a restart: one that is changed meanwhile gets nothing.
#[tokio::test]
async fn a_token_url_that_changes_during_an_attempt_gets_no_code_t12_oa_23() {
    let house = House::new().await;
    let registry = house.open();
    registry.add(house.draft(house.settings())).await.unwrap();
    let begun = registry.begin_authorization(&name(NAME), Begin::default()).await.unwrap();
    let callback = house.provider.consent(&begun.url);
    let other =
        Settings { token_url: format!("http://{}/other", house.provider.address()), ..house.settings() };
    let provider = Some(flowrun_oauth::Provider::new(other).unwrap());
    let client_secret = Some("canary-client-secret".into());
    registry.edit(&name(NAME), Edit { provider, client_secret, ..Edit::default() }).await.unwrap();
    let refused = house.open().complete_authorization(&name(NAME), &callback, None).await.unwrap_err();
    assert!(matches!(refused, AuthorizeError::NothingPending(_)), "{refused:?}");
    assert!(house.provider.calls().is_empty() && house.provider.token_requests().is_empty());
}

/// SEED-32, OA-21: what Zoho's callback says of the token server is one of Zoho's, or nothing leaves at all.
#[tokio::test]
async fn a_token_server_that_the_callback_makes_up_is_sent_nothing_oa_21() {
    let house = House::new().await;
    let registry = house.open();
    let zoho = flowrun_oauth::Preset::named("zoho").unwrap().provider(&Default::default()).unwrap();
    registry.add(house.draft(zoho.settings().clone())).await.unwrap();
    let begun = registry.begin_authorization(&name(NAME), Begin::default()).await.unwrap();
    let callback = house.provider.consent(&begun.url);
    for server in [
        "https://evil.test",
        "https://accounts.zoho.eu.evil.test",
        "https://accounts.zoho.eu@evil.test",
        "http://accounts.zoho.eu",
        "https://accounts.zoho.eu/",
        "https://accounts.zoho.eu:8443",
        "//evil.test",
    ] {
        let address = format!("{callback}&location=eu&accounts-server={server}");
        let refused = registry.complete_authorization(&name(NAME), &address, None).await.unwrap_err();
        assert!(matches!(refused, AuthorizeError::Callback { .. }), "{server}: {refused:?}");
        assert!(!refused.to_string().contains("evil"), "{refused}");
    }
    // This client dials one address whatever the host is, so anything that left would be there.
    assert!(house.provider.token_requests().is_empty() && house.provider.calls().is_empty());
    let own = format!("{callback}&location=eu&accounts-server=https://accounts.zoho.eu");
    registry.complete_authorization(&name(NAME), &own, None).await.unwrap_err();
    let asked = house.provider.calls().remove(0).head;
    assert!(asked.starts_with("POST /oauth/v2/token HTTP/1.1\r\nhost: accounts.zoho.eu"), "{asked}");
}

/// RFC 9207 2.4, OA-20: where the issuer is known, an answer in another's name exchanges nothing and ends nothing.
#[tokio::test]
async fn an_answer_in_another_issuers_name_exchanges_nothing_oa_20() {
    let house = House::new().await;
    let registry = house.open();
    let issuer = format!("http://{}", house.provider.address());
    let settings = Settings { issuer: Some(issuer.clone()), issuer_required: true, ..house.settings() };
    registry.add(house.draft(settings)).await.unwrap();
    let begun = registry.begin_authorization(&name(NAME), Begin::default()).await.unwrap();
    let callback = house.provider.consent(&begun.url);
    for wrong in
        [callback.clone(), format!("{callback}&iss=https://evil.test"), format!("{callback}&iss={issuer}/")]
    {
        assert!(registry.complete_authorization(&name(NAME), &wrong, None).await.is_err(), "{wrong}");
    }
    assert!(house.provider.token_requests().is_empty());
    let right = format!("{callback}&iss={issuer}");
    let done = registry.complete_authorization(&name(NAME), &right, None).await.unwrap();
    assert_eq!(done.integration.state, IntegrationState::Authorized);
}
