//! What services answer in a case: by the step that asks, or by the request they are asked with.

use serde_json::Value;

use super::{Written, read};
use crate::code::Code;
use crate::document::Keys;
use crate::node::Node;
use crate::problems::Problems;

/// One answer, given so many times.
#[derive(Debug, Clone)]
pub struct Canned {
    /// The step that it answers; any, if a request is described instead.
    pub step: Option<Written<String>>,
    /// The request that it answers; any of the step's, if nothing is said.
    pub when: Option<When>,
    /// How often it is given.
    pub times: u64,
    /// The answer, and where it stands.
    pub answer: Written<Answer>,
}

/// What a request must be like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    /// Its method, in capitals.
    pub method: Option<String>,
    /// Its URL; a `*` stands for anything.
    pub url: Option<String>,
}

/// An answer, or why there is none.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A reply.
    Reply {
        /// Its status.
        status: u16,
        /// Its headers.
        headers: Vec<(String, String)>,
        /// Its body.
        body: Body,
    },
    /// Nobody takes the connection.
    Connect,
    /// Nobody answers as long as the attempt lasts.
    Timeout,
}

/// The body of a reply.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// None.
    Empty,
    /// JSON, and a content type that says so.
    Json(Value),
    /// Text as it is.
    Text(String),
}

const REPLY: &[&str] = &["when", "times", "status", "headers", "json", "text", "error"];
/// More than any run asks for one thing.
const MOST_TIMES: u64 = 100_000;
/// What a reply that never comes cannot have.
const OF_A_REPLY: [&str; 4] = ["status", "headers", "json", "text"];

/// Reads `replies`: a map by step, or a list of which each says `when`.
pub(super) fn replies(keys: &mut Keys<'_>, problems: &mut Problems<'_>) -> Vec<Canned> {
    let path = keys.path_of("replies");
    let Some(node) = keys.take("replies") else { return Vec::new() };
    let Some(steps) = node.entries() else {
        let items = read::list(node, &path, problems).into_iter();
        return items.filter_map(|(path, node)| by_request(node, &path, problems)).collect();
    };
    let mut replies = Vec::new();
    for (key, node) in steps {
        let path = format!("{path}.{}", key.text);
        let step = read::key_of(key, &path, problems);
        let items = match node.entries() {
            Some(_) => vec![(path, node)],
            None => read::list(node, &path, problems),
        };
        let of_step = items.into_iter().filter_map(|(path, node)| reply(node, &path, problems));
        replies.extend(of_step.map(|canned| Canned { step: Some(step.clone()), ..canned }));
    }
    replies
}

fn by_request(node: &Node, path: &str, problems: &mut Problems<'_>) -> Option<Canned> {
    let canned = reply(node, path, problems)?;
    if canned.when.is_none() {
        let bytes = node.bytes.clone();
        let problem =
            problems.error(Code::MissingKey, (path, bytes), "nothing says which request this answers");
        problem.set_help("when: { method: GET, url: \"https://api.example.com/contacts*\" }");
    }
    Some(canned)
}

fn reply(node: &Node, path: &str, problems: &mut Problems<'_>) -> Option<Canned> {
    let place = problems.source().place(path, node.bytes.clone());
    let mut keys = Keys::of_a("a reply", node, path, problems)?;
    let when = keys.take("when").and_then(|node| when(node, &format!("{path}.when"), problems));
    let times_path = keys.path_of("times");
    let times = keys.take("times").map(|node| read::whole(node, (&times_path, 1, MOST_TIMES), problems));
    let error_path = keys.path_of("error");
    let errors = [("connect", true), ("timeout", false)];
    let error = keys.take("error").and_then(|node| read::word(node, &error_path, &errors, problems));
    let answer = match error {
        Some(is_connect) => {
            refuse_parts(&keys, &OF_A_REPLY, "a reply that never comes has no", problems);
            Some(if is_connect { Answer::Connect } else { Answer::Timeout })
        }
        None => answer(&mut keys, problems),
    };
    keys.refuse_rest(REPLY, problems);
    Some(Canned {
        step: None,
        when,
        times: times.unwrap_or(Some(1))?,
        answer: Written { is: answer?, place },
    })
}

fn refuse_parts(keys: &Keys<'_>, parts: &[&str], why: &str, problems: &mut Problems<'_>) {
    for (key, _) in keys.left().iter().filter(|(key, _)| parts.contains(&key.text.as_str())) {
        let message = format!("{why} `{}`", key.text);
        let at = keys.path_of(&key.text);
        problems
            .error(Code::WrongShape, (&at, key.bytes.clone()), message)
            .set_help("leave one of the two out");
    }
}

fn answer(keys: &mut Keys<'_>, problems: &mut Problems<'_>) -> Option<Answer> {
    let path = keys.path_of("status");
    let status = match keys.take("status") {
        Some(node) => u16::try_from(read::whole(node, (&path, 100, 599), problems)?).ok()?,
        None => 200,
    };
    let headers = read::texts_by_name(keys, "headers", problems).into_iter();
    let headers = headers.map(|(name, value)| (name.is, value)).collect();
    let json = keys.take("json").map(|node| Body::Json(node.value()));
    if json.is_some() {
        refuse_parts(keys, &["text"], "a reply with `json` has no", problems);
    }
    let path = keys.path_of("text");
    let text = keys.take("text").and_then(|node| read::text(node, &path, problems)).map(Body::Text);
    Some(Answer::Reply { status, headers, body: json.or(text).unwrap_or(Body::Empty) })
}

fn when(node: &Node, path: &str, problems: &mut Problems<'_>) -> Option<When> {
    let mut keys = Keys::of_a("`when`", node, path, problems)?;
    let method = keys.text("method", problems).map(str::to_uppercase);
    let url = keys.text("url", problems).map(str::to_owned);
    keys.refuse_rest(&["method", "url"], problems);
    Some(When { method, url })
}
