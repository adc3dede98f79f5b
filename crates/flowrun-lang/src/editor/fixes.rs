//! Helps that can be applied: a mistyped word and the one that was meant, a line and the line as it should be.
//!
//! The help of a diagnostic is words for a person. What of it is a replacement is tried on the text, and offered
//! only if the problem is gone afterwards and no other has come.

use std::ops::Range;

use crate::catalog::Catalog;
use crate::check::check;
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Place};
use crate::editor::{Edit, clamped};
use crate::source::SourceText;

/// One way to mend a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, in the words of the help.
    pub title: String,
    /// What is replaced.
    pub edit: Edit,
}

/// The ways to mend a problem that an editor can apply by itself.
#[must_use]
pub fn fixes(source: &SourceText, problem: &Diagnostic, catalog: &Catalog) -> Vec<Fix> {
    let (Some(place), Some(help)) = (&problem.place, &problem.help) else { return Vec::new() };
    let found = match problem.code {
        Code::MustBeQuoted | Code::Yaml | Code::CommentCutsText => line(source, place, help),
        Code::Tab => indented(source, place, help),
        Code::PrintsDifferently => either(place, help),
        _ => meant(source, place, &problem.message, help),
    };
    found.into_iter().filter(|fix| mends(source, problem, fix, catalog)).collect()
}

/// `did you mean …`: the word of the message gives way to the one of the help.
fn meant(source: &SourceText, place: &Place, message: &str, help: &str) -> Vec<Fix> {
    let Some(rest) = help.strip_prefix("did you mean `") else { return Vec::new() };
    let (Some(meant), Some(word)) = (rest.split('`').next(), message.split('`').nth(1)) else {
        return Vec::new();
    };
    let bytes = clamped(source.text(), &place.bytes);
    let written = &source.text()[bytes.clone()];
    let meant = meant.strip_prefix("secrets.").unwrap_or(meant);
    let found = written.rfind(word).map(|at| bytes.start + at..bytes.start + at + word.len());
    let title = format!("Write `{meant}`");
    let edit = |bytes: Range<usize>| Edit { bytes, text: meant.to_owned() };
    found.into_iter().map(|bytes| Fix { title: title.clone(), edit: edit(bytes) }).collect()
}

/// The help is the line as it should be, without its indentation.
fn line(source: &SourceText, place: &Place, help: &str) -> Vec<Fix> {
    let help = help.split(" (or ").next().unwrap_or(help);
    let bytes = line_of(source.text(), place.bytes.start);
    let written = &source.text()[bytes.clone()];
    let begin = bytes.start + written.len() - written.trim_start().len();
    let edit = Edit { bytes: begin..bytes.start + written.trim_end().len(), text: help.to_owned() };
    vec![Fix { title: format!("Write {help}"), edit }]
}

/// The help is the line after its first words, indentation and all.
fn indented(source: &SourceText, place: &Place, help: &str) -> Vec<Fix> {
    let Some((_, line)) = help.split_once(": ") else { return Vec::new() };
    let bytes = line_of(source.text(), place.bytes.start);
    let edit = Edit { bytes, text: line.to_owned() };
    vec![Fix { title: "Indent with spaces".to_owned(), edit }]
}

/// The help is two values, each after its purpose.
fn either(place: &Place, help: &str) -> Vec<Fix> {
    let values = help.split("; ").filter_map(|part| part.split_once("write "));
    let fix = |(purpose, value): (&str, &str)| Fix {
        title: format!("Write {value} {}", purpose.trim_end_matches([',', ' '])),
        edit: Edit { bytes: place.bytes.clone(), text: value.to_owned() },
    };
    values.map(fix).collect()
}

fn line_of(text: &str, at: usize) -> Range<usize> {
    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    start..start + text[start..end].trim_end_matches('\r').len()
}

/// Whether the problem is gone with the edit, and none has come that was not there.
fn mends(source: &SourceText, problem: &Diagnostic, fix: &Fix, catalog: &Catalog) -> bool {
    let text = source.text();
    let Edit { bytes, text: new } = &fix.edit;
    let mended = format!("{}{new}{}", &text[..bytes.start], &text[bytes.end..]);
    let Ok(mended) = SourceText::new(source.name(), mended.into_bytes()) else { return false };
    let line = |found: &Diagnostic| found.place.as_ref().map_or(0, |place| place.line);
    let on_line = |found: &[Diagnostic]| found.iter().filter(|found| line(found) == line(problem)).count();
    let before = check(source, catalog).diagnostics;
    let after = check(&mended, catalog).diagnostics;
    let is_same = |found: &&Diagnostic| found.code == problem.code && line(found) == line(problem);
    after.iter().filter(is_same).count() < before.iter().filter(is_same).count()
        && on_line(&after) < on_line(&before)
}

#[cfg(test)]
mod tests {
    use flowrun_step::StepSet;

    use super::*;

    /// Every fix of every problem: its title and the text's changed line.
    fn offered(text: &str) -> Vec<(String, String)> {
        let source = SourceText::new("f", text.as_bytes().to_vec()).expect("UTF-8");
        let catalog = Catalog::new(StepSet::new());
        let problems = check(&source, &catalog).diagnostics;
        let found = problems.iter().flat_map(|problem| fixes(&source, problem, &catalog));
        let apply = |fix: Fix| {
            let Edit { bytes, text: new } = fix.edit;
            let line = text[bytes.start..].lines().next().unwrap_or_default();
            let line = line.get(bytes.len()..).unwrap_or_default();
            let start = text[..bytes.start].rfind('\n').map_or(0, |at| at + 1);
            (fix.title, format!("{}{new}{line}", &text[start..bytes.start]))
        };
        found.map(apply).collect()
    }

    #[track_caller]
    fn check_one(text: &str, title: &str, line: &str) {
        assert_eq!(offered(text), [(title.to_owned(), line.to_owned())], "{text}");
    }

    #[test]
    fn a_word_that_was_mistyped_is_replaced_where_it_stands() {
        check_one("steps:\n  - sned: hi\n", "Write `send`", "  - send: hi");
        check_one(
            "inputs: { name_of: }\nsteps:\n  - send: \"é {{name_fo}} {{name_of}}\"\n",
            "Write `name_of`",
            "  - send: \"é {{name_of}} {{name_of}}\"",
        );
        check_one(
            "steps:\n  - { id: contact, end: }\n  - send: \"{{steps.contcat.status}}\"\n",
            "Write `contact`",
            "  - send: \"{{steps.contact.status}}\"",
        );
    }

    #[test]
    fn a_line_that_must_be_quoted_is_quoted() {
        let text = "inputs: { x: }\nsteps:\n  - send: {{x}} é\n";
        check_one(text, "Write - send: \"{{x}} é\"", "  - send: \"{{x}} é\"");
        let text = "inputs: { x: }\nsteps:\n  - send: Your order #{{x}} shipped\n";
        check_one(
            text,
            "Write - send: \"Your order #{{x}} shipped\"",
            "  - send: \"Your order #{{x}} shipped\"",
        );
    }

    #[test]
    fn a_number_that_prints_differently_has_two_fixes() {
        let found = offered("steps:\n  - set: { a: 1.10 }\n");
        let lines: Vec<&str> = found.iter().map(|(_, line)| line.as_str()).collect();
        assert_eq!(lines, ["  - set: { a: \"1.10\" }", "  - set: { a: 1.1 }"]);
    }

    #[test]
    fn a_help_that_is_advice_is_no_fix() {
        assert_eq!(offered("steps:\n  - send: \"{{nobody}}\"\n"), []);
    }
}
