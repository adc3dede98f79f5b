//! The API over real sockets, with a real engine behind it.

#![expect(clippy::expect_used, reason = "a test that cannot be set up should say why and stop")]

mod house;

use std::sync::Arc;

use flowrun::SystemClock;
use flowrun_server::Audit;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use house::{House, random, read, until};

const GREET: &str = "name: greet\ninputs: { who: { type: string } }\nsteps:\n  - set: { said: \"Hello {{who}}\" }\noutputs: { \
                     said: \"{{said}}\" }\n";
const PAY: &str = "name: pay\nsecrets: [hook_key]\ntrigger: { webhook: { path: pay, auth: { hmac: hook_key } } }\nsteps:\n  - set: { id: \
                   \"{{trigger.body.id}}\" }\noutputs: { id: \"{{id}}\" }\n";
const ASK: &str =
    "name: ask\ntrigger: { message: { keywords: [hi] } }\nsteps:\n  - id: ok\n    wait: { event: paid }\n";
const HOOK: &str = "name: hook\nsteps:\n  - log: \"{{callbacks.ok}}\"\n  - id: ok\n    wait: { webhook: }\noutputs: { got: \
                    \"{{steps.ok.output.body.n}}\" }\n";

#[tokio::test]
async fn a_run_is_started_once_waited_for_and_shown() {
    let house = House::with(GREET).await;
    let start = json!({ "inputs": { "who": "Ada" }, "run_id": "r1" });
    let (status, run) = house.post("/api/flows/greet/runs?wait=30s", start.clone()).await;
    assert_eq!(
        (status, &run["status"], &run["outputs"]),
        (StatusCode::CREATED, &json!("done"), &json!({"said": "Hello Ada"}))
    );
    let again = house.post("/api/flows/greet/runs", start).await;
    assert_eq!(again, (StatusCode::OK, json!({ "run": "r1", "existing": true })));
    let other = json!({ "inputs": { "who": "Bob" }, "run_id": "r1" });
    assert_eq!(house.post("/api/flows/greet/runs", other).await.0, StatusCode::CONFLICT);
    assert_eq!(house.get("/api/runs/r1").await, (StatusCode::OK, run));
    let (_, list) = house.get("/api/runs?flow=greet&limit=5").await;
    assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
}

