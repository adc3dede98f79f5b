//! Test files as an author meets their reader: every mistake at its place, each with a fix (language, 5).

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod house;

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use flowrun_lang::case::{self, Answer, Body, When};
use flowrun_lang::{Diagnostic, Given, SourceText, check as check_flow};
use proptest::prelude::*;
use serde_json::json;

fn source(text: &str) -> SourceText {
    SourceText::new("x.test.yaml", text.as_bytes().to_vec()).unwrap()
}

fn shown(mistakes: &[Diagnostic]) -> String {
    let mut out = String::new();
    for mistake in mistakes {
        let place = mistake.place.as_ref().unwrap();
        writeln!(out, "{}:{} {mistake}", place.line, place.column).unwrap();
        writeln!(out, "    {} => {}", place.path, mistake.help.as_ref().unwrap()).unwrap();
    }
    out
}

#[expect(clippy::needless_pass_by_value, reason = "an expectation is written in place")]
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&shown(&case::read(&source(text)).unwrap_err()));
}

#[test]
fn every_mistake_of_a_test_file_is_told_at_once_each_at_its_place() {
    check(
        r#"integrations: { crm: great, "!": authorized }
cases:
  - name: several
    replys: {}
    advance: 5
    now: tomorrow
    inputs: [ 1 ]
    replies:
      get: [ { status: 700 }, { json: 1, text: x }, { error: broken }, { error: timeout, status: 200 }, { times: 0 } ]
    expect: { sent: x, outptus: {}, steps: { get: dun }, attempts: { get: -1 }, outputs: 5, requests: [ 5 ] }
  - inputs: {}
  - name: by request
    replies: [ { json: {} } ]
  - 5
"#,
        expect![[r#"
            1:22 error[F022]: this is one of `authorized`, `incomplete`, `revoked`, `refresh_refused`, `client_rejected`, `reply_lost`, but this is `great`
                integrations.crm => known here: authorized, incomplete, revoked, refresh_refused, client_rejected, reply_lost
            1:29 error[F027]: `!` is not a legal integration name: 1 to 64 letters, digits, spaces, `.`, `_` or `-`, starting with a letter or digit
                integrations.! => write the name that the flow's steps use
            4:5 error[F020]: unknown key `replys`
                cases[0].replys => did you mean `replies`?
            5:14 error[F038]: this duration has no unit
                cases[0].advance => write 5s for seconds or 5ms for milliseconds
            6:10 error[F022]: `now` is a moment, but this is `tomorrow`
                cases[0].now => now: 2026-01-31T12:00:00Z
            7:13 error[F022]: `inputs` is a map, but this is a list
                cases[0].inputs => write `name: value` pairs beneath `inputs:`
            9:24 error[F022]: this is a whole number from 100 to 599, but this is `700`
                cases[0].replies.get[0].status => write the number without quotes or units
            9:42 error[F022]: a reply with `json` has no `text`
                cases[0].replies.get[1].text => leave one of the two out
            9:62 error[F022]: this is one of `connect`, `timeout`, but this is `broken`
                cases[0].replies.get[2].error => known here: connect, timeout
            9:90 error[F022]: a reply that never comes has no `status`
                cases[0].replies.get[3].status => leave one of the two out
            9:114 error[F022]: this is a whole number from 1 to 100000, but this is `0`
                cases[0].replies.get[4].times => write the number without quotes or units
            10:21 error[F022]: `sent` is a list, but this is `x`
                cases[0].expect.sent => write each item on a line of its own, after `- `
            10:24 error[F020]: unknown key `outptus`
                cases[0].expect.outptus => did you mean `outputs`?
            10:51 error[F022]: this is one of `pending`, `done`, `skipped`, `failed`, but this is `dun`
                cases[0].expect.steps.get => known here: pending, done, skipped, failed
            10:75 error[F022]: this is a whole number from 0 to 11, but this is `-1`
                cases[0].expect.attempts.get => write the number without quotes or units
            10:90 error[F022]: `outputs` is a map, but this is `5`
                cases[0].expect.outputs => outputs: { name: value }
            10:105 error[F022]: a request is a map, but this is `5`
                cases[0].expect.requests[0] => write its keys on lines of their own, as `key: value`
            11:5 error[F021]: the case has no `name`
                cases[1] => name: what the flow does in this case
            13:16 error[F021]: nothing says which request this answers
                cases[2].replies[0] => when: { method: GET, url: "https://api.example.com/contacts*" }
            14:5 error[F022]: a case is a map, but this is `5`
                cases[3] => write its keys on lines of their own, as `key: value`
        "#]],
    );
}

#[test]
fn a_file_without_cases_says_what_a_case_looks_like() {
    check(
        "",
        expect![[r#"
        1:1 error[F021]: the file has no `cases`
             => cases:
          - name: greets
            expect: { sent: [Hello.] }
    "#]],
    );
    check(
        "flow: x.flow.yaml\n",
        expect![[r#"
        1:1 error[F021]: the file has no `cases`
             => cases:
          - name: greets
            expect: { sent: [Hello.] }
    "#]],
    );
    check(
        "cases: []\n",
        expect![[r#"
        1:1 error[F021]: the file has no `cases`
             => cases:
          - name: greets
            expect: { sent: [Hello.] }
    "#]],
    );
    check(
        "case:\n  - name: x\n",
        expect![[r#"
        1:1 error[F020]: unknown key `case`
            case => did you mean `cases`?
    "#]],
    );
}

#[test]
fn what_comes_from_outside_is_read_with_its_mistakes() {
    check(
        "cases:\n  - name: asks\n    start: { telegram: {} }\n    say: hello\n  - name: hears\n    start: { message: { body: 1 } }\n    \
         events: [ { data: {} } ]\n    calls: [ { step: ok, payload: 1, after: soon } ]\n    expect: { response: { status: 99 }, \
         emitted: [ { key: a } ] }\n",
        expect![[r#"
            3:12 error[F022]: `start` is `message`, `webhook`, `schedule` or `event`, with what it brings, but this is a map
                cases[0].start => start: { message: { text: hello } }
            4:10 error[F022]: `say` is a list, but this is `hello`
                cases[0].say => write each item on a line of its own, after `- `
            6:25 error[F020]: unknown key `body`
                cases[1].start.message.body => known here: text, choice, attachments
            7:15 error[F021]: `event` is missing
                cases[1].events[0] => add `event:`
            8:26 error[F020]: unknown key `payload`
                cases[1].calls[0].payload => known here: step, body, query, headers, after
            8:45 error[F038]: this is not a duration
                cases[1].calls[0].after => write 500ms, 30s, 5m, 1h30m or 2d
            9:35 error[F022]: this is a whole number from 200 to 599, but this is `99`
                cases[1].expect.response.status => write the number without quotes or units
            9:52 error[F021]: `event` is missing
                cases[1].expect.emitted[0] => add `event:`
        "#]],
    );
}

#[test]
fn what_does_not_fit_the_flow_is_told_where_it_is_written() {
    let flow = r#"
secrets: [KEY]
steps:
  - id: get
    http_request: { url: https://api.teamleader.eu/, integration: teamleader, headers: { X-K: "{{secrets.KEY}}" } }
"#;
    let suite = case::read(&source(
        r#"
cases:
  - name: misfits
    secrets: { KAY: canary-1234 }
    replies: { gat: {} }
    expect: { attempts: { put: 1 }, steps: { got: done }, requests: [ { step: post } ] }
"#,
    ));
    let flow = SourceText::new("x.flow.yaml", flow.as_bytes().to_vec()).unwrap();
    let flow = check_flow(&flow, &house::catalog()).flow.unwrap();
    expect![[r#"
        1:1 error[F015]: the flow uses the integration `teamleader`, and the test file gives it none
             => integrations: { teamleader: authorized }
        4:16 error[F037]: the flow declares no secret `KAY`
            cases[0].secrets.KAY => did you mean `KEY`?
        5:16 error[F036]: no step of the flow has the id `gat`
            cases[0].replies.gat => did you mean `get`?
        6:27 error[F036]: no step of the flow has the id `put`
            cases[0].expect.attempts.put => its steps are: get
        6:46 error[F036]: no step of the flow has the id `got`
            cases[0].expect.steps.got => did you mean `get`?
        6:79 error[F036]: no step of the flow has the id `post`
            cases[0].expect.requests[0].step => its steps are: get
    "#]]
    .assert_eq(&shown(&suite.unwrap().misfits("x.test.yaml", &flow)));
}

#[test]
fn a_case_is_read_as_it_is_written() {
    let suite = case::read(&source(
        r#"
flow: y.flow.yaml
integrations: { zoho: { kept: { api_domain: "https://www.zohoapis.eu" } } }
cases:
  - name: all of it
    now: 2026-03-01T09:00:00Z
    advance: 1h30m
    inputs: { id: 007, tags: [a, 1] }
    replies:
      - { when: { method: get, url: "*" }, times: 3, status: 429, headers: { Retry-After: 1.0 }, json: { a: 1.5 } }
      - { when: {}, error: connect }
"#,
    ))
    .unwrap();
    let (case, kept) = (&suite.cases[0], &suite.kept[&("zoho".to_owned(), "api_domain".to_owned())]);
    assert_eq!((suite.flow.unwrap().is.as_str(), kept.as_str()), ("y.flow.yaml", "https://www.zohoapis.eu"));
    assert_eq!(case.now.to_string(), "2026-03-01T09:00:00Z");
    assert_eq!(case.advance.unwrap().as_secs(), 5400);
    // What `--var` would give is text, as it was written; a list is what it is.
    assert_eq!(case.inputs["id"], Given::Text("007".to_owned()));
    assert_eq!(case.inputs["tags"], Given::Value(json!(["a", 1])));
    let headers = vec![("Retry-After".to_owned(), "1.0".to_owned())];
    let answer = Answer::Reply { status: 429, headers, body: Body::Json(json!({"a": 1.5})) };
    assert_eq!((case.replies[0].times, &case.replies[0].answer.is), (3, &answer));
    let when = When { method: Some("GET".to_owned()), url: Some("*".to_owned()) };
    assert_eq!(case.replies[0].when, Some(when));
    assert_eq!(case.replies[1].answer.is, Answer::Connect);
}

const GOOD: &str = r#"flow: käse.flow.yaml
integrations: { crm: incomplete, zoho: { state: authorized, kept: { a: "é" } } }
cases:
  - name: "one 😀"
    inputs: { id: 42, list: [1, { a: b }] }
    secrets: { KEY: canary-1234 }
    now: 2026-03-01T09:00:00Z
    replies:
      get: [ { status: 503, headers: { A: b } }, { times: 2, json: { x: [1.5, ~] } }, { error: timeout } ]
      put: { when: { method: PUT, url: "https://*" }, text: |- }
    expect:
      sent: [Hello., 'It''s']
      requests: [ { step: get, json: { a: 1 }, headers: { X: y } } ]
      steps: { get: done, put: pending }
"#;

/// Whatever is typed, reading ends with words at places of the text.
fn is_read(text: &str) {
    for mistake in case::read(&source(text)).err().into_iter().flatten() {
        assert!(mistake.help.as_ref().is_some_and(|help| !help.is_empty()), "no help: {mistake}\n{text}");
        let bytes = mistake.place.as_ref().unwrap().bytes.clone();
        assert!(text.get(bytes).is_some(), "{mistake}\n{text}");
    }
}

#[test]
fn every_beginning_of_a_good_test_file_is_read() {
    for (at, _) in GOOD.char_indices() {
        is_read(&GOOD[..at]);
    }
}

proptest! {
    #[test]
    fn a_test_file_with_slips_is_read(cuts in prop::collection::vec((0..GOOD.len(), ".{0,3}"), 1..4)) {
        let mut text = GOOD.to_owned();
        for (at, slip) in cuts {
            let at = text.floor_char_boundary(at.min(text.len()));
            let end = text.ceil_char_boundary((at + 2).min(text.len()));
            text.replace_range(at..end, &slip);
        }
        is_read(&text);
    }
}
