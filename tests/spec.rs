//! The `flowrun` binary as a person or a script meets it: exit codes, streams, what is sent and what is not.
//!
//! Each test runs the real binary in a home of its own, with nothing of the surrounding environment.

#![expect(clippy::expect_used, reason = "a test whose parts do not start fails at once")]

#[path = "spec/asking.rs"]
mod asking;
#[path = "spec/backup.rs"]
mod backup;
#[path = "spec/deploy.rs"]
mod deploy;
#[path = "spec/kept.rs"]
mod kept;
#[path = "loopback.rs"]
mod loopback;
#[path = "person.rs"]
mod person;
#[path = "spec/remote.rs"]
mod remote;
#[path = "spec/serve.rs"]
mod serve;
#[path = "spec/served.rs"]
mod served;
#[path = "spec/writing.rs"]
mod writing;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::Path;

use person::{Person, ended};
use rustix::process::{Pid, Signal, kill_process};

/// A service that only counts who calls.
struct Silent(TcpListener);

impl Silent {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener that does not wait");
        Self(listener)
    }

    fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().expect("bound"))
    }

    fn was_called(&self) -> bool {
        self.0.accept().is_ok()
    }

    /// Comes back once somebody calls; what comes back keeps the caller waiting.
    fn wait_for_call(&self) -> TcpStream {
        self.0.set_nonblocking(false).expect("a listener that waits");
        self.0.accept().expect("a call").0
    }
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Exit codes of design 3; every bad end says what it is and what to do next (a silent failure helps nobody).
#[test]
fn every_end_has_its_exit_code_and_every_bad_one_says_why() {
    let (person, service) = (Person::new(&[]), Silent::new());
    person.write("good.yaml", "steps:\n  - send: Hello.\n");
    person.write("bad.yaml", "steps:\n  - sned: Hello.\n");
    person.write("fails.yaml", "steps:\n  - fail: no such contact\n");
    person.write("unknown.yaml", &fetching("https://api.example.com/", "nobody"));
    person.write("draft.yaml", &fetching("https://api.teamleader.eu/", "teamleader"));
    person.write("slow.yaml", &format!("timeout: 50ms\n{}", requesting(&service)));
    assert_eq!(person.flowrun(&["integrations", "add", "teamleader"]).code, Some(0));
    for (words, code) in [
        (&["--help"][..], 0),
        (&["--version"], 0),
        (&["explain", "F014"], 0),
        (&["completions", "bash"], 0),
        (&["check", "good.yaml"], 0),
        (&["good.yaml"], 0),
        (&["fails.yaml"], 1),
        (&[], 2),
        (&["--no-such-flag"], 2),
        (&["missing.yaml"], 2),
        (&["explain", "F999"], 2),
        (&["integrations", "add", "<script>"], 2),
        (&["bad.yaml"], 3),
        (&["check", "bad.yaml"], 3),
        (&["unknown.yaml"], 3),
        (&["integrations", "show", "nobody"], 3),
        (&["good.yaml", "--var", "x=1"], 3),
        (&["draft.yaml"], 4),
        (&["integrations", "authorize", "teamleader", "--no-browser"], 4),
        (&["slow.yaml"], 5),
    ] {
        let ended = person.flowrun(words);
        assert_eq!(ended.code, Some(code), "{words:?}: {ended:?}");
        assert!(code == 0 || ended.stderr.contains("error"), "{words:?}: {ended:?}");
        assert!(code < 3 || ended.stderr.contains("= help: "), "{words:?}: {ended:?}");
    }
}

/// Design 3: 130, whether a person interrupts or a service manager does.
#[test]
fn an_interrupted_run_ends_with_130_and_says_so() {
    for signal in [Signal::INT, Signal::TERM] {
        let (person, service) = (Person::new(&[]), Silent::new());
        person.write("flow.yaml", &requesting(&service));
        let child = person.start(&["flow.yaml"]);
        let _request = service.wait_for_call();
        let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process has an id");
        kill_process(id, signal).expect("it has not ended");
        let ended = ended(child);
        assert_eq!(ended.code, Some(130), "{ended:?}");
        assert!(ended.stderr.contains("error: the run was interrupted"), "{ended:?}");
    }
}

