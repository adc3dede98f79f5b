//! What may stand at the cursor.

mod replies;
mod values;

use std::borrow::Cow;
use std::ops::Range;

use crate::catalog::Catalog;
use crate::editor::ground::{Atlas, Ground, about_setting, is_built_in};
use crate::editor::locate::{Part, Spot, locate};
use crate::editor::words;
use crate::editor::{Completion, CompletionKind, Edit};
use crate::source::SourceText;

/// What may stand at `offset`, the likeliest first.
#[must_use]
pub fn complete(source: &SourceText, offset: usize, catalog: &Catalog) -> Vec<Completion> {
    complete_with(source, offset, catalog, || None)
}

/// The same for a flow with a test file beside it, whose replies say which paths there are; it is asked for only where a path
/// stands.
#[must_use]
pub fn complete_with<'c>(
    source: &SourceText,
    offset: usize,
    catalog: &Catalog,
    cases: impl FnOnce() -> Option<Cow<'c, SourceText>>,
) -> Vec<Completion> {
    let text = source.text();
    let offset = text.floor_char_boundary(offset.min(text.len()));
    let atlas = Atlas::of(catalog);
    let spot = locate(text, offset);
    let ground = atlas.ground(&spot.path);
    let asked = Asked { text, offset, source, catalog, atlas: &atlas, spot: &spot, ground };
    let typed = text[spot.start.min(offset)..offset].trim_start();
    if spot.is_key && matches!(ground, Ground::Steps { .. }) {
        return Vec::new();
    }
    let paths = if asked.spot.is_key { Vec::new() } else { asked.reply_paths(cases) };
    if !paths.is_empty() {
        return paths;
    }
    match ground.tongue().filter(|_| !asked.wants_key()) {
        None => asked.keys(),
        Some(tongue) => asked.values(tongue, typed),
    }
}

struct Asked<'a> {
    text: &'a str,
    offset: usize,
    source: &'a SourceText,
    catalog: &'a Catalog,
    atlas: &'a Atlas,
    spot: &'a Spot,
    ground: Ground<'a>,
}

impl Asked<'_> {
    /// Whether a map has begun here, or may: a lone item of a list of values is none.
    fn wants_key(&self) -> bool {
        self.spot.is_key
            && !matches!((self.ground, self.spot.path.last()), (Ground::Value(_), Some(Part::Item(_))))
    }

    /// The bytes of the word at the cursor; `.` belongs to a key.
    fn word(&self, dots: bool) -> Range<usize> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || (dots && c == '.');
        let before = self.text[..self.offset].trim_end_matches(is_part).len().max(self.spot.start);
        let after =
            self.text[self.offset..].len() - self.text[self.offset..].trim_start_matches(is_part).len();
        before.min(self.offset)..self.offset + after
    }

    fn keys(&self) -> Vec<Completion> {
        match self.ground {
            Ground::Steps { may_continue: true } if !self.spot.is_key => {
                vec![self.value("continue", "The error is handled, and the flow goes on.")]
            }
            _ if !self.spot.is_key => Vec::new(),
            Ground::Setting(shape) => {
                let names = shape.property_names();
                let mut found: Vec<Completion> = names
                    .iter()
                    .filter_map(|name| Some((name, shape.property(name)?)))
                    .map(|(name, field)| self.key(name, CompletionKind::Key, &about_setting(&field)))
                    .collect();
                let required: Vec<&str> = shape.required().collect();
                found.sort_by_key(|found| !required.contains(&found.label.as_str()));
                self.without_known(found)
            }
            Ground::Step => self.without_known(self.step()),
            Ground::Integrations => self.without_known(self.declarable()),
            _ => {
                let words = self.ground.words(&self.spot.beside);
                self.without_known(
                    words.iter().map(|word| self.key(word.0, CompletionKind::Key, word.2)).collect(),
                )
            }
        }
    }

    fn without_known(&self, mut found: Vec<Completion>) -> Vec<Completion> {
        found.retain(|found| !self.spot.beside.contains(&found.label));
        found
    }

    /// The kinds, where the step has none, and what may stand beside them.
    fn step(&self) -> Vec<Completion> {
        let beside = &self.spot.beside;
        let is_kind = |key: &String| key != "if" && (is_built_in(key) || self.atlas.shape(key).is_some());
        let has_kind = beside.iter().any(is_kind) || beside.iter().any(|key| key == "then");
        let own = self.atlas.kinds().map(|kind| {
            self.key(kind, CompletionKind::Kind, &self.ground.about(kind, self.atlas).unwrap_or_default())
        });
        let built_in = words::KINDS.iter().filter(|(kind, ..)| is_built_in(kind));
        let built_in = built_in.map(|(kind, _, about)| self.key(kind, CompletionKind::Kind, about));
        let kinds = own.chain(built_in).filter(|_| !has_kind);
        let words = self.ground.words(beside);
        let mut found: Vec<Completion> = kinds.collect();
        let keys = words.iter().map(|word| self.key(word.0, CompletionKind::Key, word.2));
        for key in keys.collect::<Vec<_>>() {
            if found.iter().all(|other| other.label != key.label) {
                found.push(key);
            }
        }
        found
    }

    fn key(&self, name: &str, kind: CompletionKind, about: &str) -> Completion {
        let bytes = self.word(true);
        let has_colon = self.text[bytes.end..].trim_start_matches(' ').starts_with(':');
        let text = if has_colon { name.to_owned() } else { format!("{name}: ") };
        let documentation = (!about.is_empty()).then(|| about.to_owned());
        Completion { label: name.to_owned(), kind, detail: None, documentation, edit: Edit { bytes, text } }
    }

    fn value(&self, text: &str, about: &str) -> Completion {
        let documentation = (!about.is_empty()).then(|| about.to_owned());
        self.name(text, CompletionKind::Value, None, documentation)
    }

    fn name(
        &self,
        text: &str,
        kind: CompletionKind,
        detail: Option<String>,
        documentation: Option<String>,
    ) -> Completion {
        let edit = Edit { bytes: self.word(false), text: text.to_owned() };
        Completion { label: text.to_owned(), kind, detail, documentation, edit }
    }
}
