//! A journal that is put back: what was not over is held, since it may have gone on elsewhere after the backup (R19).

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use flowrun_engine::journal::{JournalError, Standing};
use flowrun_step::{Entropy, RunId, Tenant};
use rusqlite::{Connection, params};

use super::{Backup, BackupError, sync_folder, unfinished};
use crate::{SqliteJournal, lease, schema};

/// What is a backup's and no journal's goes, and so do the processes that drove the runs.
const OURS: &str = "
    DROP TABLE part; DROP TABLE backup; PRAGMA application_id = 0;
    UPDATE run SET driver = NULL WHERE driver IS NOT NULL; DELETE FROM process;
";
/// Every run that is not over is held, and keeps the status that it had.
const HOLD: &str = "UPDATE run SET held = status, status = ?1 WHERE over = 0 AND held IS NULL";

impl Backup {
    /// Puts the journal into a folder without one; gives how many runs are held.
    ///
    /// # Errors
    /// When the folder has a journal, or a file cannot be read or written; then there is none.
    pub fn put_back(&self, folder: &Path, entropy: &dyn Entropy) -> Result<usize, BackupError> {
        let path = folder.join("runs.sqlite");
        if fs::symlink_metadata(&path).is_ok() {
            return Err(BackupError::Taken(path));
        }
        let unfinished = unfinished(&path);
        let failed = |what| {
            let path = unfinished.clone();
            move |source| BackupError::File { what, path, source }
        };
        lease::make_folder(&folder.join("locks")).map_err(failed("make"))?;
        fs::copy(&self.path, &unfinished).map_err(failed("write"))?;
        fs::set_permissions(&unfinished, Permissions::from_mode(0o600)).map_err(failed("write"))?;
        let held = hold(&unfinished, entropy)?;
        File::open(&unfinished).and_then(|file| file.sync_all()).map_err(failed("write"))?;
        fs::rename(&unfinished, &path).map_err(failed("rename"))?;
        sync_folder(&path)?;
        Ok(held)
    }
}

/// Brings the journal up to this version's format, and holds its runs; the database is one file again when it comes back.
fn hold(path: &Path, entropy: &dyn Entropy) -> Result<usize, BackupError> {
    let (mut journal, _) = schema::open(path, entropy).map_err(BackupError::Journal)?;
    let holding = journal.transaction()?;
    holding.execute_batch(OURS)?;
    holding.execute(HOLD, [Standing::Held.status()])?;
    let held = "SELECT count(*) FROM run WHERE held IS NOT NULL";
    let held = holding.query_row(held, [], |row| row.get(0))?;
    holding.commit()?;
    journal.close().map_err(|(_, error)| error)?;
    Ok(held)
}

impl SqliteJournal {
    /// Lets runs of a tenant go on that are held: one, or all.
    pub(crate) async fn let_go_on(
        &self,
        tenant: &Tenant,
        run: Option<&RunId>,
    ) -> Result<usize, JournalError> {
        let Some(tenancy) = self.tenant_if_known(tenant).await? else { return Ok(0) };
        let id = run.cloned();
        let release = move |connection: &Connection| {
            connection.execute(
                "UPDATE run SET status = held, held = NULL \
                 WHERE held IS NOT NULL AND tenant = ?1 AND (?2 IS NULL OR id = ?2)",
                params![tenancy.n, id.as_ref().map(RunId::as_str)],
            )
        };
        self.committer.commit(release).await
    }
}
