//! `flowrun integrations export` and `import`: integrations in a file, sealed by a passphrase.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use flowrun::registry::{ExportError, ImportError, Imported, LookupError, Registry, Taken};
use flowrun::step::{IntegrationState, NeedsAttention};

use super::named;
use super::secret::{new_passphrase, passphrase};
use super::shown::quoted;
use crate::args::{ExportArguments, ImportArguments};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::output::written;
use crate::source;
use crate::terminal::Terminal;
use crate::world::World;

/// Writes integrations into a file of their own.
pub(super) async fn export(
    world: &World,
    registry: &Registry,
    export: &ExportArguments,
) -> Result<Exit, Complaint> {
    let names = export.names.iter().map(|name| named(name)).collect::<Result<Vec<_>, _>>()?;
    let path = world.path(&export.to);
    if fs::symlink_metadata(&path).is_ok() {
        return Err(unwritable(&export.to, io::ErrorKind::AlreadyExists.into()));
    }
    let exported = registry.export(&names, &new_passphrase(world, &export.passphrase)?).await?;
    write(&path, &exported.file).map_err(|error| unwritable(&export.to, error))?;
    let count = exported.names.len();
    let what = if count == 1 { "integration" } else { "integrations" };
    written(world.terminal.data(&format!("{count} {what} exported to {}", export.to.display())))?;
    for name in exported.rotating {
        world.terminal.say(&format!(
            "`{name}` gets a new refresh token with each refresh, so only one copy of it can go on"
        ));
    }
    Ok(Exit::Done)
}

/// Takes integrations in, and says which of them wait for a person.
pub(super) async fn import(
    world: &World,
    registry: &Registry,
    import: &ImportArguments,
) -> Result<Exit, Complaint> {
    if import.passphrase.by_stdin && import.file == Path::new("-") {
        return Err(Complaint::new(Exit::Usage, "file and passphrase cannot both come from stdin")
            .help("use --passphrase-file"));
    }
    let file = source::read(world, &import.file)?;
    let taken = if import.replace { Taken::Replace } else { Taken::Refuse };
    let imported = registry.import(&file, &passphrase(world, &import.passphrase)?, taken).await?;
    for imported in &imported {
        let how = if imported.replaced { "replaced" } else { "added" };
        let integration = &imported.integration;
        written(world.terminal.data(&format!("{}: {how}, {}", integration.name, integration.state)))?;
        next_step(&world.terminal, imported);
    }
    Ok(Exit::Done)
}

/// What to do with one that cannot be used yet.
fn next_step(terminal: &Terminal, Imported { integration, .. }: &Imported) {
    let name = quoted(&integration.name);
    match integration.state {
        IntegrationState::Authorized => {}
        IntegrationState::NeedsAttention(NeedsAttention::RestoredFromBackup) => {
            terminal.say(&format!(
                "of the copies of {name} only one can go on: flowrun integrations refresh {name} --force if it is \
                 this one, flowrun integrations authorize {name} if the other one stays"
            ));
        }
        _ => terminal.say(&format!("next: flowrun integrations authorize {name}")),
    }
}

/// Writes a file that was not there, for its owner alone; what cannot be written whole is not left behind.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let kept = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| sync_folder(path));
    if kept.is_err() {
        drop(fs::remove_file(path));
    }
    kept
}

fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn unwritable(path: &Path, error: io::Error) -> Complaint {
    let help = match error.kind() {
        io::ErrorKind::AlreadyExists => "name a file that is not there yet",
        _ => "check the folder, its owner and its free space",
    };
    Complaint::new(Exit::Failed, format!("{} cannot be written", path.display())).because(error).help(help)
}

impl From<ExportError> for Complaint {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Lookup(error) => error.into(),
            error => Self::from_error(Exit::Usage, &error).help(error.help()),
        }
    }
}

impl From<ImportError> for Complaint {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Custody(error) => LookupError::from(error).into(),
            ImportError::NamesTaken(_) => Self::from_error(Exit::Usage, &error).help(error.help()),
            error => Self::from_error(Exit::Failed, &error).help(error.help()),
        }
    }
}
