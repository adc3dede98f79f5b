//! `flowrun runs`: looks after runs that are kept.

mod replay;

use flowrun::engine::host::Filter;
use flowrun::engine::journal::{Journal as _, RunKey, Standing, Summary};
use flowrun::journal::SqliteJournal;
use flowrun::machine::InDoubt;
use flowrun::step::{RunId, Tenant};
use serde_json::{Value, json};

use crate::args::{ResumeArguments, RunsVerb};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::moment;
use crate::output::written;
use crate::start::resume::{Wish, resume, unknown};
use crate::start::{journal, named};
use crate::world::World;

/// Does what the verb says.
pub(crate) async fn runs(world: &World, verb: &RunsVerb) -> Result<Exit, Complaint> {
    match verb {
        RunsVerb::List { json } => list(world, *json).await,
        RunsVerb::Show { id, json } => show(world, &named(id)?, *json).await,
        RunsVerb::Resume(arguments) => {
            let wish = Wish::GoOn(resolution(arguments));
            resume(world, &named(&arguments.id)?, wish, &arguments.talk).await
        }
        RunsVerb::Cancel(arguments) => {
            resume(world, &named(&arguments.id)?, Wish::Cancel, &arguments.talk).await
        }
        RunsVerb::Replay { id, json } => replay::replay(world, &named(id)?, *json).await,
        RunsVerb::Export { id } => replay::export(world, &named(id)?).await,
        RunsVerb::Prune { older } => prune(world, older).await,
    }
}

fn resolution(arguments: &ResumeArguments) -> Option<InDoubt> {
    match arguments {
        ResumeArguments { retry: true, .. } => Some(InDoubt::Retry),
        ResumeArguments { skip: true, .. } => Some(InDoubt::Skip),
        ResumeArguments { fail: true, .. } => Some(InDoubt::Fail),
        _ => None,
    }
}

async fn list(world: &World, json: bool) -> Result<Exit, Complaint> {
    let runs = match journal::open_if_there(world).await? {
        Some(journal) => all(&journal).await?,
        None => Vec::new(),
    };
    if json {
        written(world.terminal.json(&runs))?;
        return Ok(Exit::Done);
    }
    for run in &runs {
        written(world.terminal.data(&line(run)))?;
    }
    if runs.is_empty() {
        world.terminal.say("no run is kept; flowrun FLOW --durable keeps one");
    }
    Ok(Exit::Done)
}

/// Every run of this person, page by page.
async fn all(journal: &SqliteJournal) -> Result<Vec<Summary>, Complaint> {
    let mut runs: Vec<Summary> = Vec::new();
    loop {
        let after = runs.last().and_then(|run| RunId::new(&run.id).ok());
        let page =
            journal.list(&Tenant::default(), Filter { after, most: 1_000, ..Filter::default() }).await?;
        if page.is_empty() {
            return Ok(runs);
        }
        runs.extend(page);
    }
}

fn line(run: &Summary) -> String {
    let driven = if run.is_driven { "" } else { ", without a process" };
    let status = match run.status.as_str() {
        "running" => format!("running{driven}"),
        status => status.to_owned(),
    };
    format!("{}  {}  {status}  since {}", run.id, run.flow, run.changed)
}

async fn show(world: &World, id: &RunId, json: bool) -> Result<Exit, Complaint> {
    let Some(journal) = journal::open_if_there(world).await? else { return Err(unknown(id)) };
    let key = RunKey::new(Tenant::default(), id.clone());
    let (Some(view), Some(kept)) = (journal.view(&key).await?, journal.look(&key).await?) else {
        return Err(unknown(id));
    };
    let run = view.summary;
    if json {
        let mut shown = json!({ "run": run, "standing": kept.standing, "answer": view.answer });
        shown["events"] = Value::from(kept.entries.len());
        written(world.terminal.json(&shown))?;
        return Ok(Exit::Done);
    }
    written(world.terminal.data(&line(&run)))?;
    written(world.terminal.data(&format!("  began {}", run.began)))?;
    for said in said(id, &kept.standing) {
        written(world.terminal.data(&format!("  {said}")))?;
    }
    Ok(Exit::Done)
}

/// How it stands, and what can be done.
fn said(id: &RunId, standing: &Standing) -> Vec<String> {
    let text = |value: &Value| value.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
    match standing {
        Standing::Running => vec![format!("taken up, if nobody drives it, by: flowrun runs resume {id}")],
        Standing::Waiting { until: Some(at) } => {
            vec![format!("waits until {at}, or for something from outside")]
        }
        Standing::Waiting { until: None } => vec!["waits for something from outside".to_owned()],
        Standing::InDoubt { steps } => vec![
            format!("whether the call of `{}` was made is not known", steps.join("`, `")),
            format!("flowrun runs resume {id} --retry, or --skip, or --fail"),
        ],
        Standing::Blocked { why } => vec![format!("cannot go on: {why}")],
        Standing::Done { outputs } => vec![Value::from(outputs.clone()).to_string()],
        Standing::Failed { error } | Standing::TimedOut { error } => vec![text(error)],
        Standing::Cancelled { reason } => vec![reason.clone()],
        _ => Vec::new(),
    }
}

async fn prune(world: &World, older: &str) -> Result<Exit, Complaint> {
    let before = moment::ago(older)?;
    let pruned = match journal::open_if_there(world).await? {
        Some(journal) => journal.prune(before).await?,
        None => 0,
    };
    let runs = if pruned == 1 { "run" } else { "runs" };
    world.terminal.say(&format!("{pruned} {runs} removed"));
    Ok(Exit::Done)
}
