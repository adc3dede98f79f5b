//! How an operator keeps integrations: finds out what is wrong with one, moves them, renames them, changes their key.
//!
//! Each test runs the real binary in a home of its own, with nothing of the surrounding environment.

#![expect(clippy::expect_used, reason = "a test whose parts do not start fails at once")]

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// What a program that has ended said, and how it ended.
#[derive(Debug, PartialEq)]
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// An operator with a home that lives as long as the test.
struct Operator {
    home: TempDir,
}

impl Operator {
    /// An operator with these integrations, drafts whose client is known.
    fn with(names: &[&str]) -> Self {
        let operator = Self { home: tempfile::tempdir().expect("a temporary folder") };
        for name in names {
            let add = ["add", name, "--preset", "teamleader", "--client-id", "abc", "--client-secret-stdin"];
            let added = operator.integrations_fed(&add, "canary-secret-of-the-client");
            assert_eq!(added.code, Some(0), "{added:?}");
        }
        operator
    }

    fn integrations(&self, words: &[&str]) -> Ended {
        self.integrations_fed(words, "")
    }

    fn integrations_fed(&self, words: &[&str], stdin: &str) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flowrun"));
        command.arg("integrations").args(words);
        command.current_dir(self.home.path()).env_clear().env("HOME", self.home.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("flowrun starts");
        // A program that does not read what it is fed closes the pipe, which is its right.
        drop(child.stdin.take().expect("piped").write_all(stdin.as_bytes()));
        let output = child.wait_with_output().expect("flowrun ends");
        let text = |bytes| String::from_utf8(bytes).expect("flowrun writes UTF-8");
        Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn key(&self) -> PathBuf {
        self.path(".config/flowrun/key")
    }
}

#[test]
fn check_names_the_leg_that_fails_and_the_command_that_mends_it() {
    let operator = Operator::with(&["teamleader"]);
    let ended = operator.integrations(&["check", "teamleader"]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.stdout.contains("  wrong  authorize    never authorised\n"), "{ended:?}");
    assert_eq!(ended.stderr, "authorize fails; flowrun integrations authorize teamleader\n");
}

#[test]
fn check_tries_the_port_on_which_the_browser_comes_back() {
    let operator = Operator::with(&["teamleader"]);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port().to_string();
    operator.integrations(&["edit", "teamleader", "--port", &port]);
    let ended = operator.integrations(&["check", "teamleader"]);
    assert!(ended.stdout.contains(&format!("127.0.0.1:{port} is taken on this machine")), "{ended:?}");
    drop(taken);
    let ended = operator.integrations(&["check", "teamleader"]);
    assert!(ended.stdout.contains("  ok     callback     http://127.0.0.1:"), "{ended:?}");
}

/// A registry that does not open is a finding, for a script too.
#[test]
fn check_without_a_name_looks_at_all_of_them_and_says_so_when_the_registry_does_not_open() {
    let operator = Operator::with(&["teamleader", "other"]);
    let checked = |operator: &Operator| -> Value {
        let ended = operator.integrations(&["check", "--json"]);
        assert_eq!(ended.code, Some(4), "{ended:?}");
        serde_json::from_str(&ended.stdout).expect("JSON")
    };
    let found = checked(&operator);
    assert_eq!(found["integrations"].as_array().expect("a list").len(), 2);
    assert_eq!(found["registry"][0]["leg"], "key");
    assert_eq!(found["registry"][0]["ok"], true);
    fs::remove_file(operator.key()).expect("there is a key");
    let found = checked(&operator);
    assert_eq!((&found["is_open"], &found["registry"][0]["ok"]), (&false.into(), &false.into()));
    let ended = operator.integrations(&["check", "teamleader"]);
    assert!(ended.stderr.starts_with("key fails; put the key back at "), "{ended:?}");
}

/// OA-55: the old key is gone, and everything is as it was.
#[test]
fn rotate_key_replaces_the_key_and_keeps_everything() {
    let operator = Operator::with(&["teamleader", "other"]);
    let old = fs::read(operator.key()).expect("there is a key");
    let ended = operator.integrations(&["rotate-key"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.starts_with("2 integrations are sealed with a new key: "), "{ended:?}");
    assert_ne!(fs::read(operator.key()).expect("there is a key"), old);
    assert_eq!(operator.integrations(&["list"]).stdout.lines().count(), 2);
    fs::write(operator.key(), old).expect("the home is writable");
    let ended = operator.integrations(&["list"]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.stderr.contains("the key does not open this registry"), "{ended:?}");
}

/// OA-54: what leaves the machine is sealed, for its owner alone, and never in the place of another file.
#[test]
fn integrations_move_in_a_file_that_a_passphrase_seals() {
    let (from, to) = (Operator::with(&["teamleader", "other"]), Operator::with(&[]));
    let phrase = "four words nobody guesses\n";
    let export = ["export", "teamleader", "--to", "moved", "--passphrase-stdin"];
    let ended = from.integrations_fed(&export, phrase);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(0), "1 integration exported to moved\n"),
        "{ended:?}"
    );
    let file = fs::read(from.path("moved")).expect("the export");
    assert_eq!(fs::metadata(from.path("moved")).expect("the export").permissions().mode() & 0o777, 0o600);
    assert!(!String::from_utf8_lossy(&file).contains("canary"));
    let again = from.integrations_fed(&export, phrase);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert_eq!(fs::read(from.path("moved")).expect("the export"), file, "what is there stays");

