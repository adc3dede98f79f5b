//! Seeded mistakes: each folder of `tests/cases` is a flow and what `check` says of it.
//!
//! Adding a case is adding a folder; `UPDATE_EXPECT=1` writes what is said now. Nothing here can send a request.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use flowrun_lang::{Catalog, Diagnostic, SourceText, check};
use flowrun_step::{IntegrationName, IntegrationState, IntegrationStatus, StepSet};
use flowrun_step_fetch_variables::FetchVariables;
use flowrun_step_http_request::HttpRequest;

/// Both HTTP steps, one integration that can be used and one that was never authorised.
fn catalog() -> Catalog {
    let steps = StepSet::new().with(FetchVariables).unwrap().with(HttpRequest).unwrap();
    let status = |name: &str, state| {
        let name = IntegrationName::new(name).unwrap();
        IntegrationStatus { name, state, kept: Vec::new() }
    };
    Catalog::new(steps).with_integrations(vec![
        status("teamleader", IntegrationState::Authorized),
        status("zoho", IntegrationState::Incomplete),
    ])
}

fn folders() -> Vec<PathBuf> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let mut folders: Vec<PathBuf> = cases.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn said_of(flow: &Path) -> Vec<Diagnostic> {
    let source = SourceText::new("flow.yaml", std::fs::read(flow).unwrap()).unwrap();
    check(&source, &catalog()).diagnostics
}

fn rendered(said: &[Diagnostic]) -> String {
    let mut out = String::new();
    for problem in said {
        writeln!(out, "{problem}").unwrap();
        if let Some(place) = &problem.place {
            writeln!(out, "  --> {}:{}:{} {}", place.file, place.line, place.column, place.path).unwrap();
        }
        for cause in &problem.causes {
            writeln!(out, "  = cause: {cause}").unwrap();
        }
        if let Some(help) = &problem.help {
            writeln!(out, "  = help: {help}").unwrap();
        }
    }
    out
}

#[test]
fn every_seeded_mistake_is_said_as_expected() {
    let folders = folders();
    assert!(folders.len() >= 60, "{} cases", folders.len());
    for folder in folders {
        let said = said_of(&folder.join("flow.yaml"));
        expect_file![folder.join("expected.txt")].assert_eq(&rendered(&said));
    }
}

#[test]
fn every_seeded_mistake_is_an_error_said_once_at_a_place() {
    for folder in folders() {
        let said = said_of(&folder.join("flow.yaml"));
        let name = folder.display();
        assert!(said.iter().any(Diagnostic::is_error), "{name}: nothing is wrong");
        for (at, problem) in said.iter().enumerate() {
            assert!(problem.place.is_some(), "{name}: {problem} has no place");
            let again = said[..at].iter().any(|other| other.place == problem.place);
            assert!(!again, "{name}: {problem} is a second word on one place");
        }
    }
}
