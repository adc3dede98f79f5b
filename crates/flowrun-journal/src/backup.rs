//! Backups: the whole journal in one file, as it was at one moment, with whatever else its house keeps (R19).
//!
//! A backup is an SQLite database, made while others write and without any key: what is sealed stays sealed. The house's other
//! parts lie in it as bytes under names, so that one file holds all. It appears under its name once it is whole and on disk.

mod restore;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::{OpenError, schema};

/// What a backup is known by: `flow` as a number, where SQLite keeps which program a file is of.
const MARK: i64 = 0x666c_6f77;
/// The format of what lies beside the journal.
const FORMAT: i64 = 1;

const TABLES: &str = "
    CREATE TABLE backup (format INTEGER NOT NULL, made TEXT NOT NULL);
    CREATE TABLE part (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
";

/// What lies in a backup beside the journal, by name.
pub type Parts = BTreeMap<String, Vec<u8>>;

/// Why there is no backup, or nothing is restored from one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// There is no journal of which a backup could be made.
    #[error("there is no journal in {}", .0.display())]
    Nothing(PathBuf),
    /// A file of that name is there.
    #[error("{} is there already", .0.display())]
    Taken(PathBuf),
    /// The file is something else.
    #[error("{} is no backup of flowrun", .0.display())]
    Stranger(PathBuf),
    /// A newer version of flowrun made it.
    #[error("the backup has format {0}, which this version does not know")]
    Newer(i64),
    /// It is not what was written.
    #[error("the backup was damaged: {0}")]
    Damaged(String),
    /// A file cannot be used.
    #[error("cannot {what} {}", .path.display())]
    File {
        /// What was to be done with it.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The journal that was put back cannot be opened.
    #[error("the journal in the backup cannot be opened")]
    Journal(#[source] OpenError),
    /// The database said no.
    #[error("the database cannot be used: {0}")]
    Database(#[from] rusqlite::Error),
}

/// A backup that can be restored.
#[derive(Debug)]
pub struct Backup {
    path: PathBuf,
    parts: Parts,
    made: String,
}

/// Makes a backup of the journal in a folder, whether or not it is used meanwhile, with these parts beside it; `made` says when,
/// for people.
///
/// # Errors
/// When there is no journal, the file is there already, or a file cannot be read or written; then there is no backup.
pub fn back_up(folder: &Path, file: &Path, parts: &Parts, made: &str) -> Result<(), BackupError> {
    if fs::symlink_metadata(file).is_ok() {
        return Err(BackupError::Taken(file.to_owned()));
    }
    appears(file, |unfinished| copy(folder, unfinished).and_then(|()| add(unfinished, parts, made)))
}

/// Keeps a journal of the format before beside itself, before it is brought up: whoever must go back has it (R19).
pub(crate) fn keep_older(path: &Path) -> Result<(), BackupError> {
    if !path.exists() {
        return Ok(());
    }
    let journal = opened(path)?;
    let format: i64 = journal.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let mut kept = path.as_os_str().to_owned();
    kept.push(format!(".format-{format}"));
    let kept = PathBuf::from(kept);
    if format != schema::BEFORE || kept.exists() {
        return Ok(());
    }
    appears(&kept, |unfinished| vacuum(&journal, unfinished))
}

/// Makes a file for its owner's eyes, which is there once it is whole and on disk.
fn appears(file: &Path, write: impl FnOnce(&Path) -> Result<(), BackupError>) -> Result<(), BackupError> {
    let unfinished = unfinished(file);
    let failed = |what| {
        let path = unfinished.clone();
        move |source| BackupError::File { what, path, source }
    };
    let fresh = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished);
    let fresh = fresh.map_err(failed("make"))?;
    let synced = write(&unfinished).and_then(|()| fresh.sync_all().map_err(failed("write")));
    if let Err(error) = synced {
        // What is left of it is of no use to anybody.
        let _ = fs::remove_file(&unfinished);
        return Err(error);
    }
    fs::rename(&unfinished, file).map_err(failed("rename"))?;
    sync_folder(file)
}

/// The file beside another in which it is made.
fn unfinished(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".unfinished");
    file.with_file_name(name)
}

/// Makes it outlast a power cut which names a folder lists.
fn sync_folder(file: &Path) -> Result<(), BackupError> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| BackupError::File { what: "write", path: folder.to_owned(), source })
}

