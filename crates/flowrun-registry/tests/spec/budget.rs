//! A client-side cap on token requests (OA-51): shared by processes, refused locally, and never at a good token's cost.

use flowrun_oauth::{Budget, Settings};
use flowrun_registry::{AuthorizeError, Begin, Leg, Registry};

use crate::world::{House, NAME, name};

/// Three token requests in ten minutes; the authorization is the first.
async fn capped(house: &House) -> Registry {
    let budget = Some(Budget { requests: 3, seconds: 600 });
    house.authorized_with(Settings { budget, ..house.settings() }).await
}

#[tokio::test]
async fn over_the_budget_a_refresh_is_refused_here_and_says_when_it_goes_on_oa_51() {
    let house = House::new().await;
    let registry = capped(&house).await;
    for seconds in [10, 10] {
        house.clock.forward(seconds);
        registry.force_refresh(&name(NAME)).await.unwrap();
    }
    // Another process has the same budget, and a person's wish does not go over it.
    let error = house.open().force_refresh(&name(NAME)).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    let until = "3 in 600 s are used up until 2027-01-15T08:10:00Z";
    assert!(error.to_string().contains(until), "{error}");
    assert_eq!(house.provider.token_requests().len(), 3);
    let checkup = registry.check(&name(NAME)).await.unwrap();
    let wrong: Vec<_> = checkup.wrong().map(|it| it.leg).collect();
    assert_eq!(wrong, [Leg::Refresh]);

    house.clock.forward(579);
    assert!(registry.force_refresh(&name(NAME)).await.is_err(), "a second too early");
    house.clock.forward(1);
    registry.force_refresh(&name(NAME)).await.unwrap();
    assert!(registry.force_refresh(&name(NAME)).await.is_err(), "the window slides, it does not empty");
    assert_eq!(house.provider.token_requests().len(), 4);
}

#[tokio::test]
async fn a_good_token_is_used_while_the_budget_is_spent_and_a_dead_one_is_a_failure_that_passes_oa_51() {
    let house = House::new().await;
    house.provider.add(r#""expires_in":300"#);
    let registry = capped(&house).await;
    for _ in 0..2 {
        registry.force_refresh(&name(NAME)).await.unwrap();
    }
    house.clock.forward(270);
    assert_eq!(house.call(&registry).await.unwrap().status, 200, "due, and good for half a minute");
    assert_eq!(house.provider.token_requests().len(), 3);
    house.clock.forward(31);
    let error = house.call(&registry).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!((house.provider.token_requests().len(), house.provider.calls().len()), (3, 1));
    house.clock.forward(300);
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
}

#[tokio::test]
async fn an_authorization_counts_too_and_over_the_budget_its_code_is_not_used_up_oa_51() {
    let house = House::new().await;
    let registry = capped(&house).await;
    for _ in 0..2 {
        registry.force_refresh(&name(NAME)).await.unwrap();
    }
    house.clock.forward(500);
    let begun = registry.begin_authorization(&name(NAME), Begin::default()).await.unwrap();
    let address = house.provider.consent(&begun.url);
    let error = registry.complete_authorization(&name(NAME), &address, None).await.unwrap_err();
    assert!(matches!(error, AuthorizeError::NotNow { .. }), "{error:?}");
    assert_eq!(house.provider.token_requests().len(), 3);
    house.clock.forward(100);
    registry.complete_authorization(&name(NAME), &address, None).await.unwrap();
}

#[tokio::test]
async fn a_client_that_acts_for_itself_has_a_budget_too_oa_51_oa_53() {
    let house = House::new().await;
    let token_url = house.settings().token_url;
    let budget = Some(Budget { requests: 1, seconds: 600 });
    let registry = house.open();
    let settings = Settings { budget, ..Settings::client_credentials(token_url) };
    registry.add(house.draft(settings)).await.unwrap();
    registry.authorize_client(&name(NAME)).await.unwrap();
    let error = registry.authorize_client(&name(NAME)).await.unwrap_err();
    assert!(error.to_string().contains("1 in 600 s are used up"), "{error}");
    assert_eq!(house.provider.token_requests().len(), 1);
    assert_eq!(house.call(&registry).await.unwrap().status, 200, "what it has is as it was");
}

#[tokio::test]
async fn a_clock_that_is_set_back_neither_locks_nor_opens_the_budget_for_a_day_oa_47() {
    let house = House::new().await;
    let registry = capped(&house).await;
    for _ in 0..2 {
        registry.force_refresh(&name(NAME)).await.unwrap();
    }
    house.clock.forward(-86_400);
    for _ in 0..3 {
        registry.force_refresh(&name(NAME)).await.unwrap();
    }
    assert!(registry.force_refresh(&name(NAME)).await.is_err());
}
