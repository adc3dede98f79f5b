//! A view of a JSON schema (draft 2020-12, as schemars writes it) that answers what a check asks.

use serde_json::Value;

/// The language a string setting is written in (`x-flowrun`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Text,
    Url,
    Header,
    Form,
    Json,
    Body,
    Picks,
    Expression,
    Duration,
    Integration,
    Literal,
}

/// A schema and the document its references point into.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape<'s> {
    schema: &'s Value,
    root: &'s Value,
}

impl<'s> Shape<'s> {
    pub(super) fn of(root: &'s Value) -> Self {
        Self { schema: root, root }
    }

    /// The language, which may stand beside a reference or within an optional's alternatives.
    pub(super) fn language(&self) -> Language {
        let named = self.every().find_map(|schema| schema.get("x-flowrun").and_then(Value::as_str));
        match named {
            Some("text") => Language::Text,
            Some("url") => Language::Url,
            Some("header") => Language::Header,
            Some("form") => Language::Form,
            Some("json") => Language::Json,
            Some("body") => Language::Body,
            Some("picks") => Language::Picks,
            Some("expression") => Language::Expression,
            Some("duration") => Language::Duration,
            Some("integration") => Language::Integration,
            _ => Language::Literal,
        }
    }

    /// Whether only a text will do, so that a plain scalar's source counts.
    pub(super) fn is_text(&self) -> bool {
        let types: Vec<&str> =
            self.every().filter_map(|schema| schema.get("type")).flat_map(type_names).collect();
        types.contains(&"string") && types.iter().all(|name| matches!(*name, "string" | "null"))
    }

    /// Whether it says anything about members.
    pub(super) fn has_members(&self) -> bool {
        self.every()
            .any(|schema| schema.get("properties").is_some() || schema.get("additionalProperties").is_some())
    }

    /// The schema of a member, declared or free.
    pub(super) fn property(&self, key: &str) -> Option<Self> {
        let declared = self.every().find_map(|schema| schema.get("properties")?.get(key));
        let free = || {
            self.every().find_map(|schema| schema.get("additionalProperties")).filter(|free| free.is_object())
        };
        declared.or_else(free).map(|schema| Self { schema, root: self.root })
    }

    pub(super) fn property_names(&self) -> Vec<&'s str> {
        let properties = self.every().filter_map(|schema| schema.get("properties")?.as_object());
        properties.flat_map(|properties| properties.keys().map(String::as_str)).collect()
    }

    pub(super) fn required(&self) -> impl Iterator<Item = &'s str> {
        let required = self.every().filter_map(|schema| schema.get("required")?.as_array());
        required.flatten().filter_map(Value::as_str).collect::<Vec<_>>().into_iter()
    }

    /// The schema itself, what it refers to, and the alternatives of an optional.
    fn every(&self) -> impl Iterator<Item = &'s Value> + use<'s> {
        let mut all = vec![self.schema];
        let mut at = 0;
        while let Some(schema) = all.get(at).copied() {
            at += 1;
            let reference = schema
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|to| self.root.pointer(to.strip_prefix('#')?));
            let alternatives =
                ["anyOf", "allOf"].iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
            let more: Vec<&Value> = reference.into_iter().chain(alternatives).collect();
            if all.len() < 64 {
                all.extend(more);
            }
        }
        all.into_iter()
    }
}

fn type_names(value: &Value) -> Vec<&str> {
    match value {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
