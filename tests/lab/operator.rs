//! The operator at a terminal: the `flowrun` binary in a home of its own, with nothing of the real one in sight.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::lines::Lines;
use crate::provider::Lab;

/// The name the integration has in these tests.
const NAME: &str = "lab";
/// RFC 6749 2.3.1: these characters change when form-encoded, which Basic asks for (OA-26).
const CLIENT: (&str, &str) = ("basic-client", "s3cret basic:/+");
/// The client that acts for itself.
const MACHINE: (&str, &str) = ("machine-client", "machine-secret");

/// A home folder that lives as long as the test.
pub(crate) struct Operator {
    home: TempDir,
}

/// A program that asks something and waits.
pub(crate) struct Waiting {
    program: Child,
    lines: Lines,
}

/// What a program that has ended said, and how it ended.
#[derive(Debug, PartialEq)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Operator {
    /// Adds the integration by its two addresses.
    pub(crate) fn with_integration(lab: &mut Lab) -> Self {
        Self::by_hand(lab, "basic")
    }

    /// Adds the integration by its two addresses, its client proving itself in this way.
    pub(crate) fn by_hand(lab: &mut Lab, auth_style: &str) -> Self {
        let (authorize, token) = (format!("{}/auth", lab.issuer), format!("{}/token", lab.issuer));
        let addresses = ["--authorize-url", &authorize, "--token-url", &token, "--auth-style", auth_style];
        Self::with_provider(lab, &addresses)
    }

    /// Adds the integration by its issuer, with these words besides.
    pub(crate) fn with_issuer(lab: &mut Lab, words: &[&str]) -> Self {
        let issuer = lab.issuer.clone();
        Self::with_provider(lab, &[&["--issuer", &issuer], words].concat())
    }

    /// A home with a flow and the client's secret, and nothing else.
    pub(crate) fn at_home(lab: &Lab) -> Self {
        let operator = Self { home: tempfile::tempdir().expect("a temporary folder") };
        operator.write("flow.yaml", &flow(&lab.issuer));
        operator.write("secret", CLIENT.1);
        operator
    }

    /// Adds the integration, and registers its callback URL at the provider.
    fn with_provider(lab: &mut Lab, words: &[&str]) -> Self {
        let operator = Self::at_home(lab);
        let added = operator.add(words);
        assert_eq!(added.code, Some(0), "{added:?}");
        let said = [added.stdout, added.stderr].concat();
        let callback = said.split_whitespace().find(|word| word.contains("/oauth/callback/"));
        lab.allow(CLIENT.0, callback.expect("the callback URL is printed before anything exists"));
        operator
    }

    /// Adds the integration, its provider described so.
    pub(crate) fn add(&self, provider: &[&str]) -> Ended {
        let client =
            ["--client-id", CLIENT.0, "--client-secret-file", "secret", "--scopes", "openid contacts"];
        self.says(&[&["integrations", "add", NAME], &client[..], provider].concat())
    }

    /// Does something with the integration, and waits for the end.
    pub(crate) fn does(&self, verb: &str, words: &[&str]) -> Ended {
        self.says(&[&["integrations", verb, NAME], words].concat())
    }

    /// Says something to flowrun, and waits for the end.
    pub(crate) fn says(&self, words: &[&str]) -> Ended {
        ended(&mut self.flowrun(words))
    }

    /// Everything that this operator has, as somebody who took a copy has it.
    pub(crate) fn copied(&self) -> Self {
        let copy = Self { home: tempfile::tempdir().expect("a temporary folder") };
        let from = self.home.path().join(".");
        let copied = Command::new("cp").arg("-a").arg(from).arg(copy.home.path()).status();
        assert!(copied.expect("cp starts").success());
        copy
    }

    /// An integration that acts for itself, and the flow.
    pub(crate) fn with_machine(lab: &Lab) -> Self {
        let operator = Self { home: tempfile::tempdir().expect("a temporary folder") };
        operator.write("flow.yaml", &flow(&lab.issuer));
        let secret = operator.write("secret", MACHINE.1);
        let token = format!("{}/token", lab.issuer);
        let mut add = operator.flowrun(&["integrations", "add", NAME, "--grant", "client_credentials"]);
        add.args(["--token-url", &token, "--auth-style", "basic", "--scopes", "contacts"]);
        let added = ended(add.args(["--client-id", MACHINE.0, "--client-secret-file"]).arg(secret));
        assert_eq!(added.code, Some(0), "{added:?}");
        operator
    }

    /// Starts an authorization that waits for the browser or, with `--paste`, for the callback URL.
    pub(crate) fn authorize(&self, how: &str) -> Waiting {
        self.start(&["integrations", "authorize", NAME, how])
    }

    /// Starts the flow in a process of its own, and does not wait for it.
    pub(crate) fn start_flow(&self) -> Waiting {
        self.start(&["flow.yaml", "--var", "id=42"])
    }

    /// Starts a refresh, and does not wait for it.
    pub(crate) fn start_refresh(&self) -> Waiting {
        self.start(&["integrations", "refresh", NAME, "--force"])
    }

    fn start(&self, words: &[&str]) -> Waiting {
        let mut command = self.flowrun(words);
        let mut program = command.stdin(Stdio::piped()).spawn().expect("flowrun starts");
        let (stdout, stderr) = (program.stdout.take().expect("piped"), program.stderr.take().expect("piped"));
        Waiting { lines: Lines::of([Box::new(stdout) as Box<dyn Read + Send>, Box::new(stderr)]), program }
    }

    /// Runs the flow in a process of its own; `-q`, because a step's line on stderr holds how long it took.
    pub(crate) fn run_flow(&self) -> Ended {
        ended(&mut self.flowrun(&["-q", "flow.yaml", "--var", "id=42"]))
    }

    fn flowrun(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flowrun"));
        command.args(arguments).current_dir(self.home.path()).env_clear().env("HOME", self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        fs::write(&path, text).expect("the home is writable");
        path
    }
}

