//! What an editor is told about a flow that is being typed, with the two real HTTP steps; `¦` is the cursor.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod house;

use flowrun_lang::editor::{self, Symbol};
use flowrun_lang::{Catalog, SourceText, check};
use flowrun_step::{IntegrationName, IntegrationState, IntegrationStatus, NeedsAttention};
use proptest::prelude::*;

fn catalog() -> Catalog {
    let status = |name: &str, state| IntegrationStatus {
        kept: vec!["api_domain".to_owned()],
        ..IntegrationStatus::new(IntegrationName::new(name).unwrap(), state)
    };
    house::catalog().with_integrations(vec![
        status("teamleader", IntegrationState::Authorized),
        status("zoho", IntegrationState::NeedsAttention(NeedsAttention::Revoked)),
        status("draft", IntegrationState::Incomplete),
    ])
}

/// The text without its cursor, and where that was.
fn typed(text: &str) -> (SourceText, usize) {
    let offset = text.find('¦').unwrap();
    (SourceText::new("f.flow.yaml", text.replace('¦', "").into_bytes()).unwrap(), offset)
}

fn completed(text: &str) -> Vec<editor::Completion> {
    let (source, offset) = typed(text);
    editor::complete(&source, offset, &catalog())
}

fn labels(text: &str) -> Vec<String> {
    completed(text).into_iter().map(|found| found.label).collect()
}

#[track_caller]
fn offers(text: &str, wanted: &[&str], unwanted: &[&str]) {
    let found = labels(text);
    let missing: Vec<_> = wanted.iter().filter(|label| !found.iter().any(|f| f == *label)).collect();
    let surplus: Vec<_> = unwanted.iter().filter(|label| found.iter().any(|f| f == *label)).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "missing {missing:?}, surplus {surplus:?} of {found:?}"
    );
}

fn hovered(text: &str) -> String {
    let (source, offset) = typed(text);
    editor::hover(&source, offset, &catalog()).map(|hover| hover.text).unwrap_or_default()
}

#[test]
fn a_flow_a_step_and_an_input_are_offered_the_keys_they_do_not_have_yet() {
    offers("name: x\n¦", &["steps", "inputs", "outputs"], &["name", "send"]);
    offers("inputs:\n  id: { type: string, ¦ }\n", &["default", "pattern"], &["type"]);
    offers("steps:\n  - ¦", &["fetch_variables", "send", "for_each", "id", "if"], &["then", "steps"]);
    offers("steps:\n  - send: hi\n  - lo¦", &["log", "send", "id"], &["steps"]);
    offers("steps:\n  - send: hi\n    ¦", &["id", "retry", "on_error"], &["send", "log", "fetch_variables"]);
    offers("steps:\n  - if: a == 1\n    ¦", &["then", "else", "send"], &["if"]);
    offers("steps:\n  - for_each: a\n    ¦\n  - end\n", &["do", "into"], &["then", "send"]);
}

#[test]
fn a_kind_is_offered_its_settings_with_what_they_are_for_the_required_ones_first() {
    let found = completed("steps:\n  - fetch_variables:\n      ¦\n");
    assert_eq!(found[0].label, "url");
    let timeout = found.iter().find(|found| found.label == "timeout").unwrap();
    assert!(timeout.documentation.as_ref().unwrap().contains("`30s`"), "{timeout:?}");
    offers("steps:\n  - fetch_variables: { url: x, ¦ }\n", &["integration", "variables"], &["url"]);
    offers("steps:\n  - http_request:\n      method: ¦\n", &["GET", "DELETE"], &["get"]);
    offers("steps:\n  - http_request: { safe: ¦ }\n", &["true", "false"], &[]);
    offers("steps:\n  - log: { text: a, level: ¦ }\n", &["debug", "warn"], &["text"]);
    offers("steps:\n  - retry:\n      errors:\n        - ¦\n", &["5xx", "connect"], &["times"]);
    offers("inputs: { a: { type: ¦ } }\n", &["integer", "duration"], &["type"]);
    offers("steps:\n  - parallel: { a: [] }\n    join: ¦\n", &["any", "all"], &[]);
    offers("steps:\n  - send: a\n    on_error: ¦\n", &["continue"], &[]);
}

