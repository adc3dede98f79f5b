//! A step kind's own schema (draft 2020-12, as schemars writes it) in the words of draft-07.
//!
//! What `x-flowrun` says of a setting becomes what a schema can say: a template may stand where the rendered value
//! would, a duration and an integration's name have their patterns.

use serde_json::{Map, Value, json};

use crate::schema::DURATION;

/// The schema of the settings of `kind`, to stand among the definitions under that name.
pub(super) fn draft_07(schema: &Value, kind: &str) -> Value {
    let mut schema = converted(schema, kind);
    if let Value::Object(of) = &mut schema {
        of.remove("$schema");
        of.entry("patternProperties").or_insert_with(|| json!({ "^x-": true }));
    }
    schema
}

fn converted(schema: &Value, kind: &str) -> Value {
    let Value::Object(members) = schema else { return schema.clone() };
    let mut out = Map::new();
    for (key, value) in members {
        match (key.as_str(), value) {
            ("x-flowrun" | "format", _) => {}
            ("$defs", Value::Object(_)) => {
                out.insert("definitions".to_owned(), each(value, kind));
            }
            ("$ref", Value::String(to)) => {
                let to = to.replace("#/$defs/", &format!("#/definitions/{kind}/definitions/"));
                out.insert(key.clone(), json!(to));
            }
            ("properties" | "patternProperties", _) => {
                out.insert(key.clone(), each(value, kind));
            }
            ("anyOf" | "allOf" | "oneOf", Value::Array(all)) => {
                out.insert(key.clone(), all.iter().map(|one| converted(one, kind)).collect());
            }
            ("items" | "additionalProperties" | "propertyNames" | "not", _) => {
                out.insert(key.clone(), converted(value, kind));
            }
            ("type", _) if !members.contains_key("enum") => {
                out.insert(key.clone(), source_text(value));
            }
            _ => {
                out.insert(key.clone(), value.clone());
            }
        }
    }
    written(Value::Object(out), members.get("x-flowrun").and_then(Value::as_str))
}

fn each(members: &Value, kind: &str) -> Value {
    let members = members.as_object().into_iter().flatten();
    Value::Object(members.map(|(key, schema)| (key.clone(), converted(schema, kind))).collect())
}

/// L-7a: where a text is wanted, a plain number is its source text.
fn source_text(types: &Value) -> Value {
    let mut all = match types {
        Value::String(_) => vec![types.clone()],
        Value::Array(all) => all.clone(),
        _ => return types.clone(),
    };
    if all.contains(&json!("string")) && !all.contains(&json!("number")) {
        all.push(json!("number"));
        return Value::Array(all);
    }
    types.clone()
}

/// What the language of a setting allows beside its schema, or asks of it.
fn written(mut schema: Value, language: Option<&str>) -> Value {
    let Value::Object(members) = &mut schema else { return schema };
    match language {
        None | Some("picks" | "literal" | "expression") => schema,
        Some("duration") => {
            members.insert("type".to_owned(), json!("string"));
            members.insert("pattern".to_owned(), json!(DURATION));
            schema
        }
        Some("integration") => {
            members.insert("type".to_owned(), json!("string"));
            members.insert("not".to_owned(), json!({ "pattern": "\\{\\{" }));
            schema
        }
        Some(_) if takes_text(members) => schema,
        Some(_) => {
            let description = members.remove("description");
            let template = json!({ "type": "string", "pattern": "\\{\\{" });
            let mut either = json!({ "anyOf": [schema, template] });
            if let (Some(description), Value::Object(members)) = (description, &mut either) {
                members.insert("description".to_owned(), description);
            }
            either
        }
    }
}

/// Whether a text may stand there anyway.
fn takes_text(schema: &Map<String, Value>) -> bool {
    let types = schema.get("type").map(Value::to_string);
    let is_open = types.is_none() && !schema.contains_key("anyOf") && !schema.contains_key("$ref");
    is_open || types.is_some_and(|types| types.contains("\"string\""))
}
