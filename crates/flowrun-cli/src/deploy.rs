//! `flowrun deploy`: puts a folder of flows on a server, whole or not at all, and takes it back (R18).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use flowrun::SystemClock;
use flowrun::lang::Diagnostic;
use http::Method;
use serde_json::{Value, json};

use crate::api::{Answer, Api, Question};
use crate::args::DeployArguments;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::find;
use crate::integrations;
use crate::output::written;
use crate::start::refused;
use crate::world::World;

/// Checks the flows here, sends them if nothing is wrong, and says which revision the server has now.
pub(crate) async fn deploy(world: &World, arguments: &DeployArguments) -> Result<Exit, Complaint> {
    let if_revision = arguments.if_revision.as_deref();
    let answer = match (&arguments.folder, &arguments.rollback) {
        (Some(folder), _) => {
            let files = find::set(world, folder)?;
            let problems = problems(world, (folder, &files))?;
            if !problems.is_empty() {
                return refused(world, &problems);
            }
            let api = Api::at(world, &arguments.server)?;
            let files: BTreeMap<_, _> = files
                .into_iter()
                .map(|(path, text)| (path, String::from_utf8_lossy(&text).into_owned()))
                .collect();
            let body = Some(json!({ "files": files }));
            let put = Question { method: Method::PUT, body, if_revision, ..Question::get(&["flows"]) };
            api.ask(put).await?
        }
        (None, to) => {
            let api = Api::at(world, &arguments.server)?;
            let body = json!({ "to": to.clone().flatten() });
            api.ask(Question { if_revision, ..Question::post(&["flows", "rollback"], body) }).await?
        }
    };
    told(world, &answer)?;
    Ok(Exit::Done)
}

/// Everything that is wrong with the set; which integrations there are is the server's to know.
fn problems(
    world: &World,
    (folder, files): (&Path, &BTreeMap<String, Vec<u8>>),
) -> Result<Vec<Diagnostic>, Complaint> {
    if files.is_empty() {
        return Err(Complaint::new(Exit::Usage, format!("{} holds no flow", folder.display()))
            .help("flows in a folder are called NAME.flow.yaml"));
    }
    let engine = world.engine(Arc::new(SystemClock), integrations::plain()).build();
    let engine = engine.map_err(|error| Complaint::from_error(Exit::Failed, &error))?;
    let mut problems = engine.check_set(files);
    for place in problems.iter_mut().filter_map(|problem| problem.place.as_mut()) {
        place.file = folder.join(&place.file).display().to_string();
    }
    Ok(problems)
}

/// The revision goes to stdout, for whoever deploys next with `--if-revision`.
fn told(world: &World, answer: &Answer) -> Result<(), Complaint> {
    let flows = answer.body.as_array().map_or(&[][..], Vec::as_slice);
    let names: Vec<&str> = flows.iter().filter_map(|flow| flow.get("name").and_then(Value::as_str)).collect();
    let count = if names.len() == 1 { "1 flow".to_owned() } else { format!("{} flows", names.len()) };
    world.terminal.say(&format!("{count} served: {}", names.join(", ")));
    written(world.terminal.data(answer.revision.as_deref().unwrap_or_default()))
}
