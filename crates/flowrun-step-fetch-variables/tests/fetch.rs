//! `fetch_variables` against a service on loopback: what it sends, what it gives, how it fails.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../../flowrun-http/tests/provider/house.rs"]
mod house;
#[path = "../../flowrun-http/tests/provider/mod.rs"]
mod provider;

use flowrun_step::serde_json::{Value, json};
use flowrun_step::{ErasedStep, Keeps};
use flowrun_step_fetch_variables::FetchVariables;
use provider::{Answer, Provider};

/// Makes one call with these settings against a service that answers so.
async fn call(mut settings: Value, answer: fn(&str) -> Answer) -> (Result<Value, String>, String) {
    let provider = Provider::start(answer).await;
    settings["url"] = provider.url("/contacts.info?id=42").into();
    let output = ErasedStep::call(&FetchVariables, house::context(), settings).await;
    (output.map_err(|error| error.to_string()), provider.seen().concat())
}

#[tokio::test]
async fn it_gets_and_gives_the_json_body_whole_seed_29() {
    let answer = |_: &str| Answer::json(200, r#"{"data":{"last_name":"Doe","id":9007199254740993}}"#);
    let (output, seen) = call(json!({"variables": {"last_name": "data.last_name"}}), answer).await;
    assert_eq!(output, Ok(json!({"data": {"last_name": "Doe", "id": 9_007_199_254_740_993_u64}})));
    assert!(seen.starts_with("GET /contacts.info?id=42 HTTP/1.1\r\naccept: application/json\r\n"), "{seen}");
}

#[tokio::test]
async fn without_an_integration_no_credential_goes_along_seed_25() {
    let (_, seen) = call(json!({}), |_| Answer::json(200, "{}")).await;
    assert!(!seen.to_lowercase().contains("authorization"), "{seen}");
}

#[tokio::test]
async fn with_an_integration_its_way_out_is_taken_seed_26() {
    let (output, seen) = call(json!({"integration": "Teamleader"}), |_| Answer::json(200, "{}")).await;
    assert_eq!(output, Ok(json!({})));
    assert!(seen.contains("authorization: Bearer of-teamleader\r\n"), "{seen}");
}

#[tokio::test]
async fn an_empty_reply_is_null_and_what_is_no_json_is_an_error() {
    assert_eq!(call(json!({}), |_| Answer::of(204, &[], "")).await.0, Ok(Value::Null));
    let (output, _) = call(json!({}), |_| Answer::of(200, &[("content-type", "text/html")], "<p>")).await;
    let error = "the reply of 127.0.0.1 (3 bytes, content type text/html) cannot be read: \
                 it is not JSON (line 1, column 1)";
    assert_eq!(output, Err(error.to_owned()));
}

#[tokio::test]
async fn a_status_outside_expect_fails_the_step() {
    let missing = |_: &str| Answer::json(404, "{}");
    assert_eq!(call(json!({}), missing).await.0, Err("127.0.0.1 answered 404".to_owned()));
    assert_eq!(call(json!({"expect": ["2xx", 404]}), missing).await.0, Ok(json!({})));
}

#[test]
fn it_keeps_its_variables_picked_from_the_whole_body() {
    let info = ErasedStep::info(&FetchVariables);
    assert_eq!((info.kind.as_str(), info.pick_from, info.keeps), ("fetch_variables", "", Keeps::Variables));
}

#[test]
fn its_schema_says_that_get_is_the_default() {
    let schema = FetchVariables.settings_schema().to_value();
    assert_eq!(schema["properties"]["method"]["default"], "GET");
    assert_eq!((&schema["required"], &schema["additionalProperties"]), (&json!(["url"]), &json!(false)));
}
