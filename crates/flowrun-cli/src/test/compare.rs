//! What a run came to, against what its case expects: every difference at its place in the test file.

use flowrun::engine::Told;
use flowrun::lang::case::{Canned, Case, ExpectedEvent, ExpectedRequest, ExpectedResponse, Written};
use flowrun::lang::{Code, Diagnostic};
use serde_json::Value;

use super::diff::{self, Line};
use super::replay::has_id;
use super::run::{End, Ran};
use super::stage::{Asked, Response, fits};

/// Why a case failed.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) diagnostic: Diagnostic,
    /// What was expected and what came, where that says more than a sentence.
    pub(super) diff: Vec<Line>,
}

impl Problem {
    /// A mistake elsewhere that makes a case fail.
    pub(super) fn of_case(case: &Case, diagnostic: Diagnostic) -> Self {
        let cause = format!("in the case `{}`, on line {}", case.name.is, case.name.place.line);
        Self { diagnostic: diagnostic.because(cause), diff: Vec::new() }
    }

    fn at<T>(written: &Written<T>, message: String, diff: Vec<Line>) -> Self {
        let diagnostic = Diagnostic::error(Code::Unexpected, message).at(written.place.clone());
        Self { diagnostic: diagnostic.help("change the flow, or what the case expects"), diff }
    }
}

/// Everything that came otherwise than expected; nothing if the case passed.
pub(super) fn problems(case: &Case, ran: &Ran) -> Vec<Problem> {
    // What follows from a request without a reply is said by nobody.
    if !ran.seen.unanswered.is_empty() {
        return ran.seen.unanswered.iter().map(|asked| unanswered(case, asked)).collect();
    }
    let mut problems: Vec<Problem> = end(case, ran).into_iter().collect();
    problems.extend(sent(case, ran));
    problems.extend(requests(case, ran));
    problems.extend(response(case, ran));
    problems.extend(emitted(case, ran));
    problems.extend(counted(case, ran));
    problems.extend(steps(case, ran));
    // A run that came to another end did not get to the others.
    if problems.is_empty() {
        problems.extend(ran.seen.left.iter().map(unused));
    }
    problems
}

fn unanswered(case: &Case, asked: &Asked) -> Problem {
    let Asked { step, method, url, .. } = asked;
    let message = format!("no reply of the case answers {method} {url}");
    let diagnostic = Diagnostic::error(Code::NoReplyLeft, message).at(case.name.place.clone());
    let diagnostic = diagnostic.because(format!("asked by {step}, for which no reply is left that fits"));
    let help = match has_id(step) {
        true => format!("replies: {{ {step}: [ {{ json: {{}} }} ] }}"),
        false => format!("replies: [ {{ when: {{ method: {method}, url: \"{url}\" }}, json: {{}} }} ]"),
    };
    Problem { diagnostic: diagnostic.help(help), diff: Vec::new() }
}

fn unused(canned: &Canned) -> Problem {
    let message = match canned.times {
        1 => "the run never asked for this reply".to_owned(),
        times => format!("the run did not ask for this reply {times} more times"),
    };
    let diagnostic = Diagnostic::error(Code::ReplyLeft, message).at(canned.answer.place.clone());
    let diagnostic = diagnostic.help("leave it out, or find out why it is not asked for");
    Problem { diagnostic, diff: Vec::new() }
}

