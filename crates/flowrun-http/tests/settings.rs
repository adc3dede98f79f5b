//! Settings as an author writes them: the request they become, and what a check says of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::time::Duration;

use flowrun_http::{Call, Defaults, Method};
use flowrun_step::{Draft, Effect, Exposure, Request};
use serde_json::{Value, json};

const FETCH: Defaults = Defaults { method: Method::Get, accept: "application/json" };
const SEND: Defaults = Defaults { method: Method::Post, accept: "*/*" };
const URL: &str = "https://api.example.com/contacts";

/// The settings with a URL, unless they bring their own.
fn with_url(mut settings: Value) -> Value {
    settings.as_object_mut().unwrap().entry("url").or_insert(URL.into());
    settings
}

fn request(defaults: Defaults, settings: Value) -> Result<Request, String> {
    let call: Call = serde_json::from_value(with_url(settings)).map_err(|error| error.to_string())?;
    defaults.request(&call).map_err(|error| error.to_string())
}

fn header<'r>(request: &'r Request, name: &str) -> &'r str {
    request.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
fn the_defaults_are_those_of_the_language_page() {
    let request = request(FETCH, json!({})).unwrap();
    assert_eq!((request.method.as_str(), request.url.as_str()), ("GET", URL));
    assert_eq!(request.timeout, Duration::from_secs(30));
    assert_eq!((request.max_bytes, request.redirects), (1024 * 1024, 5));
    assert_eq!((request.effect, request.exposure), (Effect::Safe, Exposure::Plain));
    assert_eq!(header(&request, "accept"), "application/json");
}

