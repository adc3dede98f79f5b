//! Writes values as YAML that is read back as the same: block by block, every doubtful text in quotes.

use std::fmt::Write as _;

use serde_json::Value;

/// Words that YAML, or one of its versions, takes for something else than text.
const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// A value at this depth of spaces, beginning behind a key or a dash.
pub(super) fn behind(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            out.push('\n');
            members_at(value, depth, out);
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let _ = write!(out, "\n{:depth$}-", "");
                item_behind(item, depth + 2, out);
            }
        }
        Value::Object(_) => out.push_str(" {}"),
        Value::Array(_) => out.push_str(" []"),
        Value::String(text) => {
            out.push(' ');
            out.push_str(&scalar(text));
        }
        other => {
            let _ = write!(out, " {other}");
        }
    }
}

/// The members of a map, each on a line, the first where the text stands.
fn members_at(value: &Value, depth: usize, out: &mut String) {
    for (at, (name, member)) in value.as_object().into_iter().flatten().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let _ = write!(out, "{:depth$}{}:", "", key(name));
        behind(member, depth + 2, out);
    }
}

/// An item of a list: the first member of a map stands beside its dash.
fn item_behind(item: &Value, depth: usize, out: &mut String) {
    match item.as_object().is_some_and(|members| !members.is_empty()) {
        true => {
            let mut members = String::new();
            members_at(item, depth, &mut members);
            out.push(' ');
            out.push_str(members.trim_start_matches(' '));
        }
        false => behind(item, depth, out),
    }
}

/// A quoted key with ` #` in it looks like a text that a comment cuts short.
fn key(name: &str) -> String {
    scalar(name).replace('#', "\\u0023")
}

fn scalar(text: &str) -> String {
    let begins = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/');
    if begins && text.chars().all(is_plain) && !WORDS.contains(&text.to_ascii_lowercase().as_str()) {
        return text.to_owned();
    }
    let quoted = Value::from(text).to_string();
    let mut safe = String::with_capacity(quoted.len());
    for c in quoted.chars() {
        let is_hidden = c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}');
        match is_hidden {
            true => drop(write!(safe, "\\u{:04x}", u32::from(c))),
            false => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    /// A value that was written is read back as the JSON of a reply.
    fn check(value: &Value) {
        use flowrun::lang::SourceText;
        use flowrun::lang::case::{Answer, Body, read};
        let replies = Map::from_iter([("get".to_owned(), json!([{ "json": value }]))]);
        let case = json!([{ "name": "a case", "replies": replies }]);
        let mut text = "cases:".to_owned();
        behind(&case, 2, &mut text);
        let source = SourceText::new("x.test.yaml", text.clone().into_bytes()).unwrap();
        let suite = read(&source).unwrap_or_else(|mistakes| panic!("{text}\n{mistakes:?}"));
        let Answer::Reply { body: Body::Json(read), .. } = &suite.cases[0].replies[0].answer.is else {
            panic!("{text}")
        };
        assert_eq!(read, value, "{text}");
    }

    #[test]
    fn what_is_written_is_read_back() {
        check(&json!({ "a": [1, -2.5, 1e300, true, null, {}, [], [[1], { "b": [{ "c": 1, "d": 2 }] }]] }));
        let texts = [
            "",
            " ",
            "~",
            "null",
            "No",
            "007",
            "1.10",
            "{{x}}",
            "*a",
            "&a",
            "!t",
            "@x",
            "%",
            "- a",
            "a: b",
            "a #b",
            "#",
            "line\nline\r\n",
            "tab\t",
            "\u{7f}\u{85}\u{2028}\u{feff}",
            "\"'\\",
            "é\u{1f600}",
            "2026-01-01",
            "0x1f",
            ".5",
            "[redacted]",
            "a, b",
            "? x",
            "|",
            ">",
            "=",
            "<<",
            "x-y",
            "...",
            "---",
        ];
        check(&json!(texts.as_slice()));
        for text in texts {
            check(&Value::Object(Map::from_iter([(text.to_owned(), json!(text))])));
        }
    }
}
