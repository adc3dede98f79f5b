//! A person at a terminal: the `flowrun` binary in a home of its own, with nothing of the surrounding environment.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// What a program that has ended said, and how it ended.
#[derive(Debug, PartialEq)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A home that lives as long as the test, and the variables the binary sees.
pub(crate) struct Person {
    home: TempDir,
    environment: Vec<(String, String)>,
    /// The binary: flowrun's own, unless a test has another.
    pub(crate) program: PathBuf,
}

impl Person {
    /// Somebody whose programs see these variables and no other, but for `HOME`.
    pub(crate) fn new(environment: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment = environment.iter().map(owned).collect();
        let home = tempfile::tempdir().expect("a temporary folder");
        Self { home, environment, program: env!("CARGO_BIN_EXE_flowrun").into() }
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home().join(name);
        fs::write(&path, text).expect("the home is writable");
        path
    }

    pub(crate) fn flowrun(&self, words: &[&str]) -> Ended {
        self.flowrun_fed(words, "")
    }

    pub(crate) fn flowrun_fed(&self, words: &[&str], stdin: &str) -> Ended {
        let mut child = self.start(words);
        // A program that does not read what it is fed closes the pipe, which is its right.
        drop(child.stdin.take().expect("piped").write_all(stdin.as_bytes()));
        ended(child)
    }

    pub(crate) fn start(&self, words: &[&str]) -> Child {
        let mut command = self.command(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("flowrun starts")
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).current_dir(self.home()).env_clear().env("HOME", self.home());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Waits for the end.
pub(crate) fn ended(child: Child) -> Ended {
    let output = child.wait_with_output().expect("flowrun ends");
    let text = |bytes| String::from_utf8(bytes).expect("flowrun writes UTF-8");
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
