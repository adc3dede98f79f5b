//! Runs in the database: begun, gone on, shortened, looked at, removed.

use flowrun_engine::journal::{Begun, Entry, JournalError, KeptCheckpoint, KeptRun, NewRun, Standing};
use flowrun_step::RunId;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use crate::SqliteJournal;
use crate::lease;
use crate::sealed::Place;

/// A run, as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Its id.
    pub id: String,
    /// The flow's name.
    pub flow: String,
    /// How it stands, in a word (`Standing::status`).
    pub status: String,
    /// Whether a process drives it at this moment.
    pub is_driven: bool,
    /// When it began.
    pub began: String,
    /// When something last happened in it.
    pub changed: String,
}

/// The row of a run.
struct Row {
    texts: String,
    texts_sealed: Vec<u8>,
    standing: Vec<u8>,
    checkpoint: Option<Vec<u8>>,
    entries: Vec<(i64, Vec<u8>)>,
}

impl SqliteJournal {
    /// Keeps a run that begins; says whether there was none of its id.
    pub(crate) async fn begin_held(&self, run: NewRun) -> Result<bool, JournalError> {
        let NewRun { id, flow, texts, hash, start, at, entry, standing, .. } = run;
        let start = self.sealer.close_bytes(&Place::Start(&id), &start);
        let texts = self.sealer.close(&Place::Texts(&hash), &texts)?;
        let sealed = self.sealer.close(&Place::Entry(&id, 1), &entry)?;
        let bytes = size(&sealed);
        let (status, standing) = (standing.status(), self.sealer.close(&Place::Standing(&id), &standing)?);
        let (key, at) = (id.to_string(), at.to_string());
        let begun = self.committer.commit(move |connection| {
            connection.execute("INSERT OR IGNORE INTO texts VALUES (?1, ?2)", params![hash, texts])?;
            let rows = connection.execute(
                "INSERT OR IGNORE INTO run VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, NULL, 1, ?7, ?8)",
                params![key, flow, hash, status, at, standing, bytes, start],
            )?;
            if rows == 1 {
                connection.execute(
                    "INSERT INTO log (run, number, entry) VALUES (?1, 1, ?2)",
                    params![key, sealed],
                )?;
            }
            Ok(rows == 1)
        });
        begun.await
    }

    /// How a run stands that began before, if it began with the same start.
    pub(crate) async fn begun_before(&self, id: RunId, start: &[u8]) -> Result<Begun, JournalError> {
        let key = id.to_string();
        let known = self.committer.commit(move |connection| {
            let known = "SELECT start, standing FROM run WHERE id = ?1";
            let known = connection.query_row(known, [key], |row| Ok((row.get(0)?, row.get(1)?)));
            known.optional()
        });
        let known: Option<(Option<Vec<u8>>, Vec<u8>)> = known.await?;
        // Whoever holds its lock has not kept it yet, or has just removed it.
        let Some((sealed, standing)) = known else { return Err(JournalError::Held(id)) };
        // A run of format 1 did not keep its start.
        if let Some(sealed) = sealed
            && self.sealer.open_bytes(&Place::Start(&id), &sealed).as_deref() != Some(start)
        {
            return Err(JournalError::Conflict(id));
        }
        Ok(Begun::Before(self.sealer.open(&Place::Standing(&id), &standing)?))
    }

