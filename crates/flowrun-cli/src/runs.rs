//! `flowrun runs`: looks after runs that are kept: those of the command line, those in a server's data folder, or, over its API,
//! those of a server that runs.

mod remote;
mod replay;
mod shown;

use flowrun::engine::host::Filter;
use flowrun::engine::journal::{Journal as _, RunKey, Whose};
use flowrun::journal::SqliteJournal;
use flowrun::machine::InDoubt;
use flowrun::step::{RunId, Tenant};
use flowrun_server::Run;
use serde_json::Value;

use crate::api::Api;
use crate::args::{ReleaseArguments, ResumeArguments, RunsVerb, WhereArguments};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::moment;
use crate::output::written;
use crate::start::journal::Kept;
use crate::start::named;
use crate::start::resume::{Wish, resume, unknown};
use crate::world::World;

/// Does what the verb says, where the runs are.
pub(crate) async fn runs(world: &World, at: &WhereArguments, verb: &RunsVerb) -> Result<Exit, Complaint> {
    if let Some(server) = &at.server {
        return remote::runs(world, &Api::at(world, server)?, verb).await;
    }
    let kept = match &at.data_dir {
        Some(data) => Kept::of_server(world, data),
        None => Kept::own(world)?,
    };
    match verb {
        RunsVerb::List { json } => list(world, &kept, *json).await,
        RunsVerb::Show { id, json } => show(world, &kept, &named(id)?, *json).await,
        RunsVerb::Prune { older } => prune(world, &kept, older).await,
        RunsVerb::Release(arguments) => release(world, &kept, arguments).await,
        RunsVerb::Resume(_) | RunsVerb::Cancel(_) if at.data_dir.is_some() => {
            let message = "runs of a server go on in a server, with its channels and webhooks";
            Err(Complaint::new(Exit::Usage, message).help("start it (flowrun serve), and say --server URL"))
        }
        RunsVerb::Resume(arguments) => {
            let wish = Wish::GoOn(resolution(arguments));
            resume(world, &named(&arguments.id)?, wish, &arguments.talk).await
        }
        RunsVerb::Cancel(arguments) => {
            resume(world, &named(&arguments.id)?, Wish::Cancel, &arguments.talk).await
        }
        RunsVerb::Erase { person } => erase(world, &kept, person).await,
        RunsVerb::Replay { id, json } => replay::replay(world, &kept, &named(id)?, *json).await,
        RunsVerb::Export { id } => replay::export(world, &kept, &named(id)?).await,
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

async fn list(world: &World, kept: &Kept, json: bool) -> Result<Exit, Complaint> {
    let runs = match kept.open_if_there(world).await? {
        Some(journal) => all(&journal).await?,
        None => Vec::new(),
    };
    shown::list(world, &runs, json, "no run is kept; flowrun FLOW --durable keeps one")?;
    Ok(Exit::Done)
}

/// Every run, page by page.
async fn all(journal: &SqliteJournal) -> Result<Vec<Run>, Complaint> {
    let mut runs: Vec<Run> = Vec::new();
    loop {
        let after = runs.last().and_then(|run| RunId::new(&run.id).ok());
        let page =
            journal.list(&Tenant::default(), Filter { after, most: 1_000, ..Filter::default() }).await?;
        if page.is_empty() {
            return Ok(runs);
        }
        runs.extend(page.into_iter().map(Run::from));
    }
}

async fn show(world: &World, kept: &Kept, id: &RunId, json: bool) -> Result<Exit, Complaint> {
    let Some(journal) = kept.open_if_there(world).await? else { return Err(unknown(id)) };
    let key = RunKey::new(Tenant::default(), id.clone());
    let (Some(view), Some(events)) = (journal.view(&key).await?, journal.look(&key).await?) else {
        return Err(unknown(id));
    };
    let run = Run::from(view);
    if !json {
        shown::show(world, &run)?;
        return Ok(Exit::Done);
    }
    // As the API shows it, and how much is kept of it.
    let mut run = serde_json::to_value(&run).unwrap_or_default();
    run["events"] = Value::from(events.entries.len());
    written(world.terminal.json(&run))?;
    Ok(Exit::Done)
}

async fn release(world: &World, kept: &Kept, arguments: &ReleaseArguments) -> Result<Exit, Complaint> {
    let id = arguments.id.as_deref().map(named).transpose()?;
    let released = match kept.open_if_there(world).await? {
        Some(journal) => journal.release_held(&Tenant::default(), id.as_ref()).await?,
        None => 0,
    };
    match &id {
        Some(id) if released == 0 => Err(Complaint::new(Exit::Failed, format!("no run `{id}` is held"))
            .help("flowrun runs list shows those that are kept, and how they stand")),
        _ => {
            self::released(world, released as u64);
            Ok(Exit::Done)
        }
    }
}

fn released(world: &World, runs: u64) {
    world.terminal.say(&match runs {
        0 => "no run is held".to_owned(),
        1 => "1 run goes on".to_owned(),
        runs => format!("{runs} runs go on"),
    });
}

async fn erase(world: &World, kept: &Kept, person: &str) -> Result<Exit, Complaint> {
    let erased = match kept.open_if_there(world).await? {
        Some(journal) => journal.erase(&Tenant::default(), Whose::Person(person)).await?.len(),
        None => 0,
    };
    self::erased(world, erased as u64);
    Ok(Exit::Done)
}

fn erased(world: &World, runs: u64) {
    let runs = if runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") };
    world.terminal.say(&format!("{runs} forgotten for good"));
}

async fn prune(world: &World, kept: &Kept, older: &str) -> Result<Exit, Complaint> {
    let before = moment::ago(older)?;
    let pruned = match kept.open_if_there(world).await? {
        Some(journal) => journal.prune(before).await?,
        None => 0,
    };
    let runs = if pruned == 1 { "run" } else { "runs" };
    world.terminal.say(&format!("{pruned} {runs} removed"));
    Ok(Exit::Done)
}
