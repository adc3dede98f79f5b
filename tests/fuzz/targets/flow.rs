//! Any text as a flow: it is checked, drawn, and asked about as an editor would.
#![no_main]

use std::sync::LazyLock;

use flowrun_fuzz::within_a_second;
use flowrun_lang::graph::Graph;
use flowrun_lang::{Catalog, SourceText, check, editor};
use flowrun_step::{IntegrationName, IntegrationState, IntegrationStatus, StepSet};
use flowrun_step_fetch_variables::FetchVariables;
use flowrun_step_http_request::HttpRequest;
use libfuzzer_sys::fuzz_target;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let steps = StepSet::new().with(FetchVariables).expect("a kind").with(HttpRequest).expect("another kind");
    let name = IntegrationName::new("teamleader").expect("a name");
    Catalog::new(steps).with_integrations(vec![IntegrationStatus::new(name, IntegrationState::Authorized)])
});

fuzz_target!(|text: &[u8]| {
    LazyLock::force(&CATALOG);
    let Ok(source) = SourceText::new("flow.yaml", text.to_vec()) else { return };
    let checked = within_a_second(|| check(&source, &CATALOG));
    for diagnostic in &checked.diagnostics {
        let place = diagnostic.place.as_ref().expect("what is wrong with a flow has a place");
        assert!(place.line > 0 && place.column > 0, "{diagnostic:?}");
    }
    if let Some(flow) = checked.flow {
        let graph = within_a_second(|| Graph::of(&flow));
        within_a_second(|| drop((graph.mermaid(), graph.dot())));
    }
    within_a_second(|| drop(editor::complete(&source, text.len() / 2, &CATALOG)));
});