/// How the run ended, against `error` and `outputs`.
fn end(case: &Case, ran: &Ran) -> Option<Problem> {
    let expect = &case.expect;
    match (&ran.end, &expect.error) {
        (End::Stuck, _) => {
            let message = "the run waits for something that never comes".to_owned();
            Some(Problem::at(&case.name, message, Vec::new()))
        }
        (End::Done(outputs), None) => {
            let expected = expect.outputs.as_ref()?;
            let is = Value::Object(outputs.clone());
            let wanted = Value::Object(expected.is.clone());
            if diff::same(&is, &wanted) {
                return None;
            }
            let diff = diff::lines(&members(&wanted), &members(&is)).unwrap_or_default();
            Some(Problem::at(expected, "the outputs are others".to_owned(), diff))
        }
        (End::Failed { diagnostic, .. }, None) => Some(Problem::of_case(case, (**diagnostic).clone())),
        (End::Failed { kind, name, diagnostic }, Some(error)) => {
            if *kind == error.is || name.as_ref() == Some(&error.is) {
                return None;
            }
            let diff = changed(&error.is, name.as_ref().unwrap_or(kind));
            let mut problem = Problem::at(error, "the run ended with another error".to_owned(), diff);
            problem.diagnostic = problem.diagnostic.because(diagnostic.message.clone());
            Some(problem)
        }
        (End::Done(_), Some(error)) => {
            let diff = changed(&error.is, "done");
            Some(Problem::at(error, "the run ended well".to_owned(), diff))
        }
        (End::Waits, Some(error)) => {
            Some(Problem::at(error, "the run still waits".to_owned(), changed(&error.is, "waiting")))
        }
        (End::Waits, None) => {
            let outputs = expect.outputs.as_ref()?;
            Some(Problem::at(outputs, "the run still waits, and has no outputs yet".to_owned(), Vec::new()))
        }
    }
}

fn changed(expected: &str, actual: &str) -> Vec<Line> {
    vec![Line::Expected(expected.to_owned()), Line::Actual(actual.to_owned())]
}

/// A map, a line for each key, in one order.
fn members(map: &Value) -> Vec<String> {
    let mut lines: Vec<String> =
        map.as_object().into_iter().flatten().map(|(key, value)| format!("{key}: {value}")).collect();
    lines.sort();
    lines
}

fn sent(case: &Case, ran: &Ran) -> Option<Problem> {
    let expected = case.expect.sent.as_ref()?;
    let diff = diff::lines(&expected.is, &ran.seen.sent)?;
    Some(Problem::at(expected, "the flow sent something else".to_owned(), diff))
}

fn requests(case: &Case, ran: &Ran) -> Option<Problem> {
    let expected = case.expect.requests.as_ref()?;
    let asked = &ran.seen.asked;
    let is_same = expected.is.len() == asked.len()
        && expected.is.iter().zip(asked).all(|(expected, asked)| is_as_expected(expected, asked));
    if is_same {
        return None;
    }
    let wanted: Vec<String> = expected.is.iter().map(wanted).collect();
    let is = |(at, asked): (usize, &Asked)| match expected.is.get(at) {
        Some(expected) if is_as_expected(expected, asked) => wanted[at].clone(),
        expected => shown(asked, expected),
    };
    let is: Vec<String> = asked.iter().enumerate().map(is).collect();
    let diff = diff::lines(&wanted, &is).unwrap_or_default();
    Some(Problem::at(expected, "the flow made other requests".to_owned(), diff))
}

fn response(case: &Case, ran: &Ran) -> Option<Problem> {
    let expected = case.expect.response.as_ref()?;
    let Some(Response { status, headers, body }) = &ran.seen.answer else {
        return Some(Problem::at(expected, "nobody was answered".to_owned(), Vec::new()));
    };
    let ExpectedResponse { status: wanted, headers: among, body: wanted_body } = &expected.is;
    let has = |(name, value): &(String, String)| {
        headers.iter().any(|(known, is)| known.eq_ignore_ascii_case(name) && is == value)
    };
    let is_as_expected = wanted.is_none_or(|wanted| wanted == *status)
        && among.iter().all(has)
        && wanted_body.as_ref().is_none_or(|wanted| diff::same(body, wanted));
    if is_as_expected {
        return None;
    }
    let line = |status: Option<u16>, headers: &[(String, String)], body: Option<&Value>| {
        let status = status.map(|status| status.to_string());
        let headers = headers.iter().map(|(name, value)| format!("{name}: {value}"));
        status.into_iter().chain(headers).chain(body.map(ToString::to_string)).collect::<Vec<_>>().join("  ")
    };
    let diff =
        changed(&line(*wanted, among, wanted_body.as_ref()), &line(Some(*status), headers, Some(body)));
    Some(Problem::at(expected, "the flow answered something else".to_owned(), diff))
}