#[test]
fn each_body_goes_with_its_content_type() {
    for (settings, content_type, body) in [
        (json!({"json": {"b": 1, "a": "x"}}), "application/json", r#"{"b":1,"a":"x"}"#),
        (json!({"json": null}), "application/json", "null"),
        (json!({"form": {"a": "1 2", "b": null}}), "application/x-www-form-urlencoded", "a=1+2"),
        (json!({"body": "hi"}), "text/plain; charset=utf-8", "hi"),
        (json!({"body": "<a/>", "content_type": "application/xml"}), "application/xml", "<a/>"),
        (
            json!({"json": {}, "headers": {"Content-Type": "application/ld+json"}}),
            "application/ld+json",
            "{}",
        ),
        (json!({}), "", ""),
    ] {
        let request = request(SEND, settings.clone()).unwrap();
        assert_eq!(header(&request, "content-type"), content_type, "{settings}");
        assert_eq!(request.body, body, "{settings}");
    }
}

#[test]
fn the_effect_follows_method_key_and_safe_l_10() {
    for (settings, effect) in [
        (json!({"method": "GET"}), Effect::Safe),
        (json!({"method": "HEAD"}), Effect::Safe),
        (json!({}), Effect::Unsafe),
        (json!({"method": "DELETE"}), Effect::Unsafe),
        (json!({"idempotency_key": "run-1"}), Effect::Keyed),
        (json!({"safe": true}), Effect::Safe),
        (json!({"safe": false}), Effect::Unsafe),
    ] {
        assert_eq!(request(SEND, settings.clone()).unwrap().effect, effect, "at run time: {settings}");
        let settings = with_url(settings);
        assert_eq!(SEND.effect(&Draft::new(&settings, |_| false)), effect, "at check time: {settings}");
    }
}

#[test]
fn an_idempotency_key_is_sent_and_is_no_credential() {
    let request = request(SEND, json!({"idempotency_key": "run-1:steps[0]"})).unwrap();
    assert_eq!(header(&request, "idempotency-key"), "run-1:steps[0]");
    assert_eq!(request.exposure, Exposure::Plain);
}

#[test]
fn a_header_that_carries_a_credential_exposes_the_request_n2_n9() {
    for name in ["Authorization", "cookie", "X-Api-Key", "x-auth-token"] {
        let request = request(SEND, json!({"headers": {name: "Bearer abc"}})).unwrap();
        assert_eq!(request.exposure, Exposure::Credential, "{name}");
        assert!(request.headers[name].is_sensitive(), "{name}");
    }
}

#[test]
fn headers_that_are_not_the_authors_to_set_are_refused_n3() {
    for name in ["Host", "content-length", "Transfer-Encoding", "Connection", "upgrade", "TE", "Proxy-Foo"] {
        let refusal = request(SEND, json!({"headers": {name: "x"}})).unwrap_err();
        assert_eq!(refusal, format!("the header {name} is set by flowrun itself"));
    }
}

#[test]
fn a_header_value_is_visible_ascii_n3() {
    for value in ["a\r\nX-Evil: 1", "a\nb", "a\0b", "é", "\u{7f}"] {
        let refusal = request(SEND, json!({"headers": {"X-A": value}})).unwrap_err();
        assert_eq!(refusal, "the value of `X-A` holds a character a header cannot carry", "{value:?}");
    }
    assert!(request(SEND, json!({"headers": {"X-A": "a\tb ~"}})).is_ok());
}

#[test]
fn an_integration_and_an_authorization_by_hand_exclude_each_other_oa_61() {
    let settings = json!({"integration": "Teamleader", "headers": {"authorization": "Bearer x"}});
    let refusal = request(FETCH, settings).unwrap_err();
    assert_eq!(refusal, "integration `Teamleader` sets the Authorization header, and so does the step");
}

#[test]
fn settings_that_make_no_sense_are_said_so() {
    for (settings, expected) in [
        (json!({"json": 1, "body": "x"}), "only one of `json`, `form` and `body` can be sent"),
        (json!({"timeout": "30"}), "timeout: this duration has no unit"),
        (json!({"methd": "GET"}), "unknown field `methd`"),
        (json!({"query": {"a": {}}}), "expected text, a number, true, false, null"),
        (json!({"expect": "ok"}), "`ok` names no status codes"),
        (json!({"integration": "<b>"}), "`<b>` is not a legal integration name"),
        (json!({"url": "/contacts"}), "the url is not one"),
    ] {
        let error = request(SEND, settings.clone()).unwrap_err();
        assert!(error.starts_with(expected), "{settings}: {error}");
    }
}

/// What a check finds: path and message of each.
fn check(defaults: Defaults, settings: Value, expected: &[(&str, &str)]) {
    let settings = with_url(settings);
    let found = defaults.check(&Draft::new(&settings, |text| text.contains("{{")));
    let found: Vec<_> =
        found.iter().map(|finding| (finding.path.as_str(), finding.message.as_str())).collect();
    assert_eq!(found, expected, "{settings}");
}

#[test]
fn a_check_finds_nothing_in_settings_that_work() {
    check(FETCH, json!({"url": "https://a.example/c.info?id={{id}}", "integration": "teamleader"}), &[]);
    check(FETCH, json!({"url": "{{base}}/contacts"}), &[]);
    check(FETCH, json!({"url": "http://127.0.0.1:8080/", "integration": "lab"}), &[]);
    check(SEND, json!({"json": {"a": 1}, "headers": {"X-Request-Id": "{{id}}"}}), &[]);
    check(FETCH, json!({"method": "POST", "json": {}}), &[]);
}

#[test]
fn a_check_finds_headers_that_may_not_be_set_n3_oa_61() {
    let message = "this header is set by flowrun itself";
    check(SEND, json!({"headers": {"Host": "x", "A": "b"}}), &[("headers.Host", message)]);
    let message = "the integration sets this header already";
    let settings = json!({"integration": "x", "headers": {"Authorization": "{{secrets.KEY}}"}});
    check(SEND, settings, &[("headers.Authorization", message)]);
    check(SEND, json!({"headers": {"a b": "x"}}), &[("headers.a b", "this is no header name")]);
}

#[test]
fn a_check_finds_bodies_that_cannot_be_sent() {
    let message = "only one of `json`, `form` and `body` can be sent";
    check(SEND, json!({"json": 1, "form": {}}), &[("form", message)]);
    check(FETCH, json!({"json": 1}), &[("json", "GET and HEAD carry no body")]);
    check(SEND, json!({"method": "HEAD", "body": "x"}), &[("body", "GET and HEAD carry no body")]);
    let message = "`content_type` belongs to `body`; `json` and `form` have their own";
    check(SEND, json!({"json": 1, "content_type": "x/y"}), &[("content_type", message)]);
}

#[test]
fn a_check_finds_urls_that_will_be_refused() {
    check(FETCH, json!({"url": "contacts"}), &[("url", "this is not an absolute URL")]);
    check(FETCH, json!({"url": "ftp://a.example/"}), &[("url", "only http and https can be called")]);
    let message = "a URL with a user or password in it is refused";
    check(FETCH, json!({"url": "https://u:p@a.example/"}), &[("url", message)]);
    let message = "a credential never goes over plain http";
    check(FETCH, json!({"url": "http://a.example/", "integration": "x"}), &[("url", message)]);
    check(FETCH, json!({"url": "http://a.example/", "headers": {"X-Api-Key": "k"}}), &[("url", message)]);
}

#[test]
fn the_schema_names_the_language_of_each_setting() {
    let schema = schemars::schema_for!(Call);
    let language =
        |name: &str| schema.pointer(&format!("/properties/{name}/x-flowrun")).and_then(Value::as_str);
    for (name, expected) in [
        ("url", "url"),
        ("query", "form"),
        ("headers", "header"),
        ("json", "json"),
        ("form", "form"),
        ("body", "body"),
        ("variables", "picks"),
        ("timeout", "duration"),
        ("integration", "integration"),
        ("idempotency_key", "header"),
    ] {
        assert_eq!(language(name), Some(expected), "{name}");
    }
    for literal in ["method", "expect", "content_type", "max_bytes", "redirects", "safe"] {
        assert_eq!(language(literal), None, "{literal}");
    }
}

#[test]
fn the_schema_demands_a_url_knows_all_keys_and_lets_none_be_null() {
    let schema = schemars::schema_for!(Call).to_value();
    assert_eq!(schema["required"], json!(["url"]));
    assert_eq!(schema["additionalProperties"], json!(false));
    assert!(schema.get("$defs").is_none(), "a walk over the schema meets no references");
    for (name, property) in schema["properties"].as_object().unwrap() {
        assert_ne!(property.get("default"), Some(&Value::Null), "{name}");
        assert!(name == "json" || property.get("type") != Some(&json!("null")), "{name}");
    }
}
