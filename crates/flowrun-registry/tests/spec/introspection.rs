//! Asking the provider about a token, and believing it (OA-66, RFC 7662).

use flowrun_oauth::{AuthStyle, Settings};
use flowrun_registry::{IntrospectError, Registry, Standing};
use flowrun_step::IntegrationState;

use crate::provider::Next;
use crate::world::{House, NAME, name};

fn settings(house: &House) -> Settings {
    let origin = format!("http://{}", house.provider.address());
    Settings { introspect_url: Some(format!("{origin}/introspect")), ..house.settings() }
}

async fn asked(house: &House, registry: &Registry, body: &str) -> Result<Standing, IntrospectError> {
    house.provider.next_call(Next::Say(200, "", body.to_owned()));
    registry.introspect(&name(NAME)).await
}

#[tokio::test]
async fn an_active_token_stays_as_it_is_oa_66() {
    let house = House::new().await;
    let registry = house.authorized_with(settings(&house)).await;
    let standing = asked(&house, &registry, r#"{"active":true}"#).await;
    assert_eq!(standing.unwrap(), Standing::Active);
    let call = house.provider.calls().remove(0);
    assert!(call.head.starts_with("POST /introspect"));
    assert_eq!(call.form["token"], "canary-access-1");
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
    assert_eq!(house.provider.refreshes(), 0);
}

#[tokio::test]
async fn a_token_that_is_not_active_counts_as_expired_and_its_next_use_refreshes_it_oa_66() {
    let house = House::new().await;
    let registry = house.authorized_with(settings(&house)).await;
    assert_eq!(house.call(&registry).await.unwrap().status, 200, "in use, and cached");
    let standing = asked(&house, &registry, r#"{"active":false}"#).await;
    assert_eq!(standing.unwrap(), Standing::RefreshDue);
    assert_eq!(registry.show(&name(NAME)).await.unwrap().state, IntegrationState::Authorized);
    assert_eq!(house.provider.refreshes(), 0, "asking changes nothing at the provider");
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
    assert_eq!(house.provider.refreshes(), 1);
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
    assert_eq!(house.provider.refreshes(), 1, "the new token is as good as any");
}

#[tokio::test]
async fn a_token_without_end_that_is_not_active_and_cannot_be_refreshed_is_lost_oa_66() {
    let house = House::new().await;
    house.provider.add(r#""refresh_token":null,"expires_in":0"#);
    let registry = house.authorized_with(settings(&house)).await;
    assert_eq!(asked(&house, &registry, r#"{"active":false}"#).await.unwrap(), Standing::Lost);
    let calls = house.provider.calls().len();
    let told = house.call(&registry).await.unwrap_err();
    assert!(told.help().unwrap().contains("flowrun integrations authorize teamleader"), "{told:?}");
    assert_eq!(house.provider.calls().len(), calls, "it is not sent any more");
}

#[tokio::test]
async fn client_credentials_are_asked_for_again_oa_66_oa_53() {
    let house = House::new().await;
    house.provider.add(r#""refresh_token":null,"expires_in":0"#);
    let registry = house.open();
    let Settings { token_url, introspect_url, .. } = settings(&house);
    let settings =
        Settings { introspect_url, auth_style: AuthStyle::Basic, ..Settings::client_credentials(token_url) };
    registry.add(house.draft(settings)).await.unwrap();
    registry.authorize_client(&name(NAME)).await.unwrap();
    assert_eq!(asked(&house, &registry, r#"{"active":false}"#).await.unwrap(), Standing::RefreshDue);
    for _ in 0..2 {
        assert_eq!(house.call(&registry).await.unwrap().status, 200);
    }
    assert_eq!(house.provider.token_requests().len(), 2);
}

#[tokio::test]
async fn where_nobody_answers_nothing_is_known_and_nothing_changes_oa_66() {
    let house = House::new().await;
    let registry = house.open();
    registry.add(house.draft(settings(&house))).await.unwrap();
    let none = registry.introspect(&name(NAME)).await.unwrap_err();
    assert_eq!(none.help(), "flowrun integrations authorize teamleader");
    house.authorize(&registry).await;
    house.provider.next_call(Next::Say(401, "", r#"{"error":"invalid_client"}"#.to_owned()));
    let refused = registry.introspect(&name(NAME)).await.unwrap_err();
    assert!(refused.help().contains("flowrun integrations edit teamleader"), "{}", refused.help());
    assert!(asked(&house, &registry, "<html>").await.is_err());
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
    assert_eq!(house.provider.refreshes(), 0);

    let house = House::new().await;
    let registry = house.authorized().await;
    let unknown = registry.introspect(&name(NAME)).await.unwrap_err();
    assert!(unknown.help().ends_with("flowrun integrations edit teamleader --introspect-url URL"));
    assert!(house.provider.calls().is_empty());
}
