//! Test files: what a flow is tried with, without a network, and what is expected of it (language, 5).
//!
//! A test file is read as a flow is: the same YAML, positions and traps, every mistake at once and each with a fix.
//! What a case means is the test runner's business; [`Suite::misfits`] finds what does not fit the flow itself.

mod expect;
mod fit;
mod house;
mod outside;
mod read;
mod reply;

use std::collections::BTreeMap;
use std::time::Duration;

use flowrun_step::IntegrationStatus;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::code::Code;
use crate::diagnostic::{Diagnostic, Place};
use crate::document::Keys;
use crate::input::Given;
use crate::node::Node;
use crate::problems::Problems;
use crate::source::SourceText;

pub(crate) use read::word;

pub use expect::{Expect, ExpectedEvent, ExpectedRequest, ExpectedResponse};
pub use outside::{Happened, Said};
pub use reply::{Answer, Body, Canned, When};

/// One test file.
#[derive(Debug, Clone)]
pub struct Suite {
    /// The file of the flow, relative to this one; the file beside it where nothing is said.
    pub flow: Option<Written<String>>,
    /// The integrations that the flow finds.
    pub integrations: Vec<IntegrationStatus>,
    /// What each keeps from its authorization, by the integration's key and the field's name.
    pub kept: BTreeMap<(String, String), String>,
    /// The cases, in order.
    pub cases: Vec<Case>,
}

/// Something an author wrote, and where.
#[derive(Debug, Clone)]
pub struct Written<T> {
    /// What.
    pub is: T,
    /// Where.
    pub place: Place,
}

/// One case: what a run is given, and what it must come to.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name, and where it stands.
    pub name: Written<String>,
    /// What `--var` would give.
    pub inputs: BTreeMap<String, Given>,
    /// What `secrets.NAME` gives.
    pub secrets: Vec<(Written<String>, SecretString)>,
    /// When the run begins.
    pub now: Timestamp,
    /// What starts it: the kind of its trigger, and what `trigger` holds.
    pub start: Option<Written<(String, Map<String, Value>)>>,
    /// What a person says, in order.
    pub say: Vec<Said>,
    /// Events that happen.
    pub events: Vec<Happened>,
    /// Calls of the URLs of its steps.
    pub calls: Vec<Happened>,
    /// How far time goes; without it, to the end of the run.
    pub advance: Option<Duration>,
    /// What services answer.
    pub replies: Vec<Canned>,
    /// What must come of it.
    pub expect: Expect,
}

const SUITE: &[&str] = &["flow", "description", "integrations", "cases"];
const CASE: &[&str] =
    &["name", "start", "inputs", "secrets", "now", "say", "events", "calls", "advance", "replies", "expect"];

/// When a case begins that says nothing: any moment would do, as long as it is always the same.
const BEGINNING: &str = "2026-01-01T00:00:00Z";

/// Reads a test file, or says everything that is wrong with it.
///
/// # Errors
/// Every mistake, each at its place.
///
/// # Example
/// ```
/// use flowrun_lang::{SourceText, case};
///
/// let text = b"cases:\n  - name: greets\n    inputs: { who: Ann }\n    expect: { sent: [Hello Ann.] }\n";
/// let source = SourceText::new("hello.test.yaml", text.to_vec()).expect("UTF-8");
/// assert_eq!(case::read(&source).expect("no mistakes").cases[0].name.is, "greets");
/// ```
pub fn read(source: &SourceText) -> Result<Suite, Vec<Diagnostic>> {
    let mut problems = Problems::new(source);
    match suite(&mut problems) {
        Some(suite) if !problems.has_errors() => Ok(suite),
        _ => Err(problems.into_sorted()),
    }
}

fn suite(problems: &mut Problems<'_>) -> Option<Suite> {
    let Some(root) = crate::parse::parse(problems) else {
        if !problems.has_errors() {
            no_cases(0, problems);
        }
        return None;
    };
    let mut keys = Keys::of_a("a test file", &root, "", problems)?;
    let flow = read::written(&mut keys, "flow", problems);
    keys.text("description", problems);
    let (integrations, kept) = house::integrations(&mut keys, problems);
    let is_near_miss = keys.hold_near_miss("cases", SUITE);
    match keys.take("cases") {
        None if is_near_miss => {}
        Some(node) if node.items().is_none_or(|items| !items.is_empty()) => {
            let cases = read::list(node, "cases", problems).into_iter();
            let cases = cases.filter_map(|(path, node)| case(node, &path, problems)).collect();
            keys.refuse_rest(SUITE, problems);
            return Some(Suite { flow, integrations, kept, cases });
        }
        _ => no_cases(root.bytes.start, problems),
    }
    keys.refuse_rest(SUITE, problems);
    None
}

fn no_cases(at: usize, problems: &mut Problems<'_>) {
    let problem = problems.error(Code::MissingKey, ("", at..at), "the file has no `cases`");
    problem.set_help("cases:\n  - name: greets\n    expect: { sent: [Hello.] }");
}

fn case(node: &Node, path: &str, problems: &mut Problems<'_>) -> Option<Case> {
    let mut keys = Keys::of_a("a case", node, path, problems)?;
    let name = read::written(&mut keys, "name", problems);
    if name.is_none() && node.get("name").is_none() && !keys.hold_near_miss("name", CASE) {
        let start = node.bytes.start;
        let problem = problems.error(Code::MissingKey, (path, start..start), "the case has no `name`");
        problem.set_help("name: what the flow does in this case");
    }
    let inputs = keys.map("inputs", problems).iter().map(|(key, node)| (key.text.clone(), given(node)));
    let inputs = inputs.collect();
    let secrets = read::texts_by_name(&mut keys, "secrets", problems);
    let secrets = secrets.into_iter().map(|(name, text)| (name, text.into())).collect();
    let now = read::moment(&mut keys, "now", problems);
    let advance = read::duration(&mut keys, "advance", problems);
    let start = outside::start(&mut keys, problems);
    let say = outside::say(&mut keys, problems);
    let events = outside::happened(&mut keys, "events", "event", problems);
    let calls = outside::happened(&mut keys, "calls", "step", problems);
    let replies = reply::replies(&mut keys, problems);
    let expect = expect::expect(&mut keys, problems);
    keys.refuse_rest(CASE, problems);
    let now = now.or_else(|| BEGINNING.parse().ok()).unwrap_or_default();
    Some(Case { name: name?, inputs, secrets, now, start, say, events, calls, advance, replies, expect })
}

/// What `--var` would give: text that the declared type parses; a list or a map is what it is.
fn given(node: &Node) -> Given {
    match node.scalar() {
        Some(scalar) if !scalar.is_null() => Given::Text(scalar.text.clone()),
        _ => Given::Value(node.value()),
    }
}
