//! The help for whoever writes a flow: what `check` says, and in which form.

use std::fs;

use expect_test::expect;
use serde_json::Value;

use crate::person::Person;

const DOUBTFUL: &str = "name: t\ninputs: { id: { type: string } }\nsteps:\n  - send: Hello.\n";
const WRONG: &str = "steps:\n  - sned: Hello.\n  - send: Hé {{nmae}}\n";

fn json_of(line: &str) -> Value {
    serde_json::from_str(line).expect("a line of JSON")
}

/// A folder with a flow that is right, one that is doubtful and one that is wrong.
fn author() -> Person {
    let person = Person::new(&[]);
    fs::create_dir_all(person.home().join("flows/deep")).expect("a folder");
    person.write("flows/good.flow.yaml", "steps:\n  - send: Hello.\n");
    person.write("flows/doubtful.flow.yaml", DOUBTFUL);
    person.write("flows/deep/wrong one.flow.yaml", WRONG);
    person.write("flows/notes.yaml", "no: flow");
    person
}

#[test]
fn a_folder_is_checked_whole_and_every_mistake_is_a_line_of_json() {
    let ended = author().flowrun(&["check", "flows", "--message-format", "json"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(3), ""), "{ended:?}");
    let said: Vec<Value> = ended.stdout.lines().map(json_of).collect();
    let seen = |said: &Value| {
        let place = &said["place"];
        format!(
            "{} {} {} {}:{}",
            said["severity"], said["code"], place["file"], place["line"], place["column"]
        )
    };
    expect![[r#"
        "error" "F023" "flows/deep/wrong one.flow.yaml" 2:5
        "error" "F033" "flows/deep/wrong one.flow.yaml" 3:16
        "warning" "F101" "flows/doubtful.flow.yaml" 2:11"#]]
    .assert_eq(&said.iter().map(seen).collect::<Vec<_>>().join("\n"));
    assert_eq!(said[0]["help"], "did you mean `send`?", "{}", said[0]);
}

/// A doubt does not keep a flow from running, and is not called a mistake.
#[test]
fn a_warning_is_counted_and_ends_with_0() {
    let person = author();
    let ended = person.flowrun(&["check", "flows/doubtful.flow.yaml"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("warning[F101]"), "{ended:?}");
    assert!(ended.stderr.ends_with("1 flow, no errors, 1 warning\n"), "{ended:?}");
    let ended = person.flowrun(&["check", "flows/good.flow.yaml"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), "1 flow, nothing wrong\n"), "{ended:?}");
}
