//! `flowrun test` as an author meets it: what passes, what is told of what does not, and what it never touches.

#![expect(clippy::expect_used, reason = "a test whose parts do not start fails at once")]

#[path = "person.rs"]
mod person;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use person::{Ended, Person};
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

/// A flow with a call, a secret, a retry and two branches.
const CONTACT: &str = r#"inputs: { id: { type: string } }
secrets: [KEY]
steps:
  - id: get
    fetch_variables:
      url: https://api.example.com/contacts/{{id}}
      integration: crm
      headers: { X-Key: "{{secrets.KEY}}" }
      variables: [name]
    retry: 2
  - send: Hello {{name}}.
  - if: name == "Roe"
    then: [ { send: Welcome back. }, { end: } ]
outputs: { name: "{{name}}" }
"#;

/// Somebody with that flow and these cases.
fn with(cases: &str) -> Person {
    let person = Person::new(&[]);
    person.write("contact.flow.yaml", CONTACT);
    person.write("contact.test.yaml", &format!("integrations: {{ crm: authorized }}\ncases:\n{cases}"));
    person
}

#[expect(clippy::needless_pass_by_value, reason = "an expectation is written in place")]
fn check(cases: &str, code: i32, expected: Expect) {
    let ended = with(cases).flowrun(&["test"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{ended:?}");
    expected.assert_eq(&ended.stderr);
}

fn root() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).to_owned()
}

