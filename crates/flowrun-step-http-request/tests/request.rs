//! `http_request` against a service on loopback: what it sends, and the whole reply it gives.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../../flowrun-http/tests/provider/house.rs"]
mod house;
#[path = "../../flowrun-http/tests/provider/mod.rs"]
mod provider;

use flowrun_step::serde_json::{Value, json};
use flowrun_step::{ErasedStep, Keeps};
use flowrun_step_http_request::HttpRequest;
use provider::{Answer, Provider};

/// Makes one call with these settings against a service that answers so.
async fn call(mut settings: Value, answer: fn(&str) -> Answer) -> (Result<Value, String>, String) {
    let provider = Provider::start(answer).await;
    settings["url"] = provider.url("/contacts").into();
    let output = ErasedStep::call(&HttpRequest, house::context(), settings).await;
    (output.map_err(|error| error.to_string()), provider.seen().concat())
}

#[tokio::test]
async fn it_posts_and_gives_status_headers_and_body() {
    let answer = |_: &str| Answer::json(201, r#"{"id":1}"#);
    let (output, seen) = call(json!({"json": {"name": "Doe"}, "integration": "teamleader"}), answer).await;
    let headers = json!({"content-type": "application/json", "connection": "close", "content-length": "8"});
    assert_eq!(output, Ok(json!({"status": 201, "headers": headers, "body": {"id": 1}})));
    assert!(seen.starts_with("POST /contacts HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("content-type: application/json\r\n"), "{seen}");
    assert!(seen.contains("authorization: Bearer of-teamleader\r\n"), "{seen}");
    assert!(seen.ends_with("\r\n\r\n{\"name\":\"Doe\"}"), "{seen}");
}

#[tokio::test]
async fn a_body_that_is_no_json_is_text_and_none_is_null() {
    let (output, _) = call(json!({}), |_| Answer::of(200, &[("content-type", "text/plain")], "007")).await;
    assert_eq!(output.unwrap()["body"], "007");
    assert_eq!(call(json!({}), |_| Answer::of(204, &[], "")).await.0.unwrap()["body"], Value::Null);
}

#[tokio::test]
async fn a_header_that_comes_twice_is_joined_but_cookies_are_a_list() {
    let headers = [("Vary", "a"), ("Vary", "b"), ("Set-Cookie", "x=1, 2"), ("Set-Cookie", "y=3")];
    let provider = Provider::start(move |_| Answer::of(200, &headers, "")).await;
    let settings = json!({"url": provider.url("/")});
    let output = ErasedStep::call(&HttpRequest, house::context(), settings).await.unwrap();
    assert_eq!(output["headers"]["vary"], "a, b");
    assert_eq!(output["headers"]["set-cookie"], json!(["x=1, 2", "y=3"]));
}

#[tokio::test]
async fn a_status_outside_expect_fails_the_step() {
    assert_eq!(call(json!({}), |_| Answer::json(500, "")).await.0, Err("127.0.0.1 answered 500".to_owned()));
    assert_eq!(call(json!({"expect": "5xx"}), |_| Answer::json(500, "")).await.0.unwrap()["status"], 500);
}

#[test]
fn it_keeps_its_whole_reply_and_lets_variables_pick_from_the_body() {
    let info = ErasedStep::info(&HttpRequest);
    assert_eq!((info.kind.as_str(), info.pick_from, info.keeps), ("http_request", "/body", Keeps::Whole));
}

#[test]
fn its_schema_says_that_post_is_the_default() {
    let schema = HttpRequest.settings_schema().to_value();
    assert_eq!(schema["properties"]["method"]["default"], "POST");
}
