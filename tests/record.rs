//! `--record` as an author meets it: a run becomes a case that passes at once and holds nothing secret (language, 5).

#![expect(clippy::expect_used, reason = "a test whose parts do not start fails at once")]

#[path = "loopback.rs"]
mod loopback;
#[path = "person.rs"]
mod person;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use expect_test::{Expect, expect};
use loopback::{reply, serve};
use person::{Ended, Person};

const KEY: &str = "canary-key-of-the-run";
const PIN: &str = "canary-pin-of-a-person";
const SESSION: &str = "canary-session-of-the-service";

/// Signs in, asks with what it was given, and tells of it; `ORIGIN` is the service's.
const FLOW: &str = r#"name: contact
inputs:
  id: { type: string }
  pin: { type: string, sensitive: true }
secrets: [KEY]
steps:
  - id: sign_in
    http_request:
      url: ORIGIN/sign-in
      safe: true
      json: { pin: "{{pin}}" }
      headers: { X-Key: "{{secrets.KEY}}" }
      variables: { session: session_id }
    retry: { times: 2, wait: 1ms, max_wait: 1ms }
  - id: contact
    fetch_variables:
      url: "ORIGIN/contacts/{{id}}?session={{session}}"
      variables: [name]
  - send: Hello {{name}}, {{session}} of {{pin}}.
outputs: { name: "{{name}}" }
"#;

