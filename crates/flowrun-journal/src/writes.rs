//! What a change writes besides the row of its run.

use flowrun_engine::journal::{Change, JournalError, RunKey, Waits};
use rusqlite::{Connection, params};

use crate::sealed::{Place, Sealer};

/// What a change writes besides the row of the run.
pub(crate) struct Writes {
    entry: Option<(i64, Vec<u8>)>,
    taken: Vec<u64>,
    waits: Option<(bool, Vec<[u8; 16]>)>,
    answer: Option<Vec<u8>>,
}

impl Writes {
    pub(crate) fn of(
        sealer: &Sealer,
        run: &RunKey,
        change: &Change,
        number: i64,
    ) -> Result<Self, JournalError> {
        let entry = change
            .entry
            .as_ref()
            .map(|entry| Ok::<_, JournalError>((number, sealer.close(&Place::Entry(run, number), entry)?)));
        let answer = change.answer.as_ref().map(|answer| sealer.close(&Place::Answer(run), answer));
        let subject =
            |(name, key): &(String, Option<String>)| sealer.subject(&run.tenant, name, key.as_deref());
        let waits = |waits: &Waits| (waits.answer, waits.events.iter().map(subject).collect());
        let (taken, waits) = (change.taken.clone(), change.waits.as_ref().map(waits));
        Ok(Self { entry: entry.transpose()?, taken, waits, answer: answer.transpose()? })
    }

    pub(crate) fn size(&self) -> usize {
        self.entry.as_ref().map_or(0, |(_, sealed)| sealed.len())
    }

    /// Gives where its entry is, and the events that it waits for from now on.
    pub(crate) fn write(
        &self,
        connection: &Connection,
        n: i64,
    ) -> rusqlite::Result<(Option<i64>, Vec<[u8; 16]>)> {
        let mut seq = None;
        if let Some((number, sealed)) = &self.entry {
            // A run that was erased meanwhile is not written to: that is an error of whoever drives it.
            let mut insert = connection.prepare_cached(
                "INSERT INTO log (run, number, entry) SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM run WHERE n = ?1)",
            )?;
            seq = Some(insert.insert(params![n, number, sealed])?);
        }
        for number in &self.taken {
            let mut take = connection.prepare_cached("DELETE FROM inbox WHERE number = ?1")?;
            take.execute([number])?;
        }
        if let Some(answer) = &self.answer {
            connection.execute("UPDATE run SET answer = ?2 WHERE n = ?1", params![n, answer])?;
        }
        match &self.waits {
            Some((asks, subjects)) => Ok((seq, waits(connection, n, (*asks, subjects))?)),
            None => Ok((seq, Vec::new())),
        }
    }
}

/// Keeps what a run waits for from outside; gives the events that it did not wait for.
fn waits(
    connection: &Connection,
    n: i64,
    (asks, subjects): (bool, &[[u8; 16]]),
) -> rusqlite::Result<Vec<[u8; 16]>> {
    let mut update = connection.prepare_cached(
        "UPDATE conversation SET asks = ?2 WHERE run = ?1 AND key = (SELECT talk FROM run WHERE n = ?1)",
    )?;
    update.execute(params![n, asks])?;
    let mut known = connection.prepare_cached("SELECT subject FROM waiter WHERE run = ?1")?;
    let known: Vec<[u8; 16]> = known.query_map([n], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for gone in known.iter().filter(|subject| !subjects.contains(subject)) {
        connection.execute("DELETE FROM waiter WHERE subject = ?1 AND run = ?2", params![gone, n])?;
    }
    let new: Vec<_> = subjects.iter().filter(|subject| !known.contains(subject)).copied().collect();
    for subject in &new {
        connection.execute("INSERT INTO waiter (subject, run) VALUES (?1, ?2)", params![subject, n])?;
    }
    Ok(new)
}
