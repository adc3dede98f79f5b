//! Where a token goes and where not, and how it is carried (OA-50, OA-59 to OA-64; N4).

use flowrun_oauth::{Preset, Provider as OauthProvider, Settings, TokenHeader};
use flowrun_registry::NewIntegration;
use flowrun_step::{Integrations, Request, StepError, Tenant};
use http::{HeaderValue, Method};

use crate::provider::Next;
use crate::world::{House, NAME, name};

fn request(url: &str) -> Request {
    Request::new(Method::GET, url.parse().unwrap())
}

/// An authorised `zoho`, whose endpoints are reached on loopback under their real names.
async fn zoho(house: &House) -> flowrun_registry::Registry {
    let registry = house.open();
    let provider = Preset::named("zoho-eu").unwrap().provider(&Default::default()).unwrap();
    let zoho = NewIntegration {
        client_id: Some("client".to_owned()),
        client_secret: Some("canary-client-secret".into()),
        ..NewIntegration::new(
            name(NAME),
            OauthProvider::new(Settings {
                token_url: provider.settings().token_url.replace("/oauth/v2", ""),
                ..provider.settings().clone()
            })
            .unwrap(),
        )
    };
    registry.add(zoho).await.unwrap();
    house.authorize(&registry).await;
    registry
}

/// T10 through the front door: nothing at all is sent to a host that is not the integration's.
#[tokio::test]
async fn a_request_to_another_host_is_refused_before_anything_is_sent_oa_59_oa_62() {
    let house = House::new().await;
    let registry = zoho(&house).await;
    let way_out = registry.outbound(&Tenant::default(), &name(NAME));
    let allow = "integrations allow teamleader ";
    for (url, place, help) in [
        ("https://api.zoho.eu.evil.test/crm?secret=1", "api.zoho.eu.evil.test", allow),
        ("https://evil-zohoapis.eu/crm?secret=1", "evil-zohoapis.eu", allow),
        ("https://www.zohoapis.eu@evil.test/crm?secret=1", "evil.test", "user name"),
        ("https://secret:1@www.zohoapis.eu/crm", "www.zohoapis.eu", "user name"),
        ("http://www.zohoapis.eu/crm?secret=1", "www.zohoapis.eu", "use https"),
        ("https://www.zohoapis.eu./crm?secret=1", "www.zohoapis.eu.", "dot"),
        ("https://www.zohoapis.eu:8443/crm?secret=1", "www.zohoapis.eu:8443", allow),
        ("http://127.0.0.1/crm?secret=1", "127.0.0.1:80", "allow teamleader 127.0.0.1:80"),
    ] {
        let error = way_out.send(request(url)).await.unwrap_err();
        assert!(matches!(error, StepError::Refused { .. }), "{url}: {error:?}");
        let said = format!("the token of integration `teamleader` may not be sent to `{place}`");
        assert_eq!(error.to_string(), said);
        assert!(error.help().unwrap().contains(help), "{url}: {:?}", error.help());
        assert!(!error.help().unwrap().contains("crm"), "{:?}", error.help());
    }
    assert!(house.provider.calls().is_empty());
}

#[tokio::test]
async fn the_token_goes_in_the_providers_own_header_to_its_own_hosts_oa_59() {
    let house = House::new().await;
    let registry = zoho(&house).await;
    house.provider.next_call(Next::Say(200, "", String::new()));
    let way_out = registry.outbound(&Tenant::default(), &name(NAME));
    way_out.send(request("https://WWW.ZOHOAPIS.EU/crm/v2/org")).await.unwrap();
    let head = &house.provider.calls()[0].head;
    assert!(head.contains("\r\nhost: www.zohoapis.eu\r\n"), "{head}");
    assert!(head.contains("\r\nauthorization: Zoho-oauthtoken canary-access-1"), "{head}");
    assert!(!head.lines().next().unwrap().contains("canary"), "never in the URL");
}

#[tokio::test]
async fn a_host_that_the_operator_allows_gets_the_token_n4() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let way_out = registry.outbound(&Tenant::default(), &name(NAME));
    assert!(way_out.send(request("https://api.example.com/api")).await.is_err());
    registry.allow(&name(NAME), "api.example.com").await.unwrap();
    assert_eq!(way_out.send(request("https://api.example.com/api")).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_step_that_sets_the_same_header_is_refused_oa_61() {
    let house = House::new().await;
    let header = TokenHeader { name: "X-Access-Token".to_owned(), scheme: String::new() };
    let registry = house.authorized_with(Settings { token_header: header, ..house.settings() }).await;
    let mut request = house.request("/api");
    request.headers.insert("x-access-token", HeaderValue::from_static("own"));
    let way_out = registry.outbound(&Tenant::default(), &name(NAME));
    let error = way_out.send(request).await.unwrap_err();
    assert!(error.to_string().contains("sets `X-Access-Token` itself"), "{error}");
    assert!(house.provider.calls().is_empty());
}

#[tokio::test]
async fn a_missing_scope_is_said_to_be_one_and_refreshes_nothing_oa_50() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let challenge = "www-authenticate: Bearer error=\"insufficient_scope\"\r\n";
    house.provider.next_call(Next::Say(403, challenge, String::new()));
    let error = house.call(&registry).await.unwrap_err();
    assert!(error.to_string().contains("lacks a scope"), "{error}");
    assert_eq!(house.provider.refreshes(), 0);
    house.provider.next_call(Next::Say(403, "", String::new()));
    assert_eq!(house.call(&registry).await.unwrap().status, 403, "any other 403 is the flow's business");
}

#[tokio::test]
async fn a_reply_that_repeats_the_token_does_not_carry_it_on_oa_64() {
    let house = House::new().await;
    let registry = house.authorized().await;
    house.provider.next_call(Next::Say(200, "", "<canary-access-1> canary-access-1".to_owned()));
    assert_eq!(house.call(&registry).await.unwrap().body, "<[redacted]> [redacted]");
}

#[tokio::test]
async fn kept_fields_are_read_by_name_and_hold_no_token() {
    let house = House::new().await;
    house.provider.add(r#""api_domain":"https://www.zohoapis.eu""#);
    let registry = zoho(&house).await;
    let kept = async |field| registry.kept(&Tenant::default(), &name(NAME), field).await.unwrap();
    assert_eq!(kept("api_domain").await.as_deref(), Some("https://www.zohoapis.eu"));
    assert_eq!(kept("access_token").await, None);
}
