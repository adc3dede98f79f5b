//! What may stand in a value: names in templates and expressions, members after a dot, values of closed lists.

use flowrun_step::{IntegrationName, IntegrationState};

use super::Asked;
use crate::editor::ground::{Ground, integration_of};
use crate::editor::reading::Reading;
use crate::editor::words::{self, Tongue};
use crate::editor::{Completion, CompletionKind, Edit};

impl Asked<'_> {
    pub(super) fn values(&self, tongue: Tongue, typed: &str) -> Vec<Completion> {
        match tongue {
            Tongue::Text | Tongue::Call => match typed.rfind("{{") {
                Some(open) if !typed[open..].contains("}}") => self.names(tongue == Tongue::Call, true),
                _ => self.choices(),
            },
            Tongue::Expression => self.names(false, false),
            Tongue::Choice(words) => words.iter().map(|word| self.value(word, "")).collect(),
            Tongue::Integration => self.integrations(),
            Tongue::Scope => self.scopes(),
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

    /// The same as keys.
    pub(super) fn declarable(&self) -> Vec<Completion> {
        let all = self.integrations().into_iter();
        all.map(|found| self.key(&found.label, found.kind, &found.detail.unwrap_or_default())).collect()
    }

    /// What the integration whose key stands before was granted.
    fn scopes(&self) -> Vec<Completion> {
        let name = integration_of(&self.spot.path).and_then(|name| IntegrationName::new(name).ok());
        let status = name.and_then(|name| self.catalog.integration(&name));
        let granted = status.and_then(|status| status.granted.as_deref()).unwrap_or_default();
        let all = granted.iter().map(|scope| self.value(scope, "Granted."));
        all.map(|found| Completion { edit: Edit { bytes: self.word(true), ..found.edit }, ..found }).collect()
    }

    fn kept(&self, name: &str) -> Vec<Completion> {
        let all = self.catalog.integrations().unwrap_or_default().iter();
        let kept = all.filter(|status| status.name.as_str() == name).flat_map(|status| &status.kept);
        kept.map(|field| self.name(field, CompletionKind::Value, None, None)).collect()
    }
}
