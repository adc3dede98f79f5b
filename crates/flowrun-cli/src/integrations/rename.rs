//! `flowrun integrations rename`: another name, and where flows still say the old one (SEED-17).

use std::path::{Path, PathBuf};

use flowrun::lang::{self, Catalog, Code, Diagnostic, Place, SourceText};
use flowrun::registry::{Edit, Registry};
use flowrun::step::{IntegrationName, IntegrationState, IntegrationStatus};

use crate::args::MessageFormat;
use crate::beside::Beside;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::output::written;
use crate::world::World;
use crate::{check, report, source};

/// The folder that is looked at if none is named.
const USUAL: &str = "flows";

/// Renames an integration. Flows are its author's, so they are shown and not changed.
pub(super) async fn rename(
    world: &World,
    registry: &Registry,
    (old, new): (IntegrationName, IntegrationName),
    flows: Option<&Path>,
) -> Result<Exit, Complaint> {
    // Whatever is wrong with the folder is said before anything is renamed.
    let files = files(world, flows)?;
    let broken = broken(world, &files, (&old, &new))?;
    let edited = registry.edit(&old, Edit { name: Some(new), ..Edit::default() }).await?;
    let new = &edited.integration.name;
    written(world.terminal.data(&format!("{old} is {new} now")))?;
    written(report::show(&world.terminal, MessageFormat::Human, &broken))?;
    let said = match (files.len(), broken.len()) {
        (0, _) => format!("flows that say `{old}` must say `{new}` now; --flows FOLDER shows them"),
        (flows, 0) => format!("{flows} flows looked at, none of them says `{old}`"),
        (flows, places) => {
            format!("{flows} flows looked at: `{old}` is to be changed to `{new}` in {places} places")
        }
    };
    world.terminal.say(&said);
    Ok(Exit::Done)
}

fn files(world: &World, flows: Option<&Path>) -> Result<Vec<PathBuf>, Complaint> {
    match flows {
        Some(folder) if !world.path(folder).is_dir() => {
            Err(Complaint::new(Exit::Usage, format!("{} is no folder", folder.display()))
                .help("name the folder of the flows"))
        }
        Some(folder) => check::files(world, &[folder.to_owned()]),
        None if world.path(Path::new(USUAL)).is_dir() => {
            // A folder of this name that holds no flow was not meant.
            Ok(check::files(world, &[USUAL.into()]).unwrap_or_default())
        }
        None => Ok(Vec::new()),
    }
}

/// Each place in each flow that will not find its integration any more.
fn broken(
    world: &World,
    files: &[PathBuf],
    (old, new): (&IntegrationName, &IntegrationName),
) -> Result<Vec<Diagnostic>, Complaint> {
    if old == new {
        return Ok(Vec::new());
    }
    let steps = check::steps(world)?;
    let mut broken = Vec::new();
    for file in files {
        match SourceText::new(&file.display().to_string(), source::read(world, file)?) {
            Ok(source) => broken.extend(stranded(&source, (&steps, &Beside::of(world, file)), (old, new))),
            Err(diagnostic) => broken.push(diagnostic),
        }
    }
    Ok(broken)
}

/// The language itself says where a flow uses the old name, and what it will say of it.
fn stranded(
    source: &SourceText,
    (steps, beside): (&Catalog, &Beside<'_>),
    (old, new): (&IntegrationName, &IntegrationName),
) -> Vec<Diagnostic> {
    let found = |name: &IntegrationName, state, code| {
        let only = IntegrationStatus::new(name.clone(), state);
        let checked = lang::check_with(source, &steps.clone().with_integrations(vec![only]), beside);
        checked.diagnostics.into_iter().filter(move |diagnostic| diagnostic.code == code)
    };
    let uses: Vec<Option<Place>> =
        found(old, IntegrationState::Incomplete, Code::NotAuthorized).map(|it| it.place).collect();
    let after = found(new, IntegrationState::Authorized, Code::UnknownIntegration);
    let stranded = after.filter(|diagnostic| uses.contains(&diagnostic.place));
    let flow = lang::check_with(source, steps, beside).flow;
    let listed = flow.and_then(|flow| flow.declaration(old)).map(|place| {
        Diagnostic::error(Code::UnknownIntegration, format!("there is no integration `{old}`")).at(place)
    });
    let all = listed.into_iter().chain(stranded);
    all.map(|diagnostic| Diagnostic { help: Some(format!("write {new}")), ..diagnostic }).collect()
}
