//! Runs that begin (runs.md 11).

use flowrun_engine::journal::{Begun, Busy, JournalError, NewRun, Opener, RunKey, Talk};
use flowrun_step::RunId;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::runs::end;
use crate::sealed::{Place, Sealer};
use crate::standing::Stands;
use crate::tenants::Tenancy;
use crate::writes::Writes;
use crate::{Driven, SqliteJournal};

/// A row that is found out about before a run begins.
struct Known {
    start: Option<Vec<u8>>,
    answer: Option<Vec<u8>>,
    stands: Stands,
}

/// What a begin came to in the database.
enum Row {
    New {
        n: i64,
        seq: Option<i64>,
    },
    Known(Known),
    Not(Begun),
    /// The texts of the flow are to be kept first.
    Textless,
}

impl SqliteJournal {
    /// Keeps a run that begins, and gives what is known of it from now on; or says why it does not begin.
    pub(crate) async fn begin_held(&self, new: NewRun) -> Result<(Begun, Option<Driven>), JournalError> {
        let tenancy = self.tenant(&new.run.tenant).await?;
        let mut row = self.begin_with(&tenancy, &new, None).await?;
        if matches!(row, Row::Textless) {
            let texts = self.sealer.close(&Place::Texts(&new.hash), &new.texts)?;
            row = self.begin_with(&tenancy, &new, Some(texts)).await?;
        }
        match row {
            Row::New { n, seq } => {
                let standing = new.change.standing;
                let driven = Driven { n, number: 1, bytes: 0, standing, log: seq.into_iter().collect() };
                Ok((Begun::Now, Some(driven)))
            }
            Row::Known(known) => Ok((self.before(&tenancy, &new.run, &known, &new.start)?, None)),
            Row::Not(begun) => Ok((begun, None)),
            Row::Textless => Err(JournalError::Unavailable("the texts of a flow are gone".to_owned())),
        }
    }

    async fn begin_with(
        &self,
        tenancy: &Tenancy,
        new: &NewRun,
        texts: Option<Vec<u8>>,
    ) -> Result<Row, JournalError> {
        let (run, sealer) = (new.run.clone(), tenancy.sealer.clone());
        let start = sealer.start(&run, &new.start);
        let who = |talk: &Talk| sealer.close(&Place::Who(&run), &talk.conversation);
        let who = new.talk.as_ref().map(who).transpose()?;
        let talk = new.talk.as_ref().map(|talk| {
            let key = sealer.conversation(&run.tenant, &talk.conversation);
            (key, talk.while_busy, talk.opener.clone())
        });
        let writes = Writes::of(&sealer, &run, &new.change, 1)?;
        let stands = self.stands(&sealer, &run, &new.change.standing)?;
        let (over, at, tenant) = (new.change.standing.is_over(), new.change.at, tenancy.n);
        let driver = if over { None } else { Some(self.process().await?) };
        let (flow, hash, history) = (new.flow.clone(), new.hash.clone(), self.history);
        let row = self.committer.commit(move |connection| {
            if let Some(known) = known(connection, tenant, &run.id)? {
                return Ok(Row::Known(known));
            }
            let Some(texts) = texts_row(connection, &hash, texts)? else { return Ok(Row::Textless) };
            if let Some((conversation, _, opener)) = &talk
                && let Some(not) = refused(connection, &sealer, (conversation, opener.as_ref()), at)?
            {
                return Ok(Row::Not(not));
            }
            let conversation = talk.as_ref().map(|(conversation, ..)| &conversation[..]);
            let mut insert = connection.prepare_cached(
                "INSERT INTO run (tenant, id, flow, texts, status, standing, began, changed, start, talk, who, over, driver) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?;
            let (id, at) = (run.id.as_str(), at.as_millisecond());
            let (status, standing) = (&stands.status, &stands.sealed);
            insert.execute(params![
                tenant, id, flow, texts, status, standing, at, &start[..], conversation, who, over, driver
            ])?;
            let n = connection.last_insert_rowid();
            if let Some((conversation, busy, _)) = &talk {
                occupy(connection, (tenant, n), (conversation, *busy))?;
            }
            let (seq, _) = writes.write(connection, n)?;
            if over {
                end(connection, n, (&stands.status, history), seq.as_slice())?;
            }
            Ok(Row::New { n, seq })
        });
        row.await
    }

    /// How a run stands that began before, if it began with the same start.
    fn before(
        &self,
        tenancy: &Tenancy,
        run: &RunKey,
        known: &Known,
        start: &[u8; 32],
    ) -> Result<Begun, JournalError> {
        let sealer = &tenancy.sealer;
        let is_same = match &known.start {
            Some(kept) if kept.len() == 16 => kept[..] == sealer.start(run, start),
            // As format 3 kept it.
            Some(kept) => sealer.open_bytes(&Place::Start(run), kept).is_some_and(|kept| kept == start),
            // A run of a journal's first format has no start; its id alone says that it began.
            None => true,
        };
        if !is_same {
            return Err(JournalError::Conflict(run.id.clone()));
        }
        let answer = known.answer.as_ref().map(|sealed| sealer.open(&Place::Answer(run), sealed));
        Ok(Begun::Before(known.stands.open(sealer, run)?, answer.transpose()?))
    }
}

/// The row of the texts of a flow; none if they are not kept, and not given to be.
fn texts_row(connection: &Connection, hash: &str, texts: Option<Vec<u8>>) -> rusqlite::Result<Option<i64>> {
    if let Some(texts) = texts {
        connection
            .execute("INSERT OR IGNORE INTO texts (hash, texts) VALUES (?1, ?2)", params![hash, texts])?;
    }
    let mut found = connection.prepare_cached("SELECT n FROM texts WHERE hash = ?1")?;
    found.query_row([hash], |row| row.get(0)).optional()
}

/// A run takes its conversation, and what came there for the run after the one before.
fn occupy(
    connection: &Connection,
    (tenant, n): (i64, i64),
    (conversation, busy): (&[u8; 16], Busy),
) -> rusqlite::Result<()> {
    let mut occupy = connection.prepare_cached(
        "INSERT INTO conversation (key, tenant, run, busy) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (key) DO UPDATE SET run = ?3, busy = ?4, asks = 0",
    )?;
    occupy.execute(params![&conversation[..], tenant, n, word(busy)])?;
    let mut take =
        connection.prepare_cached("UPDATE inbox SET next = 0 WHERE conversation = ?1 AND next = 1")?;
    take.execute([&conversation[..]]).map(drop)
}

fn known(connection: &Connection, tenant: i64, id: &RunId) -> rusqlite::Result<Option<Known>> {
    let mut known = connection.prepare_cached(
        "SELECT start, answer, status, due, standing FROM run WHERE tenant = ?1 AND id = ?2",
    )?;
    let row = |row: &rusqlite::Row<'_>| {
        Ok(Known { start: row.get(0)?, answer: row.get(1)?, stands: Stands::read(row, 2)? })
    };
    known.query_row(params![tenant, id.as_str()], row).optional()
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

/// What becomes of messages while a run is busy, in a word.
fn word(busy: Busy) -> &'static str {
    match busy {
        Busy::Queue => "queue",
        Busy::Drop => "drop",
        Busy::Replace => "replace",
    }
}
