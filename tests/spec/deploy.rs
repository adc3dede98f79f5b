//! `flowrun deploy`: a folder is put on a server whole or not at all, and taken back (R18).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;

use crate::Silent;
use crate::person::{Ended, Person};
use crate::served::{Served, operator, token};

/// Writes a set of one flow that answers this, and deploys it.
fn deploy(person: &Person, served: &Served, (says, more): (&str, &[&str])) -> Ended {
    let flow = format!("name: greet\nsteps: [ {{ respond: {{ json: {{ says: {says} }} }} }} ]\n");
    person.write("flows/deep/greet.flow.yaml", &flow);
    person.flowrun(&[&["deploy", "flows", "--server", &served.url()], more].concat())
}

/// What the flow answers now.
fn says(person: &Person, served: &Served) -> String {
    let run =
        served.ask(("POST", "/api/flows/greet/runs?wait=20s"), &token(person), Some(&serde_json::json!({})));
    let run: serde_json::Value = serde_json::from_str(&run.1).expect("JSON");
    run["answer"]["body"]["says"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_folder_is_deployed_served_after_a_restart_and_taken_back_r18() {
    let person = operator("deploy", &["deploy", "start", "read"]);
    let mut served = Served::start(&person);
    let one = deploy(&person, &served, ("one", &[]));
    assert_eq!(one.code, Some(0), "{one:?}");
    assert!(one.stderr.contains("1 flow served: greet"), "{one:?}");
    let two = deploy(&person, &served, ("two", &["--if-revision", one.stdout.trim()]));
    assert_eq!((two.code, says(&person, &served).as_str()), (Some(0), "two"), "{two:?}");
    assert_ne!(one.stdout, two.stdout);
    assert_eq!(served.signal(Signal::KILL), None);

    let mut served = Served::start(&person);
    assert_eq!(says(&person, &served), "two", "the set outlives the server");
    let back = person.flowrun(&["deploy", "--rollback", "--server", &served.url()]);
    assert_eq!((back.code, &back.stdout), (Some(0), &one.stdout), "{back:?}");
    assert_eq!(says(&person, &served), "one");
    let two = format!("--rollback={}", two.stdout.trim());
    assert_eq!(person.flowrun(&["deploy", &two, "--server", &served.url()]).code, Some(0));
    assert_eq!(says(&person, &served), "two");
    assert_eq!(served.signal(Signal::TERM), Some(0));
    let log = fs::read_to_string(person.home().join("data/audit.jsonl")).expect("a log");
    assert_eq!((log.matches("flows.deploy").count(), log.matches("flows.rollback").count()), (2, 2), "{log}");
    assert_eq!(person.flowrun(&["audit", "--verify"]).code, Some(0));
}

#[test]
fn what_somebody_else_deployed_meanwhile_is_not_replaced_r18() {
    let person = operator("deploy", &["deploy", "start", "read"]);
    let served = Served::start(&person);
    let before = deploy(&person, &served, ("one", &[])).stdout;
    let now = deploy(&person, &served, ("two", &[])).stdout;
    let refused = deploy(&person, &served, ("three", &["--if-revision", before.trim()]));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains(now.trim()) && refused.stderr.contains("deployed meanwhile"),
        "{refused:?}"
    );
    assert_eq!(says(&person, &served), "two");
}

/// Every mistake of the folder is told, with its place, and the server hears of none of it.
#[test]
fn a_folder_with_a_mistake_is_not_sent() {
    let person = operator("deploy", &["deploy"]);
    let server = Silent::new();
    for name in ["a", "b"] {
        person.write(
            &format!("flows/{name}.flow.yaml"),
            &format!("name: {name}\nsteps: [ {{ send: '{{{{no_{name}}}}}' }} ]\n"),
        );
    }
    let ended = person.flowrun(&["deploy", "flows", "--server", &server.url()]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    for said in ["flows/a.flow.yaml:2", "no_a", "flows/b.flow.yaml:2", "no_b"] {
        assert!(ended.stderr.contains(said), "{said}: {ended:?}");
    }
    for name in ["a", "b"] {
        person.write(&format!("flows/{name}.flow.yaml"), "name: same\nsteps: [ { log: hello } ]\n");
    }
    let ended = person.flowrun(&["deploy", "flows", "--server", &server.url()]);
    assert!(ended.code == Some(3) && ended.stderr.contains("two flows are called `same`"), "{ended:?}");
    assert!(!server.was_called());
}

#[test]
fn a_server_whose_flows_are_not_deployed_refuses_and_says_whose_they_are_r18() {
    for (managed_by, whose) in [("folder", "its folder's"), ("page", "its page's")] {
        let person = operator(managed_by, &["deploy"]);
        let served = Served::start(&person);
        let refused = deploy(&person, &served, ("one", &[]));
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains(whose) && refused.stderr.contains("managed_by"), "{refused:?}");
        let back = person.flowrun(&["deploy", "--rollback", "--server", &served.url()]);
        assert!(back.code == Some(1) && back.stderr.contains(whose), "{back:?}");
    }
}

/// OA-3, N8: the token is no argument, goes nowhere without TLS but to this machine, and is not said again.
#[test]
fn without_a_token_that_reaches_so_far_nothing_is_deployed_and_what_to_do_is_said() {
    let person = operator("deploy", &["read"]);
    let served = Served::start(&person);
    let token = token(&person);
    let refused = deploy(&person, &served, ("one", &[]));
    assert!(refused.code == Some(1) && refused.stderr.contains("no scope `deploy`"), "{refused:?}");
    let far = deploy_to(&person, "http://192.0.2.1:1");
    assert!(far.code == Some(1) && far.stderr.contains("https"), "{far:?}");
    fs::set_permissions(person.home().join("token"), fs::Permissions::from_mode(0o644))
        .expect("a file of ours");
    let open = deploy_to(&person, &served.url());
    assert!(open.code == Some(2) && open.stderr.contains("chmod 600"), "{open:?}");
    fs::remove_file(person.home().join("token")).expect("a file of ours");
    assert_eq!(deploy_to(&person, &served.url()).code, Some(2));
    for said in [refused, far, open] {
        assert!(!said.stderr.contains(&token), "{said:?}");
    }
    let argument = person.flowrun(&["deploy", "flows", "--server", &served.url(), "--token", "fr_x"]);
    assert_eq!(argument.code, Some(2), "{argument:?}");
}

fn deploy_to(person: &Person, url: &str) -> Ended {
    person.flowrun(&["deploy", "flows", "--server", url])
}
