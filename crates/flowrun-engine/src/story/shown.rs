//! What is shown of values: not what sensitive inputs held, and not what is filled in late.

use flowrun_lang::Flow;
use flowrun_template::{LateName, Redactor, Rendered, Slot, Vault};
use secrecy::SecretString;
use serde_json::Value;

/// A sensitive text that is shorter is only known where it stands alone: within others it would be any word.
const FEWEST: usize = 4;

/// What may be shown.
#[derive(Default)]
pub(super) struct Shown {
    /// What sensitive inputs held, and their names.
    sensitive: Vec<(String, Value)>,
    net: Redactor,
}

impl Shown {
    pub(super) fn of(flow: &Flow, inputs: &[(Slot, Value)]) -> Self {
        let mut shown = Self::default();
        for (slot, value) in inputs {
            let name = flow.plan().slots.name(*slot);
            if flow.inputs().iter().any(|input| input.is_sensitive && input.name == name) {
                shown.hide(name, value);
            }
        }
        shown
    }

    fn hide(&mut self, name: &str, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) => return,
            Value::Array(items) => items.iter().for_each(|item| self.hide(name, item)),
            Value::Object(members) => members.values().for_each(|member| self.hide(name, member)),
            Value::String(text) => self.learn(text),
            Value::Number(number) => self.learn(&number.to_string()),
        }
        self.sensitive.push((name.to_owned(), value.clone()));
    }

    fn learn(&mut self, text: &str) {
        if text.len() >= FEWEST {
            self.net.add(&text.into());
        }
    }

    /// What is shown of a value.
    pub(super) fn value(&self, value: &Value) -> Value {
        let text = value.to_string();
        let is_same =
            |(_, known): &&(String, Value)| *known == *value || known.as_str() == Some(text.as_str());
        if let Some((name, _)) = self.sensitive.iter().find(is_same) {
            return format!("‹{name}›").into();
        }
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                members.iter().map(|(name, member)| (name.clone(), self.value(member))).collect()
            }
            other => other.clone(),
        }
    }

    /// What is shown of a text.
    pub(super) fn text(&self, text: &str) -> String {
        self.net.redact(text).into_owned()
    }

    /// What is shown of the settings of a call.
    pub(super) fn settings(&self, settings: &Rendered) -> Value {
        let names = Names::of(settings.late());
        settings.fill(&names).map_or(Value::Null, |settings| self.value(&settings))
    }
}

/// Fills in the names of what is filled in late.
struct Names {
    secrets: Vec<(String, SecretString)>,
    kept: Vec<(String, String, String)>,
}

impl Names {
    fn of(late: Vec<LateName>) -> Self {
        let mut names = Self { secrets: Vec::new(), kept: Vec::new() };
        for name in late {
            match name {
                LateName::Secret(name) => {
                    let shown = format!("<secrets.{name}>");
                    names.secrets.push((name, shown.into()));
                }
                LateName::Kept { integration, field } => {
                    let shown = format!("<integrations.{integration}.{field}>");
                    names.kept.push((integration, field, shown));
                }
            }
        }
        names
    }
}

impl Vault for Names {
    fn secret(&self, name: &str) -> Option<&SecretString> {
        self.secrets.iter().find(|(known, _)| known == name).map(|(_, shown)| shown)
    }

    fn kept(&self, integration: &str, field: &str) -> Option<&str> {
        let is_it = |(known, named, _): &&(String, String, String)| known == integration && named == field;
        self.kept.iter().find(is_it).map(|(.., shown)| shown.as_str())
    }
}
