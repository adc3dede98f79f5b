//! Seeded mistakes: each folder of `tests/cases` is a flow and what `check` says of it.
//!
//! Adding a case is adding a folder; `UPDATE_EXPECT=1` writes what is said now. Nothing here can send a request.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod house;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use flowrun_lang::{Code, Diagnostic, Flows, SourceText, Unread, check_with};

/// What is said of a flow that runs all the same.
const WARNINGS: &[Code] = &[
    Code::UnusedVariable,
    Code::UnusedInput,
    Code::Unreachable,
    Code::OutputNeverSet,
    Code::UnusedIntegration,
    Code::PossiblyUnset,
];

fn folders() -> Vec<PathBuf> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let mut folders: Vec<PathBuf> = cases.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

/// The other flows of a case's folder.
struct Beside<'a>(&'a Path);

impl Flows for Beside<'_> {
    fn read(&self, path: &str) -> Result<SourceText, Unread> {
        let bytes =
            std::fs::read(self.0.join(path)).map_err(|error| Unread::Because(error.kind().to_string()))?;
        SourceText::new(path, bytes).map_err(|diagnostic| Unread::Unusable(Box::new(diagnostic)))
    }
}

fn said_of(flow: &Path) -> Vec<Diagnostic> {
    let source = SourceText::new("flow.yaml", std::fs::read(flow).unwrap()).unwrap();
    check_with(&source, &house::catalog(), &Beside(flow.parent().unwrap())).diagnostics
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
fn every_seeded_mistake_is_said_once_at_a_place_with_a_help() {
    for folder in folders() {
        let said = said_of(&folder.join("flow.yaml"));
        let name = folder.display();
        let is_doubt = said.iter().all(|problem| WARNINGS.contains(&problem.code));
        assert!(!said.is_empty(), "{name}: nothing is wrong");
        assert!(is_doubt || said.iter().any(Diagnostic::is_error), "{name}: no error among {said:?}");
        for (at, problem) in said.iter().enumerate() {
            assert!(problem.place.is_some(), "{name}: {problem} has no place");
            let helps = problem.help.as_ref().is_some_and(|help| !help.trim().is_empty());
            assert!(helps, "{name}: {problem} has no help");
            let again = said[..at].iter().any(|other| other.place == problem.place);
            assert!(!again, "{name}: {problem} is a second word on one place");
        }
    }
}