fn requesting(service: &Silent) -> String {
    format!("steps:\n  - http_request: {{ method: GET, url: \"{}/\" }}\n", service.url())
}

fn fetching(url: &str, integration: &str) -> String {
    format!(
        "steps:\n  - fetch_variables:\n      url: {url}\n      integration: {integration}\n      \
         variables: [name]\n  - send: \"{{{{name}}}}\"\n"
    )
}

/// OA-1: an integration that is known and not authorised is exit 4, with the command to type.
#[test]
fn an_integration_that_nobody_authorised_is_named_with_the_command_that_mends_it() {
    let person = Person::new(&[]);
    person.write("flow.yaml", &fetching("https://api.teamleader.eu/x", "Teamleader"));
    assert_eq!(person.flowrun(&["integrations", "add", "teamleader"]).code, Some(0));
    let ended = person.flowrun(&["flow.yaml"]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.stderr.contains("flowrun integrations authorize"), "{ended:?}");
}

/// SEED-8, OA-72: the callback URL is known before anything exists at the provider, and stays.
#[test]
fn the_callback_url_is_printed_with_the_draft_and_does_not_change() {
    let person = Person::new(&[]);
    let added = person.flowrun(&["integrations", "add", "teamleader"]).stdout;
    assert!(added.starts_with("Callback URL: http://127.0.0.1:"), "{added}");
    let edit = ["integrations", "edit", "teamleader", "--client-id", "abc", "--client-secret-stdin"];
    assert_eq!(person.flowrun_fed(&edit, "a secret that is typed\n").stdout, added);
}

/// OA-3: what goes in does not come out.
#[test]
fn a_client_secret_is_never_printed() {
    let person = Person::new(&[]);
    let secret = "canary-3f9a1c77";
    let add = ["integrations", "add", "teamleader", "--client-id", "abc", "--client-secret-stdin"];
    let mut said = vec![person.flowrun_fed(&add, secret)];
    for words in [
        &["integrations", "list", "--json"][..],
        &["integrations", "show", "teamleader", "--json"],
        &["integrations", "check", "teamleader", "-vv"],
    ] {
        said.push(person.flowrun(words));
    }
    for ended in said {
        assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret), "{ended:?}");
    }
}

