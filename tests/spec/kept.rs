//! Runs that are kept: `--durable`, and what `flowrun runs` says and does.

use serde_json::Value;

use crate::person::Person;

const GREETS: &str =
    "name: greets\nsteps:\n  - set: { who: Ann }\n  - send: Hello {{who}}.\noutputs: { who: \"{{who}}\" }\n";
const FAILS: &str = "steps:\n  - fail: no such contact\n";

#[test]
fn a_kept_run_is_begun_once_shown_listed_and_removed() {
    let person = Person::new(&[]);
    person.write("a.flow.yaml", GREETS);
    person.write("b.flow.yaml", FAILS);
    let ran = person.flowrun(&["a.flow.yaml", "--durable", "--id", "order-7"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "Hello Ann.\n"), "{ran:?}");
    assert!(ran.stderr.contains("if its process dies: flowrun runs resume order-7"), "{ran:?}");
    let again = person.flowrun(&["a.flow.yaml", "--durable", "--id", "order-7"]);
    assert_eq!((again.code, again.stdout.as_str()), (Some(0), ""), "{again:?}");
    let over = "run order-7 began before and is over, so nothing was done: done";
    assert!(again.stderr.contains(over), "{again:?}");
    assert_eq!(person.flowrun(&["b.flow.yaml", "--durable", "--id", "order-8", "--quiet"]).code, Some(1));
    let again = person.flowrun(&["b.flow.yaml", "--durable", "--id", "order-8"]);
    assert_eq!((again.code, again.stdout.as_str()), (Some(1), ""), "{again:?}");
    assert!(again.stderr.contains("nothing was done: failed"), "{again:?}");

    let shown = person.flowrun(&["runs", "show", "order-7"]).stdout;
    assert!(
        shown.starts_with("order-7  greets  done  since ") && shown.contains("{\"who\":\"Ann\"}"),
        "{shown}"
    );
    let shown = person.flowrun(&["runs", "show", "order-8", "--json"]).stdout;
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["status"], "failed");
    assert_eq!(shown["error"]["place"]["path"], "steps[0]", "{shown}");
    let over = person.flowrun(&["runs", "resume", "order-8"]);
    assert!(over.stderr.contains("run order-8 is over: failed"), "{over:?}");

    assert!(person.flowrun(&["runs", "prune"]).stderr.contains("0 runs removed"));
    assert!(person.flowrun(&["runs", "prune", "--older", "0s"]).stderr.contains("2 runs removed"));
    assert!(person.flowrun(&["runs", "list"]).stderr.contains("no run is kept"));
}

/// R13, R14: what happened is told from the log, without doing it again, and without what a sensitive input held.
#[test]
fn what_happened_in_a_run_is_told_again_without_what_is_sensitive() {
    let person = Person::new(&[]);
    person.write(
        "a.flow.yaml",
        "name: greets\ninputs: { pin: { type: string, sensitive: true }, who: { type: string } }\nsteps:\n  - id: hello\n    send: \"{{who}}: \
         {{pin}}\"\n  - if: who == 'Ann'\n    then: [ { log: it is Ann } ]\noutputs: { pin: \"{{pin}}\", who: \"{{who}}\" }\n",
    );
    let given = ["--var", "pin=canary-4711", "--var", "who=Ann"];
    let ran = person.flowrun(&[&["a.flow.yaml", "--durable", "--id", "one"][..], &given].concat());
    assert_eq!(ran.stdout, "Ann: canary-4711\n", "{ran:?}");
    let told = person.flowrun(&["runs", "replay", "one"]);
    let told: Vec<&str> = told.stdout.lines().map(|line| line[31..].trim_end()).collect();
    assert_eq!(
        told,
        [
            r#"-                    began with {"pin":"‹pin›","who":"Ann"}"#,
            r#"hello                send {"text":"Ann: [redacted]"}"#,
            "hello                done",
            "hello                done",
            "steps[1].then[0]     logged: it is Ann",
            "steps[1].then[0]     done",
            "steps[1]             done",
            r#"-                    done {"pin":"‹pin›","who":"Ann"}"#,
        ]
    );
    let exported = person.flowrun(&["runs", "export", "one"]).stdout;
    assert!(!exported.contains("canary"), "{exported}");
    let exported: Value = serde_json::from_str(&exported).expect("JSON");
    assert_eq!(exported["run"]["status"], "done");
    assert!(exported["flow"]["flow"]["text"].as_str().is_some_and(|text| text.contains("name: greets")));
    assert_eq!(exported["story"]["is_whole"], true);
    let moments = exported["story"]["moments"].as_array().expect("moments");
    assert_eq!(moments[1]["what"], "called");
    let unknown = person.flowrun(&["runs", "replay", "two"]);
    assert!(unknown.stderr.contains("there is no run `two`"), "{unknown:?}");
}

