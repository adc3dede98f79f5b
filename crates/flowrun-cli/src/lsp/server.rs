//! The conversation after its first exchange: requests are answered, notifications kept, mistakes published.

use std::collections::BTreeSet;
use std::sync::mpsc::Receiver;

use flowrun::lang::Catalog;
use ls_types::{MessageType, Uri};
use lsp_server::{ErrorCode, Message, Request, RequestId, Response};
use serde_json::{Value, json};

use super::beside::{self, Beside};
use super::documents::{self, Documents};
use super::{Heard, answer};
use crate::world::World;

/// A server and the editor it serves.
pub(super) struct Server<'w> {
    world: &'w World,
    /// The way to the editor.
    send: Box<dyn Fn(Message)>,
    documents: Documents,
    beside: Beside,
    /// The steps of the house, and its integrations if they are known.
    catalog: Catalog,
    steps: Catalog,
    /// The files whose mistakes are to be published.
    changed: BTreeSet<Uri>,
    has_shut_down: bool,
}

impl<'w> Server<'w> {
    /// A server that knows nothing yet but the steps of the house.
    pub(super) fn new(
        world: &'w World,
        send: Box<dyn Fn(Message)>,
        (documents, beside, steps): (Documents, Beside, Catalog),
    ) -> Self {
        let (catalog, changed) = (steps.clone(), BTreeSet::new());
        Self { world, send, documents, beside, catalog, steps, changed, has_shut_down: false }
    }

    /// Serves, and says whether the editor asked for the end before it.
    pub(super) fn serve(&mut self, heard: &Receiver<Heard>) -> bool {
        self.read_integrations();
        while let Some(next) = self.next(heard) {
            match next {
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

    /// What comes next. Mistakes are published once nothing waits to be heard: of a burst of key strokes the last
    /// text counts, and a question is answered before them.
    fn next(&mut self, heard: &Receiver<Heard>) -> Option<Heard> {
        if let Ok(next) = heard.try_recv() {
            return Some(next);
        }
        std::mem::take(&mut self.changed).iter().for_each(|uri| self.publish(uri));
        heard.recv().ok()
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
        match answer::answer(&method, params, (&self.documents, &self.catalog, self.world)) {
            Ok(result) => self.answer(id, &result),
            Err((code, why)) => self.refuse(id, code, &why),
        }
    }

    fn told(&mut self, method: &str, params: Value) {
        match self.documents.told(method, params) {
            documents::Told::Opened(uri) => {
                self.changed.insert(uri);
                self.read_integrations();
            }
            documents::Told::Changed(uri) => drop(self.changed.insert(uri)),
            documents::Told::Saved => self.read_integrations(),
            documents::Told::Closed(uri) => {
                self.notify("textDocument/publishDiagnostics", &json!({ "uri": uri, "diagnostics": [] }))
            }
            documents::Told::Nothing => {}
            documents::Told::Unreadable(why) => self.log(&format!("{method} is unreadable: {why}")),
        }
    }

    fn publish(&self, uri: &Uri) {
        let Some(document) = self.documents.get(uri) else { return };
        self.notify(
            "textDocument/publishDiagnostics",
            &json!({
                "uri": uri,
                "version": document.version,
                "diagnostics": document.diagnostics(&self.catalog, self.world),
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
                self.changed.extend(self.documents.uris().cloned());
            }
            beside::News::Known(known) => {
                let steps = self.steps.clone();
                // Where there are none at all, a flow is written for use elsewhere.
                self.catalog = if known.is_empty() { steps } else { steps.with_integrations(known) };
                self.changed.extend(self.documents.uris().cloned());
            }
        }
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
