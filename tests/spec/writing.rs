//! The help for whoever writes a flow: what `check` says, and in which form.

use std::fs;

use expect_test::expect;
use serde_json::{Value, json};

use crate::person::Person;
use crate::root;

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

/// SEED-32: the account lives in another country than the address in the flow; the provider would call its token unknown.
#[test]
fn a_host_of_another_data_centre_is_said_before_any_request_with_what_to_write_instead() {
    let person = Person::new(&[]);
    let flow = fs::read_to_string(root().join("flows/zoho.flow.yaml")).expect("a flow of the house");
    person.write("eu.yaml", &flow.replace("{{integrations.zoho.api_domain}}", "https://www.zohoapis.eu"));
    let ended = person.flowrun(&["eu.yaml", "--sandbox"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""), "{ended:?}");
    assert!(ended.stderr.contains("error[F081]: www.zohoapis.eu is another data centre"), "{ended:?}");
    let help = "help: write {{integrations.zoho.api_domain}} instead of https://www.zohoapis.eu";
    assert!(ended.stderr.contains(help), "{ended:?}");
}

/// N12: hosts, integrations and secrets, from the flow alone, in words and as JSON.
#[test]
fn permissions_show_what_a_flow_may_reach_n12() {
    let person = Person::new(&[]);
    person.write(
        "f.yaml",
        "name: t\nsecrets: [KEY]\ninputs: { base: { type: string } }\nsteps:\n  - http_request:\n      \
         url: https://api.example.com/a\n      headers: { X-Key: \"{{secrets.KEY}}\" }\n      redirects: 0\n  \
         - http_request: { url: \"{{base}}/b\" }\n  - http_request:\n      \
         url: \"{{integrations.zoho.api_domain}}/crm\"\n      integration: zoho\n",
    );
    let ended = person.flowrun(&["check", "--permissions", "f.yaml"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    expect![[r#"
        f.yaml: t
          host         https://api.example.com (steps[0])
          host         what `integrations.zoho.api_domain` says, with integration zoho (steps[2])
          host         any: `base` decides in a run, or where it redirects to (steps[1])
          integration  zoho
          secret       KEY
    "#]]
    .assert_eq(&ended.stdout);
    let ended = person.flowrun(&["check", "--permissions", "f.yaml", "--message-format", "json"]);
    let said = json_of(ended.stdout.trim_end());
    assert_eq!((&said["file"], &said["integrations"]), (&json!("f.yaml"), &json!(["zoho"])), "{said:#}");
    assert_eq!(said["hosts"].as_array().map(Vec::len), Some(3), "{said:#}");
    person.write("bad.yaml", WRONG);
    let ended = person.flowrun(&["check", "--permissions", "bad.yaml"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""), "{ended:?}");
}
