//! The one door: text and catalogue in, a flow and everything wrong with it out.

use std::sync::Arc;

use sha2::{Digest, Sha256};

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

/// Reads a flow and says everything that is wrong with it.
#[must_use]
pub fn check(source: &SourceText, catalog: &Catalog) -> Checked {
    let mut problems = Problems::new(source);
    let flow = read(source, catalog, &mut problems);
    let flow = flow.filter(|_| !problems.has_errors());
    Checked { flow, diagnostics: problems.into_sorted() }
}

fn read(source: &SourceText, catalog: &Catalog, problems: &mut Problems<'_>) -> Option<Flow> {
    let Some(root) = parse(problems) else {
        if !problems.has_errors() {
            problems
                .error(Code::MissingKey, ("", 0..0), "the file is empty")
                .set_help("steps:\n  - send: Hello.");
        }
        return None;
    };
    let kinds: Vec<&str> = catalog.steps.kinds().map(flowrun_step::StepKind::as_str).collect();
    let document = document(&root, &kinds, problems)?;
    let hash = Sha256::digest(source.text()).iter().map(|byte| format!("{byte:02x}")).collect();
    let compiled = compile(&document, hash, catalog, problems);
    drop(document);
    Some(Flow {
        plan: Arc::new(compiled.plan),
        source: source.clone(),
        root: Arc::new(root),
        inputs: compiled.inputs,
        secrets: compiled.secrets,
        integrations: compiled.integrations,
        visits: compiled.visits,
    })
}
