//! `flowrun lsp`: a language server for flows over stdio.
//!
//! It forwards: what there is to say about a flow, `flowrun-lang` says. Messages are answered one after the other;
//! the registry is read beside them and never waited for. Nothing is sent anywhere but to the editor.

mod answer;
mod beside;
mod documents;
mod place;
mod server;
mod shape;

use std::sync::mpsc;

use ls_types::ServerInfo;
use lsp_server::{Connection, Message};
use serde_json::{Value, json};

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::world::World;
use beside::Beside;
use documents::Documents;
use place::Encoding;
use server::Server;

/// What the server is told.
enum Heard {
    /// By the editor.
    Editor(Message),
    /// By whoever reads the registry.
    Integrations(beside::Reading),
    /// The editor is gone.
    Nobody,
}

/// Serves until the editor says `exit`, or is gone.
pub(crate) fn lsp(world: &World) -> Result<Exit, Complaint> {
    let steps = crate::check::steps(world)?;
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
    // An editor that is gone needs no answer.
    let send = Box::new(move |message| drop(sender.send(message)));
    let mut server = Server::new(world, send, (Documents::new(encoding), Beside::new(tell), steps));
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
    let offered = params.pointer("/capabilities/general/positionEncodings").and_then(Value::as_array);
    let takes_bytes =
        offered.is_some_and(|offered| offered.iter().any(|one| one == Encoding::Utf8.kind().as_str()));
    let encoding = if takes_bytes { Encoding::Utf8 } else { Encoding::Utf16 };
    let info = ServerInfo { name: "flowrun".to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) };
    let greeting = json!({ "capabilities": shape::capabilities(encoding), "serverInfo": info });
    connection.initialize_finish(id, greeting).map_err(failed)?;
    Ok(encoding)
}
