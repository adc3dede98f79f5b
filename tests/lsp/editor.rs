//! A small LSP client: frames over the stdio of `flowrun lsp`, questions with ids, waiting with a limit.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::person::{Person, ended};

/// How long anything may take before the test has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// An editor with its language server.
pub(crate) struct Editor {
    child: Child,
    stdin: Option<ChildStdin>,
    heard: Receiver<Value>,
    /// Notifications nobody has asked for yet.
    kept: Vec<Value>,
    asked: i64,
    version: i64,
    pub(crate) greeting: Value,
    /// Where the files stand.
    pub(crate) folder: String,
}

impl Editor {
    /// Starts a server in a person's home and greets it.
    pub(crate) fn start(person: &Person, capabilities: &Value) -> Self {
        let mut child = person.start(&["lsp", "--stdio"]);
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (tell, heard) = mpsc::channel();
        thread::spawn(move || listen(stdout, |message| tell.send(message).is_ok()));
        let (kept, folder) = (Vec::new(), "/flows".to_owned());
        let mut editor =
            Self { child, stdin, heard, kept, asked: 0, version: 0, greeting: Value::Null, folder };
        let params = json!({ "processId": null, "rootUri": null, "capabilities": capabilities });
        editor.greeting = editor.ask("initialize", &params);
        editor.tell("initialized", &json!({}));
        editor
    }

    /// The address of a file.
    pub(crate) fn uri(&self, name: &str) -> String {
        let byte = |byte: u8| {
            let is_plain = byte.is_ascii_alphanumeric() || b".-_~".contains(&byte);
            if is_plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
        };
        format!("file://{}/{}", self.folder, name.bytes().map(byte).collect::<String>())
    }

    /// A request's words for a file.
    pub(crate) fn document(&self, name: &str) -> Value {
        json!({ "textDocument": { "uri": self.uri(name) } })
    }

    /// Opens a file, and gives what is wrong with it.
    pub(crate) fn open(&mut self, name: &str, text: &str) -> Value {
        self.version += 1;
        let document =
            json!({ "uri": self.uri(name), "languageId": "yaml", "version": self.version, "text": text });
        self.tell("textDocument/didOpen", &json!({ "textDocument": document }));
        self.judged(name)
    }

    /// Types a text in place of the last, and gives what is wrong with it.
    pub(crate) fn change(&mut self, name: &str, text: &str) -> Value {
        self.type_on(name, text);
        self.judged(name)
    }

    /// Types a text in place of the last, and waits for nothing.
    pub(crate) fn type_on(&mut self, name: &str, text: &str) {
        self.version += 1;
        let document = json!({ "uri": self.uri(name), "version": self.version });
        let changes = json!([{ "text": text }]);
        self.tell("textDocument/didChange", &json!({ "textDocument": document, "contentChanges": changes }));
    }

    /// What was said of the version typed last.
    fn judged(&mut self, name: &str) -> Value {
        let (uri, version) = (self.uri(name), self.version);
        let is_it = |params: &Value| params["uri"] == uri && params["version"] == version;
        self.wait_for("textDocument/publishDiagnostics", is_it)["diagnostics"].clone()
    }

    /// The first diagnostics of a file that are as wanted.
    pub(crate) fn published(&mut self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let uri = self.uri(name);
        let is_it = |params: &Value| params["uri"] == uri && wanted(&params["diagnostics"]);
        self.wait_for("textDocument/publishDiagnostics", is_it)["diagnostics"].clone()
    }

    /// Asks about a position in a file.
    pub(crate) fn at(&mut self, what: &str, name: &str, position: Value) -> Value {
        let mut params = self.document(name);
        params["position"] = position;
        params["context"] = json!({ "includeDeclaration": false, "triggerKind": 1 });
        self.ask(&format!("textDocument/{what}"), &params)
    }

    /// Asks for another name; the edits in the order of the text, or the refusal.
    pub(crate) fn rename(&mut self, name: &str, position: Value, new: &str) -> Result<Vec<Value>, Value> {
        let mut params = self.document(name);
        params["position"] = position;
        params["newName"] = json!(new);
        let uri = self.uri(name);
        let edit = self.try_ask("textDocument/rename", &params)?;
        let mut edits = edit["changes"][uri].as_array().cloned().expect("edits");
        edits.sort_by_key(start_of);
        Ok(edits)
    }