/// The journal as it is at one moment; nobody who writes meanwhile waits for it.
fn copy(folder: &Path, to: &Path) -> Result<(), BackupError> {
    let path = folder.join("runs.sqlite");
    if !path.exists() {
        return Err(BackupError::Nothing(folder.to_owned()));
    }
    let journal = opened(&path)?;
    known(&journal)?;
    vacuum(&journal, to)
}

fn opened(journal: &Path) -> Result<Connection, BackupError> {
    // What is in the write-ahead log is read only by who may write it.
    let journal = Connection::open_with_flags(journal, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    journal.busy_timeout(schema::BUSY)?;
    Ok(journal)
}

fn vacuum(journal: &Connection, to: &Path) -> Result<(), BackupError> {
    // SQLite takes names in UTF-8 only, and would make a file of another name.
    let unnamed = || BackupError::File {
        what: "name",
        path: to.to_owned(),
        source: io::ErrorKind::InvalidInput.into(),
    };
    let name = to.to_str().ok_or_else(unnamed)?;
    Ok(journal.execute("VACUUM INTO ?1", [name]).map(drop)?)
}

fn add(file: &Path, parts: &Parts, made: &str) -> Result<(), BackupError> {
    let mut backup = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // One file, and nothing beside it.
    backup.pragma_update(None, "journal_mode", "DELETE")?;
    backup.pragma_update(None, "application_id", MARK)?;
    let adding = backup.transaction()?;
    adding.execute_batch(TABLES)?;
    adding.execute("INSERT INTO backup (format, made) VALUES (?1, ?2)", (FORMAT, made))?;
    for (name, bytes) in parts {
        adding.execute("INSERT INTO part (name, bytes) VALUES (?1, ?2)", (name, bytes))?;
    }
    Ok(adding.commit()?)
}

/// Refuses a journal of a format that this version does not know.
fn known(journal: &Connection) -> Result<(), BackupError> {
    let format = journal.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match format {
        format if format > schema::FORMAT => Err(BackupError::Newer(format)),
        format if format < schema::BEFORE => Err(BackupError::Journal(OpenError::Older(format))),
        _ => Ok(()),
    }
}

impl Backup {
    /// Looks through a backup, and changes nothing.
    ///
    /// # Errors
    /// When it is none, is damaged, or a newer version made it.
    pub fn open(file: &Path) -> Result<Self, BackupError> {
        let stranger = || BackupError::Stranger(file.to_owned());
        let found = File::open(file);
        found.map_err(|source| BackupError::File { what: "read", path: file.to_owned(), source })?;
        let backup = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mark = backup.pragma_query_value(None, "application_id", |row| row.get::<_, i64>(0));
        if mark.map_err(|_| stranger())? != MARK {
            return Err(stranger());
        }
        let told =
            backup.query_row("SELECT format, made FROM backup", [], |row| Ok((row.get(0)?, row.get(1)?)));
        let (format, made) = told.optional()?.ok_or_else(stranger)?;
        if format > FORMAT {
            return Err(BackupError::Newer(format));
        }
        known(&backup)?;
        let sound: String = backup.pragma_query_value(None, "integrity_check", |row| row.get(0))?;
        if sound != "ok" {
            return Err(BackupError::Damaged(sound));
        }
        let mut parts = backup.prepare("SELECT name, bytes FROM part")?;
        let parts = parts.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        Ok(Self { path: file.to_owned(), parts, made })
    }

    /// What lies in it beside the journal.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// When it was made, as whoever made it said.
    #[must_use]
    pub fn made(&self) -> &str {
        &self.made
    }
}