/// What is offered and what is accepted cannot drift apart: the checker lists what it knows beside a stranger.
#[test]
fn every_map_is_offered_exactly_the_keys_that_the_checker_knows_there() {
    for map in [
        "¦: 1",
        "inputs: { a: { ¦: 1 } }",
        "limits: { ¦: 1 }",
        "integrations: { zoho: { ¦: 1 } }",
        "steps: [ { send: { text: a, ¦: 1 } } ]",
        "steps: [ { log: { text: a, ¦: 1 } } ]",
        "steps: [ { fail: { name: a, ¦: 1 } } ]",
        "steps: [ { end: { ¦: 1 } } ]",
        "steps: [ { wait: { until: now, ¦: 1 } } ]",
        "steps: [ { ask: { text: a, ¦: 1 } } ]",
        "steps: [ { respond: { ¦: 1 } } ]",
        "steps: [ { emit: { event: a, ¦: 1 } } ]",
        "trigger: { message: { ¦: 1 } }",
        "trigger: { schedule: { cron: a, ¦: 1 } }",
        "trigger: { webhook: { path: a, ¦: 1 } }",
        "trigger: { event: { name: a, ¦: 1 } }",
        "steps: [ { repeat: { max: 1, ¦: 1 }, do: [] } ]",
        "steps: [ { for_each: { in: \"[1]\", ¦: 1 }, do: [] } ]",
        "steps: [ { send: a, retry: { times: 1, ¦: 1 } } ]",
        "steps: [ { switch: [ { if: \"true\", then: [], ¦: 1 } ] } ]",
        "steps: [ { send: a, ¦: 1 } ]",
        "steps: [ { ¦: 1 } ]",
        "steps: [ { http_request: { url: x, ¦: 1 } } ]",
    ] {
        let text = map.replace('¦', "qqqqqqqqqqqq");
        let source = SourceText::new("f", text.into_bytes()).unwrap();
        let problems = check(&source, &catalog()).diagnostics;
        let mut known =
            problems.iter().filter_map(|problem| problem.help.as_ref()?.strip_prefix("known here: "));
        let mut known: Vec<&str> = known.next_back().unwrap().split(", ").collect();
        let mut offered = labels(map);
        let is_there = |key: &str| map.contains(&format!("{key}: "));
        // Where there is no kind yet, the checker lists the kinds alone.
        let is_kindless = map == "steps: [ { ¦: 1 } ]";
        let beside = ["id", "timeout", "retry", "on_error", "finally", "in_doubt", "undo", "into"];
        offered.retain(|label| !is_kindless || !beside.contains(&label.as_str()));
        known.retain(|key| !is_there(key));
        offered.sort();
        known.sort();
        assert_eq!(offered, known, "{map}");
    }
}

#[test]
fn only_integrations_that_can_be_used_are_offered() {
    assert_eq!(labels("steps:\n  - fetch_variables:\n      integration: ¦\n"), ["teamleader"]);
    assert_eq!(labels("steps:\n  - fetch_variables: { integration: te¦ }\n"), ["teamleader"]);
    let text = "steps:\n  - fetch_variables:\n      url: \"{{integrations.teamleader.¦\n";
    assert_eq!(labels(text), ["api_domain"]);
}

