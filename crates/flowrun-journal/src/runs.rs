//! Runs in the database: begun, gone on, shortened, left at rest, taken up.

use flowrun_engine::journal::{
    Appended, Begun, Busy, Change, JournalError, KeptCheckpoint, NewRun, Opener, Rest, RunKey, Standing,
    Texts, Waits,
};
use flowrun_step::RunId;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::mail::remind;
use crate::sealed::{Place, Sealer};
use crate::{Driven, SqliteJournal};

/// A row that is found out about before a run begins.
pub(crate) type Known = (Option<Vec<u8>>, Vec<u8>, Option<Vec<u8>>);

/// What a begin came to in the database.
enum Row {
    New(i64),
    Known(Known),
    Not(Begun),
}

impl SqliteJournal {
    /// Keeps a run that begins, and gives its row; or says why it does not begin.
    pub(crate) async fn begin_held(&self, new: NewRun) -> Result<(Begun, Option<Driven>), JournalError> {
        let NewRun { run, flow, texts, hash, start, talk, change, .. } = new;
        let sealer = self.sealer.clone();
        let texts = self.unknown_texts(&hash, &texts)?;
        let sealed_start = sealer.close_bytes(&Place::Start(&run), &start);
        let standing = sealer.close(&Place::Standing(&run), &change.standing)?;
        let who =
            talk.as_ref().map(|talk| sealer.close(&Place::Who(&run), &talk.conversation)).transpose()?;
        let talk = talk.map(|talk| {
            let key = sealer.conversation(&run.tenant, &talk.conversation);
            (key, talk.while_busy, talk.opener)
        });
        let (key, status, first) = (run.clone(), change.standing.status(), change.standing.clone());
        let writes = Writes::of(&sealer, &run, &change, 1)?;
        let (over, at, plan) = (change.standing.is_over(), change.at, hash.clone());
        let row = self.committer.commit(move |connection| {
            if let Some(known) = known(connection, &key)? {
                return Ok(Row::Known(known));
            }
            if let Some((conversation, _, opener)) = &talk
                && let Some(not) = refused(connection, &sealer, (conversation, opener.as_ref()), at)?
            {
                return Ok(Row::Not(not));
            }
            if let Some(texts) = texts {
                connection.execute("INSERT OR IGNORE INTO texts VALUES (?1, ?2)", params![plan, texts])?;
            }
            let conversation = talk.as_ref().map(|(conversation, ..)| &conversation[..]);
            let mut insert = connection.prepare_cached(
                "INSERT INTO run (tenant, id, flow, texts, status, began, changed, standing, start, talk, who, over) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?;
            let (tenant, id) = (key.tenant.as_str(), key.id.as_str());
            insert.execute(params![
                tenant, id, flow, plan, status, at.to_string(), standing, sealed_start, conversation, who, over
            ])?;
            let n = connection.last_insert_rowid();
            if let Some((conversation, busy, _)) = &talk {
                let occupy = "INSERT INTO conversation (key, run, busy) VALUES (?1, ?2, ?3) \
                              ON CONFLICT (key) DO UPDATE SET run = ?2, busy = ?3, asks = 0";
                connection.execute(occupy, params![&conversation[..], n, word(*busy)])?;
                // What came for the run after the one before is this one's.
                connection.execute("UPDATE inbox SET next = 0 WHERE conversation = ?1 AND next = 1", [&conversation[..]])?;
            }
            writes.write(connection, n)?;
            if over {
                end(connection, n)?;
            }
            Ok(Row::New(n))
        });
        match row.await? {
            Row::New(n) => {
                self.remember_texts(hash);
                Ok((Begun::Now, Some(Driven { n, number: 1, bytes: 0, standing: first })))
            }
            Row::Known(known) => Ok((self.before(&run, known, &start)?, None)),
            Row::Not(begun) => Ok((begun, None)),
        }
    }

    /// How a run stands that began before, if it began with the same start.
    fn before(
        &self,
        run: &RunKey,
        (kept, standing, answer): Known,
        start: &[u8],
    ) -> Result<Begun, JournalError> {
        // A run of a journal's first format has no start; its id alone says that it began.
        let is_same = match kept {
            Some(kept) => self.sealer.open_bytes(&Place::Start(run), &kept).is_some_and(|kept| kept == start),
            None => true,
        };
        if !is_same {
            return Err(JournalError::Conflict(run.id.clone()));
        }
        let answer = answer.map(|sealed| self.sealer.open(&Place::Answer(run), &sealed)).transpose()?;
        Ok(Begun::Before(self.sealer.open(&Place::Standing(run), &standing)?, answer))
    }

    /// How a run stands that another process drives, if it began with the same start.
    pub(crate) async fn begun_before(&self, run: &RunKey, start: &[u8]) -> Result<Begun, JournalError> {
        let key = run.clone();
        let row = self.committer.commit(move |connection| known(connection, &key));
        match row.await? {
            Some(known) => self.before(run, known, start),
            None => Err(JournalError::Held(run.id.clone())),
        }
    }

    pub(crate) async fn append_held(&self, run: &RunKey, change: Change) -> Result<Appended, JournalError> {
        let driven = self.driven(run)?;
        let number = driven.number + i64::from(change.entry.is_some());
        let (sealer, writes) = (self.sealer.clone(), Writes::of(&self.sealer, run, &change, number)?);
        let (n, at, is_over) = (driven.n, change.at, change.standing.is_over());
        let stands = (change.standing != driven.standing).then(|| {
            let sealed = self.sealer.close(&Place::Standing(run), &change.standing)?;
            Ok::<_, JournalError>((change.standing.status(), sealed))
        });
        let (stands, size, key) = (stands.transpose()?, writes.size(), run.clone());
        let has_mail = self.committer.commit(move |connection| {
            let new = writes.write(connection, n)?;
            let has_mail = remind(connection, &sealer, (&key, n, &new), at)?;
            if let Some((status, standing)) = stands {
                let mut stand = connection.prepare_cached(
                    "UPDATE run SET status = ?2, standing = ?3, changed = ?4, over = ?5 WHERE n = ?1",
                )?;
                stand.execute(params![n, status, standing, at.to_string(), is_over])?;
            }
            if is_over {
                end(connection, n)?;
            }
            Ok(has_mail)
        });
        let has_mail = has_mail.await?;
        let bytes = driven.bytes + size;
        self.drives(run, Driven { n, number, bytes, standing: change.standing });
        Ok(Appended { bytes, has_mail })
    }

    pub(crate) async fn shorten_held(
        &self,
        run: &RunKey,
        checkpoint: KeptCheckpoint,
    ) -> Result<usize, JournalError> {
        let driven = self.driven(run)?;
        let sealed = self.sealer.pack(&Place::Checkpoint(run), &checkpoint)?;
        let (n, bytes) = (driven.n, sealed.len());
        self.committer.commit(move |connection| shorten(connection, n, &sealed)).await?;
        self.drives(run, Driven { number: 0, bytes: 0, ..driven });
        Ok(bytes)
    }

    /// Says whether the run is at rest: not if there is mail that it does not know of.
    pub(crate) async fn rest_held(&self, run: &RunKey, rest: Rest) -> Result<bool, JournalError> {
        let driven = self.driven(run)?;
        let checkpoint = self.sealer.pack(&Place::Checkpoint(run), &rest.checkpoint)?;
        let standing = self.sealer.close(&Place::Standing(run), &rest.standing)?;
        let (status, heard, now) = (rest.standing.status(), rest.heard, self.now());
        let (n, due) = (driven.n, rest.until.map(Timestamp::as_millisecond));
        let is_at_rest = self.committer.commit(move |connection| {
            if last_letter(connection, n)? > heard {
                return Ok(false);
            }
            shorten(connection, n, &checkpoint)?;
            let mut update = connection.prepare_cached(
                "UPDATE run SET status = ?2, standing = ?3, changed = ?4, rest = 1, due = ?5 WHERE n = ?1",
            )?;
            update.execute(params![n, status, standing, now, due])?;
            Ok(true)
        });
        is_at_rest.await
    }

    pub(crate) async fn stand_held(&self, run: &RunKey, standing: &Standing) -> Result<(), JournalError> {
        let (key, status, over) = (run.clone(), standing.status(), standing.is_over());
        let (sealed, now) = (self.sealer.close(&Place::Standing(run), standing)?, self.now());
        let stood = self.committer.commit(move |connection| {
            let n: i64 = connection.query_row(
                "UPDATE run SET status = ?3, standing = ?4, changed = ?5, over = ?6, rest = 1, due = NULL \
                 WHERE tenant = ?1 AND id = ?2 RETURNING n",
                params![key.tenant.as_str(), key.id.as_str(), status, sealed, now, over],
                |row| row.get(0),
            )?;
            if over { end(connection, n) } else { Ok(()) }
        });
        stood.await
    }

    /// The sealed texts of a flow, unless they are known to be kept.
    fn unknown_texts(&self, hash: &str, texts: &Texts) -> Result<Option<Vec<u8>>, JournalError> {
        let is_known = self.texts().contains(hash);
        (!is_known).then(|| self.sealer.close(&Place::Texts(hash), texts)).transpose()
    }

    fn remember_texts(&self, hash: String) {
        self.texts().insert(hash);
    }
}

/// What a change writes besides the row of the run.
struct Writes {
    entry: Option<(i64, Vec<u8>)>,
    taken: Vec<u64>,
    waits: Option<(bool, Vec<[u8; 16]>)>,
    answer: Option<Vec<u8>>,
}

impl Writes {
    fn of(sealer: &Sealer, run: &RunKey, change: &Change, number: i64) -> Result<Self, JournalError> {
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

    fn size(&self) -> usize {
        self.entry.as_ref().map_or(0, |(_, sealed)| sealed.len())
    }

    /// Gives the events that it waits for from now on.
    fn write(&self, connection: &Connection, n: i64) -> rusqlite::Result<Vec<[u8; 16]>> {
        if let Some((number, sealed)) = &self.entry {
            let mut insert =
                connection.prepare_cached("INSERT INTO log (run, number, entry) VALUES (?1, ?2, ?3)")?;
            insert.execute(params![n, number, sealed])?;
        }
        for number in &self.taken {
            let mut take = connection.prepare_cached("DELETE FROM inbox WHERE number = ?1")?;
            take.execute([number])?;
        }
        if let Some(answer) = &self.answer {
            connection.execute("UPDATE run SET answer = ?2 WHERE n = ?1", params![n, answer])?;
        }
        match &self.waits {
            Some((asks, subjects)) => waits(connection, n, (*asks, subjects)),
            None => Ok(Vec::new()),
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

fn known(connection: &Connection, run: &RunKey) -> rusqlite::Result<Option<Known>> {
    let mut known =
        connection.prepare_cached("SELECT start, standing, answer FROM run WHERE tenant = ?1 AND id = ?2")?;
    let key = [run.tenant.as_str(), run.id.as_str()];
    known.query_row(key, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()
}

/// Why a run may not talk with a person, if it may not; else the message that starts it is remembered.
fn refused(
    connection: &Connection,
    sealer: &Sealer,
    (conversation, opener): (&[u8; 16], Option<&Opener>),
    at: Timestamp,
) -> rusqlite::Result<Option<Begun>> {
    let talk =
        "SELECT handed, (SELECT id FROM run WHERE n = conversation.run) FROM conversation WHERE key = ?1";
    let talk: Option<(bool, Option<String>)> =
        connection.query_row(talk, [&conversation[..]], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    match talk {
        Some((true, _)) => return Ok(Some(Begun::HandedOver)),
        Some((false, Some(run))) => return Ok(RunId::new(&run).ok().map(Begun::Busy)),
        _ => {}
    }
    let is_new = match opener {
        Some(Opener::New(id)) => crate::mail::see(connection, &sealer.message(conversation, id), at)?,
        Some(Opener::Kept(number)) => {
            connection.execute("DELETE FROM inbox WHERE number = ?1", [number])? == 1
        }
        None => true,
    };
    Ok((!is_new).then_some(Begun::Duplicate))
}

fn shorten(connection: &Connection, n: i64, checkpoint: &[u8]) -> rusqlite::Result<()> {
    let mut keep = connection.prepare_cached("UPDATE run SET checkpoint = ?2 WHERE n = ?1")?;
    keep.execute(params![n, checkpoint])?;
    connection.prepare_cached("DELETE FROM log WHERE run = ?1")?.execute([n]).map(drop)
}

/// A run is over: its conversation is free, and nothing is on its way to it any more.
fn end(connection: &Connection, n: i64) -> rusqlite::Result<()> {
    for statement in [
        "DELETE FROM inbox WHERE run = ?1",
        "DELETE FROM waiter WHERE run = ?1",
        "DELETE FROM conversation WHERE key = (SELECT talk FROM run WHERE n = ?1) AND run = ?1 AND handed = 0",
        "UPDATE conversation SET run = NULL, asks = 0 WHERE key = (SELECT talk FROM run WHERE n = ?1) AND run = ?1",
    ] {
        connection.prepare_cached(statement)?.execute([n])?;
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

/// What becomes of messages while a run is busy, in a word.
fn word(busy: Busy) -> &'static str {
    match busy {
        Busy::Queue => "queue",
        Busy::Drop => "drop",
        Busy::Replace => "replace",
    }
}
