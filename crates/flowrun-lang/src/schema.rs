//! The JSON Schema (draft-07) of a flow, for editors: which keys stand where, and what each may be.
//!
//! Draft-07 because that is what editors read. A schema cannot say all that [`check`](crate::check) says: what it
//! refuses a check refuses too, and what a check finds right it lets pass.

mod kinds;
mod settings;

use flowrun_step::StepSet;
use serde_json::{Map, Value, json};

use crate::document::{BUILT_IN, COMMON, KEYS};
use crate::input::TYPES;

/// What a duration looks like (L-7).
const DURATION: &str = "^\\s*([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?\\s*$";
/// What a name looks like (L-2).
const NAME: &str = "^[A-Za-z_][A-Za-z0-9_]*$";

/// The schema of a flow in a house with these step kinds.
///
/// # Example
/// ```
/// let schema = flowrun_lang::flow_schema(&flowrun_step::StepSet::new());
/// assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
/// ```
#[must_use]
pub fn flow_schema(steps: &StepSet) -> Value {
    let properties: Map<String, Value> = KEYS.iter().map(|key| ((*key).to_owned(), flow_key(key))).collect();
    let mut flow = closed(properties);
    let head = [
        ("$schema", json!("http://json-schema.org/draft-07/schema#")),
        ("title", json!("A flow of flowrun")),
        ("required", json!(["steps"])),
        ("definitions", Value::Object(definitions(steps))),
    ];
    flow.extend(head.map(|(key, value)| (key.to_owned(), value)));
    Value::Object(flow)
}

/// A map with these keys, no others, and whatever begins with `x-` (L-7b).
fn closed(properties: Map<String, Value>) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("patternProperties".to_owned(), json!({ "^x-": true }));
    schema.insert("additionalProperties".to_owned(), json!(false));
    schema
}

/// The same of a literal, with what must be there.
fn map(properties: Value, required: &[&str]) -> Value {
    let Value::Object(properties) = properties else { return json!(true) };
    let mut schema = closed(properties);
    schema.insert("required".to_owned(), json!(required));
    Value::Object(schema)
}

/// What a definition of this schema is called where it is used.
fn defined(name: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{name}") })
}

/// A map of free names.
fn named(values: &Value) -> Value {
    json!({ "type": ["object", "null"], "propertyNames": defined("name"), "additionalProperties": values })
}

fn flow_key(key: &str) -> Value {
    match key {
        "name" | "description" | "version" => defined("text"),
        "trigger" => trigger(),
        "inputs" => named(&json!({ "anyOf": [defined("input"), { "type": "null" }] })),
        "secrets" => json!({ "type": "array", "items": defined("name") }),
        "integrations" => integrations(),
        "steps" | "finally" => defined("steps"),
        "on_error" => defined("handler"),
        "timeout" => defined("duration"),
        "outputs" => json!({ "type": ["object", "null"] }),
        "limits" => limits(),
        _ => json!(true),
    }
}

/// The integrations a flow uses, by name.
fn integrations() -> Value {
    let scopes = map(json!({ "scopes": { "type": "array", "items": defined("text") } }), &[]);
    json!({
        "type": ["object", "null"],
        "additionalProperties": { "anyOf": [{ "type": "null" }, scopes] },
    })
}

/// What starts a flow: one of four.
fn trigger() -> Value {
    let (text, flag) = (json!({ "type": "string" }), json!({ "type": "boolean" }));
    let texts = json!({ "type": "array", "items": defined("text") });
    let message = map(
        json!({
            "channels": texts,
            "accounts": texts,
            "keywords": texts,
            "match": { "enum": ["exact", "prefix", "contains", "regex"] },
            "if": defined("expression"),
            "interrupt": flag,
            "default": flag,
            "while_busy": { "enum": ["queue", "drop", "replace"] },
        }),
        &[],
    );
    let auth = json!({ "anyOf": [map(json!({ "hmac": text }), &["hmac"]), map(json!({ "bearer": text }), &["bearer"])] });
    let webhook = map(
        json!({
            "path": text,
            "method": text,
            "auth": auth,
            "reply": { "enum": ["outputs", "accepted"] },
            "timeout": defined("duration"),
        }),
        &["path"],
    );
    let schedule = map(
        json!({
            "cron": text,
            "zone": text,
            "missed": { "enum": ["once", "skip"] },
            "overlap": { "enum": ["skip", "queue"] },
        }),
        &["cron"],
    );
    let event = map(json!({ "name": text, "if": defined("expression") }), &["name"]);
    let one = |kind: &str, settings: Value| map(json!({ kind: settings }), &[kind]);
    json!({ "anyOf": [
        one("message", json!({ "anyOf": [{ "type": "null" }, message] })),
        one("webhook", webhook),
        one("schedule", schedule),
        one("event", event),
    ] })
}

