//! The editor's questions, each answered by `flowrun-lang` about the text as it is now.

use std::collections::HashMap;

use flowrun::lang::{self, Catalog, SourceText, editor};
use ls_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CompletionParams,
    DocumentSymbolParams, GotoDefinitionParams, HoverParams, Location, Position, Range, ReferenceParams,
    RenameParams, TextDocumentPositionParams, Uri, WorkspaceEdit,
};
use lsp_server::ErrorCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::documents::{Documents, found};
use super::place::Encoding;
use super::shape;
use crate::world::World;

/// What the editor gets instead of an answer.
type Refusal = (ErrorCode, String);

/// Answers one request; about a file that is not open, or no flow, there is nothing to say.
pub(super) fn answer(
    method: &str,
    params: Value,
    (documents, catalog, world): (&Documents, &Catalog, &World),
) -> Result<Value, Refusal> {
    let on = |uri: &Uri| Asked::of(uri, documents, catalog, world);
    match method {
        "textDocument/completion" => {
            let CompletionParams { text_document_position: at, .. } = read(params)?;
            written(&on(&at.text_document.uri).map(|asked| asked.complete(at.position)))
        }
        "textDocument/hover" => {
            let HoverParams { text_document_position_params: at, .. } = read(params)?;
            written(&on(&at.text_document.uri).and_then(|asked| asked.hover(at.position)))
        }
        "textDocument/definition" => {
            let GotoDefinitionParams { text_document_position_params: at, .. } = read(params)?;
            written(&on(&at.text_document.uri).map(|asked| asked.locations(at.position, editor::definition)))
        }
        "textDocument/references" => {
            let ReferenceParams { text_document_position: at, context, .. } = read(params)?;
            let find = if context.include_declaration { editor::references } else { editor::readers };
            written(&on(&at.text_document.uri).map(|asked| asked.locations(at.position, find)))
        }
        "textDocument/documentSymbol" => {
            let DocumentSymbolParams { text_document, .. } = read(params)?;
            written(&on(&text_document.uri).map(|asked| asked.symbols()))
        }
        "textDocument/codeAction" => {
            let CodeActionParams { text_document, range, .. } = read(params)?;
            written(&on(&text_document.uri).map(|asked| asked.actions(range)))
        }
        "textDocument/prepareRename" => {
            let at: TextDocumentPositionParams = read(params)?;
            written(&on(&at.text_document.uri).and_then(|asked| asked.renamed(at.position)))
        }
        "textDocument/rename" => {
            let RenameParams { text_document_position: at, new_name, .. } = read(params)?;
            let edit =
                on(&at.text_document.uri).map(|asked| asked.rename(at.position, &new_name)).transpose();
            written(&edit.map_err(|why| (ErrorCode::RequestFailed, why))?)
        }
        _ => Err((ErrorCode::MethodNotFound, format!("`{method}` is not answered here"))),
    }
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, Refusal> {
    serde_json::from_value(params).map_err(|error| (ErrorCode::InvalidParams, error.to_string()))
}

fn written(result: &impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(result).map_err(|error| (ErrorCode::InternalError, error.to_string()))
}

/// One open flow that is asked about.
struct Asked<'a> {
    uri: Uri,
    source: &'a SourceText,
    encoding: Encoding,
    documents: &'a Documents,
    catalog: &'a Catalog,
    world: &'a World,
}

impl<'a> Asked<'a> {
    fn of(uri: &Uri, documents: &'a Documents, catalog: &'a Catalog, world: &'a World) -> Option<Self> {
        let document = documents.get(uri)?;
        let source = document.flow()?;
        Some(Self { uri: uri.clone(), source, encoding: document.encoding, documents, catalog, world })
    }

    fn byte(&self, position: Position) -> usize {
        self.encoding.byte(self.source.text(), position)
    }

    fn range(&self, bytes: &std::ops::Range<usize>) -> Range {
        self.encoding.range(self.source.text(), bytes)
    }

    fn complete(&self, at: Position) -> Vec<ls_types::CompletionItem> {
        let cases = || self.documents.tests_of(self.source, self.world);
        let found = editor::complete_with(self.source, self.byte(at), self.catalog, cases);
        found
            .into_iter()
            .enumerate()
            .map(|(at, found)| shape::completion(found, at, self.source.text(), self.encoding))
            .collect()
    }

    fn hover(&self, at: Position) -> Option<ls_types::Hover> {
        let found = editor::hover(self.source, self.byte(at), self.catalog)?;
        Some(shape::hover(found, self.source.text(), self.encoding))
    }

    fn locations(
        &self,
        at: Position,
        find: fn(&SourceText, usize, &Catalog) -> Vec<std::ops::Range<usize>>,
    ) -> Vec<Location> {
        let found = find(self.source, self.byte(at), self.catalog);
        found.iter().map(|bytes| Location { uri: self.uri.clone(), range: self.range(bytes) }).collect()
    }

    fn symbols(&self) -> Vec<ls_types::DocumentSymbol> {
        let found = editor::symbols(self.source, self.catalog).into_iter();
        found.map(|found| shape::symbol(found, self.source.text(), self.encoding)).collect()
    }

    fn renamed(&self, at: Position) -> Option<Range> {
        editor::renamed(self.source, self.byte(at), self.catalog).map(|bytes| self.range(&bytes))
    }

    fn rename(&self, at: Position, new: &str) -> Result<WorkspaceEdit, String> {
        editor::rename(self.source, self.byte(at), new, self.catalog).map(|edits| self.workspace(edits))
    }

    /// The fixes of every mistake that the range touches.
    fn actions(&self, range: Range) -> Vec<CodeActionOrCommand> {
        let asked = self.byte(range.start)..self.byte(range.end);
        let found = found(self.source, self.catalog, self.world);
        let touched = found.iter().filter(|found| {
            let place = found.place.as_ref().map_or(0..0, |place| place.bytes.clone());
            place.start <= asked.end && asked.start <= place.end
        });
        touched.flat_map(|found| self.fixes(found)).collect()
    }

    fn fixes(&self, found: &lang::Diagnostic) -> Vec<CodeActionOrCommand> {
        let action = |fix: editor::Fix| CodeAction {
            title: fix.title,
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(vec![shape::diagnostic(found, self.source.text(), self.encoding)]),
            edit: Some(self.workspace(vec![fix.edit])),
            ..CodeAction::default()
        };
        let fixes = editor::fixes(self.source, found, self.catalog).into_iter();
        fixes.map(action).map(CodeActionOrCommand::CodeAction).collect()
    }

    fn workspace(&self, edits: Vec<editor::Edit>) -> WorkspaceEdit {
        let edits = edits.into_iter().map(|edit| shape::edit(edit, self.source.text(), self.encoding));
        let changes = HashMap::from([(self.uri.clone(), edits.collect())]);
        WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }
    }
}
