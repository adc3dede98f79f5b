//! No endpoint that is shown a secret leads anywhere else (OA-28): each redirect, each endpoint, over the real client.

use flowrun::registry::{AtProvider, AuthorizeError};
use flowrun::step::IntegrationState;

use crate::house::{House, name, registry};
use crate::scripted::{Bystander, reply};

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

fn redirect(status: u16, to: &str) -> Vec<u8> {
    reply(status, &format!("location: {to}\r\n"), b"")
}

/// A bystander that every redirect names, and the redirects. A redirect to the very same server is none either.
fn led_astray(house: &House) -> (Bystander, Vec<Vec<u8>>) {
    let bystander = Bystander::new();
    let targets = [bystander.url(), house.server.url("/elsewhere")];
    let each = |target: &String| STATUSES.map(|status| redirect(status, target));
    let redirects = targets.iter().flat_map(each).collect();
    (bystander, redirects)
}

#[tokio::test]
async fn a_token_endpoint_leads_nowhere_else_oa_28() {
    let house = House::new().await;
    let (bystander, redirects) = led_astray(&house);
    for (sent, redirect) in redirects.into_iter().enumerate() {
        house.server.says(redirect);
        let refused = house.authorize().await.unwrap_err();
        assert!(matches!(refused, AuthorizeError::Token { .. }), "{refused:?}");
        assert!(refused.help().contains("token URL"), "{}", refused.help());
        assert_eq!(house.server.seen().len(), sent + 1);
    }
    assert!(!bystander.was_called());
}

#[tokio::test]
async fn a_refresh_leads_nowhere_else_and_says_whose_fault_it_is_oa_28() {
    for status in STATUSES {
        let house = House::authorized().await;
        let bystander = Bystander::new();
        house.server.says(redirect(status, &bystander.url()));
        house.registry.force_refresh(&name()).await.unwrap_err();
        let state = house.registry.show(&name()).await.unwrap().state;
        assert_eq!(state.to_string(), "needs_attention(client_rejected)");
        assert!(!bystander.was_called(), "{status}");
        assert_eq!(house.server.seen().len(), 2);
    }
}

#[tokio::test]
async fn revocation_introspection_and_device_endpoints_lead_nowhere_else_oa_28() {
    for status in STATUSES {
        let bystander = Bystander::new();
        for elsewhere in [Some(bystander.url()), None] {
            let house = House::authorized().await;
            let target = elsewhere.unwrap_or_else(|| house.server.url("/elsewhere"));
            for _ in 0..3 {
                house.server.says(redirect(status, &target));
            }
            house.registry.introspect(&name()).await.unwrap_err();
            house.registry.begin_device(&name()).await.unwrap_err();
            let revoked = house.registry.revoke(&name()).await.unwrap();
            assert!(matches!(revoked.at_provider, AtProvider::Failed { .. }), "{revoked:?}");
            assert_ne!(revoked.integration.state, IntegrationState::Authorized);
            let asked = house.server.seen();
            let paths: Vec<_> = asked.iter().filter_map(|request| request.split(' ').nth(1)).collect();
            assert_eq!(paths, ["/token", "/introspect", "/device", "/revoke"], "{status}");
        }
        assert!(!bystander.was_called(), "{status}");
    }
}

#[tokio::test]
async fn an_issuer_leads_nowhere_else_oa_28_oa_68() {
    for status in STATUSES {
        let house = House::new().await;
        let bystander = Bystander::new();
        house.server.says(redirect(status, &bystander.url()));
        house.server.says(redirect(status, &bystander.url()));
        let refused = registry(flowrun::http::NetworkPolicy::cli()).discover(&house.server.url("")).await;
        assert!(refused.is_err(), "{refused:?}");
        assert_eq!(house.server.seen().len(), 2, "both places of the document, and no third");
        assert!(!bystander.was_called(), "{status}");
    }
}
