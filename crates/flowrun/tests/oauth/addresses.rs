//! The protocol dials by the same policy as any step (N7, T15): token endpoints and issuers alike.

use flowrun::http::NetworkPolicy;
use flowrun::oauth::{Class, DiscoveryError, ExchangeErrorKind, Settings};
use flowrun::registry::{AuthorizeError, Begin, Registry};

use crate::house::{add, name, registry};
use crate::scripted::Bystander;

/// Spellings of addresses that no policy opens.
const CLOSED: [&str; 8] = [
    "https://169.254.169.254",
    "https://[::ffff:169.254.169.254]",
    "https://[fd00:ec2::254]",
    "https://100.100.100.200",
    "https://168.63.129.16",
    "https://0.0.0.0",
    "https://2852039166",
    "https://[64:ff9b::a9fe:a9fe]",
];

async fn exchanged(registry: &Registry, origin: &str) -> Class {
    let settings = Settings::authorization_code(format!("{origin}/authorize"), format!("{origin}/token"));
    add(registry, settings).await;
    let begun = registry.begin_authorization(&name(), Begin::default()).await.unwrap();
    let state = begun.url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let address = format!("{}?code=c&state={state}", begun.redirect_uri);
    match registry.complete_authorization(&name(), &address, None).await.unwrap_err() {
        AuthorizeError::Token { source, .. } => source.class,
        other => panic!("{other:?}"),
    }
}

async fn discovered(registry: &Registry, origin: &str) -> ExchangeErrorKind {
    match registry.discover(origin).await.unwrap_err() {
        DiscoveryError::NoReply { source, .. } => source.kind,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn no_spelling_of_a_closed_address_is_asked_for_tokens_or_metadata_t15() {
    for origin in CLOSED {
        assert_eq!(exchanged(&registry(NetworkPolicy::cli()), origin).await, Class::Forbidden, "{origin}");
        let kind = discovered(&registry(NetworkPolicy::cli()), origin).await;
        assert_eq!(kind, ExchangeErrorKind::Refused, "{origin}");
    }
}

/// A service opens this machine only as its operator says, for tokens too.
#[tokio::test]
async fn a_service_asks_no_private_address_that_is_not_listed_t15_n7() {
    let bystander = Bystander::new();
    let origin = bystander.url().trim_end_matches('/').to_owned();
    let policy = NetworkPolicy::public_only;
    assert_eq!(exchanged(&registry(policy()), &origin).await, Class::Forbidden);
    assert_eq!(discovered(&registry(policy()), &origin).await, ExchangeErrorKind::Refused);
    assert!(!bystander.was_called());
}
