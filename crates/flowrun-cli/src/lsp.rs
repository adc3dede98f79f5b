//! `flowrun lsp`: a language server for flows over stdio.
//!
//! It forwards: what there is to say about a flow, `flowrun-lang` says. Messages are answered one after the other;
//! the registry is read beside them and never waited for. Nothing is sent anywhere but to the editor.

mod answer;
mod beside;
mod documents;
mod place;
mod shape;

use std::sync::mpsc::{self, Receiver};

use flowrun::lang::Catalog;
use ls_types::{InitializeParams, MessageType, PositionEncodingKind, ServerInfo};
use lsp_server::{Connection, ErrorCode, Message, Request, RequestId, Response};
use serde_json::{Value, json};

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::world::World;
use beside::Beside;
use documents::Documents;
use place::Encoding;

/// What the server is told.
pub(super) enum Heard {
    /// By the editor.
    Editor(Message),
    /// By whoever reads the registry.
    Integrations(beside::Reading),
    /// The editor is gone.
    Nobody,
}

/// Serves until the editor says `exit`, or is gone.
pub(crate) fn lsp(world: &World) -> Result<Exit, Complaint> {
    let steps = crate::check::steps()?;
    let (connection, threads) = Connection::stdio();
    let encoding = greet(&connection)?;
    let (tell, heard) = mpsc::channel();
    let editor = tell.clone();
    let Connection { sender, receiver } = connection;
    let listen = std::thread::Builder::new().name("editor".to_owned()).spawn(move || {
        for message in &receiver {
            if editor.send(Heard::Editor(message)).is_err() {
                return;
            }
        }
        // Nobody is left to be told.
        drop(editor.send(Heard::Nobody));
    });
    listen.map_err(|error| Complaint::new(Exit::Failed, "the system gives no thread").because(error))?;
    let mut server = Server {
        world,
        // An editor that is gone needs no answer.
        send: Box::new(move |message| drop(sender.send(message))),
        documents: Documents::new(encoding),
        beside: Beside::new(tell),
        catalog: steps.clone(),
        steps,
        has_shut_down: false,
    };
    let has_shut_down = server.serve(&heard);
    drop(server);
    // What was answered last is still on its way; an editor that is gone does not read it.
    drop(threads.join());
    if has_shut_down { Ok(Exit::Done) } else { Err(left()) }
}

/// LSP 3.17, `exit`: without a `shutdown` before it, the process ends badly.
fn left() -> Complaint {
    Complaint::new(Exit::Failed, "the editor left without `shutdown`")
        .help("flowrun lsp is started by an editor: docs/editors says how")
}

/// The first exchange; positions are counted in bytes where the editor can, else in UTF-16 units.
fn greet(connection: &Connection) -> Result<Encoding, Complaint> {
    let failed = |error: lsp_server::ProtocolError| left().because(error);
    let (id, params) = connection.initialize_start().map_err(failed)?;
    let params: InitializeParams = serde_json::from_value(params).map_err(|error| {
        Complaint::new(Exit::Failed, "the editor's `initialize` is unreadable").because(error)
    })?;
    let offered = params.capabilities.general.and_then(|general| general.position_encodings);
    let takes_bytes = offered.is_some_and(|offered| offered.contains(&PositionEncodingKind::UTF8));
    let encoding = if takes_bytes { Encoding::Utf8 } else { Encoding::Utf16 };
    let info = ServerInfo { name: "flowrun".to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) };
    let greeting = json!({ "capabilities": shape::capabilities(encoding), "serverInfo": info });
    connection.initialize_finish(id, greeting).map_err(failed)?;
    Ok(encoding)
}

/// A server and the editor it serves.
struct Server<'w> {
    world: &'w World,
    /// The way to the editor.
    send: Box<dyn Fn(Message)>,
    documents: Documents,
    beside: Beside,
    /// The steps of the house, and its integrations if they are known.
    catalog: Catalog,
    steps: Catalog,
    has_shut_down: bool,
}

impl Server<'_> {
    /// Serves, and says whether the editor asked for the end before it.
    fn serve(&mut self, heard: &Receiver<Heard>) -> bool {
        self.read_integrations();
        for heard in heard {
            match heard {
                Heard::Nobody => return false,
                Heard::Integrations(reading) => self.take(reading),
                Heard::Editor(Message::Request(request)) => self.asked(request),
                Heard::Editor(Message::Response(_)) => {}
                Heard::Editor(Message::Notification(told)) if told.method == "exit" => {
                    return self.has_shut_down;
                }
                Heard::Editor(Message::Notification(told)) => self.told(&told.method, told.params),
            }
        }
        self.has_shut_down
    }

    fn asked(&mut self, request: Request) {
        let Request { id, method, params } = request;
        if self.has_shut_down {
            return self.refuse(id, ErrorCode::InvalidRequest, "after `shutdown` only `exit` can follow");
        }
        if method == "shutdown" {
            self.has_shut_down = true;
            return self.answer(id, &Value::Null);
        }
        match answer::answer(&method, params, &self.documents, &self.catalog) {
            Ok(result) => self.answer(id, &result),
            Err((code, why)) => self.refuse(id, code, &why),
        }
    }

    fn told(&mut self, method: &str, params: Value) {
        match self.documents.told(method, params) {
            documents::Told::Opened(uri) => {
                self.publish(&uri);
                self.read_integrations();
            }
            documents::Told::Changed(uri) => self.publish(&uri),
            documents::Told::Saved => self.read_integrations(),
            documents::Told::Closed(uri) => {
                self.notify("textDocument/publishDiagnostics", &json!({ "uri": uri, "diagnostics": [] }))
            }
            documents::Told::Nothing => {}
            documents::Told::Unreadable(why) => self.log(&format!("{method} is unreadable: {why}")),
        }
    }

    fn publish(&self, uri: &ls_types::Uri) {
        let Some(document) = self.documents.get(uri) else { return };
        self.notify(
            "textDocument/publishDiagnostics",
            &json!({
                "uri": uri,
                "version": document.version,
                "diagnostics": document.diagnostics(&self.catalog),
            }),
        );
    }

    fn read_integrations(&mut self) {
        if let Err(why) = self.beside.read(self.world) {
            self.log(&why);
        }
    }

    /// The integrations have been read: what is open is judged again if that changes anything.
    fn take(&mut self, reading: beside::Reading) {
        match self.beside.take(reading) {
            beside::News::Same => {}
            beside::News::Unknown(why) => {
                self.catalog = self.steps.clone();
                self.log(&why);
                self.publish_all();
            }
            beside::News::Known(known) => {
                let steps = self.steps.clone();
                // Where there are none at all, a flow is written for use elsewhere.
                self.catalog = if known.is_empty() { steps } else { steps.with_integrations(known) };
                self.publish_all();
            }
        }
    }

    fn publish_all(&self) {
        self.documents.uris().for_each(|uri| self.publish(uri));
    }

    /// One line for whoever looks for a reason, in the editor's log and on stderr.
    fn log(&self, line: &str) {
        self.world.terminal.say(line);
        self.notify("window/logMessage", &json!({ "type": MessageType::WARNING, "message": line }));
    }

    fn notify(&self, method: &str, params: &Value) {
        (self.send)(Message::Notification(lsp_server::Notification::new(method.to_owned(), params)));
    }

    fn answer(&self, id: RequestId, result: &Value) {
        (self.send)(Message::Response(Response::new_ok(id, result)));
    }

    fn refuse(&self, id: RequestId, code: ErrorCode, why: &str) {
        (self.send)(Message::Response(Response::new_err(id, code as i32, why.to_owned())));
    }
}
