//! What `flowrun-lang` says, in the shapes of the protocol.

use flowrun::lang::editor::{self, CompletionKind};
use flowrun::lang::{Diagnostic, Severity};
use ls_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CompletionItem, CompletionItemKind,
    CompletionOptions, CompletionTextEdit, DiagnosticSeverity, DocumentSymbol, Documentation, Hover,
    HoverContents, HoverProviderCapability, MarkupContent, MarkupKind, NumberOrString, OneOf, RenameOptions,
    SaveOptions, ServerCapabilities, SymbolKind, TextDocumentSyncCapability, TextDocumentSyncKind,
    TextDocumentSyncOptions, TextEdit, WorkDoneProgressOptions,
};

use super::place::Encoding;

/// What the server can do.
pub(super) fn capabilities(encoding: Encoding) -> ServerCapabilities {
    let sync = TextDocumentSyncOptions {
        open_close: Some(true),
        change: Some(TextDocumentSyncKind::FULL),
        save: Some(SaveOptions::default().into()),
        ..TextDocumentSyncOptions::default()
    };
    let completion = CompletionOptions {
        trigger_characters: Some([".", "{", " ", ":"].map(str::to_owned).to_vec()),
        ..CompletionOptions::default()
    };
    let actions = CodeActionOptions {
        code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]),
        ..CodeActionOptions::default()
    };
    let rename = RenameOptions {
        prepare_provider: Some(true),
        work_done_progress_options: WorkDoneProgressOptions::default(),
    };
    ServerCapabilities {
        position_encoding: Some(encoding.kind()),
        text_document_sync: Some(TextDocumentSyncCapability::Options(sync)),
        completion_provider: Some(completion),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(actions)),
        rename_provider: Some(OneOf::Right(rename)),
        ..ServerCapabilities::default()
    }
}

/// A mistake, with its causes and its help as the command line shows them.
pub(super) fn diagnostic(found: &Diagnostic, text: &str, encoding: Encoding) -> ls_types::Diagnostic {
    let bytes = found.place.as_ref().map_or(0..0, |place| place.bytes.clone());
    let causes = found.causes.iter().map(|cause| format!("\ncause: {cause}"));
    let help = found.help.iter().map(|help| format!("\nhelp: {help}"));
    ls_types::Diagnostic {
        range: encoding.range(text, &bytes),
        severity: Some(match found.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        }),
        code: Some(NumberOrString::String(found.code.to_string())),
        source: Some("flowrun".to_owned()),
        message: std::iter::once(found.message.clone()).chain(causes).chain(help).collect(),
        ..ls_types::Diagnostic::default()
    }
}

/// A completion; `at` keeps the order.
pub(super) fn completion(
    found: editor::Completion,
    at: usize,
    text: &str,
    encoding: Encoding,
) -> CompletionItem {
    let kind = match found.kind {
        CompletionKind::Kind => CompletionItemKind::FUNCTION,
        CompletionKind::Key => CompletionItemKind::PROPERTY,
        CompletionKind::Variable => CompletionItemKind::VARIABLE,
        CompletionKind::Step => CompletionItemKind::REFERENCE,
        CompletionKind::Helper => CompletionItemKind::OPERATOR,
        CompletionKind::Integration => CompletionItemKind::MODULE,
        CompletionKind::Value => CompletionItemKind::ENUM_MEMBER,
    };
    let markdown = |value| Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value });
    CompletionItem {
        label: found.label,
        kind: Some(kind),
        detail: found.detail,
        documentation: found.documentation.map(markdown),
        sort_text: Some(format!("{at:04}")),
        text_edit: Some(CompletionTextEdit::Edit(edit(found.edit, text, encoding))),
        ..CompletionItem::default()
    }
}

pub(super) fn edit(edit: editor::Edit, text: &str, encoding: Encoding) -> TextEdit {
    TextEdit { range: encoding.range(text, &edit.bytes), new_text: edit.text }
}

pub(super) fn hover(found: editor::Hover, text: &str, encoding: Encoding) -> Hover {
    let contents = MarkupContent { kind: MarkupKind::Markdown, value: found.text };
    Hover { contents: HoverContents::Markup(contents), range: Some(encoding.range(text, &found.bytes)) }
}

#[expect(deprecated, reason = "the protocol's struct has a field that it tells nobody to use")]
pub(super) fn symbol(found: editor::Symbol, text: &str, encoding: Encoding) -> DocumentSymbol {
    let kind = match found.kind {
        editor::SymbolKind::Section => SymbolKind::NAMESPACE,
        editor::SymbolKind::Input => SymbolKind::VARIABLE,
        editor::SymbolKind::Step => SymbolKind::FUNCTION,
        editor::SymbolKind::Output => SymbolKind::FIELD,
    };
    let children = found.children.into_iter().map(|child| symbol(child, text, encoding));
    DocumentSymbol {
        name: found.name,
        detail: found.detail,
        kind,
        tags: None,
        deprecated: None,
        range: encoding.range(text, &found.bytes),
        selection_range: encoding.range(text, &found.name_bytes),
        children: Some(children.collect()),
    }
}
