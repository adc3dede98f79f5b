//! What there is to say about what stands under the cursor.

use std::ops::Range;

use flowrun_step::{IntegrationState, IntegrationStatus};

use crate::catalog::{Catalog, lacks};
use crate::check::check;
use crate::editor::ground::{Atlas, Ground, integration_of};
use crate::editor::locate::{Spot, locate};
use crate::editor::names::at;
use crate::editor::reading::{Name, Reading, Said};
use crate::editor::words::{self, Tongue};
use crate::editor::writes::{How, Write};
use crate::editor::{Hover, clamped};
use crate::source::SourceText;

/// The docs of a word of the language, a variable's type and origin, an integration's state; and of a mistake, the
/// page of its code.
#[must_use]
pub fn hover(source: &SourceText, offset: usize, catalog: &Catalog) -> Option<Hover> {
    let offset = source.text().floor_char_boundary(offset.min(source.text().len()));
    let found = subject(source, offset, catalog);
    let diagnostics = check(source, catalog).diagnostics;
    let page = diagnostics.iter().find_map(|problem| {
        let bytes = problem.place.as_ref()?.bytes.clone();
        (bytes.start <= offset && offset <= bytes.end).then(|| (bytes, problem.code.page()))
    });
    match (found, page) {
        (Some(found), Some((_, page))) => {
            Some(Hover { text: format!("{}\n\n---\n\n{}", found.text, page.trim_end()), ..found })
        }
        (None, Some((bytes, page))) => Some(Hover { bytes, text: page.trim_end().to_owned() }),
        (found, None) => found,
    }
}

fn subject(source: &SourceText, offset: usize, catalog: &Catalog) -> Option<Hover> {
    let atlas = Atlas::of(catalog);
    let reading = Reading::of(source, None, catalog, &atlas);
    if let Some(said) = at(&reading.said(source.text()), offset) {
        return Some(Hover { text: about(source, &reading, &said), bytes: said.bytes });
    }
    let bytes = word(source.text(), offset);
    let written = source.text().get(bytes.clone()).filter(|word| !word.is_empty())?;
    // From the word's end: the key itself is under the cursor, not what it belongs to.
    let spot = locate(source.text(), bytes.start);
    let ground = atlas.ground(&spot.path);
    let text = if spot.is_key && matches!(ground, Ground::Integrations) {
        about_integration(written, catalog)
    } else if matches!(ground.tongue(), Some(Tongue::Scope)) {
        return scope(source.text(), bytes, &spot, catalog);
    } else if spot.is_key {
        atlas.ground(&spot.path).about(written, &atlas)?
    } else {
        let before = source.text().get(spot.start..bytes.start).unwrap_or_default();
        about_value((written, before), atlas.ground(&spot.path), catalog)?
    };
    Some(Hover { bytes, text: format!("**{written}**\n\n{text}") })
}

/// The word around a byte: letters, digits, `_`, `-` and `.`.
fn word(text: &str, offset: usize) -> Range<usize> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let start = text[..offset].trim_end_matches(is_part).len();
    let rest = &text[offset..];
    clamped(text, &(start..offset + rest.len() - rest.trim_start_matches(is_part).len()))
}

fn about_value((word, before): (&str, &str), ground: Ground<'_>, catalog: &Catalog) -> Option<String> {
    match ground.tongue()? {
        Tongue::Integration => Some(about_integration(word, catalog)),
        Tongue::Text | Tongue::Call => {
            // A helper's name in plain words is a word.
            let open = before.rfind("{{").filter(|open| !before[*open..].contains("}}"));
            open?;
            let known = words::HELPERS.iter().chain(words::PROVIDED);
            known.into_iter().find(|(name, _)| *name == word).map(|(_, about)| (*about).to_owned())
        }
        Tongue::Expression => {
            words::PROVIDED.iter().find(|(name, _)| *name == word).map(|(_, about)| (*about).to_owned())
        }
        _ => None,
    }
}

