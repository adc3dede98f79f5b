//! The JSON Schema of a flow against the flows there are: what a check finds right conforms, and gross mistakes do not.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod house;

use std::fs;
use std::path::{Path, PathBuf};

use flowrun_lang::{Code, SourceText, check, flow_schema};
use flowrun_step::StepSet;
use flowrun_step_fetch_variables::FetchVariables;
use flowrun_step_http_request::HttpRequest;
use jsonschema::Validator;
use serde_json::Value;

fn validator() -> Validator {
    let steps = StepSet::new().with(FetchVariables).unwrap().with(HttpRequest).unwrap();
    jsonschema::draft7::new(&flow_schema(&steps)).unwrap()
}

fn value(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

/// What is against the schema in a flow.
fn complaints(validator: &Validator, text: &str) -> Vec<String> {
    let value = value(text);
    let said = validator.iter_errors(&value);
    said.map(|error| format!("{}: {error}", error.instance_path().as_str())).collect()
}

fn folder(path: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// The last YAML example of a page: the flow put right.
fn right(page: &str) -> Option<&str> {
    page.split("```yaml\n").skip(1).last().map(|rest| rest.split("```").next().unwrap())
}

#[test]
fn the_schema_is_one_itself() {
    let steps = StepSet::new().with(FetchVariables).unwrap().with(HttpRequest).unwrap();
    assert!(jsonschema::draft7::meta::is_valid(&flow_schema(&steps)));
}

#[test]
fn every_flow_of_the_house_conforms() {
    let validator = validator();
    for file in folder("flows").into_iter().filter(|file| !file.to_string_lossy().ends_with(".test.yaml")) {
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(complaints(&validator, &text), [""; 0], "{}", file.display());
    }
}

#[test]
fn every_flow_a_page_shows_as_right_conforms() {
    let validator = validator();
    let flows = Code::ALL.iter().filter_map(|code| Some((code, right(code.page())?)));
    for (code, text) in flows {
        assert_eq!(complaints(&validator, text), [""; 0], "{code}:\n{text}");
    }
}

/// L-7a, L-8, L-9: what an author may write, one of each.
#[test]
fn every_form_of_the_language_conforms() {
    let text = r#"
name: everything
version: 1.10
x-note: nobody's
inputs: { id: , n: { type: integer, default: 3, minimum: 1, sensitive: true } }
secrets: [KEY]
integrations: { teamleader: , zoho_eu: { scopes: [ZohoCRM.org.READ] } }
timeout: 1h30m
limits: { steps: 500, items: 20 }
steps:
  - set: { x: [1, "{{n}}"], y: null }
  - compute: { z: n + 1, yes_: true }
  - if: n > 1
    then: [{ log: { text: More., level: debug, data: { a: 1 } } }]
    else: [{ log: 7 }]
  - switch: [{ if: n == 1, then: [] }, { else: [{ send: { text: Hi., to: +31612345678 } }] }]
  - for_each: { in: x, as: it, concurrency: 2, collect: it }
    do: [{ log: "{{it}}" }]
    into: all
  - repeat: { max: 3, until: index > 1, every: 1s }
    do: [{ wait: { until: timestamp("2026-01-01T00:00:00Z"), before: 1h } }]
  - parallel: { a: [{ wait: "{{n}}s" }], b: [] }
    join: any
  - do: [{ send: Hi. }]
    id: block
    if: n > 2
    timeout: 5s
    finally: [{ log: Over. }]
    on_error: continue
  - http_request:
      method: DELETE
      url: "{{id}}/a"
      query: { a: null, b: [1, "2"], c: "{{n}}" }
      headers: { X-N: 5, Authorization: "Bearer {{secrets.KEY}}" }
      json: "{{x}}"
      timeout: 500ms
      expect: [2xx, 404, "200-204"]
      idempotency_key: "{{run.id}}"
      variables: { last: { path: data.last, default: none, type: string } }
    retry: { times: 2, wait: 1s, errors: [429, 5xx, connect] }
    on_error: [{ fail: }, fail]
  - fetch_variables: { url: "https://a.example/", variables: [last], safe: true }
  - if: z == 1
    fail: { name: bad, message: "{{last}}" }
  - end: { outputs: { a: "{{all}}" } }
  - end
outputs: { y: "{{y}} {{yes_}}" }
"#;
    let source = SourceText::new("flow.yaml", text.as_bytes().to_vec()).unwrap();
    let errors: Vec<_> =
        check(&source, &house::catalog()).diagnostics.into_iter().filter(|said| said.is_error()).collect();
    assert_eq!(errors, []);
    assert_eq!(complaints(&validator(), text), [""; 0]);
}

#[test]
fn what_is_grossly_wrong_does_not_conform() {
    let validator = validator();
    for text in [
        "name: t",
        "steps: []\nstep: []",
        "steps: { send: Hello. }",
        "steps: [{ sned: Hello. }]",
        "steps: [{ send: Hello., log: Said. }]",
        "steps: [{ send: }]",
        "steps: [{ send: Hello., timeout: 30 }]",
        "steps: [{ send: Hello., timeout: 30x }]",
        "steps: [{ send: Hello., retry: 11 }]",
        "steps: [{ send: Hello., id: my-step }]",
        "steps: [{ send: Hello., then: [] }]",
        "steps: [{ for_each: x }]",
        "steps: [{ if: x > 1 }]",
        "steps: [{ http_request: { method: GET } }]",
        "steps: [{ http_request: { url: 'https://a.example/', methud: GET } }]",
        "steps: [{ http_request: { url: 'https://a.example/', integration: '{{x}}' } }]",
        "steps: [{ http_request: { url: 'https://a.example/', max_bytes: many } }]",
        "steps: [stop]",
        "inputs: { id: { type: text } }\nsteps: []",
        "integrations: [zoho]\nsteps: []",
        "integrations: { zoho: { scope: [a] } }\nsteps: []",
        "integrations: { zoho: { scopes: a } }\nsteps: []",
    ] {
        assert_ne!(complaints(&validator, text), [""; 0], "{text}");
    }
}