fn emitted(case: &Case, ran: &Ran) -> Option<Problem> {
    let expected = case.expect.emitted.as_ref()?;
    let told = &ran.seen.emitted;
    let is_it = |expected: &ExpectedEvent, told: &Told| {
        expected.event == told.event
            && expected.key.as_ref().is_none_or(|key| Some(key) == told.key.as_ref())
            && expected.data.as_ref().is_none_or(|data| diff::holds(&told.data, data))
    };
    let is_same = expected.is.len() == told.len()
        && expected.is.iter().zip(told).all(|(expected, told)| is_it(expected, told));
    if is_same {
        return None;
    }
    let line = |event: &str, key: Option<&String>, data: Option<&Value>| {
        let parts = [Some(event.to_owned()), key.cloned(), data.map(ToString::to_string)];
        parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
    };
    let wanted: Vec<String> =
        expected.is.iter().map(|it| line(&it.event, it.key.as_ref(), it.data.as_ref())).collect();
    let is = |(at, told): (usize, &Told)| match expected.is.get(at) {
        Some(expected) if is_it(expected, told) => wanted[at].clone(),
        _ => line(&told.event, told.key.as_ref(), Some(&told.data)),
    };
    let is: Vec<String> = told.iter().enumerate().map(is).collect();
    let diff = diff::lines(&wanted, &is).unwrap_or_default();
    Some(Problem::at(expected, "the flow told of other events".to_owned(), diff))
}

fn is_as_expected(expected: &ExpectedRequest, asked: &Asked) -> bool {
    let has =
        |(name, value): &(String, String)| asked.headers.get(name).is_some_and(|it| it == value.as_str());
    expected.step.as_ref().is_none_or(|step| step.is == asked.step)
        && fits(&expected.is, asked)
        && expected.headers.iter().all(has)
        && expected.json.as_ref().is_none_or(|json| diff::holds(&body(asked), json))
}

/// The body as JSON; as text if it is none.
fn body(asked: &Asked) -> Value {
    serde_json::from_slice(&asked.body)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&asked.body).into_owned()))
}

fn wanted(expected: &ExpectedRequest) -> String {
    let step = expected.step.as_ref().map(|step| step.is.clone());
    let headers = expected.headers.iter().map(|(name, value)| format!("{name}: {value}"));
    let parts = [step, expected.is.method.clone(), expected.is.url.clone()].into_iter().flatten();
    let json = expected.json.as_ref().map(ToString::to_string);
    parts.chain(headers).chain(json).collect::<Vec<_>>().join("  ")
}

/// A request, as much of it as the expected one says.
fn shown(asked: &Asked, expected: Option<&ExpectedRequest>) -> String {
    let mut parts = vec![asked.step.clone(), asked.method.clone(), asked.url.clone()];
    for (name, _) in expected.into_iter().flat_map(|expected| &expected.headers) {
        let value = asked.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        parts.push(format!("{name}: {}", value.as_deref().unwrap_or("(none)")));
    }
    if expected.is_some_and(|expected| expected.json.is_some()) {
        parts.push(body(asked).to_string());
    }
    parts.join("  ")
}

/// The last attempts of each step that the case counts.
fn counted(case: &Case, ran: &Ran) -> Vec<Problem> {
    let last =
        |id: &str| ran.seen.ended.iter().rfind(|(step, ..)| step == id).map_or(0, |(.., count)| *count);
    let counted = case.expect.attempts.iter().filter(|(step, count)| u64::from(last(&step.is)) != *count);
    let problem = |(step, count): &(Written<String>, u64)| {
        let message = format!("`{}` took another number of attempts", step.is);
        Problem::at(step, message, changed(&count.to_string(), &last(&step.is).to_string()))
    };
    counted.map(problem).collect()
}

/// How each step ended that the case asks about.
fn steps(case: &Case, ran: &Ran) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (step, expected) in &case.expect.steps {
        let ended = ran.seen.ended.iter().rfind(|(id, ..)| *id == step.is).map(|(_, status, _)| *status);
        if ended != *expected {
            let word = |status: Option<flowrun::machine::StepStatus>| {
                status.map_or("pending", |status| status.word())
            };
            let message = format!("`{}` ended otherwise", step.is);
            problems.push(Problem::at(step, message, changed(word(*expected), word(ended))));
        }
    }
    problems
}
