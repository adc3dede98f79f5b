//! What a change destroys (N4, OA-4), and what it leaves.

use flowrun_oauth::{Provider, Settings};
use flowrun_registry::{Edit, EditError, Edited};
use flowrun_step::{IntegrationState, NeedsAttention};

use crate::provider::Provider as Stub;
use crate::world::{House, NAME, name, settings};

const CHANGED: IntegrationState = IntegrationState::NeedsAttention(NeedsAttention::ConfigChanged);

async fn edited(house: &House, change: impl FnOnce(&mut Settings) -> Edit) -> Edited {
    let registry = house.authorized().await;
    let mut settings = house.settings();
    let mut edit = change(&mut settings);
    if settings != house.settings() {
        edit.provider = Some(Provider::new(settings).unwrap());
    }
    registry.edit(&name(NAME), edit).await.unwrap()
}

#[tokio::test]
async fn retargeting_token_url_drops_secret_and_tokens_t1() {
    let house = House::new().await;
    let evil = Stub::start().await;
    let edited = edited(&house, |it| {
        it.token_url = settings(evil.address()).token_url;
        Edit::default()
    })
    .await;
    assert!(edited.tokens_destroyed && edited.secret_destroyed);
    assert_eq!(edited.integration.state, CHANGED);
    assert_eq!(edited.integration.hosts, [evil.address().to_string()]);
    let registry = crate::world::open(house.folder.path(), evil.address(), house.clock.clone());
    assert!(registry.begin_authorization(&name(NAME), Default::default()).await.is_err());
    assert!(registry.force_refresh(&name(NAME)).await.is_err());
    assert!(registry.refresh(&name(NAME)).await.is_err());
    assert!(house.call(&registry).await.is_err());
    assert!(evil.token_requests().is_empty() && evil.calls().is_empty());

    // Typed again, another secret goes there, and nothing of the old one.
    let client_secret = Some("typed for the new host".into());
    registry.edit(&name(NAME), Edit { client_secret, ..Edit::default() }).await.unwrap();
    let begun = registry.begin_authorization(&name(NAME), Default::default()).await.unwrap();
    let address = evil.consent(&begun.url);
    registry.complete_authorization(&name(NAME), &address, None).await.unwrap();
    let seen = format!("{:?}", evil.token_requests());
    assert!(seen.contains("typed for the new host") && !seen.contains("canary-client-secret"), "{seen}");
    assert!(!seen.contains("canary-refresh") && !seen.contains("canary-access"), "{seen}");
}

/// T1 of every other address that a secret or a code could be sent to.
#[tokio::test]
async fn retargeting_any_other_url_drops_secret_and_tokens_too_t1() {
    let changes: [fn(&mut Settings, String); 5] = [
        |it, url| it.authorize_url = Some(url),
        |it, url| it.refresh_url = Some(url),
        |it, url| it.revoke_url = Some(url),
        |it, url| it.introspect_url = Some(url),
        |it, url| it.device_url = Some(url),
    ];
    for change in changes {
        let house = House::new().await;
        let evil = Stub::start().await;
        let edited = edited(&house, |it| {
            change(it, settings(evil.address()).token_url);
            Edit::default()
        })
        .await;
        assert!(edited.tokens_destroyed && edited.secret_destroyed, "{edited:?}");
        let registry = crate::world::open(house.folder.path(), evil.address(), house.clock.clone());
        assert!(registry.force_refresh(&name(NAME)).await.is_err());
        assert!(evil.token_requests().is_empty() && evil.calls().is_empty());
    }
}

#[tokio::test]
async fn another_client_id_or_one_more_parameter_drops_secret_and_tokens_n4() {
    let changes: [fn(&mut Settings) -> Edit; 3] = [
        |_| Edit { client_id: Some("other".to_owned()), ..Edit::default() },
        |it| {
            it.authorize_params.push(("audience".to_owned(), "other".to_owned()));
            Edit::default()
        },
        |it| {
            it.refresh_url = Some(format!("{}/elsewhere", it.token_url));
            Edit::default()
        },
    ];
    for change in changes {
        let edited = edited(&House::new().await, change).await;
        assert!(edited.tokens_destroyed && edited.secret_destroyed);
        assert_eq!(edited.integration.state, CHANGED);
    }
}

#[tokio::test]
async fn a_secret_that_is_typed_again_with_the_change_stays_n4() {
    let edited = edited(&House::new().await, |_| Edit {
        client_id: Some("other".to_owned()),
        client_secret: Some("typed again".into()),
        ..Edit::default()
    })
    .await;
    assert!(edited.tokens_destroyed && !edited.secret_destroyed);
}

#[tokio::test]
async fn other_scopes_or_hosts_ask_for_a_new_authorization_and_destroy_nothing_oa_4() {
    let changes: [fn(&mut Settings) -> Edit; 2] = [
        |_| Edit { scopes: Some(vec!["deals".to_owned()]), ..Edit::default() },
        |it| {
            it.allowed_hosts = vec!["api.example.com".to_owned()];
            Edit::default()
        },
    ];
    for change in changes {
        let house = House::new().await;
        let edited = edited(&house, change).await;
        assert!(!edited.tokens_destroyed && !edited.secret_destroyed);
        assert_eq!(edited.integration.state, CHANGED);
        let registry = house.open();
        assert!(house.call(&registry).await.is_err());
        house.authorize(&registry).await;
        assert_eq!(registry.show(&name(NAME)).await.unwrap().state, IntegrationState::Authorized);
    }
}

#[tokio::test]
async fn a_new_name_or_port_changes_nothing_else_seed_17() {
    let edited = edited(&House::new().await, |_| Edit {
        name: Some(name("Focus")),
        port: Some(20_001),
        ..Edit::default()
    })
    .await;
    assert_eq!(edited.integration.state, IntegrationState::Authorized);
    assert!(edited.integration.redirect_uri.starts_with("http://127.0.0.1:20001/oauth/callback/"));
    assert_eq!(edited.integration.name.as_str(), "Focus");
}

#[tokio::test]
async fn a_name_cannot_be_taken_by_an_edit_either_seed_4() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let mut other = house.draft(house.settings());
    other.name = name("zoho");
    registry.add(other).await.unwrap();
    let edit = Edit { name: Some(name("ZOHO")), ..Edit::default() };
    assert!(matches!(registry.edit(&name(NAME), edit).await, Err(EditError::NameTaken(_))));
}

#[tokio::test]
async fn what_no_authorization_could_use_is_refused_when_it_is_typed_oa_6_oa_12() {
    let house = House::new().await;
    let registry = house.open();
    let mut draft = house.draft(house.settings());
    draft.scopes = vec!["a b".to_owned()];
    assert!(matches!(registry.add(draft).await, Err(EditError::Scope(_))));
    let mut draft = house.draft(house.settings());
    draft.redirect_uri = Some("http://flows.example.com/callback".to_owned());
    assert!(matches!(registry.add(draft).await, Err(EditError::Redirect(_))));
    assert!(registry.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn allowing_a_host_is_the_operators_word_and_needs_no_new_authorization_n4() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let allowed = registry.allow(&name(NAME), "API.Example.com.").await.unwrap();
    assert_eq!(allowed.hosts, [house.provider.address().to_string(), "api.example.com".to_owned()]);
    assert_eq!(allowed.state, IntegrationState::Authorized);
    for text in ["", ".com", ".co.uk", "a/b", "user@host", "https://a.b", "127.0.0.1/x"] {
        let refused = registry.allow(&name(NAME), text).await;
        assert!(matches!(refused, Err(EditError::NotAHost(_))), "{text}");
    }
}
