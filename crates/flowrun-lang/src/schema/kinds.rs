//! The kinds the language itself has, as JSON Schema.

use serde_json::{Value, json};

use crate::input::TYPES;
use crate::schema::{defined, map, named};

/// What a kind does, for whoever types it.
const ABOUT: &[(&str, &str)] = &[
    ("set", "Gives variables values: texts with templates, or any YAML."),
    ("compute", "Gives variables the values of expressions, one after the other."),
    ("if", "With `then`: takes one of two blocks. Without: takes this step only if it is true."),
    ("switch", "Takes the first case that holds."),
    ("do", "A block of steps, or the body of a loop."),
    ("for_each", "Takes `do` for each item of a list; `collect` gathers what they give."),
    ("repeat", "Takes `do` until a condition holds, at most `max` times."),
    ("parallel", "Takes several blocks side by side."),
    ("call", "Runs another flow of the same folder and takes its outputs."),
    ("wait", "Waits for a while, until a moment, for an event, or for a call of the step's own URL."),
    ("ask", "Asks the person of the conversation and waits for the answer."),
    ("send", "Sends a message."),
    ("respond", "Answers the webhook's caller; the flow goes on."),
    ("emit", "Tells the host and other flows of an event."),
    ("log", "Writes a line for whoever looks after the flow."),
    ("fail", "Raises an error; bare, in a handler, raises the handled one again."),
    ("end", "Ends the flow well."),
];

/// A kind's key: what stands beneath it, and what it does.
pub(super) fn key(kind: &str) -> Value {
    match ABOUT.iter().find(|(name, _)| *name == kind) {
        // Beside `$ref` draft-07 reads nothing else, so the reference stands within.
        Some((_, about)) => json!({ "description": about, "allOf": [settings(kind)] }),
        None => settings(kind),
    }
}

/// What stands beneath a kind. One that is not described here may hold anything; a check says what is wrong.
fn settings(kind: &str) -> Value {
    let (text, expression) = (defined("text"), defined("expression"));
    let number = json!({ "type": "integer", "minimum": 1 });
    match kind {
        "set" => named(&json!(true)),
        "compute" => named(&expression),
        "if" => expression,
        "switch" => json!({ "type": "array", "items": { "anyOf": [
            map(json!({ "if": expression, "then": defined("steps") }), &["if", "then"]),
            map(json!({ "else": defined("steps") }), &["else"]),
        ] } }),
        "do" => defined("steps"),
        "for_each" => either(
            &expression,
            map(
                json!({
                    "in": expression,
                    "as": defined("name"),
                    "concurrency": number,
                    "max_items": number,
                    "collect": expression,
                }),
                &["in"],
            ),
        ),
        "call" => either(
            &json!({ "type": "string" }),
            map(json!({ "flow": { "type": "string" }, "inputs": { "type": "object" } }), &["flow"]),
        ),
        "repeat" => {
            map(json!({ "max": number, "until": expression, "every": defined("duration") }), &["max"])
        }
        "parallel" => json!({ "type": "object", "additionalProperties": defined("steps") }),
        "wait" => {
            let moment = map(json!({ "until": expression, "before": defined("duration") }), &["until"]);
            let event = map(json!({ "event": text, "key": text, "where": expression }), &["event"]);
            let call = map(json!({ "method": { "type": "string" } }), &[]);
            let webhook = map(json!({ "webhook": either(&json!({ "type": "null" }), call) }), &["webhook"]);
            either(&text, json!({ "anyOf": [moment, event, webhook] }))
        }
        "ask" => either(
            &text,
            map(
                json!({
                    "text": text,
                    "type": { "enum": TYPES },
                    "choices": { "type": "array", "items": text },
                    "pattern": text,
                    "invalid": text,
                    "attempts": number,
                    "timeout": defined("duration"),
                    "accept": { "enum": ["after", "any"] },
                }),
                &["text"],
            ),
        ),
        "send" => either(
            &text,
            map(
                json!({
                    "text": text,
                    "to": text,
                    "channel": text,
                    "media": text,
                    "buttons": true,
                    "template": true,
                    "await": { "const": "delivered" },
                }),
                &["text"],
            ),
        ),
        "respond" => map(
            json!({
                "status": { "type": "integer", "minimum": 200, "maximum": 599 },
                "headers": { "type": "object", "additionalProperties": text },
                "json": true,
                "text": text,
            }),
            &[],
        ),
        "emit" => map(json!({ "event": { "type": "string" }, "key": text, "data": true }), &["event"]),
        "log" => {
            let level = json!({ "enum": ["debug", "info", "warn", "error"] });
            either(&text, map(json!({ "text": text, "level": level, "data": true }), &["text"]))
        }
        "fail" => either(&nothing(), either(&text, map(json!({ "name": text, "message": text }), &["name"]))),
        "end" => either(&nothing(), map(json!({ "outputs": { "type": ["object", "null"] } }), &[])),
        _ => json!(true),
    }
}

/// How a step of this kind is told from the others.
pub(super) fn is_kind(kind: &str) -> Value {
    match kind {
        "if" => json!({ "required": ["if", "then"] }),
        "do" => json!({
            "required": ["do"],
            "not": { "anyOf": [{ "required": ["for_each"] }, { "required": ["repeat"] }] },
        }),
        _ => json!({ "required": [kind] }),
    }
}

/// A key beside any kind (L-9).
pub(super) fn common(key: &str) -> Value {
    match key {
        "id" | "into" => defined("name"),
        "if" => defined("expression"),
        "timeout" => defined("duration"),
        "retry" => defined("retry"),
        "on_error" => defined("handler"),
        "finally" | "undo" => defined("steps"),
        "in_doubt" => json!({ "enum": ["stop", "retry", "skip", "fail"] }),
        _ => json!(true),
    }
}

/// Keys that stand beside one kind alone.
pub(super) fn beside() -> [(&'static str, Value); 3] {
    [("then", defined("steps")), ("else", defined("steps")), ("join", json!({ "enum": ["all", "any"] }))]
}

/// Which of them needs which.
pub(super) fn dependencies() -> Value {
    json!({ "then": ["if"], "else": ["then"], "join": ["parallel"], "for_each": ["do"], "repeat": ["do"] })
}

fn either(one: &Value, other: Value) -> Value {
    json!({ "anyOf": [one, other] })
}

/// `end:` and `fail:` without anything beneath them.
fn nothing() -> Value {
    json!({ "anyOf": [{ "type": "null" }, { "type": "array", "maxItems": 0 }] })
}
