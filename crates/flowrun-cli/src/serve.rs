//! `flowrun serve`: hosts flows over HTTP until it is told to end, then closes with care (R15 to R20).

pub(crate) mod backup;
mod config;
mod house;
pub(crate) mod tokens;

use std::collections::BTreeMap;
use std::time::Duration;

use flowrun::SystemClock;
use flowrun::engine::host::Filter;
use flowrun::engine::journal::{Standing, Summary};
use flowrun::engine::{Engine, Host as _};
use flowrun::journal::SqliteJournal;
use flowrun::registry::socket::Owner;
use flowrun::step::{Clock as _, Tenant};
use flowrun_server::config::ManagedBy;
use flowrun_server::{Config, Server, deployed};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::args::ServeArguments;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::find;
use crate::integrations;
use crate::interrupt::Interrupts;
use crate::source;
use crate::start::refused;
use crate::start::secrets::Secrets;
use crate::world::World;

use house::House;

/// How often runs that are over are looked through.
const EVERY: Duration = Duration::from_secs(3_600);

/// Serves until somebody interrupts; a second time ends it at once.
pub(crate) async fn serve(world: &World, arguments: &ServeArguments) -> Result<Exit, Complaint> {
    let config = config::of_serve(world, arguments)?;
    let files = files(world, &config)?;
    if arguments.check_config {
        return checked(world, &config, files).await;
    }
    integrations::keep_no_image();
    let House { engine, registry, journal, parts } = House::new(world, &config, Secrets::all(world)?).await?;
    if let Err(problems) = engine.publish(&Tenant::default(), files).await {
        return refused(world, &problems);
    }
    let kept = config.retention.runs;
    let place = integrations::place(world)?;
    let owner = Owner::bind(&registry, &place)?;
    let server = Server::bind(config, parts).await;
    let server = server.map_err(|error| Complaint::from_error(Exit::Failed, &error))?;
    // From here on an end is an orderly one.
    let mut interrupts = Interrupts::listen()?;
    engine.recover().await?;
    let flows = engine.flows(&Tenant::default()).len();
    if !held(&engine).await?.is_empty() {
        world.terminal.say("runs that were restored are held until: flowrun runs release --all --server …");
    }
    world.terminal.say(&format!("serving {flows} flows at http://{}", server.address()));
    let (close, (end, ended)) = (CancellationToken::new(), oneshot::channel::<()>());
    // Both go on until they are told to end; an owner that fails ends the server too.
    let serving = async {
        let owning = owner.serve(async { drop(ended.await) });
        let serving = async {
            server.serve(close.clone()).await;
            Ok(())
        };
        tokio::try_join!(owning, serving).map(drop)
    };
    tokio::pin!(serving);
    tokio::select! {
        served = &mut serving => return Ok(served.map(|()| Exit::Done)?),
        () = registry.keep_alive() => {}
        () = forget(world, &journal, kept) => {}
        () = interrupts.next() => {}
    }
    world.terminal.say("closing: what is under way may end; interrupt again to end at once");
    close.cancel();
    drop(end);
    tokio::select! {
        served = &mut serving => served?,
        () = interrupts.next() => {
            let twice = Complaint::new(Exit::Interrupted, "interrupted twice");
            return Err(twice.help("what was under way is taken up when it is served again"));
        }
    }
    registry.settle().await;
    Ok(Exit::Done)
}

/// Says what is wrong with the flows, and makes nothing.
async fn checked(
    world: &World,
    config: &Config,
    files: BTreeMap<String, Vec<u8>>,
) -> Result<Exit, Complaint> {
    let problems = house::problems(world, config, (Secrets::all(world)?, files)).await?;
    if !problems.is_empty() {
        return refused(world, &problems);
    }
    world.terminal.say("the configuration and its flows can be served");
    Ok(Exit::Done)
}

/// One of the runs that were restored and wait to be released, if there are any.
async fn held(engine: &Engine) -> Result<Vec<Summary>, Complaint> {
    let status = Some(Standing::Held.status().to_owned());
    Ok(engine.list(&Tenant::default(), Filter { status, most: 1, ..Filter::default() }).await?)
}

/// Removes runs that have been over for so long, again and again (R13).
async fn forget(world: &World, journal: &SqliteJournal, kept: Duration) {
    loop {
        if let Ok(before) = SystemClock.now().checked_sub(kept)
            && let Err(error) = journal.prune(before).await
        {
            world.terminal.say(&format!("runs that are over stay where they are: {error}"));
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// The flows that are served: those of the folder, or those that were deployed last.
fn files(world: &World, config: &Config) -> Result<BTreeMap<String, Vec<u8>>, Complaint> {
    match config.flows.managed_by {
        ManagedBy::Deploy | ManagedBy::Page => {
            let data = &config.server.data_dir;
            let kept = deployed(data).map_err(|error| source::unreadable(data, error))?;
            Ok(kept.into_iter().map(|(path, text)| (path, text.into_bytes())).collect())
        }
        ManagedBy::Folder => find::set(world, &config.flows.folder).map_err(|complaint| {
            let help = "say where they are: `[flows] folder = \"…\"` in flowrun.toml";
            Complaint { exit: Exit::Invalid, ..complaint }.help(help)
        }),
    }
}
