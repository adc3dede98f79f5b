//! What may stand at the cursor.

use std::ops::Range;

use flowrun_step::IntegrationState;

use crate::catalog::Catalog;
use crate::editor::ground::{Atlas, Ground, about_setting, is_built_in};
use crate::editor::locate::{Part, Spot, locate};
use crate::editor::reading::Reading;
use crate::editor::words::{self, Tongue};
use crate::editor::{Completion, CompletionKind, Edit};
use crate::source::SourceText;

/// What may stand at `offset`, the likeliest first.
#[must_use]
pub fn complete(source: &SourceText, offset: usize, catalog: &Catalog) -> Vec<Completion> {
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
        let own = self.atlas.kinds().filter_map(|kind| Some((kind, self.atlas.shape(kind)?)));
        let own = own.map(|(kind, shape)| {
            let about = shape.description().unwrap_or("A kind of this house.");
            self.key(kind, CompletionKind::Kind, about)
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

    fn values(&self, tongue: Tongue, typed: &str) -> Vec<Completion> {
        match tongue {
            Tongue::Text | Tongue::Call => match typed.rfind("{{") {
                Some(open) if !typed[open..].contains("}}") => self.names(tongue == Tongue::Call, true),
                _ => self.choices(),
            },
            Tongue::Expression => self.names(false, false),
            Tongue::Choice(words) => words.iter().map(|word| self.value(word, "")).collect(),
            Tongue::Integration => self.integrations(),
            _ => self.choices(),
        }
    }

    /// The values a setting's schema lists.
    fn choices(&self) -> Vec<Completion> {
        let Ground::Setting(shape) = self.ground else { return Vec::new() };
        shape.choices().iter().map(|choice| self.value(choice, "")).collect()
    }

    /// What may be read in a template or an expression: a member of what stands before the dot, or any name.
    fn names(&self, secrets: bool, is_text: bool) -> Vec<Completion> {
        let reading = Reading::of(self.source, Some(self.offset), self.catalog, self.atlas);
        let word = self.word(false);
        let before = &self.text[self.spot.start.min(word.start)..word.start];
        let is_path = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let base = &before[before.trim_end_matches(is_path).len()..];
        let parts: Vec<&str> =
            base.strip_suffix('.').map(|base| base.split('.').collect()).unwrap_or_default();
        match parts.as_slice() {
            [] => self.any_name(&reading, secrets, is_text),
            ["steps"] => reading
                .names
                .ids
                .iter()
                .map(|id| self.name(&id.name, CompletionKind::Step, Some(id.kind.clone()), None))
                .collect(),
            ["steps", _] => self.fields(words::STEP_FIELDS),
            ["error"] | ["steps", _, "error"] => self.fields(words::ERROR_FIELDS),
            ["secrets"] => reading
                .secrets
                .iter()
                .map(|name| self.name(name, CompletionKind::Value, Some("a secret".to_owned()), None))
                .collect(),
            ["integrations"] => self.integrations(),
            ["integrations", name] => self.kept(name),
            _ => Vec::new(),
        }
    }

    fn any_name(&self, reading: &Reading, secrets: bool, is_text: bool) -> Vec<Completion> {
        let known = reading.known(self.spot);
        let mut found: Vec<Completion> = known
            .iter()
            .map(|known| {
                let detail = if known.is_sure { "has a value here" } else { "may have no value here" };
                let about = crate::editor::hover::origin(self.source, reading, &known.name);
                self.name(&known.name, CompletionKind::Variable, Some(detail.to_owned()), Some(about))
            })
            .collect();
        let (has_error, has_index, has_item) = reading.provides(self.spot);
        let provided = words::PROVIDED.iter().filter(|(name, _)| match *name {
            "error" => has_error,
            "index" => has_index,
            "item" => has_item,
            "secrets" => secrets,
            "integrations" => is_text,
            "run" => false,
            _ => true,
        });
        found
            .extend(provided.map(|(name, about)| {
                self.name(name, CompletionKind::Value, None, Some((*about).to_owned()))
            }));
        if is_text {
            found.extend(words::HELPERS.iter().map(|(name, about)| {
                self.name(name, CompletionKind::Helper, None, Some((*about).to_owned()))
            }));
        }
        found
    }

    fn fields(&self, fields: &[(&str, &str)]) -> Vec<Completion> {
        let field = |(name, about): &(&str, &str)| {
            self.name(name, CompletionKind::Value, None, Some((*about).to_owned()))
        };
        fields.iter().map(field).collect()
    }

    /// The integrations that can be used now.
    fn integrations(&self) -> Vec<Completion> {
        let all = self.catalog.integrations().unwrap_or_default().iter();
        let usable = all.filter(|status| status.state == IntegrationState::Authorized);
        usable
            .map(|status| {
                let detail = Some(status.state.to_string());
                self.name(status.name.as_str(), CompletionKind::Integration, detail, None)
            })
            .collect()
    }

    fn kept(&self, name: &str) -> Vec<Completion> {
        let all = self.catalog.integrations().unwrap_or_default().iter();
        let kept = all.filter(|status| status.name.as_str() == name).flat_map(|status| &status.kept);
        kept.map(|field| self.name(field, CompletionKind::Value, None, None)).collect()
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