    fs::write(to.path("moved"), &file).expect("the home is writable");
    let import = ["import", "moved", "--passphrase-stdin"];
    let wrong = to.integrations_fed(&import, "four words somebody guesses");
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.stderr.contains("the passphrase does not open the export"), "{wrong:?}");
    assert_eq!(to.integrations(&["list"]).stdout, "");
    let ended = to.integrations_fed(&import, phrase);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(0), "teamleader: added, incomplete\n"),
        "{ended:?}"
    );
    let shown = |operator: &Operator| operator.integrations(&["show", "teamleader", "--json"]).stdout;
    assert_eq!(shown(&from), shown(&to));
    assert_eq!(to.integrations_fed(&import, phrase).code, Some(2), "the name is taken");
    let ended = to.integrations_fed(&[&import[..], &["--replace"]].concat(), phrase);
    assert_eq!(ended.stdout, "teamleader: replaced, incomplete\n", "{ended:?}");
}

/// OA-3: a passphrase is typed, piped or in a file.
#[test]
fn a_passphrase_is_never_an_argument_and_never_short() {
    let operator = Operator::with(&["teamleader"]);
    let ended = operator.integrations(&["export", "--to", "moved", "--passphrase", "hunter2"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let ended = operator.integrations(&["export", "--to", "moved"]);
    assert!(ended.stderr.contains("use --passphrase-stdin or --passphrase-file"), "{ended:?}");
    fs::write(operator.path("phrase"), "hunter2").expect("the home is writable");
    let ended = operator.integrations(&["export", "--to", "moved", "--passphrase-file", "phrase"]);
    assert!(ended.stderr.contains("fewer than 12 characters"), "{ended:?}");
    assert!(!operator.path("moved").exists());
}

fn flow(integration: &str) -> String {
    format!(
        "steps:\n  - fetch_variables:\n      url: https://api.teamleader.eu/x\n      integration: {integration}\n      \
         variables: [name]\n  - send: \"{{{{name}}}}\"\n"
    )
}

/// SEED-17: a new name breaks flows, which are shown with their places; names are compared without case.
#[test]
fn rename_shows_each_place_where_a_flow_says_the_old_name() {
    let operator = Operator::with(&["teamleader", "other"]);
    fs::create_dir(operator.path("flows")).expect("the home is writable");
    for (name, integration) in [("one", "TeamLeader"), ("two", "other"), ("three", "teamleader")] {
        let path = operator.path(&format!("flows/{name}.flow.yaml"));
        fs::write(path, flow(integration)).expect("the home is writable");
    }
    let listing = format!("integrations: {{ Teamleader: }}\n{}", flow("teamleader"));
    fs::write(operator.path("flows/four.flow.yaml"), listing).expect("the home is writable");
    let ended = operator.integrations(&["rename", "teamleader", "crm"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "teamleader is crm now\n"), "{ended:?}");
    for told in [
        "flows/one.flow.yaml:4:20",
        "flows/three.flow.yaml:4:20",
        "flows/four.flow.yaml:1:17",
        "flows/four.flow.yaml:5:20",
        "write crm",
        "in 4 places",
    ] {
        assert!(ended.stderr.contains(told), "{told}: {ended:?}");
    }
    assert!(!ended.stderr.contains("two.flow.yaml"), "{ended:?}");
    let names = operator.integrations(&["list"]).stdout;
    assert!(names.starts_with("crm ") && names.contains("\nother "), "{names}");
    let ended = operator.integrations(&["rename", "crm", "CRM", "--flows", "flows"]);
    assert!(ended.stderr.contains("4 flows looked at, none of them says `crm`"), "{ended:?}");
}

#[test]
fn rename_changes_nothing_when_the_name_is_taken_or_the_folder_is_none() {
    let operator = Operator::with(&["teamleader", "other"]);
    for (words, code) in [
        (&["rename", "teamleader", "Other"][..], 2),
        (&["rename", "nobody", "somebody"], 3),
        (&["rename", "teamleader", "crm", "--flows", "nowhere"], 2),
        (&["rename", "teamleader", "<b>"], 2),
        (&["edit", "teamleader", "--rename", "crm"], 2),
    ] {
        let ended = operator.integrations(words);
        assert_eq!(ended.code, Some(code), "{words:?}: {ended:?}");
    }
    assert!(operator.integrations(&["list"]).stdout.contains("teamleader"));
    let ended = operator.integrations(&["rename", "teamleader", "crm"]);
    assert!(ended.stderr.contains("--flows FOLDER shows them"), "{ended:?}");
}
