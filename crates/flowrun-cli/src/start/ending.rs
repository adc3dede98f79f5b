//! Says how a run ended: to a person, and in the form that a script asked for.

use flowrun::engine::Outcome;
use flowrun::engine::journal::{Answer, Standing};
use flowrun::lang::Flow;
use flowrun::step::RunId;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::scene::Scene;
use super::warn;
use crate::args::Output;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::output::written;
use crate::report;
use crate::world::World;

/// Says how it ended, in the form that was asked for.
pub(super) fn told(
    world: &World,
    id: &RunId,
    (flow, scene): (&Flow, &Scene),
    outcome: Outcome,
) -> Result<Exit, Complaint> {
    let (exit, status, outputs, diagnostic) = match outcome {
        Outcome::InDoubt { steps } => return Err(in_doubt(id, &steps)),
        Outcome::Blocked { why } => return Err(blocked(id, &why)),
        Outcome::Existing { standing, answer } => {
            return existing(world, id, (flow, scene), (standing, answer));
        }
        Outcome::Done { outputs } => (Exit::Done, "done", Some(outputs), None),
        Outcome::Failed { diagnostic, .. } => (Exit::Failed, "failed", None, Some(diagnostic)),
        Outcome::TimedOut { diagnostic } => (Exit::TimedOut, "timed_out", None, Some(diagnostic)),
        Outcome::Cancelled { .. } => (Exit::Interrupted, "cancelled", None, None),
        _ => (Exit::Failed, "unknown", None, None),
    };
    if let Some(diagnostic) = &diagnostic {
        warn(world, std::slice::from_ref(&**diagnostic))?;
    }
    if exit == Exit::Interrupted {
        report::complain(
            &world.terminal,
            &Complaint::new(exit, "the run was interrupted").help("start it again"),
        );
    }
    let (sent, answer, lost) = {
        let mut heard = scene.heard();
        (std::mem::take(&mut heard.sent), heard.answer.take(), heard.lost.take())
    };
    written(lost.map_or(Ok(()), Err))?;
    let mut end = Ended::new(flow, status, outputs, json!(diagnostic));
    end.answer = answer;
    end.tell(world, scene.output, sent)?;
    Ok(exit)
}

/// Says how a run ended that began before; what it sent then is not sent again.
fn existing(
    world: &World,
    id: &RunId,
    (flow, scene): (&Flow, &Scene),
    (standing, answer): (Standing, Option<Answer>),
) -> Result<Exit, Complaint> {
    let status = standing.status();
    let (exit, outputs, error) = match standing {
        Standing::InDoubt { steps } => return Err(in_doubt(id, &steps)),
        Standing::Blocked { why } => return Err(blocked(id, &why)),
        Standing::Done { outputs } => (Exit::Done, Some(outputs), None),
        Standing::Failed { error } => (Exit::Failed, None, Some(error)),
        Standing::TimedOut { error } => (Exit::TimedOut, None, Some(error)),
        Standing::Cancelled { .. } => (Exit::Interrupted, None, None),
        _ => {
            let message = format!("run {id} began before, and is not over");
            return Err(Complaint::new(Exit::Failed, message).help(format!("flowrun runs show {id}")));
        }
    };
    let said = error.as_ref().and_then(|error| error.get("message")?.as_str());
    let said = said.map(|said| format!(": {said}")).unwrap_or_default();
    world.terminal.say(&format!("run {id} began before and is over, so nothing was done: {status}{said}"));
    if let Some(Answer { status, headers, body }) = &answer {
        scene.answers(*status, headers, body);
    }
    let mut end = Ended::new(flow, status, outputs, json!(error));
    end.answer = scene.heard().answer.take();
    end.tell(world, scene.output, Vec::new())?;
    Ok(exit)
}

/// How a run ended, for a script.
#[derive(Serialize)]
struct Ended<'a> {
    version: u8,
    flow: &'a str,
    status: &'a str,
    outputs: Option<Map<String, Value>>,
    error: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a str>,
}

impl<'a> Ended<'a> {
    fn new(flow: &'a Flow, status: &'a str, outputs: Option<Map<String, Value>>, error: Value) -> Self {
        let flow = flow.name();
        Self { version: 1, flow, status, outputs, error, answer: None, sent: None, event: None }
    }

    /// Tells it in the form that was asked for; line by line, what was sent was told when it was sent.
    fn tell(mut self, world: &World, output: Output, sent: Vec<String>) -> Result<(), Complaint> {
        match output {
            Output::Text => return Ok(()),
            Output::Json => self.sent = Some(sent),
            Output::Ndjson => self.event = Some("ended"),
        }
        written(world.terminal.json(&self))
    }
}

fn in_doubt(id: &RunId, steps: &[String]) -> Complaint {
    let steps = steps.join("`, `");
    let message =
        format!("whether the call of `{steps}` was made is not known; run {id} waits until somebody says");
    Complaint::new(Exit::InDoubt, message)
        .help(format!("look at the service, then: flowrun runs resume {id} --retry, or --skip, or --fail"))
}

fn blocked(id: &RunId, why: &str) -> Complaint {
    Complaint::new(Exit::Failed, format!("run {id} cannot go on: {why}"))
        .help(format!("it is kept as it is: flowrun runs show {id}"))
}
