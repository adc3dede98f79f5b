//! `--mock`: services answer as a case of a test file says, and nothing is sent.
//!
//! It is the stand-in of `flowrun test`, in the time of the clock on the wall: for seeing a flow at work before its
//! services exist. Only replies and integrations are the case's; inputs are given as for any run.

use std::path::PathBuf;
use std::sync::Arc;

use flowrun::http::{Client, NetworkPolicy};
use flowrun::lang::case::{self, Case, Suite};
use flowrun::lang::{self, Diagnostic, SourceText};
use flowrun::registry::{Registry, World as RegistryWorld};
use flowrun::{SystemClock, SystemEntropy};

use super::house::{House, Named};
use crate::beside::Beside;
use crate::check;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::source;
use crate::test::Stage;
use crate::world::World;

/// The house that a case describes, or everything that is wrong with its file or the flow.
pub(super) fn house(
    world: &World,
    named: &str,
    (flow, beside): (&SourceText, &Beside<'_>),
) -> Result<Result<House, Vec<Diagnostic>>, Complaint> {
    let (file, name) = taken_apart(world, named);
    let shown = file.display().to_string();
    let suite = match SourceText::new(&shown, source::read(world, &file)?) {
        Ok(text) => case::read(&text),
        Err(diagnostic) => Err(vec![diagnostic]),
    };
    let suite = match suite {
        Ok(suite) => suite,
        Err(mistakes) => return Ok(Err(mistakes)),
    };
    let checked = lang::check_with(flow, &check::steps(world)?, beside);
    let Some(flow) = checked.flow else { return Ok(Err(checked.diagnostics)) };
    let misfits = suite.misfits(&shown, &flow);
    if !misfits.is_empty() {
        return Ok(Err(misfits));
    }
    let stage = Stage::new(&suite, chosen(&suite, name)?, &flow, Arc::new(SystemClock));
    let used = Arc::new(stage.clone());
    Ok(Ok(House {
        plain: Arc::new(stage),
        integrations: Ok(Named { registry: empty(), used }),
        sandbox: None,
    }))
}

/// `contact.test.yaml#sorry` is a file and a part of a case's name, unless there is a file of that name.
fn taken_apart<'a>(world: &World, named: &'a str) -> (PathBuf, Option<&'a str>) {
    match named.rsplit_once('#') {
        Some((file, name)) if !world.path(named.as_ref()).exists() => (file.into(), Some(name)),
        _ => (named.into(), None),
    }
}

fn chosen<'a>(suite: &'a Suite, name: Option<&str>) -> Result<&'a Case, Complaint> {
    let is_it = |case: &&Case| name.is_none_or(|name| case.name.is.contains(name));
    suite.cases.iter().find(is_it).ok_or_else(|| {
        let names = suite.cases.iter().map(|case| format!("`{}`", case.name.is)).collect::<Vec<_>>();
        Complaint::new(Exit::Usage, "no case of the file has a name like that")
            .help(format!("its cases are {}", names.join(", ")))
    })
}

/// A registry that nobody asks: every integration is the case's.
fn empty() -> Registry {
    let client = Client::builder().policy(NetworkPolicy::public_only()).build();
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    Registry::in_memory(RegistryWorld { clock, entropy, client: Arc::new(client) })
}
