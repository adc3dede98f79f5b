//! What a recorded case comes to: it is run as `flowrun test` runs it, and what is seen is what it expects from then on.
//!
//! So the case passes by its making, and no value of the real run gets into its expectations: they come from the
//! scrubbed inputs and replies alone.

use flowrun::lang::case::Suite;
use flowrun::lang::{Diagnostic, Flow};
use flowrun::step::StepSet;
use serde_json::{Map, Value, json};

use super::run::{End, Ran, run};
use super::{Tried, trigger};
use crate::complaint::Complaint;

/// What a case came to.
pub(crate) struct Replayed {
    /// As `expect` says it.
    pub(crate) expect: Map<String, Value>,
    /// Why it came to no end at all.
    pub(crate) lost: Option<String>,
    /// Whether it ended well.
    pub(crate) is_done: bool,
}

/// Runs the last case of a suite, or says why its flow does not take its inputs.
pub(crate) fn replay(
    file: &str,
    suite: Suite,
    (flow, steps): (&Flow, &StepSet),
) -> Result<Result<Replayed, Vec<Diagnostic>>, Complaint> {
    let (flow, steps) = (flow.clone(), steps.clone());
    let tried = Tried { file: file.to_owned(), suite, flow, steps, unusable: None };
    let Some(case) = tried.suite.cases.last() else { return Ok(Err(Vec::new())) };
    let trigger = trigger(&tried, case);
    match tried.flow.accept_from(&case.inputs, &trigger, true) {
        Ok(inputs) => Ok(Ok(seen(&run(&tried, case, (trigger, inputs))?))),
        Err(mistakes) => Ok(Err(mistakes)),
    }
}

fn seen(ran: &Ran) -> Replayed {
    let mut expect = Map::new();
    let mut put = |name: &str, items: Vec<Value>| {
        if !items.is_empty() {
            expect.insert(name.to_owned(), Value::Array(items));
        }
    };
    put("sent", ran.seen.sent.iter().map(|text| json!(text)).collect());
    put(
        "requests",
        ran.seen.asked.iter().map(|asked| request(&asked.step, &asked.method, &asked.url)).collect(),
    );
    put(
        "emitted",
        ran.seen.emitted.iter().map(|told| json!({ "event": told.event, "data": told.data })).collect(),
    );
    if let Some(answer) = &ran.seen.answer {
        expect.insert("response".to_owned(), json!({ "status": answer.status }));
    }
    let attempts = ran.seen.ended.iter().filter(|(step, _, attempts)| *attempts > 1 && has_id(step));
    let attempts: Map<_, _> = attempts.map(|(step, _, attempts)| (step.clone(), json!(attempts))).collect();
    if !attempts.is_empty() {
        expect.insert("attempts".to_owned(), Value::Object(attempts));
    }
    match &ran.end {
        End::Done(outputs) if outputs.is_empty() => {}
        End::Done(outputs) => drop(expect.insert("outputs".to_owned(), json!(outputs))),
        End::Failed { kind, name, .. } => {
            expect.insert("error".to_owned(), json!(name.as_ref().unwrap_or(kind)));
        }
        End::Waits | End::Stuck => {}
    }
    Replayed { expect, lost: lost(ran), is_done: matches!(ran.end, End::Done(_)) }
}

fn lost(ran: &Ran) -> Option<String> {
    if let Some(asked) = ran.seen.unanswered.first() {
        return Some(format!("{} asks for something else than it did", asked.step));
    }
    matches!(ran.end, End::Waits | End::Stuck).then(|| "it waits for what did not come".to_owned())
}

fn request(step: &str, method: &str, url: &str) -> Value {
    match has_id(step) {
        true => json!({ "step": step, "method": method, "url": url }),
        false => json!({ "method": method, "url": url }),
    }
}

/// Whether a step is called by its id, and not by its place.
pub(crate) fn has_id(step: &str) -> bool {
    !step.contains(['[', '.'])
}
