//! `flowrun runs` of a server: over its API while it runs, in its data folder while it does not.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::person::Person;
use crate::served::{Served, operator, token};

const FLOWS: [(&str, &str); 3] = [
    ("waits", "name: waits\nsteps: [ { wait: 1h } ]\n"),
    ("ends", "name: ends\nsteps: [ { respond: { status: 202, json: { n: 7 } } } ]\noutputs: { n: 7 }\n"),
    ("fails", "name: fails\nsteps: [ { fail: out of stock } ]\n"),
];

/// A server with a run of each flow, named like it.
fn house() -> (Person, Served) {
    let person = operator("folder", &["start", "read", "operate"]);
    for (name, flow) in FLOWS {
        person.write(&format!("flows/{name}.flow.yaml"), flow);
    }
    let served = Served::start(&person);
    for (name, _) in FLOWS {
        let path = format!("/api/flows/{name}/runs?wait={}", if name == "waits" { "0s" } else { "20s" });
        served.ask(("POST", &path), &token(&person), Some(&json!({ "run_id": name })));
    }
    (person, served)
}

fn json_of(person: &Person, words: &[&str]) -> Value {
    let ended = person.flowrun(words);
    let mut json = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{words:?}: {ended:?}"));
    // How much is kept of a run is said where its entries are.
    if let Value::Object(run) = &mut json {
        run.remove("events");
    }
    json
}

#[test]
fn the_runs_of_a_server_are_the_same_over_its_api_and_in_its_data_folder() {
    let (person, mut served) = house();
    let url = served.url();
    let until = |status: &str| loop {
        let shown = json_of(&person, &["runs", "show", "waits", "--json", "--server", &url]);
        if shown["status"] == status {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    until("waiting");
    let shown = person.flowrun(&["runs", "show", "waits", "--server", &url]).stdout;
    assert!(shown.starts_with("waits  waits  waiting  since ") && shown.contains("waits until 2"), "{shown}");
    let words = |id: &'static str| match id {
        "list" => vec!["runs", "list", "--json"],
        id => vec!["runs", "show", id, "--json"],
    };
    let seen: Vec<Value> = ["list", "ends", "fails", "waits"]
        .into_iter()
        .map(|id| json_of(&person, &[&words(id)[..], &["--server", &url]].concat()))
        .collect();
    assert_eq!(
        (&seen[1]["outputs"]["n"], &seen[1]["answer"]["status"]),
        (&json!(7), &json!(202)),
        "{seen:?}"
    );
    assert_eq!(seen[2]["error"]["message"], "out of stock", "{seen:?}");
    assert_eq!(served.signal(Signal::TERM), Some(0));
    for (id, seen) in ["list", "ends", "fails", "waits"].into_iter().zip(seen) {
        assert_eq!(json_of(&person, &[&words(id)[..], &["--data-dir", "data"]].concat()), seen, "{id}");
    }
}

#[test]
fn a_run_of_a_server_is_cancelled_from_afar_and_what_only_a_server_can_do_is_said() {
    let (person, mut served) = house();
    let url = served.url();
    let cancelled = person.flowrun(&["runs", "cancel", "waits", "--server", &url]);
    assert_eq!(cancelled.code, Some(0), "{cancelled:?}");
    let run = served.post("/api/flows/waits/runs?wait=20s", &token(&person), &json!({ "run_id": "waits" }));
    assert_eq!(run["status"], "cancelled", "{run}");
    for (words, code, said) in [
        (&["runs", "show", "nobody"][..], 1, "there is no run `nobody`"),
        (&["runs", "cancel", "nobody"], 1, "there is no run `nobody`"),
        (&["runs", "resume", "waits"], 2, "--retry, --skip or --fail"),
        (&["runs", "resume", "ends", "--skip"], 1, "there is no run `ends`"),
        (&["runs", "replay", "nobody"], 1, "there is no run `nobody`"),
        (&["runs", "prune"], 2, "retention.runs"),
        (&["runs", "release"], 2, "--all"),
        (&["runs", "list", "--data-dir", "data"], 2, "cannot be used with"),
    ] {
        let ended = person.flowrun(&[words, &["--server", &url]].concat());
        assert_eq!(ended.code, Some(code), "{words:?}: {ended:?}");
        assert!(ended.stderr.contains(said), "{words:?}: {ended:?}");
    }
    let replayed = person.flowrun(&["runs", "replay", "ends", "--server", &url]);
    assert!(replayed.stdout.contains("answered 202 {\"json\":{\"n\":7}}"), "{replayed:?}");
    let exported = json_of(&person, &["runs", "export", "fails", "--server", &url]);
    assert_eq!(exported["story"]["moments"][2]["error"], "out of stock", "{exported}");
    let none = person.flowrun(&["runs", "release", "--all", "--server", &url]);
    assert!(none.code == Some(0) && none.stderr.contains("no run is held"), "{none:?}");
    assert_eq!(served.signal(Signal::TERM), Some(0));
    let resumed = person.flowrun(&["runs", "resume", "ends", "--data-dir", "data"]);
    assert!(resumed.code == Some(2) && resumed.stderr.contains("flowrun serve"), "{resumed:?}");
    let replayed = person.flowrun(&["runs", "replay", "ends", "--data-dir", "data"]);
    assert!(replayed.code == Some(0) && !replayed.stdout.is_empty(), "{replayed:?}");
    let pruned = person.flowrun(&["runs", "prune", "--older", "0s", "--data-dir", "data"]);
    assert!(pruned.stderr.contains("3 runs removed"), "{pruned:?}");
}

/// R13: a person is forgotten over the API, and the log of what was done does not say who it was.
#[test]
fn a_person_is_forgotten_from_afar_and_the_log_of_what_was_done_does_not_name_them() {
    let (person, mut served) = house();
    let conversation = json!({ "channel": "page", "peer": "+canary" });
    let start = json!({ "run_id": "theirs", "conversation": conversation });
    served.post("/api/flows/waits/runs?wait=0s", &token(&person), &start);
    let erased = person.flowrun(&["runs", "erase", "--person", "+canary", "--server", &served.url()]);
    assert!(erased.stderr.contains("1 run forgotten for good"), "{erased:?}");
    let shown = person.flowrun(&["runs", "show", "theirs", "--server", &served.url()]);
    assert!(shown.stderr.contains("there is no run `theirs`"), "{shown:?}");
    assert_eq!(served.signal(Signal::TERM), Some(0));
    let log =
        std::fs::read_to_string(person.home().join("data/audit.jsonl")).expect("the log of what was done");
    assert!(log.contains("people.erase") && !log.contains("canary"), "{log}");
}
