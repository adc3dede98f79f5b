//! A server that is started, asked and ended: the real binary.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, ChildStderr};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::person::Person;

/// A person with a server whose flows are deployed, the folder `flows`, and a token of these scopes in the file `token`.
pub(crate) fn operator(managed_by: &str, scopes: &[&str]) -> Person {
    let person = Person::new(&[("FLOWRUN_TOKEN_FILE", "token")]);
    person.write(
        "flowrun.toml",
        &format!("[server]\nlisten = '127.0.0.1:0'\n[flows]\nmanaged_by = '{managed_by}'\n"),
    );
    fs::create_dir_all(person.home().join("flows/deep")).expect("a folder");
    let scopes: Vec<&str> = scopes.iter().flat_map(|scope| ["--scope", scope]).collect();
    let created = person.flowrun(&[&["tokens", "create", "ci"], &scopes[..]].concat());
    let path = person.write("token", &created.stdout);
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("a file of ours");
    person
}

/// The token of the operator.
pub(crate) fn token(person: &Person) -> String {
    fs::read_to_string(person.home().join("token")).expect("a token").trim().to_owned()
}

/// A server, and what it says.
pub(crate) struct Served {
    pub(crate) child: Child,
    address: String,
    pub(crate) said: BufReader<ChildStderr>,
}

impl Served {
    pub(crate) fn start(person: &Person) -> Self {
        Self::start_with(person, &[])
    }

    pub(crate) fn start_with(person: &Person, more: &[&str]) -> Self {
        let mut child = person.start(&[&["serve"], more].concat());
        let mut said = BufReader::new(child.stderr.take().expect("what it says"));
        let mut line = String::new();
        while !line.contains("http://") {
            line.clear();
            assert!(said.read_line(&mut line).expect("what it says") > 0, "it ended before it served");
        }
        let address = line.trim().rsplit_once("http://").expect("an address").1.to_owned();
        Self { child, address, said }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// One request; the status and the body.
    pub(crate) fn ask(&self, to: (&str, &str), token: &str, body: Option<&Value>) -> (u16, String) {
        self.try_ask(to, token, body).expect("it listens, reads and answers")
    }

    /// The same of a server that may be killed meanwhile.
    pub(crate) fn try_ask(
        &self,
        (method, path): (&str, &str),
        token: &str,
        body: Option<&Value>,
    ) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
    }

    /// Kills it after so long, while the test goes on.
    pub(crate) fn dies_in(&self, after: Duration) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process");
        std::thread::spawn(move || {
            std::thread::sleep(after);
            // One that has ended by itself fails its own test.
            let _ = kill_process(id, Signal::KILL);
        });
    }

    pub(crate) fn post(&self, path: &str, token: &str, body: &Value) -> Value {
        let (status, said) = self.ask(("POST", path), token, Some(body));
        assert!((200..300).contains(&status), "{status} {said}");
        serde_json::from_str(&said).expect("JSON")
    }

    pub(crate) fn signal(&mut self, signal: Signal) -> Option<i32> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(id, signal).expect("it lives");
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Served {
    /// A test that fails leaves no server behind.
    fn drop(&mut self) {
        // One that has ended cannot be killed, and is none the worse.
        let _ = self.child.kill();
    }
}