fn limits() -> Value {
    let number = json!({ "type": "integer", "minimum": 1 });
    map(
        json!({ "steps": number, "state": number, "variable": number, "items": number, "call_depth": number, "age": defined("duration") }),
        &[],
    )
}

fn definitions(steps: &StepSet) -> Map<String, Value> {
    let mut all = Map::new();
    let mut define = |name: &str, schema: Value| all.insert(name.to_owned(), schema);
    define("name", json!({ "type": "string", "pattern": NAME }));
    define("text", json!({ "type": ["string", "number", "boolean"] }));
    define(
        "expression",
        json!({ "type": ["string", "number", "boolean"], "description": "An expression: status == \"open\"" }),
    );
    define(
        "duration",
        json!({ "type": "string", "pattern": DURATION, "minLength": 2, "description": "500ms 30s 5m 1h30m 2d" }),
    );
    define("steps", json!({ "type": "array", "items": defined("step") }));
    define("handler", json!({ "anyOf": [{ "const": "continue" }, defined("steps")] }));
    define("input", input());
    define("retry", retry());
    define("step", step(steps));
    for kind in steps.kinds() {
        let Some(erased) = steps.get(kind.as_str()) else { continue };
        define(kind.as_str(), settings::draft_07(erased.settings_schema().as_value(), kind.as_str()));
    }
    all
}

fn input() -> Value {
    let number = json!({ "type": "number" });
    map(
        json!({
            "type": { "enum": TYPES },
            "default": true,
            "ask": defined("text"),
            "from": defined("text"),
            "enum": { "type": "array" },
            "pattern": defined("text"),
            "minimum": number,
            "maximum": number,
            "sensitive": { "type": "boolean" },
            "description": defined("text"),
        }),
        &[],
    )
}

fn retry() -> Value {
    let times = json!({ "type": "integer", "minimum": 0, "maximum": 10 });
    let status = json!({ "type": "integer", "minimum": 400, "maximum": 599 });
    let error = json!({ "anyOf": [{ "enum": ["connect", "timeout", "5xx"] }, status] });
    let long = map(
        json!({
            "times": times,
            "wait": defined("duration"),
            "max_wait": defined("duration"),
            "errors": { "type": "array", "items": error },
        }),
        &["times"],
    );
    json!({ "anyOf": [times, long] })
}

/// A step: one kind, and the keys beside it (L-8, L-9).
fn step(steps: &StepSet) -> Value {
    let mut properties = Map::new();
    let mut one_of = Vec::new();
    for kind in BUILT_IN {
        properties.insert((*kind).to_owned(), kinds::key(kind));
        one_of.push(kinds::is_kind(kind));
    }
    for kind in steps.kinds().map(flowrun_step::StepKind::as_str) {
        properties.insert(kind.to_owned(), defined(kind));
        one_of.push(json!({ "required": [kind] }));
    }
    for key in COMMON {
        properties.entry((*key).to_owned()).or_insert_with(|| kinds::common(key));
    }
    properties.extend(kinds::beside().map(|(key, schema)| (key.to_owned(), schema)));
    let mut step = closed(properties);
    step.insert("oneOf".to_owned(), Value::Array(one_of));
    step.insert("dependencies".to_owned(), kinds::dependencies());
    json!({ "anyOf": [{ "enum": ["end", "fail"] }, step] })
}
