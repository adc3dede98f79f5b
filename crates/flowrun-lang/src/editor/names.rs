//! Names that a flow gives and reads: where they are set, who reads them, and how to give them another.

use std::ops::Range;

use flowrun_template::{HELPERS, RESERVED, is_name};

use crate::catalog::Catalog;
use crate::check::check;
use crate::editor::Edit;
use crate::editor::ground::Atlas;
use crate::editor::reading::{Name, Reading, Said, hides_names};
use crate::editor::writes::How;
use crate::source::SourceText;

/// Where the variable or step named at `offset` comes from: the places that set it, or the step's id.
#[must_use]
pub fn definition(source: &SourceText, offset: usize, catalog: &Catalog) -> Vec<Range<usize>> {
    said_of(source, offset, catalog).into_iter().filter(|said| said.is_write).map(|said| said.bytes).collect()
}

/// Every place that says the name at `offset`, those that set it included.
#[must_use]
pub fn references(source: &SourceText, offset: usize, catalog: &Catalog) -> Vec<Range<usize>> {
    said_of(source, offset, catalog).into_iter().map(|said| said.bytes).collect()
}

/// The places that read the name at `offset`.
#[must_use]
pub fn readers(source: &SourceText, offset: usize, catalog: &Catalog) -> Vec<Range<usize>> {
    said_of(source, offset, catalog)
        .into_iter()
        .filter(|said| !said.is_write)
        .map(|said| said.bytes)
        .collect()
}

/// The bytes of the name at `offset`, if it is one that may be changed.
#[must_use]
pub fn renamed(source: &SourceText, offset: usize, catalog: &Catalog) -> Option<Range<usize>> {
    let atlas = Atlas::of(catalog);
    let reading = Reading::of(source, None, catalog, &atlas);
    let said = at(&reading.said(source.text()), offset)?;
    unquoted(source.text(), &said)
}

/// The edits that give the variable or step at `offset` another name, in templates, expressions and keys alike.
///
/// # Errors
/// When the new name is not allowed or taken, or when some text of the flow cannot be read, so that a place would
/// be missed; the words say which.
pub fn rename(source: &SourceText, offset: usize, new: &str, catalog: &Catalog) -> Result<Vec<Edit>, String> {
    let atlas = Atlas::of(catalog);
    let reading = Reading::of(source, None, catalog, &atlas);
    let all = reading.said(source.text());
    let Some(said) = at(&all, offset) else {
        return Err("only variables, inputs and step ids can be renamed".to_owned());
    };
    may_be_called(&reading, &said.name, new)?;
    if let Some(problem) = check(source, catalog).diagnostics.iter().find(|found| hides_names(found.code)) {
        let line = problem.place.as_ref().map_or(1, |place| place.line);
        return Err(format!("line {line} cannot be read, and the name may stand there: {problem}"));
    }
    let places = all.iter().filter(|other| other.name == said.name);
    let edit = |place: &Said| match unquoted(source.text(), place) {
        Some(bytes) => Ok(Edit { bytes, text: new.to_owned() }),
        None => {
            let line = source.place("", place.bytes.clone()).line;
            Err(format!("on line {line} the name is written with escapes; write it plainly first"))
        }
    };
    places.map(edit).collect()
}

/// Whether a name is not one of the language's own.
pub(super) fn is_free(name: &str) -> bool {
    is_name(name) && !RESERVED.contains(&name) && !HELPERS.contains(&name)
}

/// What is said at an offset; the end of a name belongs to it.
pub(super) fn at(all: &[Said], offset: usize) -> Option<Said> {
    all.iter().find(|said| said.bytes.start <= offset && offset <= said.bytes.end).cloned()
}

fn said_of(source: &SourceText, offset: usize, catalog: &Catalog) -> Vec<Said> {
    let atlas = Atlas::of(catalog);
    let all = Reading::of(source, None, catalog, &atlas).said(source.text());
    let Some(found) = at(&all, offset) else { return Vec::new() };
    all.into_iter().filter(|said| said.name == found.name).collect()
}

