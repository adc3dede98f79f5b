//! What a flow declares and reads, as far as it can be told from a text that is being typed.
//!
//! Where YAML gives up, lines are blanked until it does not: first the one under the cursor, then those it stops
//! at. No byte moves, so every place found is a place in the author's text.

mod scope;

use std::ops::Range;

use flowrun_template::{RESERVED, Root, Segment, Slots};

use crate::bundle::Bundle;
use crate::catalog::Catalog;
use crate::code::Code;
use crate::compile::{Trail, compile};
use crate::document::document;
use crate::editor::ground::Atlas;
use crate::editor::writes::{Names, names};
use crate::node::Node;
use crate::parse::parse;
use crate::problems::Problems;
use crate::source::SourceText;

/// How many lines are blanked before a text is given up.
const MOST_BLANKED: usize = 12;

/// What is known of a flow.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) root: Option<Node>,
    pub(super) names: Names,
    pub(super) secrets: Vec<String>,
    slots: Slots,
    trail: Trail,
}

/// A name that may be read in many places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Variable(String),
    Step(String),
}

/// One place that says a name.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) name: Name,
    /// The bytes of the name, quotes included where it is written so.
    pub(super) bytes: Range<usize>,
    pub(super) is_write: bool,
    /// Of a reader: whether there is a value in every run that gets there.
    pub(super) is_sure: bool,
}

impl Reading {
    /// Reads what can be read; `cursor` is where the author is typing.
    pub(super) fn of(source: &SourceText, cursor: Option<usize>, catalog: &Catalog, atlas: &Atlas) -> Self {
        let mut text = source.text().to_owned();
        let mut cursor = cursor;
        for _ in 0..MOST_BLANKED {
            let Ok(draft) = SourceText::new(source.name(), text.clone().into_bytes()) else { break };
            let mut problems = Problems::new(&draft);
            if let Some(root) = parse(&mut problems) {
                return Self::of_root(root, catalog, atlas, &mut problems);
            }
            let stopped = problems.into_sorted().into_iter().rev();
            let stopped = stopped.filter_map(|problem| Some(problem.place?.bytes.start));
            let blanked = cursor.take().into_iter().chain(stopped).find_map(|at| without_line(&text, at));
            let Some(next) = blanked else { break };
            text = next;
        }
        Self::default()
    }

    fn of_root(root: Node, catalog: &Catalog, atlas: &Atlas, problems: &mut Problems<'_>) -> Self {
        let kinds: Vec<&str> = atlas.kinds().collect();
        let Some(document) = document(&root, &kinds, problems) else {
            return Self { root: Some(root), ..Self::default() };
        };
        let names = names(&document, atlas);
        // What is called is another file's business; here it is enough that a flow is called.
        let mut bundle = Bundle::new("", catalog, None);
        let compiled = compile(&document, String::new(), &mut bundle, problems);
        drop(document);
        let Some(compiled) = compiled else { return Self { root: Some(root), names, ..Self::default() } };
        let (secrets, slots) = (compiled.secrets, compiled.plan.slots);
        Self { root: Some(root), names, secrets, slots, trail: compiled.trail }
    }

    /// Every place that says a name, in the order of the text.
    pub(super) fn said(&self, text: &str) -> Vec<Said> {
        let writes = self.names.writes.iter().map(|write| (Name::Variable(write.name.clone()), &write.bytes));
        let ids = self.names.ids.iter().map(|id| (Name::Step(id.name.clone()), &id.bytes));
        let written = writes.chain(ids).map(|(name, bytes)| Said {
            name,
            bytes: bytes.clone(),
            is_write: true,
            is_sure: true,
        });
        let mut said: Vec<Said> = written.chain(self.read(text)).collect();
        said.sort_by_key(|said| (said.bytes.start, said.bytes.end));
        said.dedup_by(|a, b| a.bytes == b.bytes);
        said
    }

    fn read(&self, text: &str) -> impl Iterator<Item = Said> {
        self.trail.uses.iter().filter_map(|used| {
            let Root::Slot(slot) = used.root else { return None };
            let root = self.slots.name(slot);
            let source = text.get(used.bytes.clone())?;
            let (name, bytes) = if root == "steps" {
                let Some(Segment::Key(id)) = used.path.first() else { return None };
                let at = root.len() + source.get(root.len()..)?.find(id.as_str())?;
                (Name::Step(id.clone()), at..at + id.len())
            } else if RESERVED.contains(&root) {
                return None;
            } else {
                (Name::Variable(root.to_owned()), 0..root.len())
            };
            let bytes = used.bytes.start + bytes.start..used.bytes.start + bytes.end;
            Some(Said { name, bytes, is_write: false, is_sure: used.is_sure })
        })
    }
}

/// The text with the line at `at` blanked; nothing if there is nothing on it.
fn without_line(text: &str, at: usize) -> Option<String> {
    let at = text.floor_char_boundary(at.min(text.len()));
    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    let line = text.get(start..end)?;
    if line.trim().is_empty() {
        return None;
    }
    Some(format!("{}{}{}", &text[..start], " ".repeat(line.len()), &text[end..]))
}

/// Whether a problem means that some text could not be read, so that a name in it may have been missed.
pub(super) fn hides_names(code: Code) -> bool {
    matches!(
        code,
        Code::NotUtf8
            | Code::TooLarge
            | Code::Yaml
            | Code::Tab
            | Code::DuplicateKey
            | Code::TooComplex
            | Code::SeveralDocuments
            | Code::TagOrMerge
            | Code::MustBeQuoted
            | Code::CommentCutsText
            | Code::UnknownKey
            | Code::MissingKey
            | Code::WrongShape
            | Code::UnknownKind
            | Code::NoSingleKind
            | Code::IllegalName
            | Code::SecretHere
            | Code::Setting
            | Code::Template
            | Code::Path
            | Code::Expression
    )
}