impl Waiting {
    /// The address to open in a browser.
    pub(crate) fn authorization_url(&mut self, lab: &Lab) -> String {
        let url = self.lines.line_with(&format!("{}/auth?", lab.issuer));
        url.split_whitespace().next().map(String::from).expect("found in the line")
    }

    /// The address to open on another device, with the code in it.
    pub(crate) fn verification_url(&mut self, lab: &Lab) -> String {
        self.lines.line_with(&format!("{}/device?user_code=", lab.issuer))
    }

    /// Answers with one line.
    pub(crate) fn type_in(&mut self, line: &str) {
        let mut stdin = self.program.stdin.take().expect("asked once");
        writeln!(stdin, "{line}").expect("flowrun reads");
    }

    /// Sends a signal, as Ctrl-C or a service manager does.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.program.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("a process has an id"), signal).expect("it has not ended");
    }

    /// Waits for words that show how far it has come.
    pub(crate) fn says(&mut self, words: &str) {
        self.lines.line_with(words);
    }

    /// Waits for the end.
    pub(crate) fn ends_with(mut self, code: i32) {
        assert_eq!(self.program.wait().expect("flowrun ends").code(), Some(code));
    }

    /// Waits for the words that end an authorization (SEED: they are those of the original).
    pub(crate) fn ends_all_set(mut self) {
        self.lines.line_with("All set! Your authorization is complete!");
        assert_eq!(self.program.wait().expect("flowrun ends").code(), Some(0));
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // A test that failed must not leave a listener behind; one that has ended cannot be killed again.
        drop(self.program.kill());
        drop(self.program.wait());
    }
}

impl Ended {
    /// A run that found the last name and had nothing else to say.
    pub(crate) fn last_name() -> Self {
        Self { code: Some(0), stdout: String::from("Their last name is Lovelace.\n"), stderr: String::new() }
    }
}

fn flow(issuer: &str) -> String {
    format!(
        "name: lab
inputs:
  id: {{ type: string }}
steps:
  - fetch_variables:
      url: {issuer}/api/contacts/{{{{id}}}}
      integration: {NAME}
      variables: {{ last_name: data.last_name }}
  - send: Their last name is {{{{last_name}}}}.
"
    )
}

fn ended(command: &mut Command) -> Ended {
    let output = command.output().expect("flowrun starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("flowrun writes UTF-8");
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
