//! Diagnostics as a SARIF 2.1.0 log: one run, a rule for each code that occurs, a result for each diagnostic.

use std::path::{Component, Path};

use flowrun::lang::{Code, Diagnostic, Place};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// Everything but RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The log of everything that was found; without results it says that nothing is wrong.
pub(super) fn log(diagnostics: &[Diagnostic]) -> Value {
    let mut codes: Vec<Code> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules: Vec<Value> = codes.iter().map(|code| rule(*code)).collect();
    let results: Vec<Value> = diagnostics.iter().map(|diagnostic| result(diagnostic, &codes)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "flowrun", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "name": format!("{code:?}"),
        "shortDescription": { "text": code.title() },
        "help": { "text": code.page(), "markdown": code.page() },
    })
}

fn result(diagnostic: &Diagnostic, codes: &[Code]) -> Value {
    let mut text = diagnostic.message.clone();
    for cause in &diagnostic.causes {
        text.push_str(&format!("\ncause: {cause}"));
    }
    if let Some(help) = &diagnostic.help {
        text.push_str(&format!("\nhelp: {help}"));
    }
    let locations: Vec<Value> = diagnostic.place.iter().map(location).collect();
    json!({
        "ruleId": diagnostic.code.as_str(),
        "ruleIndex": codes.binary_search(&diagnostic.code).ok(),
        "level": if diagnostic.is_error() { "error" } else { "warning" },
        "message": { "text": text },
        "locations": locations,
    })
}

fn location(place: &Place) -> Value {
    let region = json!({
        "startLine": place.line,
        "startColumn": place.column,
        "byteOffset": place.bytes.start,
        "byteLength": place.bytes.len(),
    });
    json!({
        "physicalLocation": { "artifactLocation": { "uri": uri(&place.file) }, "region": region },
        "logicalLocations": [{ "fullyQualifiedName": place.path }],
    })
}

/// A file as a URI reference: relative stays relative, for whoever shows the log knows where the files are.
fn uri(file: &str) -> String {
    let path = Path::new(file);
    let segments = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(utf8_percent_encode(&name.to_string_lossy(), SEGMENT).to_string()),
        Component::ParentDir => Some("..".to_owned()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    let segments: Vec<String> = segments.collect();
    let root = if path.is_absolute() { "file:///" } else { "" };
    format!("{root}{}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_as_a_uri() {
        for (file, expected) in [
            ("flows/a.flow.yaml", "flows/a.flow.yaml"),
            ("./a b#c.yaml", "a%20b%23c.yaml"),
            ("../x/é.yaml", "../x/%C3%A9.yaml"),
            ("/tmp/a.yaml", "file:///tmp/a.yaml"),
            ("-", "-"),
        ] {
            assert_eq!(uri(file), expected);
        }
    }
}