/// L-13, L-11: what has a value depends on the way there.
/// What a flow may list: integrations as keys, and beneath each what it was granted.
#[test]
fn integrations_and_their_scopes_are_offered_and_explained_in_the_flows_own_list() {
    let catalog = house::catalog();
    let offered = |text: &str| -> Vec<String> {
        let (source, offset) = typed(text);
        editor::complete(&source, offset, &catalog).into_iter().map(|found| found.edit.text).collect()
    };
    assert_eq!(offered("integrations:\n  ¦\n"), ["teamleader: ", "zoho_eu: "]);
    assert_eq!(offered("integrations: { teamleader: , ¦ }\n"), ["zoho_eu: "]);
    assert_eq!(offered("integrations:\n  zoho_eu:\n    ¦\n"), ["scopes: "]);
    assert_eq!(offered("integrations:\n  Zoho_EU:\n    scopes:\n      - ¦\n"), ["ZohoCRM.org.READ"]);
    assert_eq!(offered("integrations: { zoho_eu: { scopes: [Zoho¦] } }\n"), ["ZohoCRM.org.READ"]);
    let hovered = |text: &str| {
        let (source, offset) = typed(text);
        editor::hover(&source, offset, &catalog).map(|hover| hover.text).unwrap_or_default()
    };
    assert!(hovered("integrations:\n  zoho¦_eu:\nsteps: []\n").contains("Integration, authorized."));
    let scope =
        |scope: &str| hovered(&format!("integrations: {{ zoho_eu: {{ scopes: [{scope}] }} }}\nsteps: []\n"));
    assert_eq!(scope("ZohoCRM.o¦rg.READ"), "**ZohoCRM.org.READ**\n\nA scope of `zoho_eu`. It was granted.");
    assert_eq!(scope("ZohoCRM.org.A¦LL"), "**ZohoCRM.org.ALL**\n\nA scope of `zoho_eu`. It was not granted.");
}

#[test]
fn variables_are_offered_by_whether_they_have_a_value_there() {
    let flow = "inputs: { given: }\nsteps:\n  - set: { early: 1 }\n  - if: given == 1\n    then: [ { set: { perhaps: 1 } } ]\n  - send: \"é {{¦\n  - set: { late: 1 }\n";
    let found = completed(flow);
    let detail = |name: &str| {
        found.iter().find(|found| found.label == name).map(|found| found.detail.clone().unwrap())
    };
    assert_eq!(detail("given").as_deref(), Some("has a value here"));
    assert_eq!(detail("early").as_deref(), Some("has a value here"));
    assert_eq!(detail("perhaps").as_deref(), Some("may have no value here"));
    assert_eq!(detail("late"), None);
    offers(flow, &["default", "json", "steps", "now"], &["error", "item", "index", "secrets"]);
}

#[test]
fn a_loop_a_handler_and_a_compute_are_offered_what_they_alone_know() {
    offers("steps:\n  - for_each: [1]\n    do:\n      - send: \"{{¦\"\n", &["item", "index"], &["error"]);
    let named = "steps:\n  - for_each: { in: \"[1]\", as: contact }\n    do:\n      - send: {{¦\n";
    offers(named, &["contact", "index"], &["item"]);
    let outside =
        "steps:\n  - for_each: { in: \"[1]\", as: contact }\n    do: [ { send: a } ]\n  - send: \"{{¦\"\n";
    offers(outside, &["now"], &["contact", "index"]);
    offers("steps:\n  - fail: x\n    on_error:\n      - if: ¦\n", &["error", "now"], &["default"]);
    offers("steps:\n  - compute:\n      a: 1\n      b: a + ¦\n      c: 3\n", &["a"], &["c"]);
    offers("steps:\n  - set: { a: 1 }\noutputs:\n  x: \"{{¦\"\n", &["a"], &[]);
}

#[test]
fn after_a_dot_its_members_are_offered() {
    let steps = "steps:\n  - id: contact\n    send: a\n  - if: steps.¦\n";
    assert_eq!(labels(steps), ["contact"]);
    let fields = "steps:\n  - id: contact\n    send: a\n  - send: \"{{steps.contact.¦}}\"\n";
    assert_eq!(labels(fields), ["status", "output", "error", "attempts"]);
    let secret = "secrets: [KEY]\nsteps:\n  - http_request:\n      headers: { X: \"{{secrets.¦}}\" }\n";
    assert_eq!(labels(secret), ["KEY"]);
    offers("secrets: [KEY]\nsteps:\n  - http_request:\n      headers: { X: \"{{¦}}\" }\n", &["secrets"], &[]);
}

#[test]
fn a_completion_replaces_the_word_that_was_begun_and_keeps_a_colon_that_is_there() {
    let edit = |text: &str, label: &str| {
        let found = completed(text).into_iter().find(|found| found.label == label).unwrap().edit;
        let text = text.replace('¦', "");
        format!("{}{}{}", &text[..found.bytes.start], found.text, &text[found.bytes.end..])
    };
    assert_eq!(edit("é: 1\nst¦", "steps"), "é: 1\nsteps: ");
    assert_eq!(edit("steps:\n  - se¦: hi\n", "send"), "steps:\n  - send: hi\n");
    let text = "inputs: { name: }\nsteps:\n  - send: \"é {{na¦me}}\"\n";
    assert_eq!(edit(text, "name"), text.replace('¦', ""));
}

