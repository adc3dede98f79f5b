//! What a case expects: each part that is written is compared, the others are not.

use flowrun_machine::StepStatus;
use serde_json::{Map, Value};

use super::{When, Written, read};
use crate::document::{Keys, wrong_shape};
use crate::node::Node;
use crate::problems::Problems;

/// What must come of a run.
#[derive(Debug, Clone, Default)]
pub struct Expect {
    /// The texts that the flow sends, all of them, in order.
    pub sent: Option<Written<Vec<String>>>,
    /// The calls that it makes, all of them, in order; further attempts of one are not listed.
    pub requests: Option<Written<Vec<ExpectedRequest>>>,
    /// What it gives when it ends well.
    pub outputs: Option<Written<Map<String, Value>>>,
    /// What whoever started it is answered.
    pub response: Option<Written<ExpectedResponse>>,
    /// The events that it tells of, all of them, in order.
    pub emitted: Option<Written<Vec<ExpectedEvent>>>,
    /// How many attempts steps took.
    pub attempts: Vec<(Written<String>, u64)>,
    /// The kind or the name of the error it ends with; without it, it ends well.
    pub error: Option<Written<String>>,
    /// How steps ended; none for one that was not reached.
    pub steps: Vec<(Written<String>, Option<StepStatus>)>,
}

/// What one request must be like: only what is written is compared.
#[derive(Debug, Clone)]
pub struct ExpectedRequest {
    /// The step that makes it.
    pub step: Option<Written<String>>,
    /// Method and URL.
    pub is: When,
    /// Headers it must have, among others.
    pub headers: Vec<(String, String)>,
    /// What its body must hold, as JSON; a map may hold more.
    pub json: Option<Value>,
}

/// What an answer must be like: only what is written is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedResponse {
    /// Its status.
    pub status: Option<u16>,
    /// Headers it must have, among others.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Option<Value>,
}

/// What an event must be like: only what is written is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedEvent {
    /// Its name.
    pub event: String,
    /// What it is about.
    pub key: Option<String>,
    /// What its data must hold; a map may hold more.
    pub data: Option<Value>,
}

const EXPECT: &[&str] = &["sent", "requests", "outputs", "response", "emitted", "attempts", "error", "steps"];
const REQUEST: &[&str] = &["step", "method", "url", "headers", "json"];
/// More attempts than any step makes: L-10 allows ten further ones.
const MOST_ATTEMPTS: u64 = 11;

const STATUSES: [(&str, Option<StepStatus>); 4] = [
    ("pending", None),
    ("done", Some(StepStatus::Done)),
    ("skipped", Some(StepStatus::Skipped)),
    ("failed", Some(StepStatus::Failed)),
];

/// Reads `expect`; without it, the run must end well.
pub(super) fn expect(keys: &mut Keys<'_>, problems: &mut Problems<'_>) -> Expect {
    let path = keys.path_of("expect");
    let Some(node) = keys.take("expect") else { return Expect::default() };
    let Some(mut keys) = Keys::of_a("`expect`", node, &path, problems) else { return Expect::default() };
    let expect = Expect {
        sent: of_list(&mut keys, "sent", problems, read::text),
        requests: of_list(&mut keys, "requests", problems, request),
        outputs: outputs(&mut keys, problems),
        response: response(&mut keys, problems),
        emitted: of_list(&mut keys, "emitted", problems, event),
        attempts: by_step(&mut keys, "attempts", problems, |node, path, problems| {
            read::whole(node, (path, 0, MOST_ATTEMPTS), problems)
        }),
        error: read::written(&mut keys, "error", problems),
        steps: by_step(&mut keys, "steps", problems, |node, path, problems| {
            read::word(node, path, &STATUSES, problems)
        }),
    };
    keys.refuse_rest(EXPECT, problems);
    expect
}

type Read<T> = fn(&Node, &str, &mut Problems<'_>) -> Option<T>;

fn of_list<T>(
    keys: &mut Keys<'_>,
    key: &str,
    problems: &mut Problems<'_>,
    read: Read<T>,
) -> Option<Written<Vec<T>>> {
    let path = keys.path_of(key);
    let (name, node) = keys.entry(key)?;
    let place = problems.source().place(&path, name.bytes.clone());
    let items = read::list(node, &path, problems).into_iter();
    Some(Written { is: items.filter_map(|(path, node)| read(node, &path, problems)).collect(), place })
}

fn by_step<T>(
    keys: &mut Keys<'_>,
    key: &str,
    problems: &mut Problems<'_>,
    read: Read<T>,
) -> Vec<(Written<String>, T)> {
    let path = keys.path_of(key);
    let mut steps = Vec::new();
    for (name, node) in keys.map(key, problems) {
        let path = format!("{path}.{}", name.text);
        let step = read::key_of(name, &path, problems);
        steps.extend(read(node, &path, problems).map(|value| (step, value)));
    }
    steps
}

fn outputs(keys: &mut Keys<'_>, problems: &mut Problems<'_>) -> Option<Written<Map<String, Value>>> {
    let path = keys.path_of("outputs");
    let (key, node) = keys.entry("outputs")?;
    let Value::Object(outputs) = node.value() else {
        wrong_shape(problems, (&path, node), "`outputs` is a map", "outputs: { name: value }");
        return None;
    };
    Some(Written { is: outputs, place: problems.source().place(&path, key.bytes.clone()) })
}

fn response(keys: &mut Keys<'_>, problems: &mut Problems<'_>) -> Option<Written<ExpectedResponse>> {
    let path = keys.path_of("response");
    let (key, node) = keys.entry("response")?;
    let place = problems.source().place(&path, key.bytes.clone());
    let mut keys = Keys::of_a("an answer", node, &path, problems)?;
    let status_path = keys.path_of("status");
    let status = keys.take("status").and_then(|node| read::whole(node, (&status_path, 200, 599), problems));
    let headers = read::texts_by_name(&mut keys, "headers", problems).into_iter();
    let headers = headers.map(|(name, value)| (name.is, value)).collect();
    let body = keys.take("json").map(Node::value).or_else(|| keys.text("text", problems).map(Value::from));
    keys.refuse_rest(&["status", "headers", "json", "text"], problems);
    let status = status.and_then(|status| u16::try_from(status).ok());
    Some(Written { is: ExpectedResponse { status, headers, body }, place })
}

fn event(node: &Node, path: &str, problems: &mut Problems<'_>) -> Option<ExpectedEvent> {
    let mut keys = Keys::of_a("an event", node, path, problems)?;
    let event = keys.text("event", problems).map(str::to_owned);
    read::needed(node, (path, "event"), problems);
    let (key, data) = (keys.text("key", problems).map(str::to_owned), keys.take("data").map(Node::value));
    keys.refuse_rest(&["event", "key", "data"], problems);
    Some(ExpectedEvent { event: event?, key, data })
}

fn request(node: &Node, path: &str, problems: &mut Problems<'_>) -> Option<ExpectedRequest> {
    let mut keys = Keys::of_a("a request", node, path, problems)?;
    let headers = read::texts_by_name(&mut keys, "headers", problems).into_iter();
    let request = ExpectedRequest {
        step: read::written(&mut keys, "step", problems),
        is: When {
            method: keys.text("method", problems).map(str::to_uppercase),
            url: keys.text("url", problems).map(str::to_owned),
        },
        headers: headers.map(|(name, value)| (name.is.to_lowercase(), value)).collect(),
        json: keys.take("json").map(Node::value),
    };
    keys.refuse_rest(REQUEST, problems);
    Some(request)
}