fn about_integration(name: &str, catalog: &Catalog) -> String {
    match known(name, catalog) {
        Some(status) => state(status),
        None if catalog.integrations().is_some() => {
            format!("There is no integration `{name}`: `flowrun integrations add {name}`")
        }
        None => "The integrations of this machine are not known.".to_owned(),
    }
}

/// Whether a scope, which is more than a word, was granted.
fn scope(text: &str, word: Range<usize>, spot: &Spot, catalog: &Catalog) -> Option<Hover> {
    let ends = |c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}' | '"' | '\'');
    let start = text[..word.start].rfind(ends).map_or(0, |at| at + 1);
    let end = text[word.end..].find(ends).map_or(text.len(), |at| word.end + at);
    let (scope, bytes) = (text.get(start..end)?, start..end);
    let status = known(integration_of(&spot.path)?, catalog)?;
    let said = match &status.granted {
        None => "Whether it was granted is not known.",
        Some(_) if lacks(status, scope) => "It was not granted.",
        Some(_) => "It was granted.",
    };
    Some(Hover { text: format!("**{scope}**\n\nA scope of `{}`. {said}", status.name), bytes })
}

fn known<'c>(name: &str, catalog: &'c Catalog) -> Option<&'c IntegrationStatus> {
    catalog.integration(&flowrun_step::IntegrationName::new(name).ok()?)
}

/// An integration's state, and what to do about one that cannot be used.
fn state(status: &IntegrationStatus) -> String {
    let name = &status.name;
    match status.state {
        IntegrationState::Authorized => format!("Integration, {}.", status.state),
        IntegrationState::Incomplete => {
            format!("Integration, {}: `flowrun integrations authorize {name}`", status.state)
        }
        IntegrationState::NeedsAttention(reason) => format!(
            "Integration, {}: {}. `flowrun integrations authorize {name}`",
            status.state,
            reason.meaning()
        ),
    }
}

/// What is known of a variable or a step where it is said.
fn about(source: &SourceText, reading: &Reading, said: &Said) -> String {
    match &said.name {
        Name::Step(id) => {
            let step = reading.names.ids.iter().find(|step| step.name == *id);
            let line = |bytes: &Range<usize>| source.place("", bytes.clone()).line;
            match step {
                Some(step) => format!("**{id}**\n\nStep `{}`, line {}.", step.kind, line(&step.bytes)),
                None => format!("**{id}**\n\nNo step has this id."),
            }
        }
        Name::Variable(name) => {
            let unsure = if said.is_sure { "" } else { "\n\nIt may have no value here." };
            format!("**{name}**\n\n{}{unsure}", origin(source, reading, name))
        }
    }
}

/// A variable's type and where it comes from.
pub(super) fn origin(source: &SourceText, reading: &Reading, name: &str) -> String {
    let writes = reading.names.writes.iter().filter(|write| write.name == name);
    let lines: Vec<String> = writes.map(|write| of_write(source, write)).collect();
    if lines.is_empty() { "Nothing in this flow sets it.".to_owned() } else { lines.join("\n\n") }
}

fn of_write(source: &SourceText, write: &Write) -> String {
    let line = source.place("", write.bytes.clone()).line;
    let by = match &write.step {
        Some((Some(id), kind)) => format!("by `{kind}` in step `{id}`, line {line}"),
        Some((None, kind)) => format!("by `{kind}`, line {line}"),
        None => format!("line {line}"),
    };
    match &write.how {
        How::Input(declared) => format!("Input, {declared}"),
        How::Set(Some(kind)) => format!("Set {by}; type `{kind}`."),
        How::Set(None) => format!("Set {by}."),
        How::Compute(expression) => format!("Computed {by}: `{expression}`"),
        How::Picked(path, Some(kind)) => format!("Picked {by}, from `{path}`; type `{kind}`."),
        How::Picked(path, None) => format!("Picked {by}, from `{path}`."),
        How::PickedByName => format!("Picked {by}, from the key of its name."),
        How::Into => format!("The whole output, taken {by}."),
        How::Item(list) => format!("An item of `{list}`, {by}."),
    }
}
