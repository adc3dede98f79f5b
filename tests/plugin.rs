//! A step kind written outside this workspace, from `docs/adding-a-step.md` alone, has everything that flowrun's own have.
//!
//! `tests/plugin` is built as a stranger would build it; nothing in the engine, the language or the command line names it.

#![expect(clippy::expect_used, reason = "a test whose parts do not start fails at once")]

#[path = "lsp/editor.rs"]
#[expect(dead_code, reason = "the editor can do more than is asked of it here")]
mod editor;
#[path = "loopback.rs"]
#[expect(dead_code, reason = "the service hears more than is asked of it here")]
mod loopback;
#[path = "person.rs"]
mod person;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use editor::{Editor, labels, place};
use loopback::{reply, serve};
use person::Person;
use serde_json::{Value, json};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const FLOW: &str = "\
inputs: { page: { type: string } }
steps:
  - id: link
    acme.shorten:
      service: SERVICE
      address: https://shop.example.com/{{page}}
      domain: go.acme.example
      variables: { short: short }
    retry: 1
  - send: Have a look at {{short}}
";

/// Somebody who has built flowrun with Acme's step.
fn person() -> Person {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let binary = BUILT.get_or_init(|| {
        let plugin = Path::new(ROOT).join("tests/plugin");
        // The versions of this workspace, which are at hand.
        fs::copy(Path::new(ROOT).join("Cargo.lock"), plugin.join("Cargo.lock"))
            .expect("the lock file is copied");
        let debug = Path::new(env!("CARGO_BIN_EXE_flowrun")).parent().expect("it stands in a folder");
        let mut build = Command::new(env!("CARGO"));
        build.current_dir(plugin).args(["build", "--quiet", "--target-dir"]);
        build.arg(debug.parent().expect("and that in another"));
        assert!(build.status().expect("cargo starts").success(), "the crate of the page does not build");
        debug.join("acme-flowrun")
    });
    let mut person = Person::new(&[]);
    person.program.clone_from(binary);
    person
}

#[test]
fn its_settings_are_checked_with_line_and_column() {
    let person = person();
    let wrong = FLOW
        .replace("{{page}}", "{{pgae}}")
        .replace("go.acme.example", "go/there")
        .replace("variables:", "varibles:");
    person.write("wrong.flow.yaml", &wrong.replace("SERVICE", "https://acme.example/"));
    let ended = person.flowrun(&["check", "wrong.flow.yaml", "--message-format", "short"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    for said in [
        "wrong.flow.yaml:6:43: error[F033]: nothing in this flow sets `pgae`",
        "wrong.flow.yaml:7:15: error[F039]: `go/there` is no domain",
        "wrong.flow.yaml:8:7: error[F020]: unknown setting `varibles`",
    ] {
        assert!(ended.stdout.contains(said) || ended.stderr.contains(said), "{said}\n{ended:?}");
    }
}

#[test]
fn an_editor_completes_its_kind_and_its_settings_and_says_what_they_are_for() {
    let person = person();
    let mut editor = Editor::start(&person, &json!({}));
    let text = "steps:\n  - acme.shorten:\n      service: https://acme.example/\n      do\n";
    editor.open("a.flow.yaml", text);
    let offered = labels(&editor.at("completion", "a.flow.yaml", json!({ "line": 3, "character": 8 })));
    assert!(offered.contains(&"domain".to_owned()), "{offered:?}");
    editor.open("b.flow.yaml", "steps:\n  - send: Hello.\n  - acm\n");
    let offered = labels(&editor.at("completion", "b.flow.yaml", json!({ "line": 2, "character": 7 })));
    assert!(offered.contains(&"acme.shorten".to_owned()), "{offered:?}");
    let hover = editor.at("hover", "a.flow.yaml", place(text, "service"));
    assert!(
        hover["contents"]["value"].as_str().is_some_and(|said| said.contains("Acme's service.")),
        "{hover}"
    );
}

#[test]
fn its_schema_stands_among_the_others() {
    let ended = person().flowrun(&["schema"]);
    let schema: Value = serde_json::from_str(&ended.stdout).expect("a schema");
    let kind = &schema["definitions"]["acme.shorten"];
    assert_eq!(kind["properties"]["domain"]["description"], "The domain that the short address is to have.");
    let flow =
        json!({ "steps": [{ "acme.shorten": { "service": "https://acme.example/", "address": "a" } }] });
    assert!(jsonschema::is_valid(&schema, &flow));
    let wrong = json!({ "steps": [{ "acme.shorten": { "address": 1.5, "adress": "a" } }] });
    assert!(!jsonschema::is_valid(&schema, &wrong));
}

#[test]
fn it_runs_is_tried_again_and_is_tested_without_a_network() {
    let person = person();
    let asked = std::sync::atomic::AtomicU32::new(0);
    let service = serve(move |request| {
        let body: Value = serde_json::from_str(&request.body).expect("JSON");
        assert_eq!(body, json!({ "address": "https://shop.example.com/a b", "domain": "go.acme.example" }));
        match asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => reply("503 Service Unavailable", "", "{}"),
            _ => reply("200 OK", "", "{\"short\":\"https://go.acme.example/x\",\"opened\":0}"),
        }
    });
    person.write("link.flow.yaml", &FLOW.replace("SERVICE", &service));
    let ended = person.flowrun(&["link.flow.yaml", "--var", "page=a b"]);
    assert_eq!(ended.stdout, "Have a look at https://go.acme.example/x\n", "{ended:?}");
    let case = "cases:\n  - name: shortens\n    inputs: { page: a }\n    replies: { link: { json: { short: \"https://s.example/1\", \
                opened: 3 } } }\n    expect: { sent: [\"Have a look at https://s.example/1\"] }\n";
    person.write("link.test.yaml", case);
    let ended = person.flowrun(&["test", "link.test.yaml"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}
