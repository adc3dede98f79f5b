//! The certified OAuth provider of `tests/lab`, started for one test, and the person who consents there.
//!
//! The provider is a node program that ends when this end of its stdin does. Without node or its packages there is no
//! lab: the test says so and is skipped, or fails where `FLOWRUN_REQUIRE_LAB` is set, as in `.ci/run`.

use std::env;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::Value;

use crate::lines::Lines;

/// Where the lab's programs are.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/lab");

/// A running provider.
pub(crate) struct Lab {
    /// Its own name for itself: `http://127.0.0.1:PORT`.
    pub(crate) issuer: String,
    requests: Option<ChildStdin>,
    answers: Lines,
    program: Child,
}

/// What has happened at the provider so far.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Tally {
    pub(crate) codes: u32,
    pub(crate) refreshes: u32,
    pub(crate) client_credentials: u32,
    /// Device codes exchanged.
    pub(crate) devices: u32,
    /// Grants that were ended.
    pub(crate) revoked: u32,
    /// Refusals of the token endpoint beside dead codes and tokens.
    pub(crate) other_errors: u32,
    /// Refreshes of a token that had a good part of its life left.
    pub(crate) early_refreshes: u32,
    /// Dead codes and dead refresh tokens that were tried.
    pub(crate) invalid_grant: u32,
    /// API calls answered.
    pub(crate) contacts: u32,
    /// API calls refused.
    pub(crate) denied: u32,
    /// Mistakes of the lab itself.
    pub(crate) faults: u32,
}

impl Lab {
    /// A provider whose access tokens live so long, or nothing, said aloud.
    pub(crate) fn start(access_token_seconds: u32) -> Option<Self> {
        let mut program = node("server.mjs", &[&access_token_seconds.to_string()])?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node starts");
        let requests = program.stdin.take();
        let mut answers =
            Lines::of([Box::new(program.stdout.take().expect("stdout is piped")) as Box<dyn Read + Send>]);
        let hello = parsed(&answers.next_line());
        let issuer = hello["issuer"].as_str().map(String::from).expect("the lab says who it is");
        Some(Self { issuer, requests, answers, program })
    }

    /// Registers a redirect URI, as one does on a provider's developer page.
    pub(crate) fn allow(&mut self, client_id: &str, redirect_uri: &str) {
        let answer = self.ask(&format!("allow {client_id} {redirect_uri}"));
        assert_eq!(answer["allowed"], redirect_uri, "{answer}");
    }

    /// Comes back once the newest access token is over.
    pub(crate) fn wait_for_expiry(&mut self) {
        let answer = self.ask("expiry");
        assert!(answer["expired"].is_string(), "{answer}");
    }

    /// Keeps back the replies of the token endpoint until they are released.
    pub(crate) fn hold_tokens(&mut self) {
        assert_eq!(self.ask("hold")["holds"], true);
    }

    /// Comes back once the token endpoint has decided and its reply is being kept back.
    pub(crate) fn wait_for_held_reply(&mut self) {
        assert_eq!(self.ask("held")["held"], true);
    }

    /// Lets go of the replies.
    pub(crate) fn release_tokens(&mut self) {
        assert_eq!(self.ask("release")["holds"], false);
    }

    /// Ends the access tokens of every grant, and leaves the refresh tokens.
    pub(crate) fn forget(&mut self) {
        assert_eq!(self.ask("forget")["forgotten"], 1);
    }

    /// What has happened so far.
    pub(crate) fn tally(&mut self) -> Tally {
        serde_json::from_value(self.ask("tally")).expect("a tally")
    }

    /// Logs in and consents; the address the browser would be sent to, not yet opened.
    pub(crate) fn consent(&self, authorization_url: &str) -> String {
        person("authorize.mjs", &[authorization_url])
    }

    /// Logs in, consents, and opens the callback as a browser does.
    pub(crate) fn consent_and_follow(&self, authorization_url: &str) {
        person("authorize.mjs", &["--follow", authorization_url]);
    }

    /// Logs in, says no, and opens the callback as a browser does.
    pub(crate) fn deny_and_follow(&self, authorization_url: &str) {
        person("authorize.mjs", &["--deny", "--follow", authorization_url]);
    }

    /// Opens a device's address elsewhere, logs in and consents.
    pub(crate) fn consent_to_device(&self, verification_url: &str) {
        person("device.mjs", &[verification_url]);
    }

    /// Opens a device's address elsewhere, and says no.
    pub(crate) fn deny_device(&self, verification_url: &str) {
        person("device.mjs", &["--deny", verification_url]);
    }

    fn ask(&mut self, request: &str) -> Value {
        let requests = self.requests.as_mut().expect("open while the lab is");
        writeln!(requests, "{request}").expect("the lab reads");
        parsed(&self.answers.next_line())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.requests = None;
        self.program.wait().expect("the lab ends with its stdin");
    }
}

/// Runs the lab's own tests, or says aloud that they are skipped.
pub(crate) fn own_tests() -> Option<(bool, String)> {
    let output = node("--test", &["lab.test.mjs"])?.output().expect("node starts");
    Some((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
}

fn person(program: &str, arguments: &[&str]) -> String {
    let output =
        node(program, arguments).expect("a lab runs, so node is there").output().expect("node starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the person at the browser gave up: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn node(first: &str, rest: &[&str]) -> Option<Command> {
    let mut asked = Command::new("node");
    let node_starts = asked.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let missing = match (node_starts, Path::new(FOLDER).join("node_modules").exists()) {
        (true, true) => None,
        (true, false) => Some("its packages are not installed (npm ci --prefix tests/lab --ignore-scripts)"),
        (false, _) => Some("node is not installed"),
    };
    if let Some(missing) = missing {
        skip(missing);
        return None;
    }
    let mut command = Command::new("node");
    command.current_dir(FOLDER).arg(first).args(rest).stdin(Stdio::null());
    Some(command)
}

/// Written past the capture of the test runner: a skipped test must be seen.
fn skip(missing: &str) {
    assert!(env::var_os("FLOWRUN_REQUIRE_LAB").is_none(), "the OAuth lab cannot start: {missing}");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    writeln!(io::stderr(), "skipped: {test}: the OAuth lab cannot start: {missing}").expect("stderr is open");
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("the lab said `{line}`: {error}"))
}
