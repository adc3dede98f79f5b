//! The help for whoever writes a flow: what `check`, `schema` and `graph` say, and in which form.

use std::fs;

use expect_test::{expect, expect_file};
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

/// What SARIF 2.1.0 requires of the parts that a log of flowrun has (its schema, sections 3.13 to 3.49).
fn sarif() -> Value {
    let text =
        json!({ "type": "object", "required": ["text"], "properties": { "text": { "type": "string" } } });
    let positive = json!({ "type": "integer", "minimum": 1 });
    let region = json!({ "type": "object", "properties": {
        "startLine": positive, "startColumn": positive,
        "byteOffset": { "type": "integer", "minimum": 0 }, "byteLength": { "type": "integer", "minimum": 0 },
    }, "additionalProperties": false });
    let location = json!({ "type": "object", "required": ["physicalLocation"], "properties": {
        "physicalLocation": { "type": "object", "required": ["artifactLocation"], "properties": {
            "artifactLocation": { "type": "object", "properties": { "uri": { "type": "string", "pattern": "^[^ \\\\]+$" } } },
            "region": region,
        } },
        "logicalLocations": { "type": "array", "items": { "type": "object",
            "properties": { "fullyQualifiedName": { "type": "string" } } } },
    } });
    let result = json!({ "type": "object", "required": ["message", "ruleId", "ruleIndex", "locations"], "properties": {
        "ruleId": { "type": "string" }, "ruleIndex": { "type": "integer", "minimum": 0 }, "message": text,
        "level": { "enum": ["none", "note", "warning", "error"] },
        "locations": { "type": "array", "items": location },
    }, "additionalProperties": false });
    let rule = json!({ "type": "object", "required": ["id"], "properties": {
        "id": { "type": "string" }, "name": { "type": "string" }, "shortDescription": text, "help": text,
    }, "additionalProperties": false });
    let driver = json!({ "type": "object", "required": ["name"], "properties": {
        "name": { "type": "string" }, "version": { "type": "string" },
        "rules": { "type": "array", "uniqueItems": true, "items": rule },
    }, "additionalProperties": false });
    json!({ "type": "object", "required": ["version", "runs"], "properties": {
        "$schema": { "type": "string", "format": "uri" }, "version": { "const": "2.1.0" },
        "runs": { "type": "array", "minItems": 1, "items": { "type": "object", "required": ["tool", "results"],
            "properties": {
                "tool": { "type": "object", "required": ["driver"], "properties": { "driver": driver } },
                "columnKind": { "enum": ["utf16CodeUnits", "unicodeCodePoints"] },
                "results": { "type": "array", "items": result },
            }, "additionalProperties": false } },
    }, "additionalProperties": false })
}

#[test]
fn sarif_is_one_valid_log_of_every_flow_with_a_rule_for_each_result() {
    let (person, schema) = (author(), jsonschema::draft7::new(&sarif()).expect("a schema"));
    let log = |path: &str, code: i32| {
        let ended = person.flowrun(&["check", path, "--message-format", "sarif"]);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        let log = json_of(ended.stdout.trim_end());
        let wrong: Vec<String> = schema.iter_errors(&log).map(|error| error.to_string()).collect();
        assert_eq!(wrong, [""; 0], "{log:#}");
        log["runs"][0].clone()
    };
    let run = log("flows", 3);
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), 3, "{run:#}");
    for result in results {
        let rule = result["ruleIndex"].as_u64().and_then(|at| usize::try_from(at).ok()).expect("an index");
        assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], result["ruleId"]);
    }
    let first = &results[1]["locations"][0]["physicalLocation"];
    assert_eq!(first["artifactLocation"]["uri"], "flows/deep/wrong%20one.flow.yaml");
    assert_eq!((&first["region"]["startLine"], &first["region"]["startColumn"]), (&json!(3), &json!(16)));
    // What finds nothing says so, or a code host would keep showing what was found before.
    assert_eq!(log("flows/good.flow.yaml", 0)["results"], json!([]));
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

