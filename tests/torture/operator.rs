//! The operator: the real `flowrun` in a home of its own, with nothing of the real one in sight.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};

use tempfile::TempDir;
use url::Url;

/// The seed's own journey, which these tests send to a provider on loopback.
const SEED: &str = include_str!("../../flows/teamleader.flow.yaml");

/// A home folder that lives as long as the test.
pub(crate) struct Operator {
    home: TempDir,
}

/// What the registry says of an integration.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// `incomplete`, `authorized`, `needs_attention(reply_lost)` …
    pub(crate) state: String,
    /// What went wrong last, in the registry's words.
    pub(crate) failure: Option<String>,
}

impl Operator {
    /// A home with nothing in it.
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().expect("a temporary folder") }
    }

    /// The home folder.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Registers an integration at the scripted provider, and writes the seed's flow for it.
    pub(crate) fn add(&self, name: &str, origin: &str) {
        let (authorize, token) = (format!("{origin}/authorize"), format!("{origin}/token"));
        let urls = ["--authorize-url", &authorize, "--token-url", &token, "--scopes", "contacts"];
        self.register(name, origin, ("client", "a secret of the client"), &urls);
    }

    /// Registers an integration, and writes the seed's flow for it; gives what flowrun says of it.
    pub(crate) fn register(&self, name: &str, origin: &str, client: (&str, &str), words: &[&str]) -> Ended {
        let flow = SEED.replace("https://api.teamleader.eu", origin);
        let flow = flow.replace("integration: teamleader", &format!("integration: {name}"));
        self.write(&format!("{name}.yaml"), &flow);
        self.write("secret", client.1);
        let mut add = self.flowrun(&["integrations", "add", name, "--client-id", client.0]);
        add.args(["--client-secret-file", "secret"]).args(words);
        let added = Ended::of(add.spawn().expect("flowrun starts"));
        assert!(added.status.success(), "{added:?}");
        added
    }

    /// Authorises, as a person on a machine without a browser does; `consent` is the rest of the world.
    pub(crate) fn authorise(&self, name: &str, consent: impl FnOnce(&Url) -> String) -> Ended {
        let mut authorize = Authorising::start(&mut self.authorize(name));
        authorize.answer(consent);
        authorize.end()
    }

    /// The command that waits for the callback URL to be pasted.
    pub(crate) fn authorize(&self, name: &str) -> Command {
        self.flowrun(&["integrations", "authorize", name, "--paste"])
    }

    /// What the registry says of it.
    pub(crate) fn show(&self, name: &str) -> Shown {
        let said = self.flowrun(&["integrations", "show", name]).output().expect("flowrun starts");
        assert!(said.status.success(), "{said:?}");
        let said = text(&said.stdout);
        let fact = |fact: &str| {
            said.lines().find_map(|line| line.strip_prefix(fact).map(|value| value.trim().to_owned()))
        };
        Shown { state: fact("state").expect("each has a state"), failure: fact("last failure") }
    }

    /// The seed's flow, ready to be started.
    pub(crate) fn flow(&self, name: &str) -> Command {
        self.flowrun(&[&format!("{name}.yaml"), "--var", "id=42"])
    }

    /// flowrun with these words, ready to be started.
    pub(crate) fn flowrun(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flowrun"));
        command.args(words);
        self.at_home(command)
    }

    /// Any program with this home and nothing else of the world.
    pub(crate) fn at_home(&self, mut command: Command) -> Command {
        command.current_dir(self.home()).env_clear().env("HOME", self.home());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home().join(name);
        fs::write(&path, text).expect("the home is writable");
        path
    }
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Lets a program run to its end.
    pub(crate) fn of(child: Child) -> Self {
        let Output { status, stdout, stderr } = child.wait_with_output().expect("flowrun ends");
        Self { status, stdout: text(&stdout), stderr: text(&stderr) }
    }

    /// Everything it said.
    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// An authorisation that waits for the callback URL.
pub(crate) struct Authorising {
    pub(crate) program: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

impl Authorising {
    /// Starts what [`Operator::authorize`] made.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut program = command.stdin(Stdio::piped()).spawn().expect("flowrun starts");
        let stderr = BufReader::new(program.stderr.take().expect("piped"));
        Self { program, stderr, said: String::new() }
    }

    /// Goes where the program says, and types in where that ended; nothing if the program ends before it says where.
    pub(crate) fn answer(&mut self, consent: impl FnOnce(&Url) -> String) {
        let Some(url) = self.url() else { return };
        let mut stdin = self.program.stdin.take().expect("asked once");
        // It may have been killed by now, and then nobody reads.
        drop(writeln!(stdin, "{}", consent(&url)));
    }

    /// Lets it run to its end.
    pub(crate) fn end(mut self) -> Ended {
        drop(self.stderr.read_to_string(&mut self.said));
        let mut ended = Ended::of(self.program);
        ended.stderr = self.said;
        ended
    }

    fn url(&mut self) -> Option<Url> {
        loop {
            let mut line = String::new();
            if self.stderr.read_line(&mut line).ok()? == 0 {
                return None;
            }
            self.said += &line;
            if line.contains("/authorize?") {
                return line.trim().parse().ok();
            }
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
