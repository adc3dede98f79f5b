//! Finds a run in the database, with all that is needed to take it up.

use flowrun_engine::journal::{JournalError, KeptRun, RunKey, Standing, Texts};
use rusqlite::{Connection, OptionalExtension};

use crate::sealed::Place;
use crate::{Driven, SqliteJournal};

impl SqliteJournal {
    /// A run as it is kept, whoever drives it; with `wakes` it is not at rest from now on.
    pub(crate) async fn find(
        &self,
        run: &RunKey,
        wakes: bool,
    ) -> Result<Option<(KeptRun, Driven)>, JournalError> {
        let key = run.clone();
        let Some(row) = self.committer.commit(move |connection| kept(connection, &key, wakes)).await? else {
            return Ok(None);
        };
        let standing: Standing = self.sealer.open(&Place::Standing(run), &row.standing)?;
        let checkpoint = row.checkpoint.map(|sealed| self.sealer.unpack(&Place::Checkpoint(run), &sealed));
        let entry = |(number, sealed): &(i64, Vec<u8>)| self.sealer.open(&Place::Entry(run, *number), sealed);
        let entries = row.entries.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        let who = row.who.map(|sealed| self.sealer.open(&Place::Who(run), &sealed)).transpose()?;
        let bytes = row.entries.iter().map(|(_, sealed)| sealed.len()).sum();
        let number = row.entries.last().map_or(0, |(number, _)| *number);
        let mut kept = KeptRun::new(row.hash, checkpoint.transpose()?, entries, standing.clone());
        kept.conversation = who;
        Ok(Some((kept, Driven { n: row.n, number, bytes, standing })))
    }

    pub(crate) async fn texts_of(&self, hash: &str) -> Result<Option<Texts>, JournalError> {
        let key = hash.to_owned();
        let found = self.committer.commit(move |connection| {
            let texts = "SELECT texts FROM texts WHERE hash = ?1";
            connection.query_row(texts, [key], |row| row.get::<_, Vec<u8>>(0)).optional()
        });
        found.await?.map(|sealed| self.sealer.open(&Place::Texts(hash), &sealed)).transpose()
    }
}

/// The row of a run.
struct Found {
    n: i64,
    hash: String,
    standing: Vec<u8>,
    checkpoint: Option<Vec<u8>>,
    who: Option<Vec<u8>>,
    entries: Vec<(i64, Vec<u8>)>,
}

fn kept(connection: &Connection, run: &RunKey, wakes: bool) -> rusqlite::Result<Option<Found>> {
    let mut found = connection.prepare_cached(
        "SELECT n, texts, standing, checkpoint, who, rest FROM run WHERE tenant = ?1 AND id = ?2",
    )?;
    let key = [run.tenant.as_str(), run.id.as_str()];
    let found = found.query_row(key, |row| {
        let (n, hash, standing) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (checkpoint, who, rest) = (row.get(3)?, row.get(4)?, row.get::<_, bool>(5)?);
        Ok((Found { n, hash, standing, checkpoint, who, entries: Vec::new() }, rest))
    });
    let Some((found, rest)) = found.optional()? else { return Ok(None) };
    if wakes && rest {
        connection.prepare_cached("UPDATE run SET rest = 0, due = NULL WHERE n = ?1")?.execute([found.n])?;
    }
    let mut log = connection.prepare_cached("SELECT number, entry FROM log WHERE run = ?1 ORDER BY seq")?;
    let entries =
        log.query_map([found.n], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok(Some(Found { entries, ..found }))
}