/// The sandbox is asked for what the flow says it needs.
#[test]
fn the_sandbox_grants_the_scopes_that_a_flow_lists() {
    let person = Person::new(&[]);
    let flow = fs::read_to_string(root().join("flows/zoho.flow.yaml")).expect("a flow of the house");
    let wider = flow.replace("[ZohoCRM.org.READ]", "[ZohoCRM.org.READ, ZohoBooks.invoices.READ]");
    assert_ne!(flow, wider);
    person.write("wider.yaml", &wider);
    let ended = person.flowrun(&["wider.yaml", "--sandbox"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// N12: hosts, integrations and secrets, from the flow alone, in words and as JSON.
#[test]
fn permissions_show_what_a_flow_may_reach_n12() {
    let person = Person::new(&[]);
    person.write(
        "f.yaml",
        "name: t\nsecrets: [KEY]\nintegrations: { zoho: { scopes: [a.READ, b.READ] } }\n\
         inputs: { base: { type: string } }\nsteps:\n  - http_request:\n      \
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
          integration  zoho, with a.READ b.READ
          secret       KEY
    "#]]
    .assert_eq(&ended.stdout);
    let ended = person.flowrun(&["check", "--permissions", "f.yaml", "--message-format", "json"]);
    let said = json_of(ended.stdout.trim_end());
    let used = json!([{ "name": "zoho", "scopes": ["a.READ", "b.READ"] }]);
    assert_eq!((&said["file"], &said["integrations"]), (&json!("f.yaml"), &used), "{said:#}");
    assert_eq!(said["hosts"].as_array().map(Vec::len), Some(3), "{said:#}");
    person.write("bad.yaml", WRONG);
    let ended = person.flowrun(&["check", "--permissions", "bad.yaml"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""), "{ended:?}");
    let ended = person.flowrun(&["check", "--permissions", "f.yaml", "--message-format", "sarif"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
}

/// N12: what starts a flow, what it waits for, its own URLs, what it tells; and none of the secrets that prove a caller.
#[test]
fn permissions_show_what_starts_a_flow_and_what_it_listens_to_and_tells_n12() {
    let person = Person::new(&[]);
    person.write(
        "inner.flow.yaml",
        "trigger: { event: { name: unheard } }\nsteps:\n  - emit: { event: counted }\n",
    );
    person.write(
        "f.yaml",
        "name: t\nsecrets: [SIGN]\ntrigger: { webhook: { path: orders/paid, auth: { hmac: SIGN } } }\nsteps:\n  \
         - wait: { event: shipped }\n  - id: confirmed\n    wait: { webhook: }\n  - emit: { event: closed }\n  \
         - emit: { event: counted }\n  - call: inner.flow.yaml\n  - log: \"{{callbacks.confirmed}}\"\n",
    );
    let ended = person.flowrun(&["check", "--permissions", "f.yaml"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    expect![[r#"
        f.yaml: t
          started by   a call: POST /orders/paid, signed with SIGN
          waits for    the event shipped (steps[0])
          own URL      POST {{callbacks.confirmed}}, called once (steps[1])
          tells        the event closed (steps[2])
          tells        the event counted (steps[3], steps[0])
          secret       SIGN
          no host
    "#]]
    .assert_eq(&ended.stdout);
    let ended = person.flowrun(&["check", "--permissions", "f.yaml", "--message-format", "json"]);
    let said = json_of(ended.stdout.trim_end());
    let trigger = json!({ "kind": "webhook", "method": "POST", "path": "orders/paid", "auth": "hmac", "secret": "SIGN" });
    assert_eq!(said["trigger"], trigger, "{said:#}");
    assert_eq!(said["waits_for"], json!([{ "event": "shipped", "steps": ["steps[0]"] }]), "{said:#}");
    assert_eq!(
        said["callbacks"],
        json!([{ "id": "confirmed", "method": "POST", "step": "steps[1]" }]),
        "{said:#}"
    );
    assert_eq!(
        said["emits"][1],
        json!({ "event": "counted", "steps": ["steps[3]", "steps[0]"] }),
        "{said:#}"
    );
}

#[test]
fn permissions_say_each_kind_of_trigger_n12() {
    let person = Person::new(&[]);
    for (trigger, words) in [
        ("message: {}", "any message"),
        ("message: { keywords: [hi, hello], match: prefix }", "a message: hi | hello (prefix)"),
        (
            "message: { channels: [sms], accounts: [\"+32\"], default: true, interrupt: true }",
            "any message, on sms, to +32, and what no other flow takes, also while another flow is under way",
        ),
        ("webhook: { path: /a, method: put }", "a call: PUT /a, from anyone: it has no `auth`"),
        ("webhook: { path: a, auth: { bearer: KEY } }", "a call: POST /a, with KEY as its bearer token"),
        ("schedule: { cron: 0 9 * * 1, zone: Europe/Brussels }", "the clock: 0 9 * * 1, Europe/Brussels"),
        ("event: { name: paid }", "the event paid"),
    ] {
        person.write(
            "f.yaml",
            &format!("secrets: [KEY]\ntrigger: {{ {trigger} }}\nsteps:\n  - http_request: {{ url: \"https://api.example.com/\", \
                 headers: {{ X-Key: \"{{{{secrets.KEY}}}}\" }} }}\n"),
        );
        let ended = person.flowrun(&["check", "--permissions", "f.yaml"]);
        let line = ended.stdout.lines().nth(1).unwrap_or_default();
        assert_eq!(line, format!("  started by   {words}"), "{ended:?}");
    }
}

/// The committed schema is what this binary writes; `cargo bless` writes it anew.
#[test]
fn the_committed_schema_and_reference_are_this_binarys() {
    let ended = Person::new(&[]).flowrun(&["schema"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    expect_file![root().join("docs/flow.schema.json")].assert_eq(&ended.stdout);
    let ended = Person::new(&[]).flowrun(&["schema", "--format", "markdown"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    expect_file![root().join("docs/reference.md")].assert_eq(&ended.stdout);
}

#[test]
fn a_flow_is_drawn_and_one_with_mistakes_is_not() {
    let person = author();
    let drawn = |format: &str| person.flowrun(&["graph", "flows/good.flow.yaml", "--format", format]).stdout;
    assert!(drawn("mermaid").starts_with("flowchart TD\n    n0([\"flow\"])\n"), "{}", drawn("mermaid"));
    assert!(
        drawn("dot").starts_with("digraph flow {\n") && drawn("dot").ends_with("}\n"),
        "{}",
        drawn("dot")
    );
    assert!(drawn("svg").starts_with("<svg ") && drawn("svg").ends_with("</svg>\n"), "{}", drawn("svg"));
    let ended = person.flowrun(&["graph", "flows/deep/wrong one.flow.yaml"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), ""), "{ended:?}");
    assert!(ended.stderr.contains("error[F023]"), "{ended:?}");
}

/// What a flow may reach and its picture take in the flows beside it that it calls (N12).
#[test]
fn permissions_and_a_picture_know_the_flows_that_are_called_n12() {
    let person = Person::new(&[]);
    person.write("outer.flow.yaml", "steps:\n  - call: inner.flow.yaml\n");
    person.write("inner.flow.yaml", "steps:\n  - http_request: { url: \"https://api.example.com/a\" }\n");
    let ended = person.flowrun(&["check", "--permissions", "outer.flow.yaml"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    assert!(ended.stdout.contains("https://api.example.com"), "{ended:?}");
    let ended = person.flowrun(&["graph", "outer.flow.yaml"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    assert!(ended.stdout.contains("inner.flow.yaml"), "{ended:?}");
}
