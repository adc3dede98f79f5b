//! Says how a run ended: to a person, and in the form that a script asked for.

use flowrun::engine::Outcome;
use flowrun::engine::journal::Standing;
use flowrun::lang::Flow;
use flowrun::step::RunId;
use serde_json::{Value, json};

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
        Outcome::Existing { standing } => return existing(world, id, (flow, scene), standing),
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
    let end =
        json!({ "status": status, "outputs": outputs, "error": diagnostic, "answer": answer, "sent": sent });
    ended(world, (flow, scene), end)?;
    Ok(exit)
}

/// Says how a run ended that began before; what it sent then is not sent again.
fn existing(
    world: &World,
    id: &RunId,
    (flow, scene): (&Flow, &Scene),
    standing: Standing,
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
    ended(world, (flow, scene), json!({ "status": status, "outputs": outputs, "error": error, "sent": [] }))?;
    Ok(exit)
}

/// Tells a script how a run ended, in the form that it asked for.
fn ended(world: &World, (flow, scene): (&Flow, &Scene), told: Value) -> Result<(), Complaint> {
    let mut end = json!({ "version": 1, "flow": flow.name() });
    let (Value::Object(told), Some(end_keys)) = (told, end.as_object_mut()) else { return Ok(()) };
    let is_shown = |key: &str, value: &Value| match key {
        "answer" => !value.is_null(),
        "sent" => matches!(scene.output, Output::Json),
        _ => true,
    };
    end_keys.extend(told.into_iter().filter(|(key, value)| is_shown(key, value)));
    match scene.output {
        Output::Text => return Ok(()),
        Output::Json => {}
        Output::Ndjson => drop(end_keys.insert("event".to_owned(), json!("ended"))),
    }
    written(world.terminal.json(&end))
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
