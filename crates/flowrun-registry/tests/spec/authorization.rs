//! Authorizations: begun, completed once, and never at the cost of an earlier one (OA-10, 19, 23, 34, 36; N5).

use flowrun_oauth::{AuthStyle, Settings};
use flowrun_registry::{AuthorizeError, Begin};
use flowrun_step::{IntegrationState, Integrations, Tenant};

use crate::provider::Next;
use crate::world::{House, NAME, name};

async fn begun(house: &House, how: Begin) -> (flowrun_registry::Registry, String) {
    let registry = house.open();
    registry.add(house.draft(house.settings())).await.unwrap();
    let begun = registry.begin_authorization(&name(NAME), how).await.unwrap();
    (registry, house.provider.consent(&begun.url))
}

#[tokio::test]
async fn an_authorization_that_was_begun_is_completed_after_a_restart_oa_23() {
    let house = House::new().await;
    let (_, address) = begun(&house, Begin::default()).await;
    let done = house.open().complete_authorization(&name(NAME), &address, None).await.unwrap();
    assert_eq!(done.integration.state, IntegrationState::Authorized);
    assert_eq!(house.call(&house.open()).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_callback_is_good_for_one_exchange_whatever_becomes_of_it_oa_10_oa_36() {
    let house = House::new().await;
    let (registry, address) = begun(&house, Begin::default()).await;
    house.provider.next_token(Next::HangUp);
    let lost = registry.complete_authorization(&name(NAME), &address, None).await.unwrap_err();
    assert!(matches!(lost, AuthorizeError::Token { .. }));
    let again = registry.complete_authorization(&name(NAME), &address, None).await.unwrap_err();
    assert!(matches!(again, AuthorizeError::NothingPending(_)));
    assert_eq!(house.provider.token_requests().len(), 1);
    let shown = registry.show(&name(NAME)).await.unwrap();
    assert_eq!((shown.state, shown.failures), (IntegrationState::Incomplete, 1));
    assert!(shown.last_failure.unwrap().said.contains("reply was lost"));
}

#[tokio::test]
async fn a_stale_or_foreign_callback_leaves_the_attempt_waiting_oa_10_oa_17() {
    let house = House::new().await;
    let (registry, address) = begun(&house, Begin::default()).await;
    let forged = address.replace("state=", "state=x");
    let wrong = registry.complete_authorization(&name(NAME), &forged, None).await.unwrap_err();
    assert!(matches!(wrong, AuthorizeError::Callback { .. }));
    assert!(house.provider.token_requests().is_empty());
    registry.complete_authorization(&name(NAME), &address, None).await.unwrap();
}

#[tokio::test]
async fn after_ten_minutes_nothing_is_exchanged_oa_10() {
    let house = House::new().await;
    let (registry, address) = begun(&house, Begin::default()).await;
    house.clock.forward(601);
    let late = registry.complete_authorization(&name(NAME), &address, None).await.unwrap_err();
    let help = "begin again, and finish within ten minutes: flowrun integrations authorize teamleader";
    assert_eq!(late.help(), help);
    assert!(house.provider.token_requests().is_empty());
}

#[tokio::test]
async fn a_callback_in_another_browser_exchanges_nothing_t11() {
    let house = House::new().await;
    let how = Begin { session_binding: Some("cookie".to_owned()), ..Begin::default() };
    let (registry, address) = begun(&house, how).await;
    for shown in [None, Some("another")] {
        assert!(registry.complete_authorization(&name(NAME), &address, shown).await.is_err());
    }
    assert!(house.provider.token_requests().is_empty());
    registry.complete_authorization(&name(NAME), &address, Some("cookie")).await.unwrap();
}

#[tokio::test]
async fn a_denied_or_failed_reauthorization_keeps_the_earlier_one_oa_19_seed_18() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let begun = registry.begin_authorization(&name(NAME), Begin::default()).await.unwrap();
    let denied = house.provider.consent(&begun.url).replace("code=canary-code", "error=access_denied");
    assert!(registry.complete_authorization(&name(NAME), &denied, None).await.is_err());
    let begun = registry.begin_authorization(&name(NAME), Begin::default()).await.unwrap();
    house.provider.next_token(Next::Say(400, "", r#"{"error":"invalid_client"}"#.to_owned()));
    let address = house.provider.consent(&begun.url);
    assert!(registry.complete_authorization(&name(NAME), &address, None).await.is_err());
    let shown = registry.show(&name(NAME)).await.unwrap();
    assert_eq!((shown.state, shown.failures), (IntegrationState::Authorized, 2));
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
}

#[tokio::test]
async fn scopes_that_were_not_granted_are_named_oa_34() {
    let house = House::new().await;
    house.provider.add(r#""scope":"profile""#);
    let (registry, address) = begun(&house, Begin::default()).await;
    let done = registry.complete_authorization(&name(NAME), &address, None).await.unwrap();
    assert_eq!(done.missing_scopes, ["contacts"]);
    let listed = Integrations::list(&registry, &Tenant::default()).await.unwrap();
    assert_eq!(
        (&listed[0].scopes[..], &listed[0].granted),
        (&["contacts".to_owned()][..], &Some(vec!["profile".to_owned()]))
    );
    let check = registry.check(&name(NAME)).await.unwrap();
    let bad: Vec<_> = check.wrong().map(|it| it.said.as_str()).collect();
    assert_eq!(bad, ["asked for and not granted: contacts"]);
}

#[tokio::test]
async fn client_credentials_are_authorised_without_a_browser_and_asked_for_again_oa_53() {
    let house = House::new().await;
    house.provider.add(r#""refresh_token":null"#);
    let registry = house.open();
    let token_url = house.settings().token_url;
    let settings = Settings { auth_style: AuthStyle::Basic, ..Settings::client_credentials(token_url) };
    registry.add(house.draft(settings)).await.unwrap();
    assert!(house.call(&registry).await.is_err());
    registry.authorize_client(&name(NAME)).await.unwrap();
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
    house.clock.forward(3600);
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
    house.provider.expire();
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
    let kinds = house.provider.token_requests();
    assert_eq!(kinds.iter().filter(|it| it.form["grant_type"] == "client_credentials").count(), 3);
}

#[tokio::test]
async fn a_registry_in_memory_does_the_same_and_touches_no_file_n10() {
    let house = House::new().await;
    let registry = house.in_memory();
    registry.add(house.draft(house.settings())).await.unwrap();
    house.authorize(&registry).await;
    house.provider.expire();
    let way_out = registry.outbound(&Tenant::default(), &name(NAME));
    assert_eq!(way_out.send(house.request("/api")).await.unwrap().status, 200);
    assert_eq!(std::fs::read_dir(house.folder.path()).unwrap().count(), 0);
}