fn may_be_called(reading: &Reading, name: &Name, new: &str) -> Result<(), String> {
    let writes = &reading.names.writes;
    let (old, is_taken) = match name {
        Name::Variable(old) => (old, writes.iter().any(|write| write.name == new)),
        Name::Step(old) => (old, reading.names.ids.iter().any(|id| id.name == new)),
    };
    if !is_name(new) {
        return Err(format!("`{new}` is no name: a letter or `_`, then letters, digits or `_`"));
    }
    if matches!(name, Name::Variable(_)) && !is_free(new) {
        return Err(format!("`{new}` is a word of the language"));
    }
    if is_taken && old != new {
        return Err(format!("`{new}` is taken in this flow"));
    }
    let is_key = |how: &How| matches!(how, How::PickedByName);
    let by_name = writes.iter().any(|write| write.name == *old && is_key(&write.how));
    if matches!(name, Name::Variable(_)) && by_name {
        return Err(format!(
            "`{old}` is also the key that is picked from the reply; write `variables: {{ {old}: {old} }}` first"
        ));
    }
    Ok(())
}

/// The bytes of the name itself, without quotes; nothing where it is written with escapes.
fn unquoted(text: &str, said: &Said) -> Option<Range<usize>> {
    let (Name::Variable(name) | Name::Step(name)) = &said.name;
    let written = text.get(said.bytes.clone())?;
    let inner = written.trim_matches(['"', '\'']);
    let start = said.bytes.start + written.find(inner)?;
    (inner == name).then(|| start..start + name.len())
}

#[cfg(test)]
mod tests {
    use flowrun_step::StepSet;

    use super::*;

    /// Renames what stands at `¦`, and gives the text afterwards or why not.
    fn renamed_to(text: &str, new: &str) -> String {
        let offset = text.find('¦').expect("a cursor");
        let text = text.replace('¦', "");
        let source = SourceText::new("f", text.clone().into_bytes()).expect("UTF-8");
        match rename(&source, offset, new, &Catalog::new(StepSet::new())) {
            Err(why) => why,
            Ok(mut edits) => {
                edits.sort_by_key(|edit| std::cmp::Reverse(edit.bytes.start));
                let apply = |text: String, edit: Edit| {
                    format!("{}{}{}", &text[..edit.bytes.start], edit.text, &text[edit.bytes.end..])
                };
                edits.into_iter().fold(text, apply)
            }
        }
    }

    #[test]
    fn a_variable_is_renamed_in_keys_templates_and_expressions_at_the_right_columns() {
        let flow = "inputs: { id: { type: string } }\nsteps:\n  - if: id != \"é\" and i¦d|length > 1\n    send: \"é {{id}} é {{upper id}} {{default id \\\"id\\\"}}\"\n  - set: { ids: \"{{id}}\" }\n";
        let wanted = "inputs: { key: { type: string } }\nsteps:\n  - if: key != \"é\" and key|length > 1\n    send: \"é {{key}} é {{upper key}} {{default key \\\"id\\\"}}\"\n  - set: { ids: \"{{key}}\" }\n";
        assert_eq!(renamed_to(flow, "key"), wanted);
    }

    #[test]
    fn a_step_is_renamed_apart_from_the_variable_of_its_name() {
        let flow = "steps:\n  - id: a¦\n    set: { a: 1 }\n  - if: steps['a'].status == \"done\" and a == 1\n    send: \"{{steps.a.status}} {{a}}\"\n";
        let wanted = "steps:\n  - id: b\n    set: { a: 1 }\n  - if: steps['b'].status == \"done\" and a == 1\n    send: \"{{steps.b.status}} {{a}}\"\n";
        assert_eq!(renamed_to(flow, "b"), wanted);
    }

    #[test]
    fn a_rename_that_could_miss_a_place_or_clash_is_refused_with_its_reason() {
        let flow = "inputs: { a¦: , b: }\nsteps:\n  - send: \"{{a}} {{b}}\"\n";
        for (new, why) in [("b", "taken"), ("9", "no name"), ("upper", "word of the language")] {
            assert!(renamed_to(flow, new).contains(why), "{new}: {}", renamed_to(flow, new));
        }
        let broken = "inputs: { a¦: , b: }\nsteps:\n  - send: \"{{a}}\"\n  - send: \"{{a\"\n";
        assert!(renamed_to(broken, "c").starts_with("line 4 cannot be read"), "{}", renamed_to(broken, "c"));
    }
}
