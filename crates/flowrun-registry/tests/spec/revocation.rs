//! Ending a grant: at the provider if it can be done, here in any case (OA-65, RFC 7009).

use std::time::Duration;

use flowrun_oauth::Settings;
use flowrun_registry::{AtProvider, Registry, RevokeError};
use flowrun_step::{IntegrationState, NeedsAttention};

use crate::devices::sleeping;
use crate::provider::Next;
use crate::world::{House, NAME, name};

const REVOKED: IntegrationState = IntegrationState::NeedsAttention(NeedsAttention::Revoked);

fn settings(house: &House) -> Settings {
    let origin = format!("http://{}", house.provider.address());
    Settings { revoke_url: Some(format!("{origin}/revoke")), ..house.settings() }
}

/// What becomes of an authorised integration whose provider answers so, one answer for each token.
async fn revoked(house: &House, answers: &[(u16, &'static str, &str)]) -> (Registry, AtProvider) {
    revoked_by(house, house.open(), answers).await
}

async fn revoked_by(
    house: &House,
    registry: Registry,
    answers: &[(u16, &'static str, &str)],
) -> (Registry, AtProvider) {
    registry.add(house.draft(settings(house))).await.unwrap();
    house.authorize(&registry).await;
    for (status, header, body) in answers {
        house.provider.next_call(Next::Say(*status, header, (*body).to_owned()));
    }
    let revoked = registry.revoke(&name(NAME)).await.unwrap();
    assert_eq!(revoked.integration.state, REVOKED, "the record here is cleared whatever the provider says");
    (registry, revoked.at_provider)
}

/// The tokens that were given back, in order.
fn given_back(house: &House) -> Vec<String> {
    let calls = house.provider.calls();
    calls.iter().map(|call| format!("{} {}", call.form["token_type_hint"], call.form["token"])).collect()
}

#[tokio::test]
async fn the_refresh_token_goes_back_first_and_then_the_access_token_oa_65() {
    let house = House::new().await;
    let (registry, at_provider) = revoked(&house, &[(200, "", ""), (200, "", "")]).await;
    assert_eq!(at_provider, AtProvider::Revoked);
    assert_eq!(given_back(&house), ["refresh_token canary-refresh-1", "access_token canary-access-1"]);
    assert!(house.provider.calls()[0].head.starts_with("POST /revoke"));

    // Nothing is left to send: a step is told whom to ask, and a new authorization mends it.
    assert!(house.call(&house.open()).await.unwrap_err().to_string().contains("revoked"));
    assert_eq!(house.provider.calls().len(), 2);
    let shown = registry.show(&name(NAME)).await.unwrap();
    assert!(shown.has_client_secret && shown.last_failure.is_none());
    house.authorize(&registry).await;
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
}

#[tokio::test]
async fn an_access_token_that_only_ends_with_its_refresh_token_is_no_failure_oa_65() {
    let house = House::new().await;
    let unsupported = (400, "", r#"{"error":"unsupported_token_type"}"#);
    assert_eq!(revoked(&house, &[(200, "", ""), unsupported]).await.1, AtProvider::Revoked);
}

#[tokio::test]
async fn what_the_provider_keeps_is_said_and_the_record_is_cleared_all_the_same_oa_65() {
    let house = House::new().await;
    let refused =
        (403, "", r#"{"error":"unauthorized_client","error_description":"canary-refresh-1 is mine"}"#);
    let (registry, at_provider) = revoked(&house, &[refused]).await;
    let AtProvider::Failed { said, retry_after: None } = at_provider else { panic!("{at_provider:?}") };
    assert_eq!(
        said,
        "the revocation endpoint at 127.0.0.1 refuses the client or its settings; the provider says: \
         unauthorized_client: [redacted] is mine"
    );
    assert_eq!(registry.show(&name(NAME)).await.unwrap().last_failure.unwrap().said, said);
    assert_eq!(house.provider.calls().len(), 1);
}

/// RFC 7009 2.2.1: a short wait is waited for once, a long one is told.
#[tokio::test]
async fn an_unwell_provider_is_asked_again_when_it_says_if_that_is_soon_oa_65() {
    let house = House::new().await;
    let soon = (503, "retry-after: 7\r\n", "");
    let (registry, slept) = sleeping(&house);
    let answers = [soon, (200, "", ""), (200, "", "")];
    assert_eq!(revoked_by(&house, registry, &answers).await.1, AtProvider::Revoked);
    assert_eq!(*slept.lock().unwrap(), [7]);
    assert_eq!(given_back(&house)[..2], ["refresh_token canary-refresh-1", "refresh_token canary-refresh-1"]);

    let house = House::new().await;
    let late = (503, "retry-after: 3600\r\n", "");
    let (_, at_provider) = revoked(&house, &[late]).await;
    let AtProvider::Failed { retry_after, .. } = at_provider else { panic!("{at_provider:?}") };
    assert_eq!(retry_after, Some(Duration::from_secs(3600)));
    assert_eq!(house.provider.calls().len(), 1);
}

#[tokio::test]
async fn without_an_endpoint_or_a_token_nothing_is_sent_and_that_is_said_oa_65() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let gone = registry.revoke(&name(NAME)).await.unwrap();
    assert_eq!((gone.at_provider, gone.integration.state), (AtProvider::NoEndpoint, REVOKED));
    let again = registry.revoke(&name(NAME)).await.unwrap();
    assert_eq!((again.at_provider, again.integration.state), (AtProvider::NothingToRevoke, REVOKED));

    let house = House::new().await;
    let registry = house.open();
    registry.add(house.draft(settings(&house))).await.unwrap();
    let never = registry.revoke(&name(NAME)).await.unwrap();
    assert_eq!(never.integration.state, IntegrationState::Incomplete, "never authorised is incomplete");
    assert!(house.provider.calls().is_empty());
    let unknown = registry.revoke(&name("zoho")).await.unwrap_err();
    assert!(matches!(unknown, RevokeError::Lookup(_)));
}

/// Tokens that a person's flow no longer uses, because a refresh was refused, are given back too.
#[tokio::test]
async fn a_grant_that_needs_attention_can_be_revoked_oa_65() {
    let house = House::new().await;
    let registry = house.authorized_with(settings(&house)).await;
    house.provider.next_token(Next::HangUp);
    registry.force_refresh(&name(NAME)).await.unwrap_err();
    for _ in 0..2 {
        house.provider.next_call(Next::Say(200, "", String::new()));
    }
    let revoked = registry.revoke(&name(NAME)).await.unwrap();
    assert_eq!((revoked.at_provider, revoked.integration.state), (AtProvider::Revoked, REVOKED));
}
