//! Shopify signs what the browser brings: a callback that it did not sign redeems nothing.

use flowrun_oauth::{
    Arrival, AuthorizationRequest, CallbackError, Class, Client, TokenEndpoint, TokenError, begin, callback,
};
use jiff::Timestamp;

use super::provider;
use crate::scripted::{Script, now};

const SECRET: &str = "s3cret basic:/+";
/// A callback as Shopify sends it; the state is 32 bytes of 7. `host` is Base64, so that the spelling matters.
const SIGNED: &str = "code=0907a61c0c8d55e99db179b68161bc00&host=YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvYWNtZQ%3D%3D\
                      &shop=acme.myshopify.com&state=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc\
                      &timestamp=1337178173";
/// HMAC-SHA256 of `SIGNED` by `SECRET`, made with another program.
const MAC: &str = "64ab08376161180bd51875e342b0fa39c597b98970aee5625acf40b2e0cfd635";

#[derive(Debug)]
enum Refused {
    AtCallback(CallbackError),
    AtRedeeming(TokenError),
}

/// How many requests follow a callback, and why none does.
fn redeemed(query: &str, secret: Option<&str>) -> (usize, Option<Refused>) {
    let shop = provider("shopify shop=acme");
    let request = AuthorizationRequest {
        integration: "shop",
        client_id: "id",
        redirect_uri: "https://localhost/oauth/callback/k3v9",
        scopes: &[],
        force_consent: false,
        session_binding: None,
    };
    let at = Timestamp::UNIX_EPOCH;
    let (_, pending) = begin(&shop, &request, &mut |bytes| bytes.fill(7), at).unwrap();
    let arrived = match callback(Arrival { address: query, session_binding: None, at }, &pending, &shop) {
        Ok(arrived) => arrived,
        Err(error) => return (0, Some(Refused::AtCallback(error))),
    };
    assert!(!format!("{arrived:?}").contains("0907a61c"), "the code is part of what is signed");
    let client = Client { id: "id".to_owned(), secret: secret.map(Into::into) };
    let script = Script::json(r#"{"access_token":"at"}"#);
    let endpoint = TokenEndpoint { exchange: &script, provider: &shop, client: &client };
    let refused = now(endpoint.redeem(&pending, &arrived)).err().map(Refused::AtRedeeming);
    (script.asked().len(), refused)
}

#[test]
fn a_signed_callback_is_redeemed_whatever_its_order() {
    assert!(matches!(redeemed(&format!("{SIGNED}&hmac={MAC}"), Some(SECRET)), (1, None)));
    let turned: Vec<&str> = SIGNED.split('&').rev().collect();
    assert!(matches!(redeemed(&format!("hmac={MAC}&{}", turned.join("&")), Some(SECRET)), (1, None)));
}

#[test]
fn a_callback_with_anything_changed_sends_no_request() {
    for (query, secret) in [
        (format!("{SIGNED}&hmac={MAC}&extra=1"), Some(SECRET)),
        (format!("{SIGNED}&hmac={MAC}").replace("0907a61c", "0907a61d"), Some(SECRET)),
        (format!("{SIGNED}&hmac={}", MAC.replace("64ab", "64ac")), Some(SECRET)),
        (format!("{SIGNED}&hmac={}", &MAC[..62]), Some(SECRET)),
        (format!("{SIGNED}&hmac={MAC}"), Some("another secret")),
        (format!("{SIGNED}&hmac={MAC}"), None),
    ] {
        let (asked, refused) = redeemed(&query, secret);
        let Some(Refused::AtRedeeming(error)) = refused else { panic!("{query}: {refused:?}") };
        assert_eq!((asked, error.class), (0, Class::Forged), "{query}");
        assert!(error.help().contains("client secret"), "{error}");
    }
}

#[test]
fn a_callback_without_a_proof_or_of_another_shop_is_none() {
    let unexpected = |name: &str, query: &str| {
        let (asked, refused) = redeemed(query, Some(SECRET));
        let expected = CallbackError::UnexpectedValue(name.to_owned());
        assert!(matches!(refused, Some(Refused::AtCallback(error)) if error == expected), "{query}");
        assert_eq!(asked, 0);
    };
    unexpected("hmac", SIGNED);
    for malformed in ["", "xyz", "6", "64a", "é"] {
        unexpected("hmac", &format!("{SIGNED}&hmac={malformed}"));
    }
    for shop in ["evil.myshopify.com", "acme.myshopify.com.evil.test", "acme"] {
        unexpected("shop", &format!("{SIGNED}&hmac={MAC}").replace("acme.myshopify.com", shop));
    }
}
