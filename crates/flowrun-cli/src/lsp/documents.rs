//! The files that are open in the editor, as they are there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use flowrun::lang::{self, Catalog, Diagnostic, SourceText, editor};
use ls_types::{DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, Uri};
use serde_json::Value;

use super::place::Encoding;
use super::shape;
use crate::beside::Beside;
use crate::source;
use crate::test::tests_of;
use crate::world::World;

/// Every open file.
pub(super) struct Documents {
    encoding: Encoding,
    open: BTreeMap<Uri, Document>,
}

/// One open file.
pub(super) struct Document {
    pub(super) version: i32,
    pub(super) encoding: Encoding,
    /// What was typed.
    typed: Result<SourceText, Box<Diagnostic>>,
    is_flow: bool,
}

/// What the editor told, as far as it matters.
pub(super) enum Told {
    Opened(Uri),
    Changed(Uri),
    Saved,
    Closed(Uri),
    Nothing,
    Unreadable(String),
}

impl Documents {
    pub(super) fn new(encoding: Encoding) -> Self {
        Self { encoding, open: BTreeMap::new() }
    }

    pub(super) fn get(&self, uri: &Uri) -> Option<&Document> {
        self.open.get(uri)
    }

    /// The test file beside a flow: as it is in the editor, else as it is on the disk.
    pub(super) fn tests_of(&self, flow: &SourceText, world: &World) -> Option<Cow<'_, SourceText>> {
        let path = tests_of(Path::new(flow.name()))?;
        let is_it = |uri: &Uri| uri.to_file_path().is_some_and(|open| *open == *path);
        if let Some((_, document)) = self.open.iter().find(|(uri, _)| is_it(uri)) {
            return document.typed.as_ref().ok().map(Cow::Borrowed);
        }
        let bytes = source::read(world, &path).ok()?;
        SourceText::new(&path.display().to_string(), bytes).ok().map(Cow::Owned)
    }

    pub(super) fn uris(&self) -> impl Iterator<Item = &Uri> {
        self.open.keys()
    }

    /// Keeps what a notification says of a file.
    pub(super) fn told(&mut self, method: &str, params: Value) -> Told {
        let told = match method {
            "textDocument/didOpen" => serde_json::from_value(params).map(|told| self.opened(told)),
            "textDocument/didChange" => serde_json::from_value(params).map(|told| self.changed(told)),
            "textDocument/didSave" => Ok(Told::Saved),
            "textDocument/didClose" => serde_json::from_value(params).map(|told| self.closed(told)),
            _ => Ok(Told::Nothing),
        };
        told.unwrap_or_else(|error| Told::Unreadable(error.to_string()))
    }

    fn opened(&mut self, told: DidOpenTextDocumentParams) -> Told {
        let file = told.text_document;
        self.keep(file.uri.clone(), file.version, file.text);
        Told::Opened(file.uri)
    }

    /// The editor sends the whole text; the last of several changes counts.
    fn changed(&mut self, told: DidChangeTextDocumentParams) -> Told {
        let file = told.text_document;
        let Some(change) = told.content_changes.into_iter().last() else { return Told::Nothing };
        self.keep(file.uri.clone(), file.version, change.text);
        Told::Changed(file.uri)
    }

    fn closed(&mut self, told: DidCloseTextDocumentParams) -> Told {
        self.open.remove(&told.text_document.uri);
        Told::Closed(told.text_document.uri)
    }

    fn keep(&mut self, uri: Uri, version: i32, text: String) {
        let name =
            uri.to_file_path().map_or_else(|| uri.as_str().to_owned(), |path| path.display().to_string());
        let is_flow = editor::is_flow(&name, &text);
        let typed = SourceText::new(&name, text.into_bytes()).map_err(Box::new);
        self.open.insert(uri, Document { version, encoding: self.encoding, typed, is_flow });
    }
}

impl Document {
    /// What was typed, if it is a flow that can be read.
    pub(super) fn flow(&self) -> Option<&SourceText> {
        self.typed.as_ref().ok().filter(|_| self.is_flow)
    }

    /// Everything wrong with it; nothing is wrong with a file that is no flow.
    pub(super) fn diagnostics(&self, catalog: &Catalog, world: &World) -> Vec<ls_types::Diagnostic> {
        match &self.typed {
            _ if !self.is_flow => Vec::new(),
            Err(unreadable) => vec![shape::diagnostic(unreadable, "", self.encoding)],
            Ok(source) => {
                let found = found(source, catalog, world);
                found.iter().map(|found| shape::diagnostic(found, source.text(), self.encoding)).collect()
            }
        }
    }
}

/// What is wrong with a flow itself; what is wrong with one that it calls is said where that one is open.
pub(super) fn found(source: &SourceText, catalog: &Catalog, world: &World) -> Vec<lang::Diagnostic> {
    let beside = Beside::of(world, Path::new(source.name()));
    let mut found = lang::check_with(source, catalog, &beside).diagnostics;
    found.retain(|found| found.place.as_ref().is_none_or(|place| place.file == source.name()));
    found
}
