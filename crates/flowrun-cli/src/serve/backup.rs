//! `flowrun backup` and `flowrun restore`: everything that a server and its registry keep, in one file, and back (R19).
//!
//! A backup is made beside a running server as well as without one: the journal and the registry are made for several processes,
//! and what is sealed stays so. The key is not in it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use flowrun::journal::{Backup, BackupError, back_up};
use flowrun::registry::{CustodyError, Registry};
use flowrun::step::Clock as _;
use flowrun::{SystemClock, SystemEntropy};
use flowrun_server::{Restoring, kept_files};

use super::config;
use crate::args::BackupArguments;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::integrations;
use crate::source;
use crate::world::World;

/// Before the name of a record of the registry.
const REGISTRY: &str = "registry/";
/// Before the name of a file of the server.
const SERVER: &str = "server/";

/// Makes a backup, whether or not the server runs.
pub(crate) async fn backup(world: &World, arguments: &BackupArguments) -> Result<Exit, Complaint> {
    let server = config::read(world, &arguments.config)?.server;
    let (data, key) = (server.data_dir, key_file(world, server.key_file)?);
    let files = kept_files(&data).map_err(|error| source::unreadable(&data, error))?;
    let sealed = registry(world, &key)?.sealed().await.map_err(custody)?;
    let under = |start, parts: BTreeMap<String, Vec<u8>>| {
        parts.into_iter().map(move |(name, bytes)| (format!("{start}{name}"), bytes))
    };
    let parts = under(REGISTRY, sealed).chain(under(SERVER, files)).collect();
    let file = world.path(&arguments.file);
    back_up(&data.join("runs"), &file, &parts, &SystemClock.now().to_string()).map_err(refused)?;
    world.terminal.say(&format!(
        "{} holds all but the key; keep that elsewhere: {}",
        arguments.file.display(),
        key.display()
    ));
    Ok(Exit::Done)
}

/// Puts a backup back where there is nothing.
pub(crate) async fn restore(world: &World, arguments: &BackupArguments) -> Result<Exit, Complaint> {
    let server = config::read(world, &arguments.config)?.server;
    let (data, key) = (server.data_dir, key_file(world, server.key_file)?);
    let backup = Backup::open(&world.path(&arguments.file)).map_err(refused)?;
    let registry = registry(world, &key)?;
    if !registry.sealed().await.map_err(custody)?.is_empty() {
        return Err(custody(CustodyError::NotEmpty { data_dir: world.data_folder()? }));
    }
    let restoring = Restoring::begin(&data).map_err(|error| not_begun(&data, error))?;
    let of = |start| {
        let under = move |(name, bytes): (&'_ String, &'_ Vec<u8>)| {
            Some((name.strip_prefix(start)?.to_owned(), bytes.clone()))
        };
        backup.parts().iter().filter_map(under).collect::<BTreeMap<_, _>>()
    };
    let unwritten =
        |error| Complaint::new(Exit::Failed, format!("{} cannot be written", data.display())).because(error);
    registry.put_back(of(REGISTRY)).await.map_err(custody)?;
    let files = of(SERVER);
    restoring.put_back(files.iter().map(|(name, bytes)| (name.as_str(), &bytes[..]))).map_err(unwritten)?;
    let held = backup.put_back(&data.join("runs"), &SystemEntropy).map_err(refused)?;
    restoring.finish().map_err(unwritten)?;
    told(world, &key, (backup.made(), held));
    Ok(Exit::Done)
}

/// What is to be done before all goes on as it did.
fn told(world: &World, key: &Path, (made, held): (&str, usize)) {
    let say = |line: &str| world.terminal.say(line);
    say(&format!("restored what was kept at {made}"));
    if !key.exists() {
        say(&format!("the key is in no backup: put it at {} before anything is used", key.display()));
    }
    if held > 0 {
        let runs = if held == 1 { "1 run is".to_owned() } else { format!("{held} runs are") };
        say(&format!(
            "{runs} held: they may have gone on after the backup; flowrun runs release ID, or --all, lets them go on"
        ));
    }
    say(
        "integrations whose refresh token is replaced by each refresh wait for: flowrun integrations refresh NAME",
    );
    say("tokens that were revoked after the backup are good again: flowrun tokens list");
}

/// Where the key of the server's registry is.
fn key_file(world: &World, set: Option<PathBuf>) -> Result<PathBuf, Complaint> {
    set.map_or_else(|| world.key_file(), Ok)
}

fn registry(world: &World, key: &Path) -> Result<Registry, Complaint> {
    integrations::registry_over(world, Some(key), integrations::plain())
}

fn custody(error: CustodyError) -> Complaint {
    Complaint::from_error(Exit::Failed, &error).help(error.help())
}

fn not_begun(data: &Path, error: std::io::Error) -> Complaint {
    let data = data.display();
    match error.kind() {
        ErrorKind::DirectoryNotEmpty => {
            Complaint::new(Exit::Failed, format!("{data} is not empty; nothing was restored"))
                .help("stop the server, and move that folder away; a restore replaces nothing")
        }
        _ => Complaint::new(Exit::Failed, format!("{data} cannot be made")).because(error),
    }
}

fn refused(error: BackupError) -> Complaint {
    let complaint = Complaint::from_error(Exit::Failed, &error);
    match error {
        BackupError::Nothing(_) => {
            complaint.help("a server makes one when it starts; --config says which server is meant")
        }
        BackupError::Taken(_) => complaint.help("name another file: nothing is written over"),
        BackupError::Newer(_) => complaint.help("use the version of flowrun that made it, or a newer one"),
        BackupError::Stranger(_) | BackupError::Damaged(_) => {
            complaint.help("use another backup; nothing was restored")
        }
        _ => complaint.help("check the folder, its owner and its free space"),
    }
}
