//! Takes what is secret out of a recording, by the one net for secrets: what is known by value, what is named so.
//!
//! A value that stands behind a secret name somewhere is then cut out wherever else it stands.

use flowrun::template::{Redactor, is_named_secret};
use serde_json::Value;

use crate::net::{FEWEST_BYTES, Net};

/// What stands where a secret stood.
pub(super) const REDACTED: &str = "[redacted]";

/// The net, and what this recording has taught it.
pub(super) struct Scrub<'n> {
    net: &'n Net,
    learnt: Redactor,
}

impl<'n> Scrub<'n> {
    pub(super) fn new(net: &'n Net) -> Self {
        Self { net, learnt: Redactor::new() }
    }

    /// Learns every text in a value, unless it is too short to be told from a word.
    pub(super) fn learn(&mut self, secret: &Value) {
        match secret {
            Value::String(text) if text.len() >= FEWEST_BYTES => self.learnt.add(&text.as_str().into()),
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            Value::Object(members) => members.values().for_each(|member| self.learn(member)),
            Value::Number(number) if number.to_string().len() >= FEWEST_BYTES => {
                self.learnt.add(&number.to_string().into());
            }
            _ => {}
        }
    }

    /// Learns what stands behind secret names in a value.
    pub(super) fn study(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.study(item)),
            Value::Object(members) => {
                for (name, member) in members {
                    if is_named_secret(name) { self.learn(member) } else { self.study(member) }
                }
            }
            _ => {}
        }
    }

    /// What is left of a text.
    pub(super) fn text(&self, text: &str) -> String {
        self.net.clean(&self.learnt.redact(text))
    }

    /// What is left of a value; a secret name keeps a text in place of what it held, which keeps its kind otherwise.
    pub(super) fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Number(number) if self.text(&number.to_string()) == REDACTED => *value = Value::from(0),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(members) => {
                for (name, member) in std::mem::take(members) {
                    let mut member = member;
                    if is_named_secret(&name) {
                        emptied(&mut member)
                    } else {
                        self.value(&mut member)
                    }
                    members.insert(self.text(&name), member);
                }
            }
            _ => {}
        }
    }

    /// A URL as `when` has it: a star stands where a secret stood.
    pub(super) fn pattern(&self, url: &str) -> String {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let parts = query.split('&').filter(|part| !part.is_empty());
        let parts: Vec<String> = parts
            .map(|part| match part.split_once('=') {
                Some((name, _)) if is_named_secret(name) => format!("{name}=*"),
                _ => self.text(part),
            })
            .collect();
        let mark = if parts.is_empty() { "" } else { "?" };
        format!("{}{mark}{}", self.text(path), parts.join("&")).replace(REDACTED, "*")
    }
}

/// The same without what it says.
fn emptied(value: &mut Value) {
    match value {
        Value::String(text) => *text = REDACTED.to_owned(),
        Value::Number(_) => *value = Value::from(0),
        Value::Array(items) => items.iter_mut().for_each(emptied),
        Value::Object(members) => members.values_mut().for_each(emptied),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_named_secret_once_is_cut_out_everywhere() {
        let (net, reply) = (Net::default(), json!({ "session_id": "abcdefgh-1", "pin_token": 1234, "n": 1 }));
        let mut scrub = Scrub::new(&net);
        scrub.study(&reply);
        let mut kept = json!([reply, "so abcdefgh-1 it is", { "nextPageToken": "page-two" }]);
        scrub.value(&mut kept);
        let expected = json!([
            { "session_id": "[redacted]", "pin_token": 0, "n": 1 },
            "so [redacted] it is",
            { "nextPageToken": "page-two" },
        ]);
        assert_eq!(kept, expected);
        let url = "https://h.example/a/abcdefgh-1?api_key=x&page=2";
        assert_eq!(scrub.pattern(url), "https://h.example/a/*?api_key=*&page=2");
    }
}
