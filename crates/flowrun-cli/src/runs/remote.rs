//! `flowrun runs … --server URL`: the runs of a server, over its API.

use flowrun::engine::Story;
use flowrun_server::Run;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{replay, shown};
use crate::api::{Api, Question};
use crate::args::{ResumeArguments, RunsVerb};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::output::written;
use crate::start::named;
use crate::world::World;

/// How many runs are asked for at once.
const PAGE: &str = "1000";

/// Does what the verb says.
pub(super) async fn runs(world: &World, api: &Api, verb: &RunsVerb) -> Result<Exit, Complaint> {
    match verb {
        RunsVerb::List { json } => {
            let none = format!("{} keeps no run", api.name());
            shown::list(world, &all(api).await?, *json, &none)?;
        }
        RunsVerb::Show { id, json } => {
            let run = one(api, named(id)?.as_str()).await?;
            if *json {
                written(world.terminal.json(&run))?;
            } else {
                shown::show(world, &run)?;
            }
        }
        RunsVerb::Resume(arguments) => {
            let how = how(arguments).ok_or_else(|| {
                Complaint::new(Exit::Usage, "a server takes its runs up by itself")
                    .help("say what becomes of calls in doubt: --retry, --skip or --fail")
            })?;
            order(world, api, (&arguments.id, "resolve"), json!({ "how": how })).await?;
        }
        RunsVerb::Cancel(arguments) => {
            let reason = json!({ "reason": "cancelled by the command line" });
            order(world, api, (&arguments.id, "cancel"), reason).await?;
        }
        RunsVerb::Release(arguments) => {
            let answer = match &arguments.id {
                Some(id) => {
                    api.ask(Question::post(&["runs", named(id)?.as_str(), "release"], Value::Null)).await?
                }
                None => api.ask(Question::post(&["held", "release"], Value::Null)).await?,
            };
            super::released(world, answer.body["runs"].as_u64().unwrap_or_default());
        }
        RunsVerb::Replay { id, json } => {
            let story: Story = read(api, story(api, named(id)?.as_str()).await?)?;
            replay::tell(world, &story, *json)?;
        }
        RunsVerb::Export { id } => {
            let id = named(id)?;
            let (run, story) = (one(api, id.as_str()).await?, story(api, id.as_str()).await?);
            written(world.terminal.json(&json!({ "run": run, "story": story })))?;
        }
        RunsVerb::Erase { person } => {
            let answer = api.ask(Question::post(&["erase"], json!({ "peer": person }))).await?;
            super::erased(world, answer.body["runs"].as_u64().unwrap_or_default());
        }
        RunsVerb::Prune { .. } => {
            return Err(Complaint::new(Exit::Usage, "a server forgets runs by itself")
                .help("retention.runs in its flowrun.toml says how long one that is over is kept"));
        }
    }
    Ok(Exit::Done)
}

fn how(arguments: &ResumeArguments) -> Option<&'static str> {
    match arguments {
        ResumeArguments { retry: true, .. } => Some("retry"),
        ResumeArguments { skip: true, .. } => Some("skip"),
        ResumeArguments { fail: true, .. } => Some("fail"),
        _ => None,
    }
}

/// Every run, page by page.
async fn all(api: &Api) -> Result<Vec<Run>, Complaint> {
    let mut runs: Vec<Run> = Vec::new();
    loop {
        let after = runs.last().map(|run| run.id.clone());
        let mut query = vec![("limit", PAGE)];
        query.extend(after.as_deref().map(|after| ("after", after)));
        let page = api.ask(Question { query: &query, ..Question::get(&["runs"]) }).await?;
        let page: Vec<Run> = read(api, page.body)?;
        if page.is_empty() {
            return Ok(runs);
        }
        runs.extend(page);
    }
}

async fn one(api: &Api, id: &str) -> Result<Run, Complaint> {
    read(api, api.ask(Question::get(&["runs", id])).await?.body)
}

async fn story(api: &Api, id: &str) -> Result<Value, Complaint> {
    Ok(api.ask(Question::get(&["runs", id, "story"])).await?.body)
}

/// Gives an order, which the run takes as soon as it can.
async fn order(world: &World, api: &Api, (id, verb): (&str, &str), body: Value) -> Result<(), Complaint> {
    let id = named(id)?;
    api.ask(Question::post(&["runs", id.as_str(), verb], body)).await?;
    world
        .terminal
        .say(&format!("{} has it; flowrun runs show {id} --server … shows what comes of it", api.name()));
    Ok(())
}

fn read<T: DeserializeOwned>(api: &Api, body: Value) -> Result<T, Complaint> {
    serde_json::from_value(body).map_err(|error| {
        Complaint::new(Exit::Failed, format!("the answer of {} is not understood", api.name()))
            .because(error)
            .help("use the version of flowrun that the server has")
    })
}
