//! Forgets a person, or a tenant, for good (R13).
//!
//! What is removed is overwritten (`secure_delete`), and the write-ahead log, which still holds what it was, is emptied.

use flowrun_engine::Conversation;
use flowrun_engine::journal::{JournalError, RunKey};
use flowrun_step::{RunId, Tenant};
use rusqlite::types::FromSql;
use rusqlite::{Connection, params};

use crate::SqliteJournal;
use crate::mail::peer_of;
use crate::sealed::Place;
use crate::tenants::Tenancy;

/// How many rows are looked at in one go: others write in between.
const PAGE: i64 = 1_000;

/// The runs that talk, or talked, with somebody: their ids, and with whom, sealed.
const TALKED: &str =
    "SELECT n, id, who FROM run WHERE tenant = ?1 AND who IS NOT NULL AND n > ?2 ORDER BY n LIMIT ?3";
/// The messages that nobody has taken: their conversations' fingerprints, and themselves, sealed.
const SENT: &str = "SELECT number, conversation, body FROM inbox WHERE tenant = ?1 AND conversation IS NOT NULL \
                    AND number > ?2 ORDER BY number LIMIT ?3";

/// A row that says sealed whose it is: its number, what it is sealed for, and the seal.
type Row<T> = (i64, T, Vec<u8>);

impl SqliteJournal {
    pub(crate) async fn erase_person(
        &self,
        tenant: &Tenant,
        peer: &str,
    ) -> Result<Vec<RunKey>, JournalError> {
        let Some(tenancy) = self.tenant_if_known(tenant).await? else { return Ok(Vec::new()) };
        let runs = self.runs_of(tenant, &tenancy, peer).await?;
        let letters = self.letters_of(&tenancy, peer).await?;
        let keys: Vec<RunKey> = runs.iter().map(|(_, key)| key.clone()).collect();
        self.committer
            .commit(move |connection| {
                letters.iter().try_for_each(|number| {
                    connection.execute("DELETE FROM inbox WHERE number = ?1", [number]).map(drop)
                })?;
                runs.iter().try_for_each(|(n, _)| remove(connection, *n))
            })
            .await?;
        keys.iter().for_each(|key| self.release(key));
        self.committer.alone(empty_the_log).await?;
        Ok(keys)
    }

    /// The runs that talk, or talked, with a person.
    async fn runs_of(
        &self,
        tenant: &Tenant,
        Tenancy { n: owner, sealer }: &Tenancy,
        peer: &str,
    ) -> Result<Vec<(i64, RunKey)>, JournalError> {
        let mut found = Vec::new();
        self.each(*owner, TALKED, |(n, id, who): Row<String>| {
            let Ok(id) = RunId::new(&id) else { return Ok(()) };
            let key = RunKey::new(tenant.clone(), id);
            let who: Conversation = sealer.open(&Place::Who(&key), &who)?;
            if who.peer == peer {
                found.push((n, key));
            }
            Ok(())
        })
        .await?;
        Ok(found)
    }

    /// The messages of a person that nobody has taken.
    async fn letters_of(
        &self,
        Tenancy { n: owner, sealer }: &Tenancy,
        peer: &str,
    ) -> Result<Vec<i64>, JournalError> {
        let mut found = Vec::new();
        self.each(*owner, SENT, |(number, conversation, body): Row<[u8; 16]>| {
            if peer_of(sealer, &conversation, &body)?.is_some_and(|from| from == peer) {
                found.push(number);
            }
            Ok(())
        })
        .await?;
        Ok(found)
    }

    /// Looks at each row of a tenant, page by page.
    async fn each<T: FromSql + Send + 'static>(
        &self,
        owner: i64,
        rows: &'static str,
        mut look: impl FnMut(Row<T>) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        let mut after = 0;
        loop {
            let page = self.committer.commit(move |connection| page::<T>(connection, rows, (owner, after)));
            let page = page.await?;
            let Some((last, ..)) = page.last() else { return Ok(()) };
            after = *last;
            page.into_iter().try_for_each(&mut look)?;
        }
    }

    /// The key goes first: what is left after a crash opens no more, and is removed when the journal is opened again.
    pub(crate) async fn erase_tenant(&self, tenant: &Tenant) -> Result<Vec<RunKey>, JournalError> {
        let Some(Tenancy { n: owner, .. }) = self.tenant_if_known(tenant).await? else {
            return Ok(Vec::new());
        };
        let ids = self.committer.commit(move |connection| {
            connection.execute("UPDATE tenant SET key = x'' WHERE n = ?1", [owner])?;
            let mut ids = connection.prepare("SELECT id FROM run WHERE tenant = ?1")?;
            ids.query_map([owner], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()
        });
        let ids = ids.await?;
        self.known_tenants(|known| known.remove(tenant));
        let keys = ids.iter().filter_map(|id| Some(RunKey::new(tenant.clone(), RunId::new(id).ok()?)));
        let keys: Vec<RunKey> = keys.collect();
        keys.iter().for_each(|key| self.release(key));
        self.committer.alone(sweep).await?;
        Ok(keys)
    }
}

fn page<T: FromSql>(
    connection: &Connection,
    rows: &str,
    (owner, after): (i64, i64),
) -> rusqlite::Result<Vec<Row<T>>> {
    let mut page = connection.prepare_cached(rows)?;
    page.query_map([owner, after, PAGE], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
}

/// Removes a run, with everything that is kept of it or on its way to it.
fn remove(connection: &Connection, n: i64) -> rusqlite::Result<()> {
    for statement in [
        "DELETE FROM inbox WHERE run = ?1 OR conversation = (SELECT talk FROM run WHERE n = ?1)",
        "DELETE FROM conversation WHERE run = ?1",
        "DELETE FROM waiter WHERE run = ?1",
        "DELETE FROM log WHERE run = ?1",
        "DELETE FROM history WHERE run = ?1",
        "DELETE FROM checkpoint WHERE run = ?1",
        "DELETE FROM run WHERE n = ?1",
    ] {
        connection.execute(statement, [n])?;
    }
    Ok(())
}

/// Goes on where a process died that erased a tenant.
pub(crate) fn finish(connection: &Connection) -> rusqlite::Result<()> {
    let is_to_be = connection.prepare("SELECT 1 FROM tenant WHERE key = x''")?.exists([])?;
    if is_to_be { sweep(connection) } else { Ok(()) }
}

/// Removes what is left of tenants whose key is gone, and gives the room back. Every step may be repeated.
pub(crate) fn sweep(connection: &Connection) -> rusqlite::Result<()> {
    empty_the_log(connection)?;
    let mut erased = connection.prepare("SELECT n FROM tenant WHERE key = x''")?;
    let erased = erased.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    for owner in erased {
        for table in ["checkpoint", "history", "log", "waiter"] {
            let own = "SELECT n FROM run WHERE tenant = ?1";
            connection.execute(&format!("DELETE FROM {table} WHERE run IN ({own})"), params![owner])?;
        }
        for table in ["inbox", "event", "conversation", "run"] {
            connection.execute(&format!("DELETE FROM {table} WHERE tenant = ?1"), params![owner])?;
        }
        connection.execute("DELETE FROM tenant WHERE n = ?1", params![owner])?;
    }
    connection.execute("DELETE FROM texts WHERE n NOT IN (SELECT texts FROM run)", [])?;
    connection.execute_batch("VACUUM")?;
    empty_the_log(connection)
}

/// Writes what the write-ahead log holds into the database, and empties it.
fn empty_the_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}
