//! A registry in memory over the real client, and one integration whose provider is the scripted server.

use std::sync::Arc;

use flowrun::http::{Client, NetworkPolicy};
use flowrun::oauth::{Provider, Settings};
use flowrun::registry::{AuthorizeError, Authorized, Begin, NewIntegration, Registry, World};
use flowrun::step::IntegrationName;
use flowrun::{SystemClock, SystemEntropy};

use crate::scripted::{Server, json};

pub(crate) const SECRET: &str = "canary-client-secret";
pub(crate) const GOOD: &str = r#"{"access_token":"canary-access","token_type":"Bearer","expires_in":3600,"refresh_token":"canary-refresh"}"#;

pub(crate) struct House {
    pub(crate) server: Server,
    pub(crate) registry: Registry,
}

pub(crate) fn name() -> IntegrationName {
    IntegrationName::new("crm").unwrap()
}

pub(crate) fn registry(policy: NetworkPolicy) -> Registry {
    Registry::in_memory(World {
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        client: Arc::new(Client::builder().policy(policy).build()),
    })
}

impl House {
    pub(crate) async fn new() -> Self {
        let house = Self { server: Server::start().await, registry: registry(NetworkPolicy::cli()) };
        let url = |path| house.server.url(path);
        let settings = Settings {
            revoke_url: Some(url("/revoke")),
            introspect_url: Some(url("/introspect")),
            device_url: Some(url("/device")),
            ..Settings::authorization_code(url("/authorize"), url("/token"))
        };
        add(&house.registry, settings).await;
        house
    }

    /// Goes through an authorization; the server's next answer is that of the token endpoint.
    pub(crate) async fn authorize(&self) -> Result<Authorized, AuthorizeError> {
        let begun = self.registry.begin_authorization(&name(), Begin::default()).await.unwrap();
        let state = begun.url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let address = format!("{}?code=canary-code&state={state}", begun.redirect_uri);
        self.registry.complete_authorization(&name(), &address, None).await
    }

    /// An integration that is authorised.
    pub(crate) async fn authorized() -> Self {
        let house = Self::new().await;
        house.server.says(json(200, GOOD));
        house.authorize().await.unwrap();
        house
    }
}

pub(crate) async fn add(registry: &Registry, settings: Settings) {
    let draft = NewIntegration {
        client_id: Some("client".to_owned()),
        client_secret: Some(SECRET.into()),
        ..NewIntegration::new(name(), Provider::new(settings).unwrap())
    };
    registry.add(draft).await.unwrap();
}
