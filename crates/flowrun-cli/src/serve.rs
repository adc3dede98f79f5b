//! `flowrun serve`: hosts flows over HTTP until it is told to end, then closes with care (R15 to R20).

mod config;
mod house;
pub(crate) mod tokens;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use flowrun::SystemClock;
use flowrun::engine::Host as _;
use flowrun::journal::SqliteJournal;
use flowrun::lang::Diagnostic;
use flowrun::registry::socket::Owner;
use flowrun::step::{Clock as _, Tenant};
use flowrun_server::config::ManagedBy;
use flowrun_server::{Config, Server, deployed};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::args::{MessageFormat, ServeArguments};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::integrations;
use crate::interrupt::Interrupts;
use crate::output::written;
use crate::report;
use crate::start::secrets::Secrets;
use crate::world::World;

use house::House;

/// How often runs that are over are looked through.
const EVERY: Duration = Duration::from_secs(3_600);

/// Serves until somebody interrupts; a second time ends it at once.
pub(crate) async fn serve(world: &World, arguments: &ServeArguments) -> Result<Exit, Complaint> {
    let config = config::read(world, &arguments.config)?;
    let files = files(&config)?;
    integrations::keep_no_image();
    let House { engine, registry, journal, parts } = House::new(world, &config, Secrets::all(world)?).await?;
    if let Err(problems) = engine.publish(&Tenant::default(), files).await {
        return refused(world, &problems);
    }
    if arguments.check_config {
        world.terminal.say("the configuration and its flows can be served");
        return Ok(Exit::Done);
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
    world.terminal.say(&format!("serving {flows} flows at http://{}", server.address()));
    let (close, (end, ended)) = (CancellationToken::new(), oneshot::channel::<()>());
    let serving = server.serve(close.clone());
    let owning = owner.serve(async { drop(ended.await) });
    tokio::pin!(serving, owning);
    tokio::select! {
        () = &mut serving => {}
        owned = &mut owning => owned?,
        () = registry.keep_alive() => {}
        () = forget(world, &journal, kept) => {}
        () = interrupts.next() => {}
    }
    world.terminal.say("closing: what is under way may end; interrupt again to end at once");
    close.cancel();
    drop(end);
    tokio::select! {
        () = &mut serving => {}
        () = interrupts.next() => {
            let twice = Complaint::new(Exit::Interrupted, "interrupted twice");
            return Err(twice.help("what was under way is taken up when it is served again"));
        }
    }
    registry.settle().await;
    Ok(Exit::Done)
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
fn files(config: &Config) -> Result<BTreeMap<String, Vec<u8>>, Complaint> {
    let unreadable = |path: &Path, error: std::io::Error| {
        Complaint::new(Exit::Invalid, format!("cannot read the flows in {}", path.display())).because(error)
    };
    let mut files = BTreeMap::new();
    if config.flows.managed_by == ManagedBy::Deploy {
        let folder = &config.server.data_dir;
        let kept = deployed(folder).map_err(|error| unreadable(folder, error))?;
        files.extend(kept.into_iter().map(|(path, text)| (path, text.into_bytes())));
        return Ok(files);
    }
    gather(&config.flows.folder, "", &mut files).map_err(|error| {
        unreadable(&config.flows.folder, error)
            .help("say where they are: `[flows] folder = \"…\"` in flowrun.toml")
    })?;
    Ok(files)
}

/// Every flow beneath a folder, by its path within it; a link is not followed.
fn gather(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let (kind, path) = (entry.file_type()?, format!("{prefix}{name}"));
        if name.starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            gather(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_file() && (name.ends_with(".yaml") || name.ends_with(".yml")) {
            files.insert(path, std::fs::read(entry.path())?);
        }
    }
    Ok(())
}

fn refused(world: &World, problems: &[Diagnostic]) -> Result<Exit, Complaint> {
    written(report::show(&world.terminal, MessageFormat::Human, problems))?;
    Ok(Exit::of(problems))
}
