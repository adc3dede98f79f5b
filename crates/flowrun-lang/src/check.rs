//! The one door: text and catalogue in, a flow and everything wrong with it out.

use std::sync::Arc;

use crate::bundle::{Bundle, Flows, Part, hash};
use crate::catalog::Catalog;
use crate::code::Code;
use crate::compile::compile;
use crate::diagnostic::Diagnostic;
use crate::document::document;
use crate::flow::Flow;
use crate::parse::parse;
use crate::problems::Problems;
use crate::source::SourceText;

/// What a check found.
#[derive(Debug)]
pub struct Checked {
    /// The flow, if it has no errors.
    pub flow: Option<Flow>,
    /// Every error and warning, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a flow and says everything that is wrong with it. A flow that calls others needs [`check_with`].
#[must_use]
pub fn check(source: &SourceText, catalog: &Catalog) -> Checked {
    check_bundle(source, catalog, None)
}

/// Reads a flow and every flow it calls, and says everything that is wrong with any of them.
#[must_use]
pub fn check_with(source: &SourceText, catalog: &Catalog, flows: &dyn Flows) -> Checked {
    check_bundle(source, catalog, Some(flows))
}

fn check_bundle(source: &SourceText, catalog: &Catalog, flows: Option<&dyn Flows>) -> Checked {
    let mut problems = Problems::new(source);
    let mut bundle = Bundle::new(source.name(), catalog, flows);
    let first = read(source, &mut bundle, &mut problems).filter(|_| !problems.has_errors());
    let (parts, found) = bundle.finish();
    let is_whole = !found.iter().any(Diagnostic::is_error);
    let diagnostics = problems.into_sorted().into_iter().chain(found).collect();
    Checked { flow: first.filter(|_| is_whole).map(|first| Flow::new(first, parts)), diagnostics }
}

/// Reads one file of a bundle.
pub(crate) fn read(
    source: &SourceText,
    bundle: &mut Bundle<'_>,
    problems: &mut Problems<'_>,
) -> Option<Part> {
    let Some(root) = parse(problems) else {
        if !problems.has_errors() {
            problems
                .error(Code::MissingKey, ("", 0..0), "the file is empty")
                .set_help("steps:\n  - send: Hello.");
        }
        return None;
    };
    let kinds: Vec<&str> = bundle.catalog.steps.kinds().map(flowrun_step::StepKind::as_str).collect();
    let document = document(&root, &kinds, problems)?;
    let compiled = compile(&document, hash(source, &[]), bundle, problems);
    drop(document);
    // A flow that calls one with mistakes cannot run either.
    let compiled = compiled?;
    Some(Part {
        plan: Arc::new(compiled.plan),
        source: source.clone(),
        path: String::new(),
        root: Arc::new(root),
        inputs: compiled.inputs,
        secrets: compiled.secrets,
        integrations: compiled.integrations,
        trigger: compiled.trigger,
        depth: compiled.depth,
        visits: compiled.visits,
    })
}