#[test]
fn hovering_says_what_a_word_is_for_and_where_a_variable_comes_from() {
    assert!(
        hovered("steps:\n  - fetch_vari¦ables: { url: x, into: y }\n")
            .contains("keeps parts of its JSON reply")
    );
    assert!(
        hovered("steps:\n  - http_request:\n      redi¦rects: 1\n      url: x\n")
            .contains("redirects are followed")
    );
    assert!(hovered("steps:\n  - send: hi\n    ret¦ry: 3\n").contains("further attempts"));
    assert!(hovered("inputs: { x: }\nsteps:\n  - send: \"{{upp¦er x}}\"\n").contains("in capitals"));
    assert_eq!(hovered("inputs: { x: }\nsteps:\n  - send: \"{{x}} upp¦er\"\n"), "", "a word among words");
    let flow = "inputs: { id: { type: integer, default: 3 } }\nsteps:\n  - id: c\n    fetch_variables: { url: https://a.example, variables: { name: data.name } }\n  - send: \"é {{id}} {{na¦me}}\"\n";
    assert!(
        hovered(flow).contains("by `fetch_variables` in step `c`, line 4, from `data.name`"),
        "{}",
        hovered(flow)
    );
    let input = flow.replace('¦', "").replace("{{id}}", "{{i¦d}}");
    assert!(hovered(&input).contains("Input, type `integer`, `3` unless given"), "{}", hovered(&input));
}

#[test]
fn hovering_says_the_state_of_an_integration_and_the_page_of_a_mistake() {
    let at =
        |name: &str| format!("steps:\n  - fetch_variables: {{ url: x, into: y, integration: {name} }}\n");
    assert!(hovered(&at("team¦leader")).contains("Integration, authorized."));
    let revoked = hovered(&at("zo¦ho"));
    assert!(revoked.contains("the grant was revoked") && revoked.contains("authorize zoho"), "{revoked}");
    let page = flowrun_lang::Code::UnknownKind.page().trim_end();
    assert!(hovered("steps:\n  - sn¦ed: hi\n").ends_with(page));
}

#[test]
fn a_definition_is_every_place_that_sets_the_name_and_references_are_all_that_say_it() {
    let flow = "steps:\n  - id: one\n    set: { é: 1, x: 1 }\n  - compute: { x: x + 1 }\n  - if: steps.one.status == \"done\"\n    send: \"{{x¦}} {{steps.one.status}}\"\n";
    let (source, offset) = typed(flow);
    let lines = |found: Vec<std::ops::Range<usize>>| -> Vec<usize> {
        let text = source.text();
        found
            .iter()
            .inspect(|bytes| assert!(["x", "one"].contains(&&text[(*bytes).clone()])))
            .map(|bytes| source.place("", bytes.clone()).line)
            .collect()
    };
    assert_eq!(lines(editor::definition(&source, offset, &catalog())), [3, 4]);
    assert_eq!(lines(editor::references(&source, offset, &catalog())), [3, 4, 4, 6]);
    let step = source.text().find("one.status").unwrap();
    assert_eq!(lines(editor::definition(&source, step, &catalog())), [2]);
    assert_eq!(lines(editor::references(&source, step, &catalog())), [2, 5, 6]);
}

#[test]
fn a_name_that_is_also_the_key_of_a_pick_is_not_renamed_silently() {
    let flow = "steps:\n  - fetch_variables: { url: https://a.example, variables: [name] }\n  - send: \"{{na¦me}}\"\n";
    let (source, offset) = typed(flow);
    let why = editor::rename(&source, offset, "other", &catalog()).unwrap_err();
    assert!(why.contains("variables: { name: name }"), "{why}");
}

