//! What a run was given and what it was answered, as a case of a test file says it.

use std::collections::BTreeMap;
use std::time::Duration;

use flowrun::SystemClock;
use flowrun::engine::Incoming;
use flowrun::lang::{Flow, Given, Input};
use flowrun::step::{Clock as _, Reply};
use flowrun::template::{Slot, Type, is_named_secret};
use http::HeaderMap;
use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use serde_json::{Map, Value, json};

use super::scrub::{REDACTED, Scrub};
use super::tape::{Answer, Exchange, Tape};
use super::yaml;
use crate::net::Net;
use crate::test::has_id;

/// Headers of replies that a flow, its retries or its pages may go by.
const KEPT: [&str; 5] = ["link", "location", "etag", "last-modified", "retry-after"];

/// What is known when the run begins.
pub(in crate::start) struct Recording {
    now: jiff::Timestamp,
    inputs: Map<String, Value>,
    start: Option<Value>,
    secrets: Vec<Value>,
    /// Whether a person may be asked for what must not be shown.
    asks_secret: bool,
    integrations: Vec<String>,
    /// What the flow says, in which the headers that it reads stand.
    text: String,
}

/// A case, but for what it expects.
pub(super) struct Case {
    pub(super) name: String,
    parts: Map<String, Value>,
    /// What the file must say of integrations.
    pub(super) integrations: Map<String, Value>,
}

impl Case {
    /// The case as an item of `cases`, its dash two spaces in.
    pub(super) fn text(&self, expect: Option<&Map<String, Value>>) -> String {
        let mut parts = self.parts.clone();
        if let Some(expect) = expect.filter(|expect| !expect.is_empty()) {
            parts.insert("expect".to_owned(), Value::Object(expect.clone()));
        }
        let mut text = String::new();
        yaml::behind(&json!([parts]), 2, &mut text);
        text.trim_start_matches('\n').to_owned() + "\n"
    }
}

impl Recording {
    pub(in crate::start) fn new(
        flow: &Flow,
        (given, trigger): (&BTreeMap<String, Given>, &Value),
        accepted: &[(Slot, Value)],
    ) -> Self {
        let is_secret = |name: &str| {
            is_named_secret(name)
                || flow.inputs().iter().any(|input| input.name == name && input.is_sensitive)
        };
        let accepted = accepted.iter().map(|(slot, value)| (flow.plan().slots.name(*slot), value));
        let (names, secrets): (Vec<&str>, Vec<&Value>) =
            accepted.clone().filter(|(name, _)| is_secret(name)).unzip();
        let mut secrets: Vec<Value> = secrets.into_iter().cloned().collect();
        let inputs = given.iter().map(|(name, given)| {
            let value = match given {
                Given::Text(text) => json!(text),
                Given::Value(value) => value.clone(),
            };
            if !is_secret(name) {
                return (name.clone(), value);
            }
            secrets.push(value);
            (name.clone(), stand_in(flow.inputs().iter().find(|input| input.name == *name)))
        });
        let inputs = inputs.collect();
        let is_asked = |input: &Input| input.ask.is_some() && is_secret(&input.name);
        let asks_secret =
            flow.inputs().iter().any(|input| is_asked(input) && !names.contains(&input.name.as_str()));
        let start = flow.trigger().map(|of| {
            let fields = trigger.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
            let fields: Map<_, _> = fields.map(|(name, value)| (name.clone(), value.clone())).collect();
            json!({ of.kind(): fields })
        });
        let integrations = flow.integrations().iter().map(|used| used.name.as_str().to_owned()).collect();
        let text = flow.sources().map(|source| source.text().to_ascii_lowercase()).collect();
        Self { now: SystemClock.now(), inputs, start, secrets, asks_secret, integrations, text }
    }

