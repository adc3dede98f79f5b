//! The second server, started for one test, and the person who consents there.
//!
//! It is a Python program in an environment of its own, which `.ci/run` makes in `target/second`. Where that is
//! missing a test says so and is skipped, or fails where `FLOWRUN_REQUIRE_LAB` is set.

use std::env;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::Value;
use url::Url;

use crate::lines::Lines;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/lab/second");
const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/second/bin/python");

/// A running server.
pub(crate) struct Server {
    /// `http://127.0.0.1:PORT`.
    pub(crate) origin: String,
    requests: Option<ChildStdin>,
    answers: Lines,
    program: Child,
}

/// What its token endpoint answered, and its API.
#[derive(Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct Tally {
    pub(crate) codes: u32,
    pub(crate) refreshes: u32,
    pub(crate) client_credentials: u32,
    pub(crate) invalid_grant: u32,
    pub(crate) invalid_client: u32,
    pub(crate) contacts: u32,
}

impl Server {
    /// A server whose access tokens live so many seconds, or nothing, said aloud.
    pub(crate) fn start(access_token_seconds: u32) -> Option<Self> {
        if !Path::new(PYTHON).exists() {
            skip();
            return None;
        }
        let mut program = python("server.py")
            .arg(access_token_seconds.to_string())
            .stdin(Stdio::piped())
            .spawn()
            .expect("python starts");
        let requests = program.stdin.take();
        let stdout = program.stdout.take().expect("stdout is piped");
        let mut answers = Lines::of([Box::new(stdout) as Box<dyn Read + Send>]);
        let hello = parsed(&answers.next_line());
        let origin = hello["origin"].as_str().map(String::from).expect("it says where it listens");
        Some(Self { origin, requests, answers, program })
    }

    /// Registers a redirect URI, as one does on a provider's developer page.
    pub(crate) fn allow(&mut self, redirect_uri: &str) {
        assert_eq!(self.ask(&format!("allow {redirect_uri}"))["done"], "allow");
    }

    /// Ends every access token there is.
    pub(crate) fn expire(&mut self) {
        assert_eq!(self.ask("expire")["done"], "expire");
    }

    /// Every refresh token it ever issued, the oldest first.
    pub(crate) fn refresh_tokens(&mut self) -> Vec<String> {
        serde_json::from_value(self.ask("refresh-tokens")).expect("texts")
    }

    /// What has happened so far.
    pub(crate) fn tally(&mut self) -> Tally {
        serde_json::from_value(self.ask("tally")).expect("a tally")
    }

    /// The person allows; the address the browser would be sent to.
    pub(crate) fn consent(&self, authorization_url: &Url) -> String {
        let output = python("person.py").arg(authorization_url.as_str()).output().expect("python starts");
        assert!(output.status.success(), "the person at the browser gave up: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn ask(&mut self, request: &str) -> Value {
        let requests = self.requests.as_mut().expect("open while the server is");
        writeln!(requests, "{request}").expect("the server reads");
        parsed(&self.answers.next_line())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.requests = None;
        self.program.wait().expect("the server ends with its stdin");
    }
}

fn python(program: &str) -> Command {
    let mut command = Command::new(PYTHON);
    // No `__pycache__` beside the sources.
    command.current_dir(FOLDER).arg("-B").arg(program);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// Written past the capture of the test runner: a skipped test must be seen.
fn skip() {
    let missing = "the second OAuth server is not installed (see .ci/run)";
    assert!(env::var_os("FLOWRUN_REQUIRE_LAB").is_none(), "{missing}");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    writeln!(io::stderr(), "skipped: {test}: {missing}").expect("stderr is open");
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("the server said `{line}`: {error}"))
}