    pub(crate) async fn append_held(
        &self,
        run: &RunId,
        entry: &Entry,
        standing: &Standing,
    ) -> Result<usize, JournalError> {
        let (sealer, id, entry) = (self.sealer.clone(), run.clone(), serde_json::to_vec(entry));
        let entry = entry.map_err(|error| JournalError::Unavailable(error.to_string()))?;
        let (status, standing) = (standing.status(), self.sealer.close(&Place::Standing(run), standing)?);
        let now = self.now();
        let bytes = self.committer.commit(move |connection| {
            let key = id.to_string();
            let mut update = connection.prepare_cached(
                "UPDATE run SET entries = entries + 1, bytes = bytes + ?5, status = ?2, standing = ?3, changed = ?4 \
                 WHERE id = ?1 RETURNING entries, bytes",
            )?;
            let (number, bytes): (i64, i64) =
                update.query_row(params![key, status, standing, now, size(&entry)], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            let sealed = sealer.close_bytes(&Place::Entry(&id, number), &entry);
            let mut insert =
                connection.prepare_cached("INSERT INTO log (run, number, entry) VALUES (?1, ?2, ?3)")?;
            insert.execute(params![key, number, sealed])?;
            Ok(bytes)
        });
        Ok(usize::try_from(bytes.await?).unwrap_or_default())
    }

    pub(crate) async fn shorten_held(
        &self,
        run: &RunId,
        checkpoint: KeptCheckpoint,
    ) -> Result<usize, JournalError> {
        let sealed = self.sealer.close(&Place::Checkpoint(run), &checkpoint)?;
        let (id, bytes) = (run.to_string(), sealed.len());
        let shortened = self.committer.commit(move |connection| {
            connection
                .execute("UPDATE run SET checkpoint = ?2, bytes = 0 WHERE id = ?1", params![id, sealed])?;
            connection.execute("DELETE FROM log WHERE run = ?1", [&id])
        });
        shortened.await?;
        Ok(bytes)
    }

    pub(crate) async fn stand_held(&self, run: &RunId, standing: &Standing) -> Result<(), JournalError> {
        let (id, status) = (run.to_string(), standing.status());
        let (sealed, now) = (self.sealer.close(&Place::Standing(run), standing)?, self.now());
        let stood = self.committer.commit(move |connection| {
            connection.execute(
                "UPDATE run SET status = ?2, standing = ?3, changed = ?4 WHERE id = ?1",
                params![id, status, sealed, now],
            )
        });
        stood.await.map(drop)
    }

    /// A run as it is kept, whoever drives it; none if there is none of this id.
    ///
    /// # Errors
    /// When the journal cannot be read, or a record of the run was changed.
    pub async fn look(&self, run: &RunId) -> Result<Option<KeptRun>, JournalError> {
        let id = run.to_string();
        let Some(row) = self.committer.commit(move |connection| row(connection, &id)).await? else {
            return Ok(None);
        };
        let texts = self.sealer.open(&Place::Texts(&row.texts), &row.texts_sealed)?;
        let standing = self.sealer.open(&Place::Standing(run), &row.standing)?;
        let checkpoint = row.checkpoint.map(|sealed| self.sealer.open(&Place::Checkpoint(run), &sealed));
        let entry = |(number, sealed): &(i64, Vec<u8>)| self.sealer.open(&Place::Entry(run, *number), sealed);
        let entries = row.entries.iter().map(entry).collect::<Result<_, _>>()?;
        Ok(Some(KeptRun::new(texts, checkpoint.transpose()?, entries, standing)))
    }

    /// Every run, the last to change first.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn list(&self) -> Result<Vec<Summary>, JournalError> {
        self.summaries(None).await
    }

    /// One run, as lists show it; none if there is none of this id.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn summary(&self, run: &RunId) -> Result<Option<Summary>, JournalError> {
        Ok(self.summaries(Some(run)).await?.pop())
    }

    /// All of them, or one.
    async fn summaries(&self, one: Option<&RunId>) -> Result<Vec<Summary>, JournalError> {
        let one = one.map(ToString::to_string);
        let rows = self.committer.commit(move |connection| {
            let mut all = connection.prepare(
                "SELECT id, flow, status, began, changed FROM run WHERE ?1 IS NULL OR id = ?1 ORDER BY changed DESC, id",
            )?;
            let summary = |row: &rusqlite::Row<'_>| {
                Ok(Summary {
                    id: row.get(0)?,
                    flow: row.get(1)?,
                    status: row.get(2)?,
                    is_driven: false,
                    began: row.get(3)?,
                    changed: row.get(4)?,
                })
            };
            all.query_map([one], summary)?.collect::<Result<Vec<_>, _>>()
        });
        let mut rows = rows.await?;
        for row in &mut rows {
            row.is_driven = RunId::new(&row.id).is_ok_and(|id| self.is_driven(&id));
        }
        Ok(rows)
    }

    /// Whether a process drives a run at this moment.
    #[must_use]
    pub fn is_driven(&self, run: &RunId) -> bool {
        let locks = self.folder.join("locks");
        locks.join(format!("{run}.lock")).exists() && matches!(lease::try_hold(&locks, run), Ok(None))
    }

    /// Removes runs that were over before a moment, with everything kept of them; gives how many.
    ///
    /// # Errors
    /// When the journal cannot be written; then none is removed.
    pub async fn prune(&self, before: Timestamp) -> Result<usize, JournalError> {
        let before = before.to_string();
        let pruned = self.committer.commit(move |connection| {
            const OVER: &str = "status IN ('done', 'failed', 'timed_out', 'cancelled') AND changed < ?1";
            connection.execute(
                &format!("DELETE FROM log WHERE run IN (SELECT id FROM run WHERE {OVER})"),
                [&before],
            )?;
            let removed = connection.execute(&format!("DELETE FROM run WHERE {OVER}"), [&before])?;
            connection.execute("DELETE FROM texts WHERE hash NOT IN (SELECT texts FROM run)", [])?;
            Ok(removed)
        });
        pruned.await
    }
}

fn row(connection: &Connection, id: &str) -> rusqlite::Result<Option<Row>> {
    let found = connection.query_row(
        "SELECT hash, texts.texts, standing, checkpoint FROM run JOIN texts ON hash = run.texts WHERE id = ?1",
        [id],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    );
    let Some((texts, texts_sealed, standing, checkpoint)) = found.optional()? else { return Ok(None) };
    let mut log = connection.prepare("SELECT number, entry FROM log WHERE run = ?1 ORDER BY number")?;
    let entries = log.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok(Some(Row { texts, texts_sealed, standing, checkpoint, entries }))
}

fn size(bytes: &[u8]) -> i64 {
    i64::try_from(bytes.len()).unwrap_or(i64::MAX)
}