/// R10, runs.md 11: the id is the key. A caller who is not sure tries again and reads the first answer; other inputs are a conflict.
#[test]
fn the_same_start_again_gives_the_first_answer_and_another_start_is_a_conflict() {
    let person = Person::new(&[]);
    person.write(
        "a.flow.yaml",
        "inputs: { a: { type: string }, b: { type: integer, default: 1 } }\nsteps: [ { send: Hello. } ]\noutputs: { a: \"{{a}}\" }\n",
    );
    let start = |given: &[&str]| {
        let words = [&["a.flow.yaml", "--durable", "--id", "one", "--output", "json"], given].concat();
        person.flowrun(&words)
    };
    let ended = |given: &[&str]| {
        let ended = start(given);
        serde_json::from_str::<Value>(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"))
    };
    let (first, again) = (ended(&["--var", "a=7"]), ended(&["--var", "b=1", "--var", "a=7"]));
    assert_eq!((&first["sent"][0], &again["sent"]), (&Value::from("Hello."), &Value::from(Vec::<u8>::new())));
    assert_eq!((&again["status"], &again["outputs"]), (&Value::from("done"), &first["outputs"]));
    let other = start(&["--var", "a=8"]);
    assert_eq!((other.code, other.stdout.as_str()), (Some(1), ""), "{other:?}");
    assert!(
        other.stderr.contains("a run `one` began before, with another flow or other inputs"),
        "{other:?}"
    );
    // The flow's text may have changed since: the run is the one that began.
    person.write(
        "a.flow.yaml",
        "inputs: { a: { type: string }, b: { type: integer, default: 1 } }\nsteps: [ { send: Bye. } ]\noutputs: { a: \"{{a}}\" }\n",
    );
    assert_eq!(ended(&["--var", "a=7"])["sent"], again["sent"]);
}

/// runs.md 11: a caller who lost the connection reads the answer of `respond` with the run.
#[test]
fn what_a_step_answered_is_told_again_to_whoever_starts_the_run_again() {
    let person = Person::new(&[]);
    person.write("a.flow.yaml", "steps:\n  - respond: { status: 202, json: { n: 7 } }\n  - fail: late\n");
    let start = || person.flowrun(&["a.flow.yaml", "--durable", "--id", "one", "--output", "json"]);
    let answer = |ran: &str| serde_json::from_str::<Value>(ran).expect("JSON")["answer"].clone();
    let (first, again) = (start(), start());
    assert_eq!(answer(&first.stdout)["body"]["n"], 7, "{first:?}");
    assert_eq!(answer(&again.stdout), answer(&first.stdout), "{again:?}");
    let shown = person.flowrun(&["runs", "show", "one", "--json"]).stdout;
    assert_eq!(answer(&shown)["status"], 202, "{shown}");
}

#[test]
fn what_runs_cannot_do_it_says_and_what_can_be_done() {
    let person = Person::new(&[]);
    person.write("a.flow.yaml", GREETS);
    for (words, code, said) in [
        (&["runs", "show", "nobody"][..], 1, "there is no run `nobody`"),
        (&["runs", "resume", "nobody"], 1, "flowrun runs list shows those that are kept"),
        (&["runs", "resume", "no body"], 2, "1 to 128 letters"),
        (&["runs", "resume", "a", "--retry", "--skip"], 2, "cannot be used with"),
        (&["runs", "prune", "--older", "soon"], 2, "`soon` is no duration"),
        (&["a.flow.yaml", "--id", "order-7"], 2, "--durable"),
        (&["a.flow.yaml", "--durable", "--sandbox"], 2, "cannot be used with"),
    ] {
        let ended = person.flowrun(words);
        assert_eq!(ended.code, Some(code), "{words:?}: {ended:?}");
        assert!(ended.stderr.contains(said), "{words:?}: {ended:?}");
    }
    assert!(!person.home().join(".local").exists(), "asking makes nothing");
}

/// A run whose process was killed while it waited is cancelled by another: what it did is taken back.
#[test]
fn a_run_whose_process_was_killed_is_cancelled_by_another() {
    let person = Person::new(&[]);
    let flow = "name: books\nsteps:\n  - send: Booked.\n    undo: [ { send: Taken back. } ]\n  - wait: 1h\n    finally: [ { send: Tidied up. } ]\n";
    person.write("a.flow.yaml", flow);
    let mut child = person.start(&["a.flow.yaml", "--durable", "--id", "one"]);
    let waits = || {
        let shown = person.flowrun(&["runs", "show", "one", "--json"]).stdout;
        serde_json::from_str::<Value>(&shown).is_ok_and(|shown| shown["events"].as_u64() >= Some(2))
    };
    while !waits() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let held = person.flowrun(&["runs", "resume", "one"]);
    assert!(held.stderr.contains("another process drives the run `one`"), "{held:?}");
    child.kill().expect("it can be killed");
    drop(child.wait());
    let cancelled = person.flowrun(&["runs", "cancel", "one", "--quiet"]);
    assert_eq!(cancelled.stdout, "Tidied up.\nTaken back.\n", "{cancelled:?}");
    assert!(person.flowrun(&["runs", "list"]).stdout.starts_with("one  books  cancelled  since "));
}
