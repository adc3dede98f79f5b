//! Which paths an editor offers into a reply: those that the cases beside the flow have; `¦` is the cursor.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod house;

use std::borrow::Cow;

use flowrun_lang::SourceText;
use flowrun_lang::editor::{self, Completion};

const CASES: &str = r#"
cases:
  - name: finds one
    replies:
      contact:
        - { status: 503, json: { error: busy } }
        - json:
            data: { last_name: Doe, "odd key": 1, emails: [ { email: a@example.com, primary: true } ] }
      list: { json: { contacts: [ { id: 1 } ], meta: { next: "https://api.example.com/?page=2" } } }
      other: { json: { elsewhere: 1 } }
  - name: finds another
    replies:
      - when: { method: GET, url: "https://api.example.com/deals*" }
        json: { deals: [], total: 3.5 }
      - when: { url: "https://other.example.com/x" }
        json: { elsewhere: 1 }
"#;

fn completed(text: &str, cases: &str) -> (String, Vec<Completion>) {
    let (offset, text) = (text.find('¦').unwrap(), text.replace('¦', ""));
    let source = |name: &str, text: &str| SourceText::new(name, text.as_bytes().to_vec()).unwrap();
    let (flow, cases) = (source("f.flow.yaml", &text), source("f.test.yaml", cases));
    let found = editor::complete_with(&flow, offset, &house::catalog(), || Some(Cow::Borrowed(&cases)));
    (text, found)
}

#[track_caller]
fn offers(text: &str, expected: &[&str]) {
    let found = completed(text, CASES).1;
    assert_eq!(found.iter().map(|found| found.label.as_str()).collect::<Vec<_>>(), expected);
}

/// The text once the completion of that label is taken.
fn taken(text: &str, label: &str) -> String {
    let (mut text, found) = completed(text, CASES);
    let edit = found.into_iter().find(|found| found.label == label).unwrap().edit;
    text.replace_range(edit.bytes, &edit.text);
    text
}

const OF_CONTACT: [&str; 9] = [
    "data",
    "data.last_name",
    "data['odd key']",
    "data.emails",
    "data.emails[0]",
    "data.emails[0].email",
    "data.emails[0].primary",
    "data.emails[*]",
    "data.emails[*].email",
];

#[test]
fn a_pick_is_offered_what_good_replies_to_its_own_step_have() {
    let all: Vec<&str> = OF_CONTACT.into_iter().chain(["data.emails[*].primary"]).collect();
    let step = "steps:\n  - id: contact\n    fetch_variables:\n      url: https://api.example.com/c\n      variables: ";
    for picks in
        ["\n        name: ¦\n", "\n        name: data.la¦\n", "{ name: ¦ }\n", "{ name: { path: ¦ } }\n"]
    {
        offers(&format!("{step}{picks}"), &all);
    }
}

#[test]
fn what_a_path_leads_to_is_said_without_what_is_there() {
    let text = "steps:\n  - id: contact\n    fetch_variables: { url: x, variables: { name: ¦ } }\n";
    let found = completed(text, CASES).1;
    let said: Vec<&str> = found.iter().filter_map(|found| found.detail.as_deref()).take(3).collect();
    assert_eq!(said, ["a map, in `finds one`", "a text, in `finds one`", "a number, in `finds one`"]);
    assert!(!format!("{found:?}").contains("Doe"));
}

#[test]
fn a_step_without_an_id_is_known_by_its_url() {
    let step = "steps:\n  - http_request:\n      url: https://api.example.com/deals?of={{id}}\n      variables:\n        all: ¦\n";
    offers(step, &["deals", "total"]);
    offers(&step.replace("https://api.example.com/deals", "{{base}}"), &[]);
}

#[test]
fn pages_are_described_by_paths_into_one_reply_and_picked_from_all_of_them() {
    let list = |settings: &str| {
        format!(
            "steps:\n  - id: list\n    http_request:\n      url: https://api.example.com/contacts\n      {settings}\n"
        )
    };
    let one =
        ["contacts", "contacts[0]", "contacts[0].id", "contacts[*]", "contacts[*].id", "meta", "meta.next"];
    for paginate in
        ["paginate:\n        items: ¦", "paginate: { items: contacts, next: ¦", "paginate: { next: { from: ¦"]
    {
        offers(&list(paginate), &one);
    }
    offers(
        &list("paginate: { items: contacts, next: meta.next }\n      variables: { all: ¦ }"),
        &["items", "pages"],
    );
}

#[test]
fn taking_one_replaces_what_was_typed_and_quotes_brackets_within_a_map() {
    let step = "steps:\n  - id: contact\n    fetch_variables:\n      url: x\n      variables:";
    for (before, label, after) in [
        ("\n        name: data.la¦", "data.last_name", "\n        name: data.last_name"),
        (
            "\n        name: data.em¦ails[0].x\n",
            "data.emails[0].email",
            "\n        name: data.emails[0].email\n",
        ),
        (" { name: data¦ }\n", "data.emails[0].email", " { name: \"data.emails[0].email\" }\n"),
        (" { name: data.¦ }\n", "data.last_name", " { name: data.last_name }\n"),
    ] {
        assert_eq!(taken(&format!("{step}{before}"), label), format!("{step}{after}"));
    }
}

#[test]
fn elsewhere_or_without_a_readable_test_file_nothing_changes() {
    let step = "steps:\n  - id: contact\n    http_request: { url: x, method: ¦ }\n";
    assert!(completed(step, CASES).1.iter().any(|found| found.label == "GET"));
    let pick = "steps:\n  - id: contact\n    http_request: { url: x, variables: { a: ¦ } }\n";
    assert_eq!(completed(pick, "cases: [\n").1, []);
}