/// Somebody with that flow, whose service fails once; how many requests it gets.
fn setting() -> (Person, Arc<AtomicUsize>) {
    let asked = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&asked);
    let origin = serve(move |request| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => reply("503 Service Unavailable", "retry-after: 0\r\n", "{}"),
        1 => {
            let cookie = format!("set-cookie: sid={SESSION}\r\nx-noise: 1\r\n");
            let body = format!(r#"{{"session_id":"{SESSION}","you":"{PIN} {KEY}","access_token":"tok"}}"#);
            reply("200 OK", &cookie, &body)
        }
        _ if !request.body.is_empty() => None,
        _ if request.is("GET /contacts/404") => reply("404 Not Found", "", r#"{"error":"no such contact"}"#),
        _ => reply("200 OK", "etag: \"7\"\r\n", r#"{"name":"Doe: {{x}} # 1","tags":["a",null,1.50]}"#),
    });
    let person = Person::new(&[("FLOWRUN_SECRET_KEY", KEY)]);
    person.write("contact.flow.yaml", &FLOW.replace("ORIGIN", &origin));
    (person, asked)
}

fn run(person: &Person, id: &str) -> Ended {
    let pin = format!("pin={PIN}");
    let id = format!("id={id}");
    person.flowrun(&["contact.flow.yaml", "--var", &id, "--var", &pin, "--record", "contact.test.yaml", "-q"])
}

fn recorded(person: &Person) -> String {
    fs::read_to_string(person.home().join("contact.test.yaml")).expect("recorded")
}

fn passes(person: &Person, cases: usize) {
    let ended = person.flowrun(&["test"]);
    assert_eq!(ended.code, Some(0), "{ended:?}\n{}", recorded(person));
    assert!(ended.stderr.contains(&format!("{cases} passed, 0 failed")), "{ended:?}");
}

/// A text without the service's address and the time.
fn settled(text: &str, person: &Person) -> String {
    let flow = fs::read_to_string(person.home().join("contact.flow.yaml")).expect("readable");
    let origin = flow.split("url: ").nth(1).and_then(|rest| rest.split("/sign-in").next()).expect("a URL");
    let now =
        text.split("now: ").nth(1).and_then(|rest| rest.lines().next()).expect("a time").trim_matches('"');
    text.replace(origin, "http://service").replace(now, "NOW")
}

#[expect(clippy::needless_pass_by_value, reason = "an expectation is written in place")]
fn check(id: &str, code: i32, expected: Expect) {
    let (person, _) = setting();
    let ended = run(&person, id);
    assert_eq!(ended.code, Some(code), "{ended:?}");
    let text = recorded(&person);
    expected.assert_eq(&settled(&text, &person));
    for canary in [KEY, PIN, SESSION, "\"tok\""] {
        assert!(!text.contains(canary), "{canary}: {text}");
    }
    passes(&person, 1);
}

#[test]
fn a_run_becomes_a_case_that_passes_and_holds_no_secret_n2() {
    check(
        "42",
        0,
        expect![[r##"
        # Recorded by flowrun --record, without tokens and secrets. Look at it before you share it.
        flow: contact.flow.yaml
        cases:
          - name: "recorded NOW"
            now: "NOW"
            inputs:
              id: "42"
              pin: "[redacted]"
            replies:
              sign_in:
                - status: 503
                  headers:
                    retry-after: "0"
                  json: {}
                - json:
                    session_id: "[redacted]"
                    you: "[redacted] [redacted]"
                    access_token: "[redacted]"
              contact:
                - headers:
                    etag: "\"7\""
                  json:
                    name: "Doe: {{x}} # 1"
                    tags:
                      - a
                      - null
                      - 1.5
            expect:
              sent:
                - "Hello Doe: {{x}} # 1, [redacted] of [redacted]."
              requests:
                - step: sign_in
                  method: POST
                  url: "http://service/sign-in"
                - step: contact
                  method: GET
                  url: "http://service/contacts/42?session=%5Bredacted%5D"
              attempts:
                sign_in: 2
              outputs:
                name: "Doe: {{x}} # 1"
    "##]],
    );
}

#[test]
fn a_run_that_fails_is_recorded_with_its_error() {
    check(
        "404",
        1,
        expect![[r##"
        # Recorded by flowrun --record, without tokens and secrets. Look at it before you share it.
        flow: contact.flow.yaml
        cases:
          - name: "recorded NOW"
            now: "NOW"
            inputs:
              id: "404"
              pin: "[redacted]"
            replies:
              sign_in:
                - status: 503
                  headers:
                    retry-after: "0"
                  json: {}
                - json:
                    session_id: "[redacted]"
                    you: "[redacted] [redacted]"
                    access_token: "[redacted]"
              contact:
                - status: 404
                  json:
                    error: "no such contact"
            expect:
              requests:
                - step: sign_in
                  method: POST
                  url: "http://service/sign-in"
                - step: contact
                  method: GET
                  url: "http://service/contacts/404?session=%5Bredacted%5D"
              attempts:
                sign_in: 2
              error: http
    "##]],
    );
}

#[test]
fn a_new_file_is_its_owners_alone() {
    let (person, _) = setting();
    run(&person, "42");
    let found = fs::metadata(person.home().join("contact.test.yaml")).expect("recorded");
    assert_eq!(found.mode() & 0o777, 0o600);
}

#[test]
fn a_case_is_added_and_every_line_of_the_file_stays() {
    let (person, _) = setting();
    let old = "# Ours.\nflow: contact.flow.yaml\ncases:\n    # By hand.\n    - name: a bad start\n      \
               inputs: { id: \"1\", pin: x }\n      replies: { sign_in: { status: 400 } }\n      \
               expect: { error: http }\n# The end.\n";
    person.write("contact.test.yaml", old);
    assert_eq!(run(&person, "42").code, Some(0));
    let text = recorded(&person);
    assert!(text.starts_with(old) && text.contains("\n    - name: \"recorded 2"), "{text}");
    passes(&person, 2);
}

#[test]
fn a_file_that_can_take_no_case_is_said_before_anything_is_sent() {
    for (old, why) in [
        ("flow: contact.flow.yaml\ncases: [ { name: a } ]\n", "not a list with a line for each dash"),
        ("flow: other.flow.yaml\ncases:\n  - name: a\n", "the cases of another flow"),
        ("cases:\n  - nme: a\n", "cannot be recorded"),
    ] {
        let (person, asked) = setting();
        person.write("contact.test.yaml", old);
        let ended = run(&person, "42");
        assert_eq!((ended.code, asked.load(Ordering::SeqCst)), (Some(2), 0), "{ended:?}");
        assert!(ended.stderr.contains(why), "{ended:?}");
        assert_eq!(recorded(&person), old);
    }
}
