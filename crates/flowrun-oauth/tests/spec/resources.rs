//! The services a token is meant for, named in every request (OA-14, RFC 8707).

use flowrun_oauth::{
    Arrival, AuthorizationRequest, Client, Kept, Provider, Settings, TokenEndpoint, begin, callback,
};
use jiff::Timestamp;

use crate::scripted::{Script, now};

const RESOURCES: [&str; 2] = ["https://api.example.com/", "urn:example:contacts"];
const GRANTED: &str = r#"{"access_token":"at","refresh_token":"rt"}"#;
const DEVICE: &str = r#"{"device_code":"d","user_code":"u","verification_uri":"https://id.example.com/d"}"#;

fn named(form: &str) -> Vec<String> {
    let pairs = url::form_urlencoded::parse(form.as_bytes());
    pairs.filter(|(name, _)| name == "resource").map(|(_, value)| value.into_owned()).collect()
}

/// The `resource` parameters of the one request that `ask` makes.
fn asked<T>(provider: &Provider, reply: &str, ask: impl FnOnce(TokenEndpoint<'_>) -> T) -> Vec<String> {
    let (script, client) =
        (Script::json(reply), Client { id: "c".to_owned(), secret: Some("secret".into()) });
    ask(TokenEndpoint { exchange: &script, provider, client: &client });
    named(&script.one().2)
}

#[test]
fn every_resource_is_named_in_every_request_oa_14() {
    let provider = Provider::new(Settings {
        resources: RESOURCES.map(str::to_owned).to_vec(),
        device_url: Some("https://id.example.com/d".to_owned()),
        ..Settings::authorization_code("https://id.example.com/authorize", "https://id.example.com/token")
    })
    .unwrap();
    let request = AuthorizationRequest {
        integration: "one",
        client_id: "c",
        redirect_uri: "http://127.0.0.1:8437/cb",
        scopes: &[],
        force_consent: false,
        session_binding: None,
    };
    let at = Timestamp::UNIX_EPOCH;
    let (url, pending) = begin(&provider, &request, &mut |bytes| bytes.fill(7), at).unwrap();
    assert_eq!(named(url.query().unwrap()), RESOURCES, "RFC 8707 2.1");

    let address = "code=c&state=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
    let back = callback(Arrival { address, session_binding: None, at }, &pending, &provider).unwrap();
    let redeem = |endpoint: TokenEndpoint<'_>| now(endpoint.redeem(&pending, &back)).unwrap();
    assert_eq!(asked(&provider, GRANTED, redeem), RESOURCES, "RFC 8707 2.2");
    let refresh = |endpoint: TokenEndpoint<'_>| now(endpoint.refresh(&"rt".into(), &Kept::new())).unwrap();
    assert_eq!(asked(&provider, GRANTED, refresh), RESOURCES);
    let by_itself = |endpoint: TokenEndpoint<'_>| now(endpoint.client_credentials(&[])).unwrap();
    assert_eq!(asked(&provider, GRANTED, by_itself), RESOURCES);
    let device = |endpoint: TokenEndpoint<'_>| now(endpoint.device_grant().unwrap().begin(&[])).unwrap();
    assert_eq!(asked(&provider, DEVICE, device), RESOURCES);
    let decided = |endpoint: TokenEndpoint<'_>| {
        let codes = Script::json(DEVICE);
        let grant = TokenEndpoint { exchange: &codes, ..endpoint }.device_grant().unwrap();
        let mut device = now(grant.begin(&[])).unwrap();
        now(endpoint.device_grant().unwrap().poll(&mut device)).unwrap()
    };
    assert_eq!(asked(&provider, GRANTED, decided), RESOURCES);
}
