//! Runs in the database: gone on, shortened, left at rest, over.

use flowrun_engine::journal::{
    Appended, Change, History, JournalError, KeptCheckpoint, Rest, RunKey, Standing,
};
use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::SqliteJournal;
use crate::mail::remind;
use crate::sealed::{Place, Sealer};
use crate::standing::Stands;
use crate::writes::Writes;

impl SqliteJournal {
    pub(crate) async fn append_held(&self, run: &RunKey, change: Change) -> Result<Appended, JournalError> {
        let tenancy = self.tenant(&run.tenant).await?;
        let (n, number, is_new) = self.driven(run, |driven| {
            let number = driven.number + i64::from(change.entry.is_some());
            (driven.n, number, change.standing != driven.standing)
        })?;
        let sealer = tenancy.sealer.clone();
        let writes = Writes::of(&sealer, run, &change, number)?;
        let stands = is_new.then(|| self.stands(&sealer, run, &change.standing)).transpose()?;
        let (at, is_over) = (change.at, change.standing.is_over());
        let log = if is_over { self.driven(run, |driven| driven.log.clone())? } else { Vec::new() };
        let (size, key, history) = (writes.size(), run.clone(), self.history);
        let written = self.committer.commit(move |connection| {
            let (seq, new) = writes.write(connection, n)?;
            let has_mail = remind(connection, (&sealer, tenancy.n), (&key, n, &new), at)?;
            if let Some(stands) = &stands {
                let mut stand = connection.prepare_cached(
                    "UPDATE run SET status = ?2, standing = ?3, changed = ?4, over = ?5, due = NULL, \
                     driver = iif(?5, NULL, driver) WHERE n = ?1",
                )?;
                stand.execute(params![n, stands.status, stands.sealed, at.as_millisecond(), is_over])?;
                if is_over {
                    let log: Vec<i64> = log.iter().copied().chain(seq).collect();
                    end(connection, n, (&stands.status, history), &log)?;
                }
            }
            Ok((seq, has_mail))
        });
        let (seq, has_mail) = written.await?;
        let bytes = self.drove(run, change.standing, |driven| {
            driven.number = number;
            driven.bytes += size;
            driven.log.extend(seq);
            driven.bytes
        });
        Ok(Appended { bytes: bytes.unwrap_or_default(), has_mail })
    }

    pub(crate) async fn shorten_held(
        &self,
        run: &RunKey,
        checkpoint: KeptCheckpoint,
    ) -> Result<usize, JournalError> {
        let sealer = self.tenant(&run.tenant).await?.sealer;
        let sealed = sealer.pack(&Place::Checkpoint(run), &checkpoint)?;
        let bytes = sealed.len();
        let shorter = self.shorter(run, sealed)?;
        self.committer.commit(move |connection| shorter.write(connection)).await?;
        self.driven(run, |driven| (driven.bytes, driven.log) = (0, Vec::new()))?;
        Ok(bytes)
    }

    /// Says whether the run is at rest: not if there is mail that it does not know of.
    pub(crate) async fn rest_held(&self, run: &RunKey, rest: Rest) -> Result<bool, JournalError> {
        let sealer = self.tenant(&run.tenant).await?.sealer;
        let checkpoint = sealer.pack(&Place::Checkpoint(run), &rest.checkpoint)?;
        let stands = self.stands(&sealer, run, &rest.standing)?;
        let shorter = self.shorter(run, checkpoint)?;
        let (heard, now, due) = (rest.heard, self.now(), rest.until.map(Timestamp::as_millisecond));
        let is_at_rest = self.committer.commit(move |connection| {
            if last_letter(connection, shorter.n)? > heard {
                return Ok(false);
            }
            shorter.write(connection)?;
            let mut update = connection.prepare_cached(
                "UPDATE run SET status = ?2, standing = ?3, changed = ?4, rest = 1, due = ?5, driver = NULL WHERE n = ?1",
            )?;
            update.execute(params![shorter.n, stands.status, stands.sealed, now, due])?;
            Ok(true)
        });
        is_at_rest.await
    }