    /// The answer to a request that is answered.
    #[track_caller]
    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.try_ask(method, params).expect("an answer")
    }

    /// The answer to a request, or its refusal.
    pub(crate) fn try_ask(&mut self, method: &str, params: &Value) -> Result<Value, Value> {
        self.asked += 1;
        let id = self.asked;
        self.write(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        let answer = self.wait(&format!("the answer to {method}"), |message| message["id"] == id);
        if answer["error"].is_null() { Ok(answer["result"].clone()) } else { Err(answer["error"].clone()) }
    }

    /// Says something that is not answered.
    pub(crate) fn tell(&mut self, method: &str, params: &Value) {
        self.write(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// The parameters of a notification that is as wanted.
    pub(crate) fn wait_for(&mut self, method: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let is_it = |message: &Value| message["method"] == method && wanted(&message["params"]);
        self.wait(method, is_it)["params"].clone()
    }

    /// `shutdown`, `exit`, and how the server ended.
    pub(crate) fn leave(mut self) -> Option<i32> {
        self.ask("shutdown", &Value::Null);
        self.tell("exit", &Value::Null);
        self.ended().0
    }

    /// How the server ended, and what it said to a person.
    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
        drop(self.stdin.take());
        let ended = ended(self.child);
        (ended.code, ended.stderr)
    }

    fn write(&mut self, message: &Value) {
        let body = message.to_string();
        let frame = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        self.stdin.as_mut().expect("open").write_all(frame.as_bytes()).expect("the server listens");
    }

    #[track_caller]
    fn wait(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.kept.iter().position(&is_it) {
            return self.kept.remove(at);
        }
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let message = self.heard.recv_timeout(left);
            let message = message.unwrap_or_else(|error| panic!("{what}: {error}; heard {:?}", self.kept));
            if is_it(&message) {
                return message;
            }
            self.kept.push(message);
        }
    }
}

/// Reads frames until there are no more.
fn listen(mut stdout: BufReader<ChildStdout>, tell: impl Fn(Value) -> bool) {
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if stdout.read_line(&mut line).unwrap_or_default() == 0 {
                return;
            }
            match line.trim_end().split_once(": ") {
                Some(("Content-Length", value)) => length = value.parse().expect("a length"),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        stdout.read_exact(&mut body).expect("a whole frame");
        if !tell(serde_json::from_slice(&body).expect("JSON")) {
            return;
        }
    }
}

/// The position of some words, in UTF-16 units.
pub(crate) fn place(text: &str, words: &str) -> Value {
    let at = text.find(words).expect("the words are there");
    let begin = text[..at].rfind('\n').map_or(0, |at| at + 1);
    json!({ "line": text[..at].matches('\n').count(), "character": text[begin..at].encode_utf16().count() })
}

/// What is offered, in its order.
pub(crate) fn labels(offered: &Value) -> Vec<String> {
    let mut offered: Vec<&Value> = offered.as_array().expect("a list").iter().collect();
    offered.sort_by_key(|one| one["sortText"].as_str());
    offered.iter().map(|one| one["label"].as_str().expect("a label").to_owned()).collect()
}

/// A text after text edits, as an editor that counts in UTF-16 units makes them.
pub(crate) fn applied(text: &str, edits: &Value) -> String {
    let mut edits: Vec<&Value> = edits.as_array().expect("a list").iter().collect();
    edits.sort_by_key(|edit| std::cmp::Reverse(start_of(edit)));
    edits.into_iter().fold(text.to_owned(), |text, edit| {
        let (start, end) = (byte(&text, &edit["range"]["start"]), byte(&text, &edit["range"]["end"]));
        format!("{}{}{}", &text[..start], edit["newText"].as_str().expect("a text"), &text[end..])
    })
}

fn start_of(edit: &Value) -> (u64, u64) {
    let start = &edit["range"]["start"];
    (start["line"].as_u64().expect("a line"), start["character"].as_u64().expect("a column"))
}

fn byte(text: &str, position: &Value) -> usize {
    let (line, column) = (position["line"].as_u64(), position["character"].as_u64());
    let line = usize::try_from(line.expect("a line")).expect("a small one");
    let begin: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let mut left = column.expect("a column");
    let inner = text[begin..].chars().take_while(|character| {
        let width = character.len_utf16() as u64;
        let is_before = left >= width;
        left = left.saturating_sub(width);
        is_before
    });
    begin + inner.map(char::len_utf8).sum::<usize>()
}