/// T3: a plain variable of the environment is nobody's secret, and nothing is sent without one.
#[test]
fn secrets_never_read_plain_environment() {
    let service = Silent::new();
    let person = Person::new(&[("KEY", "plain-environment-value")]);
    let flow = format!(
        "secrets: [KEY]\nsteps:\n  - http_request:\n      url: {}/\n      headers: {{ X-Key: \"{{{{secrets.KEY}}}}\" }}\n",
        service.url()
    );
    person.write("flow.yaml", &flow);
    let ended = person.flowrun(&["flow.yaml"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("FLOWRUN_SECRET_KEY") && ended.stderr.contains("[F0"), "{ended:?}");
    assert!(!service.was_called());
}

/// T21, for the command line.
#[test]
fn undeclared_input_is_refused_everywhere() {
    let service = Silent::new();
    let person = Person::new(&[]);
    let flow = format!(
        "inputs:\n  id: {{ type: string }}\nsteps:\n  - http_request: {{ url: \"{}/\" }}\n",
        service.url()
    );
    person.write("flow.yaml", &flow);
    person.write("vars.json", r#"{"id": "1", "steps": {}}"#);
    person.write("calls.yaml", "steps:\n  - call: { flow: flow.yaml, inputs: { id: \"1\", idd: 2 } }\n");
    for words in [
        &["flow.yaml", "--var", "id=1", "--var", "idd=2"][..],
        &["flow.yaml", "--var", "id=1", "--var", "secrets=2"],
        &["flow.yaml", "--vars", "vars.json"],
        &["calls.yaml"],
    ] {
        let ended = person.flowrun(words);
        assert_eq!(ended.code, Some(3), "{words:?}: {ended:?}");
    }
    assert_eq!(person.flowrun(&["flow.yaml", "--var", "id=1", "--var", "id=2"]).code, Some(2));
    assert!(!service.was_called());
}

/// T24, for the terminal: whatever an author's file holds, stderr stays inert.
#[test]
fn what_is_said_about_a_hostile_file_is_inert() {
    let person = Person::new(&[]);
    person.write("flow.yaml", "steps:\n  - send: {{x}} \u{9b}31m \u{202e}\n");
    let ended = person.flowrun(&["check", "flow.yaml"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(!ended.stderr.contains(['\u{9b}', '\u{202e}', '\u{1b}']), "{ended:?}");
}

#[test]
fn a_mistyped_verb_is_recognised() {
    let ended = Person::new(&[]).flowrun(&["integration"]);
    assert!(ended.stderr.contains("did you mean `flowrun integrations`?"), "{ended:?}");
}

#[test]
fn eval_answers_in_json_and_line_by_line() {
    let person = Person::new(&[]);
    person.write("doc.json", r#"{"data": {"last_name": "Doe"}}"#);
    let picked = person.flowrun(&["eval", "--path", "data.last_name", "--doc", "doc.json"]);
    assert_eq!(picked.stdout, "\"Doe\"\n");
    let lines = "{\"path\":\"$.a\",\"doc\":{\"a\":1}}\n{\"path\":\"$.\",\"doc\":1}\n";
    let answers = person.flowrun_fed(&["eval", "--path", "--jsonl"], lines).stdout;
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(answers[0], "{\"values\":[1]}");
    assert!(answers[1].starts_with("{\"error\":{\"code\":\"grammar\""), "{answers:?}");
}

const GREETS: &str =
    "name: greet\ninputs: { who: { type: string } }\nsteps:\n  - id: hi\n    send: Hello {{who}}.\n";

/// A flow and those it calls are one thing: checked together, run together, each mistake in its own file.
#[test]
fn a_flow_calls_those_in_its_folder_from_wherever_it_is_started() {
    let person = Person::new(&[]);
    fs::create_dir_all(person.home().join("flows/parts")).expect("the home is writable");
    person.write("flows/parts/greet.flow.yaml", GREETS);
    let main = "steps:\n  - call: { flow: parts/greet.flow.yaml, inputs: { who: Ada } }\n";
    person.write("flows/main.flow.yaml", main);
    let ended = person.flowrun(&["flows/main.flow.yaml"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "Hello Ada.\n"), "{ended:?}");
    assert_eq!(person.flowrun(&["check", "flows"]).code, Some(0));
    assert_eq!(person.flowrun_fed(&["-"], &main.replace("parts/", "flows/parts/")).stdout, "Hello Ada.\n");
    person.write("flows/parts/greet.flow.yaml", &GREETS.replace("{{who}}", "{{whom}}"));
    let ended = person.flowrun(&["flows/main.flow.yaml"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("--> flows/parts/greet.flow.yaml:5:"), "{ended:?}");
    // Once, although it is found twice: in its own file, and with the flow that calls it.
    let checked = person.flowrun(&["check", "flows", "--message-format", "short"]);
    assert_eq!((checked.code, checked.stderr.lines().count()), (Some(3), 1), "{checked:?}");
}

/// N3: `call` stays inside the flows folder, no symlink out.
#[test]
fn a_link_out_of_the_folder_is_not_followed_n3() {
    let person = Person::new(&[]);
    fs::create_dir_all(person.home().join("flows")).expect("the home is writable");
    let (inside, outside) = (person.home().join("flows"), person.write("outside.flow.yaml", GREETS));
    symlink(&outside, inside.join("link.flow.yaml")).expect("the home is writable");
    symlink(person.home(), inside.join("folder")).expect("the home is writable");
    person.write("flows/real.flow.yaml", GREETS);
    symlink(inside.join("real.flow.yaml"), inside.join("alias.flow.yaml")).expect("the home is writable");
    for (called, code) in [
        ("link.flow.yaml", 3),
        ("folder/outside.flow.yaml", 3),
        ("../outside.flow.yaml", 3),
        ("folder", 3),
        ("alias.flow.yaml", 0),
    ] {
        let main = format!("steps:\n  - call: {{ flow: {called}, inputs: {{ who: Ada }} }}\n");
        person.write("flows/main.flow.yaml", &main);
        let ended = person.flowrun(&["flows/main.flow.yaml"]);
        assert_eq!(ended.code, Some(code), "{called}: {ended:?}");
        assert_eq!(ended.stderr.contains("error[F049]"), code == 3, "{called}: {ended:?}");
    }
}

/// A secret and an integration of a called flow are asked for before the first step, as the flow's own are.
#[test]
fn what_a_called_flow_needs_is_asked_for_before_the_first_step() {
    let (person, service) = (Person::new(&[]), Silent::new());
    let url = service.url();
    person.write("main.flow.yaml", "steps:\n  - send: too early\n  - call: part.flow.yaml\n");
    let secret = format!(
        "secrets: [KEY]\nsteps:\n  - http_request: {{ url: \"{url}/\", headers: {{ X-Key: \"{{{{secrets.KEY}}}}\" }} }}\n"
    );
    for part in [secret, fetching("https://api.example.com/", "nobody")] {
        person.write("part.flow.yaml", &part);
        let ended = person.flowrun(&["main.flow.yaml"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""), "{ended:?}");
    }
    assert!(!service.was_called());
}

/// Every flow that ships for a provider of the sandbox runs there, through a real authorization; `trial.rs` runs the
/// cases of all of them.
#[test]
fn every_flow_for_a_provider_of_the_sandbox_runs_there() {
    for (file, said) in [
        ("flows/teamleader.flow.yaml", "Their last name is Peeters.\n"),
        ("flows/zoho.flow.yaml", "The organisation is "),
    ] {
        let path = root().join(file);
        let path = path.to_str().expect("a path in UTF-8");
        let mut words = vec![path, "--sandbox"];
        if file.contains("teamleader") {
            words.extend(["--var", "id=42"]);
        }
        let ended = Person::new(&[]).flowrun(&words);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.starts_with(said), "{ended:?}");
        assert!(ended.stderr.contains("All set! Your authorization is complete!"), "{ended:?}");
        assert!(ended.stderr.starts_with("sandbox "), "{ended:?}");
    }
}

/// T18: where the registry, the key and the secrets would be, there is something that cannot be opened as such.
#[test]
fn sandbox_never_opens_real_registry() {
    let person = Person::new(&[("FLOWRUN_HOME", "real")]);
    person.write("real", "a plain file, so that any use of it fails");
    let flow = root().join("flows/teamleader.flow.yaml");
    let flow = flow.to_str().expect("a path in UTF-8");
    let ended = person.flowrun(&[flow, "--var", "id=42", "--sandbox"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "Their last name is Peeters.\n"), "{ended:?}");
    let elsewhere =
        person.write("flow.yaml", "steps:\n  - http_request: { url: \"https://example.com/\" }\n");
    let elsewhere = elsewhere.to_str().expect("a path in UTF-8");
    let refused = person.flowrun(&[elsewhere, "--sandbox"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("example.com is not one of the sandbox's hosts"), "{refused:?}");
}

/// Design 3: a request as curl, placeholders for secrets, nothing sent, an end where a reply is needed.
#[test]
fn a_dry_run_shows_requests_and_sends_none() {
    let service = Silent::new();
    let person = Person::new(&[("FLOWRUN_SECRET_KEY", "canary-77aa12b9")]);
    let url = service.url();
    let flow = format!(
        "secrets: [KEY]\nsteps:\n  - id: contact\n    fetch_variables:\n      url: {url}/contacts\n      \
         headers: {{ X-Key: \"{{{{secrets.KEY}}}}\" }}\n      variables: [name]\n  - send: \"{{{{name}}}}\"\n"
    );
    person.write("flow.yaml", &flow);
    let ended = person.flowrun(&["flow.yaml", "--dry-run"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.starts_with(&format!("curl -X GET '{url}/contacts'")), "{ended:?}");
    assert!(ended.stdout.contains("$FLOWRUN_SECRET_KEY") && !ended.stdout.contains("canary"), "{ended:?}");
    assert!(ended.stderr.contains("the dry run ends at contact: what follows needs `name`"), "{ended:?}");
    // The same within a flow that is called.
    person.write("part.yaml", &format!("name: part\n{flow}"));
    person.write("flow.yaml", "steps:\n  - call: part.yaml\n");
    let ended = person.flowrun(&["flow.yaml", "--dry-run"]);
    assert!(ended.stdout.starts_with(&format!("curl -X GET '{url}/contacts'")), "{ended:?}");
    assert!(
        ended.stderr.contains("the dry run ends at part/contact: what follows needs `name`"),
        "{ended:?}"
    );
    assert!(!service.was_called());
}

/// Every folder of `tests/cases` through the binary: each mistake at its line and column, all of them and no other.
#[test]
fn every_seeded_mistake_is_reported_by_the_binary() {
    for (name, flow, expected) in cases() {
        let person = Person::new(&[]);
        person.write("flow.yaml", &flow);
        write_beside(&person, &name);
        // What is judged by the integrations of this machine needs some to be judged by; where an API lives, and what
        // was granted, is known only once somebody has authorised one, as the sandbox does in `writing.rs`.
        if expected.contains("[F081]") || expected.contains("[F108]") {
            continue;
        }
        let is_about_integrations = expected.contains("[F014]") || expected.contains("[F015]");
        for draft in ["teamleader", "zoho"].iter().filter(|_| is_about_integrations) {
            assert_eq!(person.flowrun(&["integrations", "add", draft]).code, Some(0), "{name:?}");
        }
        let said = person.flowrun(&["check", "flow.yaml", "--message-format", "short"]);
        let errors: Vec<&str> = expected.lines().filter(|line| line.starts_with("error[")).collect();
        let code = match errors.as_slice() {
            [] => 0,
            // Known, and not usable: another matter than a flow that is wrong.
            errors if errors.iter().all(|error| error.starts_with("error[F014]")) => 4,
            _ => 3,
        };
        assert_eq!((said.code, said.stderr), (Some(code), in_short(&expected)), "{name:?}");
    }
}

/// T1 of the language: a flow with a mistake in it never reaches the service it speaks to.
#[test]
fn no_seeded_mistake_lets_a_request_out() {
    let (service, person) = (Silent::new(), Person::new(&[]));
    let url = service.url();
    let mut calling = 0;
    // What is only doubtful runs, and may send.
    for (name, flow, _) in cases().into_iter().filter(|(.., expected)| expected.contains("error[")) {
        let here = flow.replace("https://api.example.com", &url);
        calling += u32::from(here != flow);
        person.write("flow.yaml", &here);
        write_beside(&person, &name);
        let ended = person.flowrun(&["flow.yaml", "--var", "id=42"]);
        assert_eq!(ended.code, Some(3), "{name:?}: {ended:?}");
        assert!(!service.was_called(), "{name:?}: {ended:?}");
    }
    assert!(
        calling >= 10 || env::var_os("FLOWRUN_CASE").is_some(),
        "only {calling} flows speak to the service"
    );
}

/// Name, flow and expectation of every case, or of the one that `FLOWRUN_CASE` names.
fn cases() -> Vec<(OsString, String, String)> {
    let only = env::var_os("FLOWRUN_CASE");
    let folders = fs::read_dir(root().join("tests/cases")).expect("the cases");
    let cases = folders.map(|folder| {
        let folder = folder.expect("readable");
        let text = |file: &str| fs::read_to_string(folder.path().join(file)).expect("each case has one");
        (folder.file_name(), text("flow.yaml"), text("expected.txt"))
    });
    let cases: Vec<_> = cases.filter(|(name, ..)| only.as_ref().is_none_or(|only| only == name)).collect();
    assert!(!cases.is_empty(), "there is no case {only:?}");
    cases
}

/// The flows that a case's flow calls.
fn write_beside(person: &Person, case: &OsString) {
    for file in fs::read_dir(root().join("tests/cases").join(case)).expect("the case") {
        let file = file.expect("readable");
        let name = file.file_name().into_string().expect("a name in UTF-8");
        if name.ends_with(".flow.yaml") {
            person.write(&name, &fs::read_to_string(file.path()).expect("a text"));
        }
    }
}

/// An expectation as `--message-format short` says it: a problem's first line after its place.
fn in_short(expected: &str) -> String {
    let (mut short, mut first) = (String::new(), "");
    for line in expected.lines() {
        match line.strip_prefix("  --> ").and_then(|place| place.split(' ').next()) {
            Some(place) => short.push_str(&format!("{place}: {first}\n")),
            None if !line.starts_with("  = ") => first = line,
            None => {}
        }
    }
    short
}