    pub(crate) async fn stand_held(&self, run: &RunKey, standing: &Standing) -> Result<(), JournalError> {
        let tenancy = self.tenant(&run.tenant).await?;
        let stands = self.stands(&tenancy.sealer, run, standing)?;
        let log = self.driven(run, |driven| driven.log.clone()).unwrap_or_default();
        let (key, over, now, history) = (run.clone(), standing.is_over(), self.now(), self.history);
        let stood = self.committer.commit(move |connection| {
            let n: i64 = connection.query_row(
                "UPDATE run SET status = ?3, standing = ?4, changed = ?5, over = ?6, rest = 1, due = NULL, driver = NULL \
                 WHERE tenant = ?1 AND id = ?2 RETURNING n",
                params![tenancy.n, key.id.as_str(), stands.status, stands.sealed, now, over],
                |row| row.get(0),
            )?;
            if over { end(connection, n, (&stands.status, history), &log) } else { Ok(()) }
        });
        stood.await
    }

    /// How a run stands, as much of it as is kept.
    pub(crate) fn stands(
        &self,
        sealer: &Sealer,
        run: &RunKey,
        standing: &Standing,
    ) -> Result<Stands, JournalError> {
        match self.history {
            History::None => Stands::of(sealer, run, &self.history.kept(standing.clone())),
            _ => Stands::of(sealer, run, standing),
        }
    }

    fn shorter(&self, run: &RunKey, checkpoint: Vec<u8>) -> Result<Shorter, JournalError> {
        let history = self.history;
        self.driven(run, |driven| {
            let (n, number, log) = (driven.n, driven.number, driven.log.clone());
            Shorter { n, number, checkpoint, log, history }
        })
    }
}

/// A checkpoint that takes the place of entries.
struct Shorter {
    n: i64,
    number: i64,
    checkpoint: Vec<u8>,
    log: Vec<i64>,
    history: History,
}

impl Shorter {
    fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut keep = connection.prepare_cached(
            "INSERT INTO checkpoint (run, number, body) VALUES (?1, ?2, ?3) \
             ON CONFLICT (run) DO UPDATE SET number = ?2, body = ?3",
        )?;
        keep.execute(params![self.n, self.number, self.checkpoint])?;
        clear(connection, self.n, self.history == History::Full, &self.log)
    }
}

/// Takes entries from the log, and keeps them beside it if they are to be read later.
fn clear(connection: &Connection, n: i64, is_kept: bool, log: &[i64]) -> rusqlite::Result<()> {
    let mut keep = connection.prepare_cached(
        "INSERT OR IGNORE INTO history (run, number, entry) SELECT run, number, entry FROM log WHERE seq = ?1 AND run = ?2",
    )?;
    let mut remove = connection.prepare_cached("DELETE FROM log WHERE seq = ?1 AND run = ?2")?;
    for seq in log {
        if is_kept {
            keep.execute([*seq, n])?;
        }
        remove.execute([*seq, n])?;
    }
    Ok(())
}

/// A run is over: its conversation is free, nothing is on its way to it any more, and of it stays what is to be seen later (R13).
pub(crate) fn end(
    connection: &Connection,
    n: i64,
    (status, history): (&str, History),
    log: &[i64],
) -> rusqlite::Result<()> {
    for statement in [
        "DELETE FROM inbox WHERE run = ?1",
        "DELETE FROM waiter WHERE run = ?1",
        "DELETE FROM conversation WHERE key = (SELECT talk FROM run WHERE n = ?1) AND run = ?1 AND handed = 0",
        "UPDATE conversation SET run = NULL, asks = 0 WHERE key = (SELECT talk FROM run WHERE n = ?1) AND run = ?1",
    ] {
        connection.prepare_cached(statement)?.execute([n])?;
    }
    let is_kept = history.keeps(status);
    clear(connection, n, is_kept, log)?;
    if !is_kept {
        connection.prepare_cached("DELETE FROM checkpoint WHERE run = ?1")?.execute([n])?;
        connection.prepare_cached("DELETE FROM history WHERE run = ?1")?.execute([n])?;
    }
    if history == History::None && !is_kept {
        connection.prepare_cached("UPDATE run SET who = NULL, talk = NULL WHERE n = ?1")?.execute([n])?;
    }
    Ok(())
}

/// The last letter that is on its way to a run.
fn last_letter(connection: &Connection, n: i64) -> rusqlite::Result<u64> {
    let mut last = connection.prepare_cached(
        "SELECT max(coalesce((SELECT max(number) FROM inbox WHERE run = ?1), 0), coalesce((SELECT max(number) FROM inbox \
         WHERE next = 0 AND conversation = (SELECT talk FROM run WHERE n = ?1)), 0))",
    )?;
    last.query_row([n], |row| row.get(0))
}
