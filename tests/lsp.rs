//! An editor drives `flowrun lsp` over its stdio, as LSP 3.17 has it: what a person types is answered, well or not.
//!
//! The client here is a real one as far as the wire goes: frames, ids, notifications that come when they like.

#![expect(clippy::expect_used, reason = "a test whose parts do not start fails at once")]

#[path = "lsp/editor.rs"]
mod editor;
#[path = "person.rs"]
mod person;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use editor::{Editor, applied, labels, place};
use person::Person;
use serde_json::{Value, json};

const GOOD: &str = "\
name: good
inputs:
  id: { type: string }
steps:
  - id: contact
    fetch_variables:
      url: https://api.teamleader.eu/contacts.info?id={{id}}
      variables: { last_name: data.last_name }
  - send: \"é 😀 {{last_name}} {{steps.contact.status}}\"
";

#[test]
fn a_good_flow_is_served_from_initialize_to_exit() {
    let mut editor = Editor::start(&Person::new(&[]), &json!({}));
    assert_eq!(editor.greeting["serverInfo"]["name"], "flowrun");
    assert_eq!(editor.greeting["capabilities"]["positionEncoding"], "utf-16");
    assert_eq!(editor.open("good.flow.yaml", GOOD), json!([]));

    let hover = editor.at("hover", "good.flow.yaml", place(GOOD, "last_name}}"));
    let said = hover["contents"]["value"].as_str().expect("words");
    assert!(said.contains("Picked by `fetch_variables` in step `contact`, line 8"), "{said}");

    let found = editor.at("definition", "good.flow.yaml", place(GOOD, "last_name}}"));
    assert_eq!(found[0]["range"]["start"], place(GOOD, "last_name: data"));
    let found = editor.at("definition", "good.flow.yaml", place(GOOD, "contact.status"));
    assert_eq!(found[0]["range"]["start"], place(GOOD, "contact\n"));

    let read = editor.at("references", "good.flow.yaml", place(GOOD, "last_name: data"));
    assert_eq!(read.as_array().map(Vec::len), Some(1), "the places that set it were not asked for: {read}");
    assert_eq!(read[0]["range"]["start"], place(GOOD, "last_name}}"));

    let outline = editor.ask("textDocument/documentSymbol", &editor.document("good.flow.yaml"));
    let names = |of: &Value| {
        let of = of.as_array().expect("symbols").iter();
        of.map(|one| one["name"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&outline), ["inputs", "steps"]);
    assert_eq!(names(&outline[1]["children"]), ["contact", "send"]);

    let gone = editor.change("good.flow.yaml", &GOOD.replace("😀", "and"));
    assert_eq!(gone, json!([]));
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn a_broken_file_is_marked_where_it_is_broken_and_completed_all_the_same() {
    let mut editor = Editor::start(&Person::new(&[]), &json!({}));
    let text = format!("{GOOD}  - send: \"{{{{la\n");
    let found = editor.open("broken.flow.yaml", &text);
    assert_eq!((&found[0]["code"], &found[0]["severity"]), (&json!("F003"), &json!(1)), "{found}");
    assert_eq!(found[0]["source"], "flowrun");
    assert_eq!(found[0]["range"]["start"], place(&text, "\"{{la\n"));
    assert!(found[0]["message"].as_str().expect("words").contains("\nhelp: "), "{found}");

    let mut end = place(&text, "{{la\n");
    end["character"] = json!(end["character"].as_u64().expect("a column") + 4);
    let offered = editor.at("completion", "broken.flow.yaml", end);
    assert_eq!(labels(&offered)[..2], ["id", "last_name"]);
    let mended = applied(&text, &json!([offered[1]["textEdit"]]));
    assert!(mended.ends_with("{{last_name\n"), "{mended}");

    for end in 0..GOOD.len() {
        // As fast as nobody types; only the last is waited for.
        editor.type_on("broken.flow.yaml", GOOD.get(..end).unwrap_or(GOOD));
    }
    assert_eq!(editor.change("broken.flow.yaml", GOOD), json!([]));
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn paths_into_a_reply_come_from_the_test_file_beside_the_flow_as_it_is_in_the_editor() {
    let person = Person::new(&[]);
    let case = |key: &str| {
        format!("cases:\n  - name: finds one\n    replies: {{ contact: {{ json: {{ {key}: 1 }} }} }}\n")
    };
    person.write("a.test.yaml", &case("on_disk"));
    let mut editor = Editor::start(&person, &json!({}));
    editor.folder = person.home().display().to_string();
    let text = GOOD.replace("last_name: data.last_name", "last_name: data");
    editor.open("a.flow.yaml", &text);
    let mut at = place(&text, "data }");
    at["character"] = json!(at["character"].as_u64().expect("a column") + 4);
    assert_eq!(labels(&editor.at("completion", "a.flow.yaml", at.clone())), ["on_disk"]);
    editor.open("a.test.yaml", &case("as_typed"));
    assert_eq!(labels(&editor.at("completion", "a.flow.yaml", at.clone())), ["as_typed"]);
    editor.change("a.test.yaml", "cases: [");
    assert_eq!(labels(&editor.at("completion", "a.flow.yaml", at)), Vec::<String>::new());
    assert_eq!(editor.leave(), Some(0));
}

/// LSP 3.17, Position: UTF-16 unless both sides agree on UTF-8.
#[test]
fn columns_are_counted_as_agreed_where_a_line_is_not_ascii() {
    let text = "steps:\n  - set: { x: 1 }\n  - send: \"é 😀 {{y}} {{x}}\"\n";
    let (utf_8, utf_16) = (json!({ "general": { "positionEncodings": ["utf-16", "utf-8"] } }), json!({}));
    for (capabilities, agreed, y, x) in [(utf_8, "utf-8", 21, 27), (utf_16, "utf-16", 18, 24)] {
        let mut editor = Editor::start(&Person::new(&[]), &capabilities);
        assert_eq!(editor.greeting["capabilities"]["positionEncoding"], agreed);
        let found = editor.open("käse 😀.flow.yaml", text);
        let range =
            json!({ "start": { "line": 2, "character": y }, "end": { "line": 2, "character": y + 1 } });
        assert_eq!((&found[0]["code"], &found[0]["range"]), (&json!("F033"), &range), "{agreed}");
        let at = json!({ "line": 2, "character": x });
        let edits = editor.rename("käse 😀.flow.yaml", at, "price").expect("it can be renamed");
        let starts: Vec<&Value> = edits.iter().map(|edit| &edit["range"]["start"]).collect();
        assert_eq!(starts, [&json!({ "line": 1, "character": 11 }), &json!({ "line": 2, "character": x })]);
        assert_eq!(editor.leave(), Some(0));
    }
}

#[test]
fn a_rename_reaches_keys_templates_and_expressions_and_the_flow_stays_good() {
    let mut editor = Editor::start(&Person::new(&[]), &json!({}));
    let text = GOOD.to_owned()
        + "  - if: last_name == \"ü\" and steps[\"contact\"].status == \"done\"\n    send: x\n";
    editor.open("a.flow.yaml", &text);
    let edits = editor.rename("a.flow.yaml", place(&text, "last_name}}"), "surname").expect("it can");
    let text = applied(&text, &json!(edits));
    assert!(!text.contains("{{last_name") && text.contains("surname: data.last_name"), "{text}");
    assert!(text.contains("if: surname == \"ü\""), "{text}");
    assert_eq!(editor.change("a.flow.yaml", &text), json!([]));

    let may = editor.at("prepareRename", "a.flow.yaml", place(&text, "contact\n"));
    assert_eq!(may["start"], place(&text, "contact\n"));
    let edits = editor.rename("a.flow.yaml", place(&text, "contact\n"), "person").expect("it can");
    let text = applied(&text, &json!(edits));
    assert!(text.contains("steps.person.status") && text.contains("steps[\"person\"].status"), "{text}");
    assert_eq!(editor.change("a.flow.yaml", &text), json!([]));

    let refused = editor.rename("a.flow.yaml", place(&text, "surname}}"), "id").expect_err("it is taken");
    assert_eq!(refused["code"], -32803);
    assert!(refused["message"].as_str().expect("words").contains("taken"), "{refused}");
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn fix_after_fix_leads_to_a_flow_without_mistakes() {
    let mut editor = Editor::start(&Person::new(&[]), &json!({}));
    let mut text =
        "inputs: { name: }\nsteps:\n  - sned: é\n  - send: {{name}} 😀\n  - send: \"é {{nmae}}\"\n"
            .to_owned();
    let mut found = editor.open("fix.flow.yaml", &text);
    // The third shows once no line is unreadable any more.
    for code in ["F023", "F010", "F033"] {
        assert_eq!(found[0]["code"], code, "{text}\n{found}");
        let mut asked = editor.document("fix.flow.yaml");
        asked["range"] = found[0]["range"].clone();
        asked["context"] = json!({ "diagnostics": [found[0]] });
        let action = editor.ask("textDocument/codeAction", &asked)[0].clone();
        assert_eq!((&action["kind"], &action["diagnostics"][0]), (&json!("quickfix"), &found[0]));
        text = applied(&text, &action["edit"]["changes"][editor.uri("fix.flow.yaml")]);
        found = editor.change("fix.flow.yaml", &text);
    }
    assert_eq!(found, json!([]), "{text}");
    assert!(text.contains("- send: \"{{name}} 😀\""), "{text}");
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn integrations_come_from_the_registry_and_are_read_again_when_a_file_is_saved() {
    let person = Person::new(&[]);
    let mut editor = Editor::start(&person, &json!({}));
    let text = GOOD.replace("      variables", "      integration: teamleader\n      variables");
    assert_eq!(editor.open("a.flow.yaml", &text), json!([]), "without any integration none is judged");
    assert_eq!(person.flowrun(&["integrations", "add", "teamleader"]).code, Some(0));
    editor.tell("textDocument/didSave", &editor.document("a.flow.yaml"));
    let found = editor.published("a.flow.yaml", |found| found != &json!([]));
    assert_eq!((&found[0]["code"], found.as_array().map(Vec::len)), (&json!("F014"), Some(1)), "{found}");
    let hover = editor.at("hover", "a.flow.yaml", place(&text, "teamleader\n"));
    let said = hover["contents"]["value"].as_str().expect("words");
    assert!(
        said.contains("incomplete") && said.contains("flowrun integrations authorize teamleader"),
        "{said}"
    );
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn a_registry_that_cannot_be_read_is_a_line_in_the_log_and_nothing_more() {
    let person = Person::new(&[("FLOWRUN_HOME", "own")]);
    fs::create_dir(person.home().join("own")).expect("a folder");
    person.write("own/data", "no folder at all");
    let mut editor = Editor::start(&person, &json!({}));
    let logged = editor.wait_for("window/logMessage", |_| true);
    assert!(logged["message"].as_str().expect("words").contains("they cannot be read"), "{logged}");
    assert_eq!(editor.open("a.flow.yaml", GOOD), json!([]));
    let text = GOOD.replace("      variables", "      integration: \n      variables");
    editor.change("a.flow.yaml", &text);
    let mut at = place(&text, "integration: \n");
    at["character"] = json!(19);
    assert_eq!(editor.at("completion", "a.flow.yaml", at), json!([]));
    assert_eq!(editor.leave(), Some(0));
}

/// Somebody holds the registry's socket and never answers.
#[test]
fn a_registry_that_never_answers_keeps_nobody_waiting() {
    let person = Person::new(&[("FLOWRUN_HOME", "own")]);
    let folder = person.home().join("own/data/control");
    fs::create_dir_all(&folder).expect("a folder");
    for private in [folder.parent().expect("it has one"), &folder] {
        fs::set_permissions(private, fs::Permissions::from_mode(0o700)).expect("ours");
    }
    let silent = UnixListener::bind(folder.join("socket")).expect("a socket");
    let mut editor = Editor::start(&person, &json!({}));
    assert_eq!(editor.open("a.flow.yaml", GOOD), json!([]));
    // The question has come in, and this is where it stays.
    let _asked = silent.accept().expect("the registry is asked");
    let offered = editor.at("completion", "a.flow.yaml", json!({ "line": 9, "character": 0 }));
    assert!(labels(&offered).contains(&"outputs".to_owned()), "{offered}");
    assert_eq!(editor.leave(), Some(0));
}

/// LSP 3.17, `exit`: 0 after `shutdown`, else 1.
#[test]
fn an_editor_that_leaves_without_shutdown_is_a_bad_end() {
    let told = {
        let mut editor = Editor::start(&Person::new(&[]), &json!({}));
        editor.tell("exit", &Value::Null);
        editor.ended()
    };
    let gone = Editor::start(&Person::new(&[]), &json!({})).ended();
    for (code, said) in [told, gone] {
        assert_eq!(code, Some(1));
        assert!(said.contains("without `shutdown`") && said.contains("docs/editors"), "{said}");
    }
}

#[test]
fn what_is_not_known_is_refused_and_after_shutdown_everything_is() {
    let mut editor = Editor::start(&Person::new(&[]), &json!({}));
    let code = |refused: Result<Value, Value>| refused.expect_err("refused")["code"].clone();
    assert_eq!(code(editor.try_ask("workspace/symbol", &json!({ "query": "" }))), -32601);
    assert_eq!(code(editor.try_ask("textDocument/hover", &json!({}))), -32602);
    assert_eq!(editor.at("hover", "not-open.flow.yaml", json!({ "line": 0, "character": 0 })), Value::Null);
    assert_eq!(editor.open("compose.yaml", "services: { web: { image: x } }\n"), json!([]), "no flow");
    assert_eq!(editor.ask("shutdown", &Value::Null), Value::Null);
    assert_eq!(code(editor.try_ask("textDocument/hover", &json!({}))), -32600);
    editor.tell("exit", &Value::Null);
    assert_eq!(editor.ended().0, Some(0));
}
