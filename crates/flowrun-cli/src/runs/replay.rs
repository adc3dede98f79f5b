//! `flowrun runs replay` and `export`: what happened in a run, told from what is kept of it.

use flowrun::engine::Story;
use flowrun::engine::journal::{Journal as _, RunKey, Summary};
use flowrun::engine::story::{Deed, Moment};
use flowrun::lang::Texts;
use flowrun::machine::Source;
use flowrun::step::{RunId, Tenant};
use serde_json::{Value, json};

use crate::check::steps;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::output::written;
use crate::start::journal::Kept;
use crate::start::resume::unknown;
use crate::world::World;

/// A run, its flow and what happened in it.
struct Told {
    run: Summary,
    texts: Texts,
    story: Story,
}

async fn told(world: &World, kept: &Kept, id: &RunId) -> Result<Told, Complaint> {
    let Some(journal) = kept.open_if_there(world).await? else { return Err(unknown(id)) };
    let key = RunKey::new(Tenant::default(), id.clone());
    let (Some(view), Some(run)) = (journal.view(&key).await?, journal.look(&key).await?) else {
        return Err(unknown(id));
    };
    let texts = journal.texts(&run.hash).await?.ok_or_else(|| unknown(id))?;
    let elsewhere = |why: String| {
        Complaint::new(Exit::Failed, format!("what happened in the run `{id}` cannot be told"))
            .because(why)
            .help("the version of flowrun that ran it can")
    };
    let checked = texts.check(&steps(world)?).map_err(|diagnostic| elsewhere(diagnostic.to_string()))?;
    let why = || checked.diagnostics.first().map(ToString::to_string).unwrap_or_default();
    let flow = checked.flow.as_ref().ok_or_else(|| elsewhere(why()))?;
    let story = Story::of(flow, id, run).map_err(elsewhere)?;
    Ok(Told { run: view.summary, texts, story })
}

/// Tells what happened, a line for each thing.
pub(super) async fn replay(world: &World, kept: &Kept, id: &RunId, json: bool) -> Result<Exit, Complaint> {
    let Told { story, .. } = told(world, kept, id).await?;
    tell(world, &story, json)?;
    Ok(Exit::Done)
}

/// The same of a story that somebody else told.
pub(super) fn tell(world: &World, story: &Story, json: bool) -> Result<(), Complaint> {
    if json {
        return written(world.terminal.json(story));
    }
    for moment in &story.moments {
        written(world.terminal.data(&line(moment)))?;
    }
    if !story.is_whole {
        world.terminal.say("the part before is not kept");
    }
    Ok(())
}

/// Writes a run with its flow and what happened.
pub(super) async fn export(world: &World, kept: &Kept, id: &RunId) -> Result<Exit, Complaint> {
    let Told { run, texts, story } = told(world, kept, id).await?;
    written(world.terminal.json(&json!({ "run": run, "flow": texts, "story": story })))?;
    Ok(Exit::Done)
}

fn line(moment: &Moment) -> String {
    let at = moment.at.map(|at| at.to_string()).unwrap_or_default();
    let step = moment.step.as_deref().unwrap_or("-");
    format!("{at:<30} {step:<20} {}", deed(&moment.deed))
}

fn deed(deed: &Deed) -> String {
    let text = |value: &Value| value.to_string();
    match deed {
        Deed::Began { inputs } => format!("began with {}", Value::from(inputs.clone())),
        Deed::Called { kind, attempt, settings, .. } => {
            let again = if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
            format!("{kind}{again} {}", text(settings))
        }
        Deed::Returned { output: Value::Null, variables } if variables.is_empty() => "done".to_owned(),
        Deed::Returned { output: Value::Null, variables } => {
            format!("gave {}", Value::from(variables.clone()))
        }
        Deed::Returned { output, variables } if variables.is_empty() => format!("gave {}", text(output)),
        Deed::Returned { output, variables } => {
            format!("gave {} of {}", Value::from(variables.clone()), text(output))
        }
        Deed::Page { items } => format!("gave a page of {items}"),
        Deed::CallFailed { error, .. } => format!("failed: {error}"),
        Deed::Aborted => "was stopped".to_owned(),
        Deed::InDoubt => "is in doubt: nobody can say whether it was made".to_owned(),
        Deed::Lost => "was lost with its process, and is made again".to_owned(),
        Deed::Resolved { how } => format!("somebody said: {}", json!(how).as_str().unwrap_or_default()),
        Deed::Waited { source } => format!("waits for {}", awaited(source)),
        Deed::Received { message } => format!("came: {}", text(message)),
        Deed::Fired => "the moment came".to_owned(),
        Deed::Retrying { seconds } => format!("tries again in {seconds} s"),
        Deed::Answered { status, body } => format!("answered {status} {}", text(body)),
        Deed::Emitted { event, data, .. } => format!("told the event {event} {}", text(data)),
        Deed::Logged { text, .. } => format!("logged: {text}"),
        Deed::Ended { status, .. } => status.clone().into_owned(),
        Deed::NotUndone { error } => format!("could not be taken back: {error}"),
        Deed::Cancelled { reason } => format!("cancelled: {reason}"),
        Deed::Finished { status, outputs: Some(outputs), .. } => format!("{status} {}", text(outputs)),
        Deed::Finished { status, error, .. } => {
            format!("{status}: {}", error.as_deref().unwrap_or_default())
        }
        other => json!(other).to_string(),
    }
}

fn awaited(source: &Source) -> String {
    match source {
        Source::Answer { .. } => "an answer".to_owned(),
        Source::Event { name, key: Some(key) } => format!("the event {name} about {key}"),
        Source::Event { name, key: None } => format!("the event {name}"),
        Source::Callback { method, .. } => format!("a {method} of its URL"),
    }
}
