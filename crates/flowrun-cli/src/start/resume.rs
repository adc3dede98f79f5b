//! `flowrun runs resume` and `cancel`: takes a run up where its process left it.

use std::sync::Arc;

use flowrun::engine::journal::{Journal, RunKey};
use flowrun::lang::{Catalog, Checked, Texts};
use flowrun::machine::InDoubt;
use flowrun::step::{RunId, Tenant};
use tokio_util::sync::CancellationToken;

use super::desk::Desk;
use super::house;
use super::secrets::Secrets;
use super::{Running, engine, journal, refused, scene, steps, usable};
use crate::args::TalkArguments;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::world::World;

/// What is to become of the run.
pub(crate) enum Wish {
    /// It goes on; of calls in doubt, this becomes.
    GoOn(Option<InDoubt>),
    /// It is cancelled.
    Cancel,
}

/// Takes a run up, and sees it to its end.
pub(crate) async fn resume(
    world: &World,
    id: &RunId,
    wish: Wish,
    talk: &TalkArguments,
) -> Result<Exit, Complaint> {
    let Some(journal) = journal::Kept::own(world)?.open_if_there(world).await? else {
        return Err(unknown(id));
    };
    let key = RunKey::new(Tenant::default(), id.clone());
    let Some(kept) = journal.load(&key).await? else { return Err(unknown(id)) };
    if kept.standing.is_over() {
        world.terminal.say(&format!("run {id} is over: {}", kept.standing.status()));
        return Ok(Exit::Done);
    }
    let house = house::real(world);
    let catalog = steps(world, &house)?;
    let texts = journal.texts(&kept.hash).await?.ok_or_else(|| unknown(id))?;
    let check = |catalog: &Catalog| again(&texts, catalog);
    let checked = check(&catalog);
    let Some(flow) = checked.flow else { return refused(world, &checked.diagnostics) };
    let secrets = Secrets::of(world, &flow)?;
    if let Some(exit) = usable((world, &house), (&flow, &check), catalog).await? {
        return Ok(exit);
    }
    let (scene, waits) = scene(world, (talk, false), &flow);
    let engine = engine((world, &house), (&scene, None), secrets, Some(Arc::clone(&journal)))?;
    let (post, mail) = flowrun::engine::mail();
    let desk = Desk::new(world, talk, post, None)?;
    let running = Running { flow: &flow, scene: &scene, desk, waits };
    let cancel = CancellationToken::new();
    let resolve = match wish {
        Wish::GoOn(resolve) => resolve,
        Wish::Cancel => {
            cancel.cancel();
            None
        }
    };
    let resumed = engine.resume(&flow, (key, kept), (Some(mail), resolve), cancel.clone());
    let exit = running.go(world, id, (resumed, cancel)).await;
    house.settle().await;
    exit
}

/// The flow as it was when the run began.
fn again(texts: &Texts, catalog: &Catalog) -> Checked {
    texts.check(catalog).unwrap_or_else(|diagnostic| Checked { flow: None, diagnostics: vec![*diagnostic] })
}

/// There is no such run.
pub(crate) fn unknown(id: &RunId) -> Complaint {
    Complaint::new(Exit::Failed, format!("there is no run `{id}`"))
        .help("flowrun runs list shows those that are kept")
}