#[tokio::test]
async fn what_is_asked_wrong_is_a_problem_that_says_what() {
    let house = House::with(GREET).await;
    let (status, said) = house.post("/api/flows/greet/runs", json!({ "inputs": {} })).await;
    assert_eq!(
        (status, said["type"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("urn:flowrun:problem:inputs"))
    );
    assert!(said["diagnostics"][0]["code"].is_string(), "{said}");
    for (path, body, expected) in [
        ("/api/flows/none/runs", json!({}), StatusCode::NOT_FOUND),
        ("/api/flows/greet/runs", json!({ "imputs": {} }), StatusCode::BAD_REQUEST),
        ("/api/flows/greet/runs?wait=30", json!({}), StatusCode::BAD_REQUEST),
        ("/api/runs/none/cancel", json!({}), StatusCode::NOT_FOUND),
        ("/api/runs/none/resolve", json!({ "how": "guess" }), StatusCode::BAD_REQUEST),
        ("/api/nowhere", json!({}), StatusCode::NOT_FOUND),
        ("/healthz", json!({}), StatusCode::METHOD_NOT_ALLOWED),
        ("/api/messages", json!({ "text": "x".repeat(1024 * 1024) }), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let (status, said) = house.post(path, body).await;
        assert_eq!(
            (status, said["status"].as_u64()),
            (expected, Some(expected.as_u16().into())),
            "{path}: {said}"
        );
    }
}

#[tokio::test]
async fn a_set_that_does_not_hold_is_refused_with_what_is_wrong_and_the_old_one_stays() {
    let house = House::with(GREET).await;
    let wrong = json!({ "files": { "a.yaml": "name: a\nsteps: [ { sett: {} } ]\n" } });
    let (status, said) = house.put("/api/flows", wrong).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(said["diagnostics"][0]["place"]["file"], "a.yaml", "{said}");
    let (_, flows) = house.get("/api/flows").await;
    assert_eq!(flows[0]["name"], "greet");
}

/// T20.
#[tokio::test]
async fn webhook_bad_mac_old_time_replay() {
    let house = House::with(PAY).await;
    let body = json!({ "id": random() });
    let first = house.signed("/hooks/flows/pay", &body);
    let replay = first.try_clone().expect("a request");
    let renamed = first.try_clone().expect("a request").header("idempotency-key", "another");
    assert_eq!(read(first).await, (StatusCode::OK, body));
    let (status, same) = read(replay).await;
    assert_eq!((status, &same["existing"]), (StatusCode::ACCEPTED, &json!(true)));
    assert_eq!(read(renamed).await.0, StatusCode::UNAUTHORIZED, "an id that nobody signed");
    let later = house.signed("/hooks/flows/pay", &json!({ "id": "1" })).header("x-flowrun-timestamp", "1");
    assert_eq!(read(later).await.0, StatusCode::UNAUTHORIZED, "two times");
    let unsigned = house.bare(Method::POST, "/hooks/flows/pay").json(&json!({}));
    assert_eq!(read(unsigned).await.0, StatusCode::UNAUTHORIZED);
    let (_, runs) = house.get("/api/runs").await;
    assert_eq!(runs.as_array().map(Vec::len), Some(1), "{runs}");
}

#[tokio::test]
async fn a_webhook_answers_as_it_says_and_one_without_proof_must_be_named_as_open() {
    let named = |name: &str, trigger: &str| {
        PAY.replace("name: pay", &format!("name: {name}"))
            .replace("path: pay, auth: { hmac: hook_key }", trigger)
    };
    let files = json!({
        "later.yaml": named("later", "path: later, auth: { hmac: hook_key }, reply: accepted"),
        "ping.yaml": named("ping", "path: ping"),
        "naked.yaml": named("naked", "path: naked"),
    });
    let house = House::with_all(files).await;
    let (status, said) = read(house.signed("/hooks/flows/later", &json!({ "id": "1" }))).await;
    assert_eq!((status, &said["existing"]), (StatusCode::ACCEPTED, &json!(false)));
    for (path, expected) in
        [("ping", StatusCode::OK), ("naked", StatusCode::UNAUTHORIZED), ("none", StatusCode::NOT_FOUND)]
    {
        let called = house.bare(Method::POST, &format!("/hooks/flows/{path}")).json(&json!({ "id": "1" }));
        assert_eq!(read(called).await.0, expected, "{path}");
    }
}

#[tokio::test]
async fn a_channel_brings_messages_and_each_once_r20() {
    let house = House::with(ASK).await;
    let message = json!({ "peer": "+31", "id": "m1", "text": "hi" });
    let (status, receipt) = read(house.signed("/hooks/channels/chat", &message)).await;
    assert_eq!((status, &receipt["became"]), (StatusCode::OK, &json!("started")), "{receipt}");
    let (_, again) = read(house.signed("/hooks/channels/chat", &message)).await;
    assert_eq!(again["became"], "duplicate");
    let unsigned = house.bare(Method::POST, "/hooks/channels/chat").json(&message);
    assert_eq!(read(unsigned).await.0, StatusCode::UNAUTHORIZED);
    let event = json!({ "event": "paid", "id": "e1" });
    assert_eq!(house.post("/api/events", event).await, (StatusCode::OK, json!({ "runs": 1 })));
}

/// N6: one use, not to be guessed; and a stream that goes on where it broke.
#[tokio::test]
async fn a_callback_is_taken_once_and_the_stream_shows_its_run() {
    let house = House::with(HOOK).await;
    let stream = |last: &str| {
        let asked = house.asks(Method::GET, "/api/runs/r1/events").header("last-event-id", last);
        async { asked.send().await.expect("a stream") }
    };
    let mut all = house.asks(Method::GET, "/api/events").send().await.expect("a stream");
    house.post("/api/flows/hook/runs", json!({ "run_id": "r1" })).await;
    let seen = until(&mut all, "event: waiting").await;
    let url =
        seen.split("/hooks/runs/").nth(1).and_then(|rest| rest.split('"').next()).expect("a URL").to_owned();
    let path = format!("/hooks/runs/{url}");
    let guessed = format!("/hooks/runs/r1/ok/{}", "0".repeat(32));
    let call = |path: &str| read(house.bare(Method::POST, path).json(&json!({ "n": 7 })));
    assert_eq!(call(&guessed).await.0, StatusCode::NOT_FOUND);
    assert_eq!(call(&path).await.0, StatusCode::ACCEPTED);
    until(&mut all, "\"status\":\"done\"").await;
    assert_ne!(call(&path).await.0, StatusCode::ACCEPTED);
    let (_, run) = house.get("/api/runs/r1").await;
    assert_eq!(run["outputs"], json!({ "got": 7 }), "{run}");
    let first = seen.split("id: ").nth(1).and_then(|rest| rest.lines().next()).expect("an id");
    let resumed = until(&mut stream(first).await, "\"status\":\"done\"").await;
    assert!(!resumed.contains("event: started") && resumed.contains("event: logged"), "{resumed}");
    assert!(until(&mut stream("1.1").await, "event: missed").await.contains("event: missed"));
}

#[tokio::test]
async fn what_was_ordered_is_in_the_audit_log_and_what_ran_is_counted() {
    let house = House::with(HOOK).await;
    house.post("/api/flows/hook/runs", json!({ "run_id": "r1" })).await;
    let cancelled = house.post("/api/runs/r1/cancel", json!({ "reason": "enough" })).await;
    assert_eq!(cancelled.0, StatusCode::ACCEPTED);
    let audit = Audit::new(house.folder.path(), Arc::new(SystemClock));
    assert_eq!(audit.verify().expect("a chain that holds").lines, 2, "a deploy and a cancel");
    let text = std::fs::read_to_string(house.folder.path().join("audit.jsonl")).expect("a log");
    assert!(text.contains("runs.cancel") && !text.contains("enough"), "{text}");
    let (status, metrics) = read(house.bare(Method::GET, "/metrics")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(metrics.as_str().is_some_and(|text| text.contains("flowrun_runs_started_total 1")), "{metrics}");
    let far = house.bare(Method::GET, "/metrics").header("x-forwarded-for", "192.0.2.1");
    assert_eq!(read(far).await.0, StatusCode::UNAUTHORIZED);
}

/// R19: streams end at once, and nothing new is taken.
#[tokio::test]
async fn closing_ends_streams_and_comes_back() {
    let house = House::with(GREET).await;
    let base = house.base.clone();
    assert_eq!(read(house.bare(Method::GET, "/readyz")).await, (StatusCode::OK, Value::from("ready\n")));
    let mut stream = house.asks(Method::GET, "/api/events").send().await.expect("a stream");
    house.close().await;
    assert!(stream.chunk().await.expect("a clean end").is_none());
    assert!(reqwest::get(base).await.is_err());
}

/// R18: a set is replaced only if it is the one that the caller knows; ten are kept, and each can be served again.
#[tokio::test]
async fn a_set_has_a_revision_that_a_deploy_can_be_meant_for() {
    let house = House::with(GREET).await;
    let tag = async || {
        let flows = house.asks(Method::GET, "/api/flows").send().await.expect("an answer");
        flows.headers()["etag"].to_str().expect("text").to_owned()
    };
    let first = tag().await;
    let deploy = async |name: &str, tag: &str| {
        let files = json!({ "files": { "flow.yaml": GREET.replace("greet", name) } });
        read(house.asks(Method::PUT, "/api/flows").header("if-match", tag).json(&files)).await
    };
    assert_eq!(deploy("other", &first).await.0, StatusCode::OK);
    let (status, said) = deploy("third", &first).await;
    assert_eq!(
        (status, &said["type"]),
        (StatusCode::PRECONDITION_FAILED, &json!("urn:flowrun:problem:revision"))
    );
    let second = tag().await;
    assert!(said["detail"].as_str().is_some_and(|said| said.contains(second.trim_matches('"'))), "{said}");
    assert_eq!(deploy("third", &format!("\"0\", {second}")).await.0, StatusCode::OK, "one of several");
    let (_, sets) = house.get("/api/flows/sets").await;
    assert_eq!((sets.as_array().map(Vec::len), &sets[0]["is_served"]), (Some(3), &json!(true)), "{sets}");
    let back = json!({ "to": first.trim_matches('"') });
    let (status, flows) = house.post("/api/flows/rollback", back).await;
    assert_eq!((status, &flows[0]["name"], tag().await), (StatusCode::OK, &json!("greet"), first));
    assert_eq!(
        house.post("/api/flows/rollback", json!({})).await.0,
        StatusCode::CONFLICT,
        "nothing before it"
    );
    assert_eq!(house.post("/api/flows/rollback", json!({ "to": "0" })).await.0, StatusCode::NOT_FOUND);
}

/// A set of flows may be larger than anything else that is sent.
#[tokio::test]
async fn a_set_of_three_mebibytes_is_taken_and_one_of_five_is_not() {
    let house = House::with(GREET).await;
    for (mebibytes, expected) in [(3, StatusCode::OK), (5, StatusCode::PAYLOAD_TOO_LARGE)] {
        let flow = |number: usize| {
            let text = GREET.replace("name: greet", &format!("name: greet{number}"));
            (format!("{number}.yaml"), text + &"# a remark\n".repeat(20_000))
        };
        let files: std::collections::BTreeMap<_, _> = (0..mebibytes * 5).map(flow).collect();
        assert_eq!(house.put("/api/flows", json!({ "files": files })).await.0, expected, "{mebibytes}");
    }
}
