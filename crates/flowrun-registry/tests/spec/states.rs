//! States, names, and what may be seen of an integration (OA-1 to OA-5, SEED-4 to SEED-17).

use flowrun_registry::{Edit, LookupError, RefreshError};
use flowrun_step::{IntegrationState, Integrations, NeedsAttention, StepError, Tenant};

use crate::world::{House, NAME, name};

/// What a step is told: the state, and the command to type.
fn told(error: StepError) -> (Option<IntegrationState>, String) {
    match error {
        StepError::Integration { state, help, .. } => (state, help),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn only_an_authorized_integration_resolves_in_a_step_oa_1() {
    let house = House::new().await;
    let registry = house.open();
    registry.add(house.draft(house.settings())).await.unwrap();
    let error = house.call(&registry).await.unwrap_err();
    let command = "flowrun integrations authorize teamleader".to_owned();
    assert_eq!(told(error), (Some(IntegrationState::Incomplete), command.clone()));

    house.authorize(&registry).await;
    assert_eq!(house.call(&registry).await.unwrap().status, 200);

    house.provider.revoke();
    let error = house.call(&registry).await.unwrap_err();
    let refused = IntegrationState::NeedsAttention(NeedsAttention::RefreshRefused);
    assert_eq!(told(error), (Some(refused), command));
    assert_eq!(house.provider.calls().len(), 2, "an unusable integration sends nothing");
}

#[tokio::test]
async fn an_unknown_name_gives_names_like_it_and_sends_nothing_oa_2() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let Err(LookupError::Unknown(error)) = registry.show(&name("taemleader")).await else { panic!() };
    assert_eq!(error.similar, [name(NAME)]);
    assert_eq!(error.help(), "did you mean `teamleader`?");
    let way_out = registry.outbound(&Tenant::default(), &name("zoho"));
    assert_eq!(told(way_out.send(house.request("/api")).await.unwrap_err()).0, None);
    assert_eq!(house.provider.calls().len(), 0);
}

#[tokio::test]
async fn names_are_compared_without_case_and_kept_as_typed_seed_4() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let way_out = registry.outbound(&Tenant::default(), &name(" TeamLeader "));
    assert_eq!(way_out.send(house.request("/api")).await.unwrap().status, 200);
    assert_eq!(registry.show(&name("TEAMLEADER")).await.unwrap().name.as_str(), "teamleader");
    let mut again = house.draft(house.settings());
    again.name = name("Teamleader");
    let error = registry.add(again).await.unwrap_err();
    assert_eq!(error.to_string(), "there is an integration `teamleader` already");
}

#[tokio::test]
async fn what_is_shown_has_times_scopes_and_hosts_but_no_secret_oa_3_oa_5() {
    let house = House::new().await;
    let registry = house.authorized().await;
    house.clock.forward(10);
    registry.force_refresh(&name(NAME)).await.unwrap();
    let shown = registry.show(&name(NAME)).await.unwrap();
    assert_eq!(shown.refreshed_at.unwrap().as_second() - shown.authorized_at.unwrap().as_second(), 10);
    assert_eq!(shown.expires_at.unwrap().as_second() - shown.refreshed_at.unwrap().as_second(), 3600);
    assert_eq!(shown.hosts, [house.provider.address().to_string()]);
    assert!(shown.is_refreshable && shown.has_client_secret);
    // RFC 6749 5.1: this provider names no scope, and so granted what was asked for.
    let listed = Integrations::list(&registry, &Tenant::default()).await.unwrap();
    assert_eq!(
        (&listed[0].granted, shown.granted_scopes.is_none()),
        (&Some(vec!["contacts".to_owned()]), true)
    );
    let check = registry.check(&name(NAME)).await.unwrap();
    assert!(check.is_usable() && check.wrong().next().is_none(), "{check:?}");
    let all = format!("{shown:?} {check:?} {registry:?} {}", serde_json::to_string(&shown).unwrap());
    assert!(!all.contains("canary"), "{all}");
}

#[tokio::test]
async fn a_draft_has_its_callback_url_before_anything_else_and_keeps_it_seed_8_seed_9() {
    let house = House::new().await;
    let registry = house.open();
    let mut draft = house.draft(house.settings());
    (draft.client_id, draft.client_secret) = (None, None);
    let added = registry.add(draft).await.unwrap();
    assert_eq!(
        added.redirect_uri,
        format!("http://127.0.0.1:{}/oauth/callback/{}", added.port, added.callback_id)
    );
    let begun = registry.begin_authorization(&name(NAME), Default::default()).await;
    assert_eq!(begun.unwrap_err().to_string(), "integration `teamleader` has no client id yet");

    let given = Edit {
        client_id: Some("client".to_owned()),
        client_secret: Some("canary-client-secret".into()),
        ..Edit::default()
    };
    let edited = house.open().edit(&name(NAME), given).await.unwrap();
    assert!(!edited.secret_destroyed && edited.integration.has_client_secret);
    assert_eq!(edited.integration.redirect_uri, added.redirect_uri);
    house.authorize(&registry).await;
    assert_eq!(house.provider.token_requests()[0].form["redirect_uri"], added.redirect_uri);
    assert_eq!(registry.integration_at(&added.redirect_uri).await.unwrap(), Some(name(NAME)));
}

#[tokio::test]
async fn another_tenant_sees_nothing() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let other = Tenant::new("other").unwrap();
    assert_eq!(Integrations::list(&registry, &other).await.unwrap(), []);
    assert_eq!(Integrations::list(&registry, &Tenant::default()).await.unwrap().len(), 1);
    let error = registry.outbound(&other, &name(NAME)).send(house.request("/api")).await.unwrap_err();
    assert_eq!(told(error).0, None);
}

#[tokio::test]
async fn removing_takes_the_secrets_along_and_other_registries_notice_at_once_seed_17() {
    let house = House::new().await;
    let registry = house.authorized().await;
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
    house.open().remove(&name(NAME)).await.unwrap();
    assert_eq!(told(house.call(&registry).await.unwrap_err()).0, None);
    let refreshed = registry.refresh(&name(NAME)).await;
    assert!(matches!(refreshed, Err(RefreshError::Lookup(LookupError::Unknown(_)))));
}