/// Every flow that ships has cases, they pass, and no step or branch of it is untried.
#[test]
fn every_flow_of_the_house_passes_its_cases_and_every_branch_of_it_is_tried() {
    let flows = root().join("flows");
    let ended = Person::new(&[]).flowrun(&["test", "--coverage", flows.to_str().expect("UTF-8")]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let names = fs::read_dir(&flows).expect("flows").map(|entry| entry.expect("an entry").file_name());
    let names: Vec<String> = names.map(|name| name.into_string().expect("UTF-8")).collect();
    let flows = names.iter().filter_map(|name| name.strip_suffix(".flow.yaml"));
    for flow in flows.clone() {
        let tried = format!("{flow}.test.yaml: every step and branch is reached");
        assert!(ended.stderr.contains(&tried), "{flow}: {}", ended.stderr);
    }
    assert_eq!(flows.count() * 2, names.len(), "beside each flow stand its cases, and nothing else");
}

#[test]
fn a_case_that_comes_true_is_told_in_one_line() {
    check(
        r#"
  - name: greets at the second attempt
    inputs: { id: 42 }
    secrets: { KEY: key-of-the-test }
    replies: { get: [ { status: 503 }, { json: { name: Doe, more: 1 } } ] }
    expect:
      sent: [Hello Doe.]
      requests:
        - { step: get, method: get, url: "https://api.example.com/contacts/42", headers: { x-key: key-of-the-test } }
      outputs: { name: Doe }
      attempts: { get: 2 }
      steps: { get: done }
"#,
        0,
        expect![[r#"
            ok      contact.test.yaml: greets at the second attempt
            1 passed, 0 failed
        "#]],
    );
}

#[test]
fn every_difference_is_told_at_its_line_with_what_was_expected_and_what_came() {
    check(
        r#"
  - name: all wrong
    inputs: { id: 42 }
    replies: { get: [ { status: 503 }, { json: { name: Doe } } ] }
    expect:
      sent: [Hello Doe., Welcome back.]
      requests: [ { step: get, method: POST, headers: { x-key: k } }, { step: get, json: { a: 1 } } ]
      outputs: { name: Roe }
      attempts: { get: 1 }
      steps: { get: skipped }
"#,
        1,
        expect![[r#"
            FAILED  contact.test.yaml: all wrong
            error[F092]: the outputs are others
              --> contact.test.yaml:10:7
               |
            10 |       outputs: { name: Roe }
               |       ^^^^^^^ cases[0].expect.outputs
               |
               = help: change the flow, or what the case expects
                - name: "Roe"
                + name: "Doe"
            error[F092]: the flow sent something else
             --> contact.test.yaml:8:7
              |
            8 |       sent: [Hello Doe., Welcome back.]
              |       ^^^^ cases[0].expect.sent
              |
              = help: change the flow, or what the case expects
                  Hello Doe.
                - Welcome back.
            error[F092]: the flow made other requests
             --> contact.test.yaml:9:7
              |
            9 |       requests: [ { step: get, method: POST, headers: { x-key: k } }, { step: get, json: { a: 1 } } ]
              |       ^^^^^^^^ cases[0].expect.requests
              |
              = help: change the flow, or what the case expects
                - get  POST  x-key: k
                - get  {"a":1}
                + get  GET  https://api.example.com/contacts/42  x-key: $FLOWRUN_SECRET_KEY
            error[F092]: `get` took another number of attempts
              --> contact.test.yaml:11:19
               |
            11 |       attempts: { get: 1 }
               |                   ^^^ cases[0].expect.attempts.get
               |
               = help: change the flow, or what the case expects
                - 1
                + 2
            error[F092]: `get` ended otherwise
              --> contact.test.yaml:12:16
               |
            12 |       steps: { get: skipped }
               |                ^^^ cases[0].expect.steps.get
               |
               = help: change the flow, or what the case expects
                - skipped
                + done
            0 passed, 1 failed
        "#]],
    );
}

#[test]
fn an_end_that_is_not_expected_is_told_with_its_place_in_the_flow() {
    check(
        r#"
  - name: fails
    inputs: { id: 42 }
    replies: { get: { json: {} } }
  - name: fails otherwise
    inputs: { id: 42 }
    replies: { get: { json: {} } }
    expect: { error: http }
  - name: does not fail
    inputs: { id: 42 }
    replies: { get: { json: { name: Doe } } }
    expect: { error: http }
  - name: has no input
"#,
        1,
        expect![[r#"
            FAILED  contact.test.yaml: fails
            error[F055]: `name` found nothing: there is no `name` in an empty map
             --> contact.flow.yaml:6:7
              |
            6 |       url: https://api.example.com/contacts/{{id}}
              |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ steps[0].fetch_variables
              |
              = cause: in the case `fails`, on line 4
              = help: name: { path: name, default: ... } or required: false, if it may be missing
            FAILED  contact.test.yaml: fails otherwise
            error[F092]: the run ended with another error
              --> contact.test.yaml:10:22
               |
            10 |     expect: { error: http }
               |                      ^^^^ cases[1].expect.error
               |
               = cause: `name` found nothing: there is no `name` in an empty map
               = help: change the flow, or what the case expects
                - http
                + missing
            FAILED  contact.test.yaml: does not fail
            error[F092]: the run ended well
              --> contact.test.yaml:14:22
               |
            14 |     expect: { error: http }
               |                      ^^^^ cases[2].expect.error
               |
               = help: change the flow, or what the case expects
                - http
                + done
            FAILED  contact.test.yaml: has no input
            error[F007]: variable `id` has no value
             --> contact.flow.yaml:1:15
              |
            1 | inputs: { id: { type: string } }
              |               ^^^^^^^^^^^^^^ inputs.id
              |
              = cause: in the case `has no input`, on line 15
              = help: change the case's `inputs`
            0 passed, 4 failed
        "#]],
    );
}

/// Language, 5: an unmatched request fails the case; and so does a reply that nobody asked for.
#[test]
fn a_request_without_a_reply_and_a_reply_without_a_request_fail_the_case() {
    check(
        r#"
  - name: too few
    inputs: { id: 42 }
    replies: { get: [ { status: 503 } ] }
  - name: too many
    inputs: { id: 42 }
    replies:
      - { when: { method: GET, url: "https://api.example.com/*" }, json: { name: Doe } }
      - { when: { method: POST }, times: 2 }
"#,
        1,
        expect![[r#"
            FAILED  contact.test.yaml: too few
            error[F090]: no reply of the case answers GET https://api.example.com/contacts/42
             --> contact.test.yaml:4:11
              |
            4 |   - name: too few
              |           ^^^^^^^ cases[0].name
              |
              = cause: asked by get, for which no reply is left that fits
              = help: replies: { get: [ { json: {} } ] }
            FAILED  contact.test.yaml: too many
            error[F091]: the run did not ask for this reply 2 more times
              --> contact.test.yaml:11:9
               |
            11 |       - { when: { method: POST }, times: 2 }
               |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ cases[1].replies[1]
               |
               = help: leave it out, or find out why it is not asked for
            0 passed, 2 failed
        "#]],
    );
}

/// A handler of the flow's cannot hide a request that the case has no reply for.
#[test]
fn a_handled_error_does_not_hide_a_request_without_a_reply() {
    let person = Person::new(&[]);
    let call = "http_request: { url: \"https://api.example.com/\" }";
    person.write("a.flow.yaml", &format!("steps:\n  - id: a\n    {call}\n    on_error: continue\n"));
    person.write("a.test.yaml", "cases:\n  - name: hides nothing\n");
    let ended = person.flowrun(&["test", "a.flow.yaml"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("error[F090]: no reply of the case answers POST"), "{ended:?}");
}

/// OA-1, as a run has it: an integration that cannot be used ends a case before its first request.
#[test]
fn a_case_with_an_integration_that_is_not_authorised_makes_no_request_oa_1() {
    let person = with(
        "  - name: never begins\n    inputs: { id: 1 }\n    expect: { error: integration, requests: [] }\n",
    );
    let file = fs::read_to_string(person.home().join("contact.test.yaml")).expect("written");
    person.write("contact.test.yaml", &file.replace("authorized", "incomplete"));
    let ended = person.flowrun(&["test"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// Waits of a year, slow services and rate limits pass at once, and in the order they would have.
#[test]
fn time_is_virtual_and_goes_as_far_as_the_case_says() {
    let person = Person::new(&[]);
    let flow = r#"
inputs: { first: { type: duration, default: 365d } }
limits: { age: 366d }
steps:
  - wait: "{{first}}"
  - parallel:
      slow:
        - id: slow
          http_request: { method: GET, url: "https://slow.example.com/", timeout: 20s }
          retry: { times: 1, wait: 1s }
          on_error: [ { send: 'slow gave up at {{date now "%F %H:%M" "UTC"}}' } ]
      quick:
        - wait: 30s
        - send: quick is done
  - send: both are done
"#;
    person.write("wait.flow.yaml", flow);
    let cases = r#"
cases:
  - name: a year passes
    now: 2026-01-01T00:00:00Z
    replies: { slow: { times: 2, error: timeout } }
    expect: { sent: [quick is done, "slow gave up at 2027-01-01 00:00", both are done], attempts: { slow: 2 } }
  - name: a year is not over
    advance: 364d
    expect: { sent: [], requests: [], steps: { slow: pending } }
  - name: the second attempt is under way
    inputs: { first: 1s }
    advance: 35s
    replies: { slow: { times: 2, error: timeout } }
    expect: { sent: [quick is done] }
  - name: waiting is no end
    advance: 1s
    expect: { error: timeout }
"#;
    person.write("wait.test.yaml", cases);
    let ended = person.flowrun(&["test", "wait.test.yaml"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.ends_with("3 passed, 1 failed\n"), "{}", ended.stderr);
    assert!(ended.stderr.contains("error[F092]: the run still waits"), "{}", ended.stderr);
}

/// L-13: many items at once, and the same order every time.
#[test]
fn the_order_of_what_runs_side_by_side_is_always_the_same() {
    let person = Person::new(&[]);
    let flow = r#"
steps:
  - for_each: { in: range(20)|list, as: n, concurrency: 7, collect: got }
    do:
      - id: get
        fetch_variables: { url: "https://api.example.com/{{n}}", variables: { got: n } }
        retry: 2
      - send: "{{n}} is {{got}}"
"#;
    person.write("many.flow.yaml", flow);
    let reply = |n: u32| match n % 3 {
        0 => format!(
            "      - {{ when: {{ url: \"*/{n}\" }}, status: 503 }}\n      - {{ when: {{ url: \"*/{n}\" }}, json: {{ n: {n} }} }}\n"
        ),
        _ => format!("      - {{ when: {{ url: \"*/{n}\" }}, json: {{ n: {n} }} }}\n"),
    };
    let replies: String = (0..20).map(reply).collect();
    person.write(
        "many.test.yaml",
        &format!("cases:\n  - name: all\n    replies:\n{replies}    expect: {{ sent: [] }}\n"),
    );
    let told =
        |ended: Ended| ended.stderr.lines().filter(|line| line.contains(" is ")).map(str::to_owned).collect();
    let first: Vec<String> = told(person.flowrun(&["test"]));
    assert_eq!(first.iter().filter(|line| line.starts_with("    + ")).count(), 20, "{first:?}");
    for _ in 0..5 {
        let again: Vec<String> = told(person.flowrun(&["test"]));
        assert_eq!(again, first);
    }
}

/// T18, for tests: nothing real is opened and nothing leaves the process.
#[test]
fn a_test_opens_no_registry_reads_no_secret_and_calls_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a listener that does not wait");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    let person = Person::new(&[("FLOWRUN_HOME", "real"), ("FLOWRUN_SECRET_KEY", "canary-77aa12b9")]);
    person.write("real", "a plain file, so that any use of it fails");
    person.write("contact.flow.yaml", &CONTACT.replace("https://api.example.com/", &url));
    let cases = "integrations: { crm: authorized }\ncases:\n  - name: x\n    inputs: { id: 1 }\n    \
                 replies: { get: { json: { name: Doe } } }\n    expect: { requests: [ { headers: { x-key: z } } ] }\n";
    person.write("contact.test.yaml", cases);
    let ended = person.flowrun(&["test", "-vv"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("x-key: $FLOWRUN_SECRET_KEY"), "{ended:?}");
    assert!(!ended.stderr.contains("canary") && listener.accept().is_err(), "{ended:?}");
}

#[test]
fn what_no_case_reaches_is_listed_with_its_line() {
    let cases = "  - name: x\n    inputs: { id: 1 }\n    replies: { get: { json: { name: Doe } } }\n";
    let ended = with(cases).flowrun(&["test", "--coverage"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    expect![[r#"
        ok      contact.test.yaml: x
        contact.flow.yaml:13: steps[2].then[0] is never reached
        1 passed, 0 failed
    "#]]
    .assert_eq(&ended.stderr);
}

/// Design 3: 0, 1, 2 and 3, as everywhere.
#[test]
fn a_test_ends_as_its_cases_do() {
    let good = "  - name: good\n    inputs: { id: 1 }\n    replies: { get: { json: { name: Doe } } }\n";
    let bad = "  - name: bad\n    inputs: { id: 1 }\n";
    let person = with(&format!("{good}{bad}"));
    fs::create_dir(person.home().join("empty")).expect("a folder");
    person.write("typo.test.yaml", "flow: contact.flow.yaml\ncaes: []\n");
    person.write("lost.test.yaml", &format!("cases:\n{good}"));
    person.write("wrong.flow.yaml", "steps:\n  - sned: x\n");
    person.write("wrong.test.yaml", &format!("cases:\n{good}"));
    for (words, code) in [
        (&["test", "contact.test.yaml"][..], 1),
        (&["test", "contact.flow.yaml", "--filter", "good"], 0),
        (&["test", "contact.flow.yaml", "--filter", "neither"], 2),
        (&["test", "empty"], 2),
        (&["test", "nowhere.test.yaml"], 2),
        (&["test", "lost.test.yaml"], 2),
        (&["test", "typo.test.yaml"], 3),
        (&["test", "wrong.test.yaml"], 3),
        (&["test", "contact.test.yaml", "typo.test.yaml"], 3),
    ] {
        let ended = person.flowrun(words);
        assert_eq!(ended.code, Some(code), "{words:?}: {ended:?}");
        assert!(code == 0 || ended.stderr.contains("error"), "{words:?}: {ended:?}");
        assert!(code < 2 || ended.stderr.contains("= help: "), "{words:?}: {ended:?}");
    }
}

#[test]
fn json_tells_a_case_a_line_and_the_sum_last() {
    let cases = "  - name: good\n    inputs: { id: 1 }\n    replies: { get: { json: { name: Doe } } }\n  - name: bad\n";
    let ended = with(cases).flowrun(&["test", "--message-format", "json", "--coverage"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""), "{ended:?}");
    let lines: Vec<Value> =
        ended.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told = |at: usize, pointer: &str| lines[at].pointer(pointer).cloned().unwrap_or_default();
    assert_eq!((told(0, "/status"), told(0, "/problems")), ("passed".into(), Value::Array(Vec::new())));
    assert_eq!((told(1, "/case"), told(1, "/line")), ("bad".into(), 6.into()));
    assert_eq!(told(1, "/problems/0/diagnostic/code"), Value::from("F007"));
    assert_eq!(told(2, "/gaps/0/place/line"), Value::from(13));
    assert_eq!((told(3, "/passed"), told(3, "/failed")), (1.into(), 1.into()));
}

/// What an author or a service wrote stands in the report as text, whatever it is.
#[test]
fn junits_xml_is_well_formed_whatever_stands_in_it() {
    let cases = "  - name: \"a <b> & \\\"c\\\" \\x07\"\n    inputs: { id: 1 }\n    \
                 replies: { get: { json: { name: \"]]> &amp; <x/>\" } } }\n    expect: { sent: [] }\n";
    let ended = with(cases).flowrun(&["test", "--message-format", "junit"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let mut reader = Reader::from_str(&ended.stdout);
    let (mut names, mut text) = (Vec::new(), String::new());
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Start(element) => {
                let attributes = element.attributes().map(|attribute| attribute.expect("well-formed"));
                let values = attributes.map(|it| it.unescape_value().expect("well-formed").into_owned());
                names.push(format!(
                    "{} {}",
                    String::from_utf8_lossy(element.name().as_ref()),
                    values.collect::<Vec<_>>().join(", ")
                ));
            }
            Event::Text(found) => text.push_str(&found.decode().expect("UTF-8")),
            Event::GeneralRef(found) => text.push_str(&format!("&{};", found.decode().expect("UTF-8"))),
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(names[1].starts_with("testsuite contact.test.yaml, 1, 1, 0."), "{names:?}");
    assert!(names[2].contains("a <b> & \"c\" \u{fffd}"), "{names:?}");
    assert!(names[3].starts_with("failure the flow sent something else, F092"), "{names:?}");
    assert!(text.contains("+ Hello ]]&gt; &amp;amp; &lt;x/&gt;."), "{text}");
}

/// T24, for test files: what a case holds never reaches a terminal as a command.
#[test]
fn what_is_told_of_a_hostile_case_is_inert() {
    let cases = "  - name: \"\\e[2J\\u202e\"\n    inputs: { id: 1 }\n    \
                 replies: { get: { json: { name: \"\\e]52;c;\\a\" } } }\n    expect: { sent: [\"\\x9b31m\"] }\n";
    let ended = with(cases).flowrun(&["test"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(!ended.stderr.contains(['\u{9b}', '\u{202e}', '\u{1b}', '\u{7}']), "{ended:?}");
}

/// A flow and those it calls are tried together; a called flow's step is named after its flow.
#[test]
fn a_called_flow_is_answered_and_covered_too() {
    let person = Person::new(&[]);
    let part = "name: part\nsteps:\n  - id: get\n    fetch_variables: { url: \"https://api.example.com/\", variables: [name] }\n  \
                - if: name == \"Roe\"\n    send: Welcome back.\noutputs: { name: \"{{name}}\" }\n";
    person.write("part.flow.yaml", part);
    let main = "steps:\n  - id: get\n    call: part.flow.yaml\n  - send: \"{{steps.get.output.name}}\"\n";
    person.write("main.flow.yaml", main);
    let cases = "cases:\n  - name: both\n    replies: { part/get: { json: { name: Doe } } }\n    \
                 expect: { sent: [Doe], requests: [ { step: part/get } ], steps: { get: done, part/get: done } }\n";
    person.write("main.test.yaml", cases);
    let ended = person.flowrun(&["test", "--coverage"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    expect![[r#"
        ok      main.test.yaml: both
        part.flow.yaml:5: part/steps[1] is always skipped
        1 passed, 0 failed
    "#]]
    .assert_eq(&ended.stderr);
    person.write("main.test.yaml", &cases.replace("part/get", "part/got"));
    let ended = person.flowrun(&["test"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("did you mean `part/get`?"), "{ended:?}");
}

/// Design 3: a run whose requests a case answers; it opens nothing real either.
#[test]
fn a_run_with_mock_is_answered_by_a_case_and_sends_nothing() {
    let person = Person::new(&[("FLOWRUN_HOME", "real")]);
    person.write("real", "a plain file, so that any use of it fails");
    person.write("contact.flow.yaml", CONTACT);
    let cases = "integrations: { crm: authorized }\ncases:\n  - name: first\n    replies: { get: { json: { name: Doe } } }\n  \
                 - name: again\n    replies: { get: { json: { name: Roe } } }\n  - name: nothing\n";
    person.write("contact.test.yaml", cases);
    let run = |mock: &str| person.flowrun(&["contact.flow.yaml", "--var", "id=42", "--mock", mock]);
    for (mock, code, stdout, stderr) in [
        ("contact.test.yaml", 0, "Hello Doe.\n", "GET api.example.com/contacts/{{id}}  200"),
        ("contact.test.yaml#aga", 0, "Hello Roe.\nWelcome back.\n", "GET api.example.com"),
        ("contact.test.yaml#nothing", 1, "", "no reply of the case answers this request to api.example.com"),
        ("contact.test.yaml#none", 2, "", "its cases are `first`, `again`, `nothing`"),
        ("nowhere.test.yaml", 2, "", "nowhere.test.yaml cannot be read"),
        ("contact.flow.yaml", 3, "", "contact.flow.yaml"),
    ] {
        let ended = run(mock);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), stdout), "{mock}: {ended:?}");
        assert!(ended.stderr.contains(stderr), "{mock}: {ended:?}");
    }
    person.write("contact.test.yaml", &cases.replace("crm", "cmr"));
    assert_eq!(run("contact.test.yaml").code, Some(3));
    person.write("contact.test.yaml", &cases.replace("authorized", "incomplete"));
    assert_eq!(run("contact.test.yaml").code, Some(4));
}

/// What the flow says it needs is asked for before step one, in a case and in a run alike.
#[test]
fn a_scope_that_was_not_granted_ends_a_run_before_any_request_with_4_and_a_case_as_integration() {
    let person = Person::new(&[]);
    let needed = "integrations: { crm: { scopes: [contacts.read, deals.read] } }\n";
    person.write("contact.flow.yaml", &format!("{needed}{CONTACT}"));
    let cases = |granted: &str, expected: &str| {
        let cases =
            "cases:\n  - name: it\n    inputs: { id: 1 }\n    replies: { get: { json: { name: Doe } } }\n";
        let head = format!("integrations: {{ crm: {granted} }}\n");
        person.write("contact.test.yaml", &format!("{head}{cases}    expect: {{ {expected} }}\n"));
    };
    let run = || person.flowrun(&["contact.flow.yaml", "--var", "id=42", "--mock", "contact.test.yaml"]);
    for (granted, expected) in [
        ("{ scopes: [contacts.read, deals.read] }", "sent: [Hello Doe.]"),
        ("authorized", "sent: [Hello Doe.]"),
    ] {
        cases(granted, expected);
        assert_eq!(person.flowrun(&["test"]).code, Some(0), "{granted}");
        assert_eq!(run().code, Some(0), "{granted}");
    }
    cases("{ scopes: [contacts.read] }", "error: integration, requests: []");
    let ended = person.flowrun(&["test"]);
    // The error and the requests are as expected; only the reply is left.
    assert_eq!(ended.stderr.matches("error[").count(), 1, "{ended:?}");
    assert!(ended.stderr.contains("the run never asked for this reply"), "{ended:?}");
    let ended = run();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(4), ""), "{ended:?}");
    expect![[r#"
        error[F108]: integration `crm` was not granted the scope `deals.read`
         --> contact.flow.yaml:1:48
          |
        1 | integrations: { crm: { scopes: [contacts.read, deals.read] } }
          |                                                ^^^^^^^^^^ integrations.crm.scopes[1]
          |
          = cause: it was granted: contacts.read
          = help: flowrun integrations edit crm --scopes "contacts.read deals.read" && flowrun integrations authorize crm
    "#]]
    .assert_eq(&ended.stderr);
}

/// What runs side by side is told of call by call, each with its own status.
#[test]
fn calls_side_by_side_are_told_apart_on_stderr() {
    let flows = root().join("flows");
    let path = |name: &str| flows.join(name).to_str().expect("UTF-8").to_owned();
    let (flow, cases) = (path("contacts-to-crm.flow.yaml"), path("contacts-to-crm.test.yaml"));
    let ended = Person::new(&[]).flowrun(&[&flow, "--mock", &format!("{cases}#refused")]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let pushed: Vec<&str> = ended.stderr.lines().filter(|line| line.starts_with("push ")).collect();
    let statuses: Vec<&str> =
        pushed.iter().filter_map(|line| line.split("upsert  ").nth(1)?.split(' ').next()).collect();
    assert_eq!(statuses, ["400", "200"], "{ended:?}");
}

/// The examples of the pages about tests fail with the code that the page is about.
#[test]
fn every_page_about_tests_shows_a_case_that_fails_so() {
    for code in ["F090", "F091", "F092"] {
        let page = fs::read_to_string(root().join(format!("docs/errors/{code}.md"))).expect("a page");
        let block = |fence: &str| page.split(fence).nth(1).and_then(|rest| rest.split("```").next());
        let (flow, cases) = (block("```yaml\n").expect("a flow"), block("```yaml test\n").expect("cases"));
        let person = Person::new(&[]);
        let name = cases.lines().next().and_then(|line| line.strip_prefix("flow: ")).expect("its flow");
        person.write(name, flow);
        person.write("page.test.yaml", cases);
        let ended = person.flowrun(&["test", "page.test.yaml"]);
        assert_eq!(ended.code, Some(1), "{code}: {ended:?}");
        assert_eq!(ended.stderr.matches("error[").count(), 1, "{code}: {ended:?}");
        assert!(ended.stderr.contains(&format!("error[{code}]")), "{code}: {ended:?}");
    }
}

/// L-10: what is not safe is tried again only where its author says so.
#[test]
fn an_unsafe_call_is_tried_again_where_its_author_says_that_it_may_be() {
    let person = Person::new(&[]);
    let flow = |word: &str| {
        format!(
            "steps:\n  - id: tell\n    http_request: {{ url: \"https://api.example.com/\"{word} }}\n    retry: 1\n"
        )
    };
    person.write("tell.flow.yaml", &flow(", unsafe: true"));
    let case = "cases:\n  - name: twice\n    replies: { tell: [ { status: 503 }, { status: 200 } ] }\n    expect: { attempts: { \
                tell: 2 } }\n";
    person.write("tell.test.yaml", case);
    let ended = person.flowrun(&["test"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    person.write("tell.flow.yaml", &flow(""));
    let ended = person.flowrun(&["test"]);
    assert!(ended.code == Some(3) && ended.stderr.contains("error[F040]"), "{ended:?}");
}
