//! Whatever is typed, a check ends with words, never with a panic: half a flow, a flow with a slip, noise.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod house;

use flowrun_lang::graph::Graph;
use flowrun_lang::{Flows, SourceText, Unread, check_with};
use proptest::prelude::*;

/// Something of everything a flow can hold.
const GOOD: &str = r#"name: käse
description: 'It''s all'
inputs:
  id: { type: string, pattern: '^[0-9]+$', default: "42" }
  count: { type: integer, minimum: 1, default: 3 }
secrets: [KEY]
timeout: 5m
steps:
  - id: contact
    fetch_variables:
      url: https://api.example.com/c?id={{id}}
      headers: { X-Key: "{{secrets.KEY}}" }
      variables: { last_name: "data['last-name']", first: { path: data.first, default: "–" } }
    retry: { times: 3, wait: 1s, errors: [connect, 5xx] }
    on_error:
      - send: Sorry about {{id}} 😀
      - fail:
    finally:
      - log: { text: "done \"it\" {{id}}", level: info, data: [1.5, ~, { a: b }] }
  - if: count > 1 and last_name != "é"
    then: [{ set: { total: 5 } }]
    else:
      - compute: { total: count * 2 }
  - send: |
      Dear {{first}} {{last_name}},
        it is {{total}}.
    undo: [ { send: "Never mind, {{last_name}}." } ]
  - call: { flow: parts/other.yaml, inputs: { who: "{{last_name}}" } }
    into: answer
  - end: { outputs: { total: "{{total}}" } }
outputs: { total: "{{total}}", answer: "{{answer}}" }
"#;

/// The one flow beside the good one.
struct Beside;

impl Flows for Beside {
    fn read(&self, path: &str) -> Result<SourceText, Unread> {
        let text = b"inputs: { who: { type: string } }\nsteps:\n  - send: Hello {{who}}.\n";
        match path {
            "parts/other.yaml" => Ok(SourceText::new(path, text.to_vec()).unwrap()),
            _ => Err(Unread::Because("there is no such file".to_owned())),
        }
    }
}

/// Checks a text, and asks for every place, as whoever shows the mistakes would.
fn is_checked(text: &str) {
    let source = SourceText::new("flow.yaml", text.as_bytes().to_vec()).unwrap();
    let checked = check_with(&source, &house::catalog(), &Beside);
    let has_errors = checked.diagnostics.iter().any(flowrun_lang::Diagnostic::is_error);
    assert_eq!(checked.flow.is_some(), !has_errors, "{text}");
    if let Some(flow) = &checked.flow {
        // Whatever is right can be drawn.
        assert!(!Graph::of(flow).nodes.is_empty(), "{text}");
    }
    for problem in &checked.diagnostics {
        assert!(problem.help.as_ref().is_some_and(|help| !help.is_empty()), "no help: {problem}\n{text}");
        let bytes = problem.place.as_ref().unwrap().bytes.clone();
        assert!(text.trim_start_matches('\u{feff}').get(bytes).is_some(), "{problem}\n{text}");
    }
}

/// The good flow with some of its bytes' characters left out and something put in their place.
fn slips() -> impl Strategy<Value = String> {
    let mark = prop::sample::select(vec![
        "", " ", "\n", "\t", "{", "}", "[", "]", "{{", "}}", "\"", "'", ":", ": ", "- ", "#", " #", "*", "&",
        "!", "|", ">", "%", "@", "`", "?", ",", "\\", "é", "<<: ", "---\n", "~", "\u{feff}", "\r\n",
    ]);
    (0..GOOD.chars().count(), 0..12_usize, mark).prop_map(|(at, out, mark)| {
        let before: String = GOOD.chars().take(at).collect();
        let after: String = GOOD.chars().skip(at + out).collect();
        format!("{before}{mark}{after}")
    })
}

/// JSON without templates in it, and with every sign that YAML has a meaning for.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let text = "[a-zé :,#&*!|>'%@?\\[\\]\"\\-]{0,12}";
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        text.prop_map(Into::into),
    ];
    let value = leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map("[a-z-]{1,6}", inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    });
    prop::collection::btree_map("[a-z-]{1,6}", value, 0..4).prop_map(|members| members.into_iter().collect())
}

#[test]
fn the_good_flow_is_good() {
    let source = SourceText::new("flow.yaml", GOOD.as_bytes().to_vec()).unwrap();
    let said = check_with(&source, &house::catalog(), &Beside).diagnostics;
    assert!(said.is_empty(), "{said:?}");
}

#[test]
fn every_beginning_of_a_good_flow_is_checked() {
    for (at, _) in GOOD.char_indices() {
        is_checked(&GOOD[..at]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// JSON is YAML, so a body copied from a provider's page stands under `json:` as it is.
    #[test]
    fn any_json_pasted_into_a_setting_is_taken(value in json()) {
        for body in [value.to_string(), serde_json::to_string_pretty(&value).unwrap().replace('\n', "\n        ")] {
            let text = format!("steps:\n  - http_request:\n      url: https://api.example.com/\n      json: {body}\n");
            let source = SourceText::new("flow.yaml", text.as_bytes().to_vec()).unwrap();
            let said = check_with(&source, &house::catalog(), &Beside).diagnostics;
            prop_assert!(!said.iter().any(flowrun_lang::Diagnostic::is_error), "{said:#?}\n{text}");
        }
    }

    #[test]
    fn any_text_is_checked(text in "\\PC{0,200}") {
        is_checked(&text);
    }

    #[test]
    fn any_yaml_like_noise_is_checked(text in "([a-z]{1,3}|: |\n {0,4}|- |[{}\\[\\]\"'#*&!|>%@`?,\\\\\t~]|\\{\\{|\\}\\}|é){0,60}") {
        is_checked(&text);
    }

    #[test]
    fn a_good_flow_with_a_slip_is_checked(text in slips()) {
        is_checked(&text);
    }
}