    /// The case, without what is secret.
    pub(super) fn case(&self, tape: &Tape, net: &Net) -> Case {
        let heard = tape.heard_so_far();
        let mut scrub = Scrub::new(net);
        self.secrets.iter().for_each(|secret| scrub.learn(secret));
        for exchange in &heard.exchanges {
            if let Answer::Reply(reply) = &exchange.answer {
                scrub.study(&body(reply).unwrap_or_default());
            }
        }
        let now = self.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let name = format!("recorded {now}");
        let mut parts = Map::from_iter([("name".to_owned(), json!(name)), ("now".to_owned(), json!(now))]);
        let mut inputs = Value::Object(self.inputs.clone());
        // Those that are secret were replaced by something of their type.
        inputs.as_object_mut().into_iter().flatten().for_each(|(_, value)| scrub.value(value));
        put(&mut parts, "start", self.start.clone(), &scrub);
        if self.inputs.is_empty() {
            None
        } else {
            parts.insert("inputs".to_owned(), inputs)
        };
        self.outside(&heard.came, &mut parts, &scrub);
        let replies = self.replies(&heard.exchanges, &scrub);
        if replies != json!({}) {
            parts.insert("replies".to_owned(), replies);
        }
        let mut integrations = Map::new();
        for name in &self.integrations {
            let of_it = heard.kept.iter().filter(|(of, _, _)| of.as_str() == name);
            let kept: Map<_, _> =
                of_it.map(|(_, field, value)| (field.clone(), json!(scrub.text(value)))).collect();
            let state = if kept.is_empty() { json!("authorized") } else { json!({ "kept": kept }) };
            integrations.insert(name.clone(), state);
        }
        Case { name, parts, integrations }
    }

    /// What came to the run: `say`, `events`, `calls`.
    fn outside(&self, came: &[(Duration, Incoming)], parts: &mut Map<String, Value>, scrub: &Scrub<'_>) {
        let (mut say, mut events, mut calls) = (Vec::new(), Vec::new(), Vec::new());
        for (after, incoming) in came {
            let after = format!("{}ms", after.as_millis());
            match incoming {
                Incoming::Message(message) if self.asks_secret => {
                    let text = if message["text"] == "" { "" } else { REDACTED };
                    say.push(json!(text));
                }
                Incoming::Message(message) => say.push(message["text"].clone()),
                Incoming::Event(told) => {
                    let mut event = json!({ "event": told.event, "data": told.data, "after": after });
                    if let Some(key) = &told.key {
                        event["key"] = json!(key);
                    }
                    events.push(event);
                }
                Incoming::Call { callback, payload } => {
                    calls.push(json!({ "step": callback, "body": payload["body"], "after": after }));
                }
                // What a test file cannot say comes to no run from here.
                _ => {}
            }
        }
        for (name, items) in [("say", say), ("events", events), ("calls", calls)] {
            put(parts, name, (!items.is_empty()).then_some(Value::Array(items)), scrub);
        }
    }

    /// Replies by the step that asked; by the request, if a step has no id to name it by.
    fn replies(&self, exchanges: &[Exchange], scrub: &Scrub<'_>) -> Value {
        let all_have_ids = exchanges.iter().all(|exchange| has_id(&exchange.step));
        let mut list = Vec::new();
        let mut by_step: Map<String, Value> = Map::new();
        for exchange in exchanges {
            let Some(reply) = self.reply(exchange, scrub) else { continue };
            let asks_otherwise = |other: &&Exchange| {
                other.step == exchange.step
                    && (&other.url, &other.method) != (&exchange.url, &exchange.method)
            };
            let is_told_apart = !all_have_ids || exchanges.iter().any(|other| asks_otherwise(&other));
            let mut canned = Map::new();
            if is_told_apart {
                let when = json!({ "method": exchange.method, "url": scrub.pattern(&exchange.url) });
                canned.insert("when".to_owned(), when);
            }
            canned.extend(reply);
            match by_step.get_mut(&exchange.step).and_then(Value::as_array_mut) {
                _ if !all_have_ids => list.push(Value::Object(canned)),
                Some(replies) => replies.push(Value::Object(canned)),
                None => drop(by_step.insert(exchange.step.clone(), json!([canned]))),
            }
        }
        if all_have_ids { Value::Object(by_step) } else { Value::Array(list) }
    }

