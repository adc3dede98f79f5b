//! What an issuer publishes becomes settings that are kept, through the registry's own way out (OA-68, OA-69).

use flowrun_oauth::{DiscoveryError, Pkce, Provider};
use flowrun_registry::NewIntegration;

use crate::provider::Next;
use crate::world::{House, NAME, name};

fn document(issuer: &str, endpoints: &str) -> String {
    format!(
        r#"{{"issuer":"{issuer}","authorization_endpoint":"{endpoints}/authorize","token_endpoint":"{endpoints}/token",
            "revocation_endpoint":"{endpoints}/revoke","code_challenge_methods_supported":["S256"],
            "token_endpoint_auth_methods_supported":["client_secret_post"]}}"#
    )
}

#[tokio::test]
async fn what_an_issuer_publishes_is_read_once_and_then_kept_oa_68() {
    let house = House::new().await;
    let registry = house.open();
    let issuer = format!("http://{}", house.provider.address());
    house.provider.next_call(Next::Say(200, "", document(&issuer, &issuer)));
    let settings = registry.discover(&issuer).await.unwrap();
    assert_eq!((settings.pkce, settings.issuer.as_deref()), (Pkce::Required, Some(&*issuer)));
    let draft = NewIntegration {
        client_id: Some("client".to_owned()),
        client_secret: Some("canary-client-secret".into()),
        ..NewIntegration::new(name(NAME), Provider::new(settings.clone()).unwrap())
    };
    registry.add(draft).await.unwrap();
    house.authorize(&registry).await;
    assert_eq!(house.call(&house.open()).await.unwrap().status, 200);
    let calls: Vec<_> =
        house.provider.calls().iter().map(|call| call.head.lines().next().unwrap().to_owned()).collect();
    assert_eq!(calls, ["GET /.well-known/oauth-authorization-server HTTP/1.1", "GET /api HTTP/1.1"]);
    assert_eq!(*house.open().provider(&name(NAME)).await.unwrap().settings(), settings);
}

/// The lab's trap: its endpoints follow the Host header, its name does not.
#[tokio::test]
async fn an_issuer_asked_for_by_another_name_is_refused_oa_68() {
    let house = House::new().await;
    let (own, other) =
        (house.provider.address().to_string(), format!("localhost:{}", house.provider.address().port()));
    let trap = document(&format!("http://{own}"), &format!("http://{other}"));
    house.provider.next_call(Next::Say(200, "", trap));
    let refused = house.open().discover(&format!("http://{other}")).await.unwrap_err();
    assert!(matches!(refused, DiscoveryError::OtherIssuer { .. }), "{refused:?}");
    assert_eq!(house.provider.calls().len(), 1);
}
