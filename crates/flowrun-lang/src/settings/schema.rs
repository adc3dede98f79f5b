//! A view of a JSON schema (draft 2020-12, as schemars writes it) that answers what a check asks.

use serde_json::Value;

/// The language a string setting is written in (`x-flowrun`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Text,
    Url,
    Header,
    Form,
    Json,
    Body,
    Picks,
    Expression,
    /// An expression over a page, which the engine tests after each.
    Until,
    Duration,
    Integration,
    Literal,
}

/// A schema and the document its references point into.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape<'s> {
    schema: &'s Value,
    root: &'s Value,
}

impl<'s> Shape<'s> {
    pub(crate) fn of(root: &'s Value) -> Self {
        Self { schema: root, root }
    }

    /// The language, which may stand beside a reference or within an optional's alternatives.
    pub(crate) fn language(&self) -> Language {
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
            Some("until") => Language::Until,
            Some("duration") => Language::Duration,
            Some("integration") => Language::Integration,
            _ => Language::Literal,
        }
    }

    /// Whether only a text will do, so that a plain scalar's source counts.
    pub(crate) fn is_text(&self) -> bool {
        let types: Vec<&str> =
            self.every().filter_map(|schema| schema.get("type")).flat_map(type_names).collect();
        types.contains(&"string") && types.iter().all(|name| matches!(*name, "string" | "null"))
    }

    /// Whether it says anything about members.
    pub(crate) fn has_members(&self) -> bool {
        self.every()
            .any(|schema| schema.get("properties").is_some() || schema.get("additionalProperties").is_some())
    }

    /// The schema of a member, declared or free.
    pub(crate) fn property(&self, key: &str) -> Option<Self> {
        let declared = self.every().find_map(|schema| schema.get("properties")?.get(key));
        let free = || {
            self.every().find_map(|schema| schema.get("additionalProperties")).filter(|free| free.is_object())
        };
        declared.or_else(free).map(|schema| Self { schema, root: self.root })
    }

    pub(crate) fn property_names(&self) -> Vec<&'s str> {
        let properties = self.every().filter_map(|schema| schema.get("properties")?.as_object());
        properties.flat_map(|properties| properties.keys().map(String::as_str)).collect()
    }

    pub(crate) fn required(&self) -> impl Iterator<Item = &'s str> {
        let required = self.every().filter_map(|schema| schema.get("required")?.as_array());
        required.flatten().filter_map(Value::as_str).collect::<Vec<_>>().into_iter()
    }

    /// What it says of itself, in words.
    pub(crate) fn description(&self) -> Option<&'s str> {
        self.every().find_map(|schema| schema.get("description")?.as_str())
    }

    /// What it is where nothing is written.
    pub(crate) fn default(&self) -> Option<&'s Value> {
        self.every().find_map(|schema| schema.get("default")).filter(|value| !value.is_null())
    }

    /// The values there are to choose from, if they are few and known.
    pub(crate) fn choices(&self) -> Vec<String> {
        let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let listed = self.every().filter_map(|schema| schema.get("enum")?.as_array()).flatten().map(plain);
        let is_boolean = |schema: &Value| schema.get("type").and_then(Value::as_str) == Some("boolean");
        let truths = if self.every().any(is_boolean) { vec!["true", "false"] } else { Vec::new() };
        listed.chain(truths.into_iter().map(str::to_owned)).collect()
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