    fn reply(&self, exchange: &Exchange, scrub: &Scrub<'_>) -> Option<Map<String, Value>> {
        let said = match &exchange.answer {
            Answer::Reply(reply) => return Some(self.said(reply, scrub)),
            Answer::Limited(wait) => {
                json!({ "status": 429, "headers": { "retry-after": wait.as_secs().to_string() } })
            }
            Answer::Connect => json!({ "error": "connect" }),
            // A run that went on without a reply had waited longer than it wanted.
            Answer::Timeout | Answer::None => json!({ "error": "timeout" }),
            Answer::Unsayable => return None,
        };
        said.as_object().cloned()
    }

    fn said(&self, reply: &Reply, scrub: &Scrub<'_>) -> Map<String, Value> {
        let mut said = Map::new();
        if reply.status.as_u16() != 200 {
            said.insert("status".to_owned(), json!(reply.status.as_u16()));
        }
        let json = body(reply);
        let headers = self.headers(&reply.headers, json.is_none() && !reply.body.is_empty(), scrub);
        if !headers.is_empty() {
            said.insert("headers".to_owned(), Value::Object(headers));
        }
        if let Some(mut json) = json {
            scrub.value(&mut json);
            said.insert("json".to_owned(), json);
        } else if !reply.body.is_empty() {
            said.insert("text".to_owned(), json!(scrub.text(&String::from_utf8_lossy(&reply.body))));
        }
        said
    }

    /// The headers that matter: what the language goes by, and what the flow itself names.
    fn headers(&self, headers: &HeaderMap, says_type: bool, scrub: &Scrub<'_>) -> Map<String, Value> {
        let is_limit = |name: &str| name.replace('-', "").contains("ratelimit");
        // A reset may be a moment, which the service's own clock makes a length of time.
        let has_moment = headers.keys().any(|name| name == RETRY_AFTER || is_limit(name.as_str()));
        let mut kept = Map::new();
        for name in headers.keys() {
            let text = name.as_str();
            let matters = KEPT.contains(&text)
                || is_limit(text)
                || (name == CONTENT_TYPE && says_type)
                || (name == DATE && has_moment)
                || self.text.contains(&format!("headers.{text}"))
                || self.text.contains(&format!("headers['{text}']"));
            if matters && !is_named_secret(text) {
                let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
                let value = values.collect::<Vec<_>>().join(", ");
                kept.insert(text.to_owned(), json!(scrub.text(&value)));
            }
        }
        kept
    }
}

fn put(parts: &mut Map<String, Value>, name: &str, value: Option<Value>, scrub: &Scrub<'_>) {
    if let Some(mut value) = value {
        scrub.value(&mut value);
        parts.insert(name.to_owned(), value);
    }
}

/// The body as JSON, if it is or looks like it.
fn body(reply: &Reply) -> Option<Value> {
    let says_json =
        reply.headers.get(CONTENT_TYPE).and_then(|of| of.to_str().ok()).is_some_and(|of| of.contains("json"));
    let looks_json = matches!(reply.body.trim_ascii_start().first(), Some(b'{' | b'['));
    (says_json || looks_json).then(|| serde_json::from_slice(&reply.body).ok()).flatten()
}

/// Something of the type that an input wants, in place of what it was.
fn stand_in(input: Option<&Input>) -> Value {
    match input.map_or(Type::Any, |input| input.kind) {
        Type::Integer | Type::Number => json!(0),
        Type::Boolean => json!(false),
        Type::Object => json!({}),
        Type::Array => json!([]),
        Type::Timestamp => json!("2026-01-01T00:00:00Z"),
        Type::Duration => json!("1s"),
        _ => json!(REDACTED),
    }
}