fn outline(symbols: &[Symbol]) -> String {
    let one = |symbol: &Symbol| {
        let detail = symbol.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
        format!("{}{detail}[{}]", symbol.name, outline(&symbol.children))
    };
    symbols.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_outline_is_the_steps_as_a_tree_and_survives_a_line_that_is_no_yaml() {
    let flow = "inputs: { id: }\nsteps:\n  - id: c\n    send: a\n    on_error: [ end ]\n  - if: a\n    then: [ { log: x } ]\n  - switch:\n    - { if: a, then: [ end ] }\noutputs: { o: 1 }\n";
    let tree =
        "inputs[id[]] steps[c (send)[on_error[end[]]] if[then[log[]]] switch[then[end[]]]] outputs[o[]]";
    let (source, _) = typed(&format!("{flow}¦"));
    assert_eq!(outline(&editor::symbols(&source, &catalog())), tree);
    let broken = flow.replace("  - if: a\n", "  - if: a\n   what: is this\n");
    let (source, _) = typed(&format!("{broken}¦"));
    assert_eq!(outline(&editor::symbols(&source, &catalog())), tree);
}

#[test]
fn what_is_declared_below_and_above_a_line_that_is_no_yaml_is_still_known() {
    offers(
        "inputs:\n  given: { type: string }\nsteps:\n  - id: above\n    send: x\n  - wha\n   : [\n  - send: \"{{¦\n",
        &["given"],
        &[],
    );
    offers(
        "inputs:\n  given:\nsteps:\n  - fetch_variables:\n      url: https://a.example/{{¦\n      vari\n  - end\n",
        &["given"],
        &[],
    );
}

#[test]
fn other_yaml_is_no_flow() {
    for (name, text, is_flow) in [
        ("a/b.flow.yaml", "", true),
        ("flow.yml", "", true),
        ("x.yaml", "name: a\nsteps:\n", true),
        ("x.yaml", "services:\n  steps: 1\n", false),
        ("x.test.yaml", "steps:\n", false),
    ] {
        assert_eq!(editor::is_flow(name, text), is_flow, "{name}");
    }
}

const GOOD: &str = include_str!("editor/typed.flow.yaml");

/// Whatever is asked, wherever: an answer, no panic, and only places that are in the text.
fn is_answered(text: &str, offset: usize) {
    let source = SourceText::new("f.flow.yaml", text.as_bytes().to_vec()).unwrap();
    let text = source.text();
    for found in editor::complete(&source, offset, &catalog()) {
        assert!(text.get(found.edit.bytes).is_some(), "{text}");
    }
    if let Some(found) = editor::hover(&source, offset, &catalog()) {
        assert!(text.get(found.bytes).is_some(), "{text}");
    }
    for bytes in editor::references(&source, offset, &catalog()) {
        assert!(text.get(bytes).is_some(), "{text}");
    }
    if let Ok(edits) = editor::rename(&source, offset, "fresh", &catalog()) {
        let mut edits = edits;
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.bytes.start));
        let mut renamed = text.to_owned();
        edits.iter().for_each(|edit| renamed.replace_range(edit.bytes.clone(), &edit.text));
        let renamed = SourceText::new("f", renamed.into_bytes()).unwrap();
        let problems = |source: &SourceText| check(source, &catalog()).diagnostics.len();
        assert_eq!(problems(&renamed), problems(&source), "{}\n{}", text, renamed.text());
    }
    let outline = editor::symbols(&source, &catalog());
    assert!(outline.iter().all(|symbol| text.get(symbol.bytes.clone()).is_some()), "{text}");
}

/// Every key stroke of a whole flow, from an empty file on.
#[test]
fn a_flow_can_be_typed_from_its_first_character_to_its_last() {
    for (offset, _) in GOOD.char_indices().step_by(17) {
        is_answered(&GOOD[..offset], offset);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_slip_anywhere_is_answered(
        at in 0..GOOD.chars().count(),
        out in 0..9_usize,
        mark in prop::sample::select(vec!["", "\n", "{{", "}}", "\"", "'", ": ", "- ", "{", "[", "é", "\t", "|", "&a ", "\r\n", "#"]),
        cursor in 0..GOOD.len(),
    ) {
        let start = GOOD.char_indices().nth(at).unwrap().0;
        let end = GOOD.char_indices().nth(at + out).map_or(GOOD.len(), |(at, _)| at);
        is_answered(&format!("{}{mark}{}", &GOOD[..start], &GOOD[end..]), cursor);
    }
}
