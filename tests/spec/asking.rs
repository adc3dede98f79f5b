//! A flow that asks, or waits for something from outside: at a terminal, with answers given, and with nobody there.

use std::fs::File;
use std::io::Write;
use std::process::Stdio;

use rustix::pty;

use crate::person::{Ended, Person, ended};

const ASKS: &str = "inputs: { name: { type: string, ask: \"Your name?\" } }\nsteps:\n  - ask: { text: \"How many?\", type: integer }\n    \
                    into: many\n    finally: [ { log: tidy } ]\n  - send: \"{{many}} for {{name}}.\"\n";
const WAITS: &str = "steps:\n  - id: paid\n    wait: { event: paid, key: \"7\" }\n    into: payment\n  - id: ok\n    \
                     wait: { webhook: }\n  - send: \"{{payment.amount}} {{steps.ok.output.body.by}}\"\n";

/// Runs flowrun at a terminal, into which lines are typed.
fn at_terminal(person: &Person, words: &[&str], typed: &[&str]) -> Ended {
    let keyboard = pty::openpt(pty::OpenptFlags::RDWR | pty::OpenptFlags::NOCTTY).expect("a terminal");
    pty::grantpt(&keyboard).and_then(|()| pty::unlockpt(&keyboard)).expect("the terminal is ours");
    let name = pty::ptsname(&keyboard, Vec::new()).expect("it has a name");
    let name = name.to_str().expect("UTF-8");
    let screen = File::options().read(true).write(true).open(name).expect("it is there");
    let mut command = person.command(words);
    let child = command.stdin(screen).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut keyboard = File::from(keyboard);
    for line in typed {
        keyboard.write_all(format!("{line}\n").as_bytes()).expect("it takes what is typed");
    }
    ended(child.expect("flowrun starts"))
}

#[test]
fn a_person_at_a_terminal_is_asked_and_answers() {
    let person = Person::new(&[]);
    person.write("asks.flow.yaml", ASKS);
    let ended = at_terminal(&person, &["asks.flow.yaml", "-q"], &["Ann", "some", "3"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout, "Your name?\nHow many?\nHow many?\n3 for Ann.\n");
    assert_eq!(ended.stderr.matches("> ").count(), 3, "{ended:?}");
}

#[test]
fn at_a_terminal_an_event_and_a_call_are_typed_as_a_line_of_json() {
    let person = Person::new(&[]);
    person.write("waits.flow.yaml", WAITS);
    let typed = ["{ amount: 12 }", "{ \"amount\": 12 }", "{\"by\": \"card\"}"];
    let ended = at_terminal(&person, &["waits.flow.yaml"], &typed);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "12 card\n"), "{ended:?}");
    for said in ["paid        waits for `paid` about 7: type its data as JSON", "this is no JSON"] {
        assert!(ended.stderr.contains(said), "{ended:?}");
    }
}

#[test]
fn without_a_terminal_answers_are_given_with_the_command() {
    let person = Person::new(&[]);
    person.write("asks.flow.yaml", ASKS);
    person.write("waits.flow.yaml", WAITS);
    let ended = person.flowrun(&["asks.flow.yaml", "-q", "--say", "Ann", "--say", "2"]);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(0), "Your name?\nHow many?\n2 for Ann.\n"),
        "{ended:?}"
    );
    let given = ["waits.flow.yaml", "--event", "paid={\"amount\": 5}", "--call", "ok={\"by\": \"hand\"}"];
    let ended = person.flowrun(&given);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "5 hand\n"), "{ended:?}");
}

#[test]
fn with_nobody_there_a_flow_tidies_up_and_says_what_to_pass() {
    let person = Person::new(&[]);
    person.write("asks.flow.yaml", ASKS);
    person.write("waits.flow.yaml", WAITS);
    let ended = person.flowrun(&["asks.flow.yaml"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""), "{ended:?}");
    assert!(ended.stderr.contains("pass it with --var name=..."), "{ended:?}");
    let ended = person.flowrun(&["asks.flow.yaml", "--var", "name=Ann"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), "How many?\n"), "{ended:?}");
    for said in ["error[F067]", "step `steps[0]` asks a person", "--say TEXT", "tidy"] {
        assert!(ended.stderr.contains(said), "{said}: {ended:?}");
    }
    let ended = person.flowrun(&["waits.flow.yaml", "--event", "paid={}"]);
    assert!(ended.code == Some(1) && ended.stderr.contains("--call ok=JSON"), "{ended:?}");
}

#[test]
fn a_trigger_is_given_as_json_and_must_fit_the_flows() {
    let person = Person::new(&[]);
    let flow = "trigger: { webhook: { path: orders } }\ninputs: { id: { type: integer, from: body.id } }\nsteps:\n  - respond: { \
                status: 201, json: { id: \"{{id}}\", at: \"{{default trigger.query.at \\\"-\\\"}}\" } }\n";
    person.write("hook.flow.yaml", flow);
    person.write("order.json", "{\"body\": {\"id\": 7}}");
    let ended = person.flowrun(&["hook.flow.yaml", "--trigger", "@order.json"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "{\"id\":7,\"at\":\"-\"}\n"), "{ended:?}");
    let ended = person.flowrun(&["hook.flow.yaml", "--trigger", "{\"text\": \"hello\"}"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("its fields are: body, query, headers"), "{ended:?}");
    let ended = person.flowrun(&["hook.flow.yaml", "--trigger", "@order.json", "--output", "json"]);
    let end: serde_json::Value = serde_json::from_str(&ended.stdout).expect("one object");
    assert_eq!(
        end["answer"],
        serde_json::json!({ "status": 201, "headers": {}, "body": { "id": 7, "at": "-" } })
    );
}

#[test]
fn a_dry_run_ends_where_an_answer_is_needed() {
    let person = Person::new(&[]);
    person.write("asks.flow.yaml", ASKS);
    let ended = person.flowrun(&["asks.flow.yaml", "--dry-run", "--var", "name=Ann"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("would send: How many?"), "{ended:?}");
    assert!(ended.stderr.contains("the dry run ends at steps[0]: what follows needs an answer"), "{ended:?}");
}
