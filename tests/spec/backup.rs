//! `flowrun backup` beside a running server, and `flowrun restore` where there is nothing (R19).

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::person::{Ended, Person};
use crate::served::{Served, operator, token};

const PAY: &str =
    "name: pay\nsteps:\n  - id: ok\n    wait: { event: paid }\noutputs: { n: \"{{steps.ok.output.n}}\" }\n";

/// A server with a deployed flow, a run that waits, and an integration.
fn house() -> (Person, Served) {
    let person = operator("deploy", &["deploy", "start", "read", "operate"]);
    person.write("flows/pay.flow.yaml", PAY);
    let added = person.flowrun(&["integrations", "add", "teamleader", "--client-id", "canary-of-a-client"]);
    assert_eq!(added.code, Some(0), "{added:?}");
    let served = Served::start(&person);
    let deployed = person.flowrun(&["deploy", "flows", "--server", &served.url()]);
    assert_eq!(deployed.code, Some(0), "{deployed:?}");
    served.post("/api/flows/pay/runs", &token(&person), &json!({ "run_id": "order-7" }));
    (person, served)
}

/// The server's data, and the registry, are lost; the key is not.
fn lose(person: &Person) {
    for folder in ["data", ".local/share/flowrun"] {
        fs::remove_dir_all(person.home().join(folder)).expect("it was there");
    }
}

fn show(person: &Person, served: &Served) -> Value {
    let shown = person.flowrun(&["runs", "show", "order-7", "--json", "--server", &served.url()]);
    serde_json::from_str(&shown.stdout).unwrap_or_else(|_| panic!("{shown:?}"))
}

#[test]
fn a_server_is_backed_up_while_it_serves_lost_and_restored_with_its_runs_held_r19() {
    let (person, mut served) = house();
    let backup = person.flowrun(&["backup", "one.backup"]);
    assert!(backup.code == Some(0) && backup.stderr.contains("all but the key"), "{backup:?}");
    assert_eq!(served.signal(Signal::KILL), None);
    lose(&person);

    let restored = person.flowrun(&["restore", "one.backup"]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    assert!(
        restored.stderr.contains("1 run is held") && restored.stderr.contains("runs release"),
        "{restored:?}"
    );
    let served = Served::start(&person);
    let paid = json!({ "event": "paid", "id": "e1", "data": { "n": 42 } });
    assert_eq!(served.post("/api/events", &token(&person), &paid)["runs"], 1, "it is kept for the run");
    assert_eq!(show(&person, &served)["status"], "held");
    let released = person.flowrun(&["runs", "release", "order-7", "--server", &served.url()]);
    assert!(released.code == Some(0) && released.stderr.contains("1 run goes on"), "{released:?}");
    let run = served.post("/api/flows/pay/runs?wait=20s", &token(&person), &json!({ "run_id": "order-7" }));
    assert_eq!((&run["status"], &run["outputs"]["n"]), (&json!("done"), &json!(42)), "{run}");

    let again = person.flowrun(&["runs", "release", "order-7", "--server", &served.url()]);
    assert!(again.code == Some(1) && again.stderr.contains("is not held"), "{again:?}");
    assert!(person.flowrun(&["integrations", "list"]).stdout.contains("teamleader"));
    assert_eq!(person.flowrun(&["audit", "--verify"]).code, Some(0), "the log goes on where it was");
    let log = fs::read_to_string(person.home().join("data/audit.jsonl")).expect("a log");
    assert!(log.contains("flows.deploy") && log.contains("runs.release"), "{log}");
}

/// N9: whoever backs up need not be able to open anything, and finds nothing in it to read.
#[test]
fn a_backup_needs_no_key_and_shows_no_secret() {
    let (person, mut served) = house();
    assert_eq!(served.signal(Signal::TERM), Some(0));
    let (key, away) = (person.home().join(".config/flowrun/key"), person.home().join("away"));
    fs::rename(&key, &away).expect("a key");
    let backup = person.flowrun(&["backup", "one.backup"]);
    assert_eq!(backup.code, Some(0), "{backup:?}");
    let bytes = fs::read(person.home().join("one.backup")).expect("a backup");
    let (key, token) = (fs::read(&away).expect("a key"), token(&person));
    let secret = token.rsplit('_').next().expect("a token").as_bytes();
    for part in [b"canary-of-a-client", &key[..], secret] {
        assert!(!bytes.windows(part.len()).any(|found| found == part));
    }
    lose(&person);
    let restored = person.flowrun(&["restore", "one.backup"]);
    assert!(restored.code == Some(0) && restored.stderr.contains("the key is in no backup"), "{restored:?}");
    let keyless = person.flowrun(&["serve"]);
    assert!(keyless.code != Some(0) && keyless.stderr.contains("put the key back"), "{keyless:?}");
}

#[test]
fn a_restore_replaces_nothing_and_one_that_was_cut_off_is_not_served_r19() {
    let (person, mut served) = house();
    assert_eq!(person.flowrun(&["backup", "one.backup"]).code, Some(0));
    let refused = |ended: Ended, said: &str| {
        assert!(ended.code == Some(1) && ended.stderr.contains(said), "{said}: {ended:?}");
    };
    refused(person.flowrun(&["backup", "one.backup"]), "is there already");
    refused(person.flowrun(&["restore", "one.backup"]), "there is a registry");
    assert_eq!(served.signal(Signal::TERM), Some(0));
    fs::remove_dir_all(person.home().join(".local/share/flowrun")).expect("a registry");
    refused(person.flowrun(&["restore", "one.backup"]), "is not empty; nothing was restored");
    assert!(!person.home().join(".local/share/flowrun/database").exists(), "the registry neither");

    fs::remove_dir_all(person.home().join("data")).expect("the server's data");
    person.write("text", "no backup");
    refused(person.flowrun(&["restore", "text"]), "is no backup of flowrun");
    assert!(!person.home().join("data").exists(), "nothing is made for what is no backup");
    fs::create_dir(person.home().join("data")).expect("a folder");
    person.write("data/restoring", "");
    refused(person.flowrun(&["serve"]), "did not come to its end");
}
