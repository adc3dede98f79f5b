//! Finds a run in the database, with all that is needed to take it up.

use std::collections::HashMap;
use std::sync::PoisonError;

use flowrun_engine::journal::{JournalError, KeptRun, RunKey, Texts};
use rusqlite::{Connection, OptionalExtension, params};

use crate::lease;
use crate::sealed::{Place, Sealer};
use crate::standing::Stands;
use crate::tenants::Tenancy;
use crate::{Driven, SqliteJournal};

/// Where the entries of runs are in the log, as far as it was looked through: it has no index.
#[derive(Default)]
pub(crate) struct Spread {
    upto: i64,
    of: HashMap<i64, Vec<i64>>,
}

impl Spread {
    /// Looks for the entries of these runs, to which nobody writes before they are taken up: numbers of the log are used again,
    /// so of any other run there may be entries among those that were looked through.
    pub(crate) fn of(connection: &Connection, runs: Vec<i64>) -> rusqlite::Result<Self> {
        let mut spread = Self { upto: 0, of: runs.into_iter().map(|run| (run, Vec::new())).collect() };
        let mut log = connection.prepare("SELECT seq, run FROM log ORDER BY seq")?;
        let mut rows = log.query([])?;
        while let Some(row) = rows.next()? {
            spread.upto = row.get(0)?;
            if let Some(seqs) = spread.of.get_mut(&row.get(1)?) {
                seqs.push(spread.upto);
            }
        }
        Ok(spread)
    }

    /// What is known of one run, which is asked for once; and from where on the log is to be looked through.
    fn take(&mut self, run: i64) -> (Vec<i64>, i64) {
        self.of.remove(&run).map_or((Vec::new(), 0), |seqs| (seqs, self.upto))
    }
}

/// The row of a run.
struct Found {
    n: i64,
    hash: String,
    stands: Stands,
    who: Option<Vec<u8>>,
    checkpoint: Option<(i64, Vec<u8>)>,
    driver: Option<i64>,
    over: bool,
}

/// What looking for a run came to.
enum Row {
    Found(Found),
    Unknown,
    /// Another process drives it.
    Held,
    /// It was restored from a backup, and nobody has released it.
    OnHold,
}

/// An entry: where it is, its number, and itself, sealed.
type Logged = (i64, i64, Vec<u8>);

impl SqliteJournal {
    /// A run that nobody drives, to be driven from now on.
    pub(crate) async fn take_up(&self, run: &RunKey) -> Result<Option<(KeptRun, Driven)>, JournalError> {
        let Some(tenancy) = self.tenant_if_known(&run.tenant).await? else { return Ok(None) };
        let Some(found) = self.found(run, &tenancy, Some(self.process().await?)).await? else {
            return Ok(None);
        };
        let (seqs, since) = self.spread.lock().unwrap_or_else(PoisonError::into_inner).take(found.n);
        // What waits has been shortened: nothing of it is in the log.
        let rows = match found.stands.status.as_str() {
            "waiting" => Vec::new(),
            _ if found.over => Vec::new(),
            _ => self.committer.commit(move |connection| logged(connection, found.n, (&seqs, since))).await?,
        };
        let kept = found.open(run, &tenancy.sealer, &rows)?;
        let before = found.checkpoint.map_or(0, |(number, _)| number);
        let number = rows.last().map_or(before, |(_, number, _)| *number);
        let bytes = rows.iter().map(|(.., sealed)| sealed.len()).sum();
        let log = rows.into_iter().map(|(seq, ..)| seq).collect();
        let driven = Driven { n: found.n, number, bytes, standing: kept.standing.clone(), log };
        Ok(Some((kept, driven)))
    }

    /// A run with all that is kept of it, whoever drives it: from its first entry, if nothing of it was forgotten.
    pub(crate) async fn look_at(&self, run: &RunKey) -> Result<Option<KeptRun>, JournalError> {
        let Some(tenancy) = self.tenant_if_known(&run.tenant).await? else { return Ok(None) };
        let Some(mut found) = self.found(run, &tenancy, None).await? else { return Ok(None) };
        let n = found.n;
        let rows = self.committer.commit(move |connection| {
            let mut all = connection.prepare_cached(
                "SELECT 0, number, entry FROM history WHERE run = ?1 UNION ALL \
                 SELECT seq, number, entry FROM log WHERE run = ?1 ORDER BY number",
            )?;
            all.query_map([n], entry)?.collect::<Result<Vec<_>, _>>()
        });
        let mut rows = rows.await?;
        match (&found.checkpoint, rows.first()) {
            (Some(_), Some((_, 1, _))) => found.checkpoint = None,
            (Some((upto, _)), _) => rows.retain(|(_, number, _)| number > upto),
            _ => {}
        }
        found.open(run, &tenancy.sealer, &rows).map(Some)
    }

    /// The row of a run, which a process takes, if one is given.
    async fn found(
        &self,
        run: &RunKey,
        tenancy: &Tenancy,
        taker: Option<i64>,
    ) -> Result<Option<Found>, JournalError> {
        let (id, tenant, locks) = (run.id.clone(), tenancy.n, self.locks());
        let row = self.committer.commit(move |connection| {
            let Some(mut found) = found(connection, (tenant, id.as_str()))? else { return Ok(Row::Unknown) };
            match (taker, found.driver) {
                (None, _) => return Ok(Row::Found(found)),
                (Some(_), _) if found.stands.is_held() => return Ok(Row::OnHold),
                (Some(taker), Some(driver))
                    if taker != driver && lease::lives(connection, &locks, driver)? =>
                {
                    return Ok(Row::Held);
                }
                _ => {}
            }
            if found.over {
                found.checkpoint = None;
            } else {
                let mut take =
                    connection.prepare_cached("UPDATE run SET rest = 0, driver = ?2 WHERE n = ?1")?;
                take.execute(params![found.n, taker])?;
            }
            Ok(Row::Found(found))
        });
        match row.await? {
            Row::Found(found) => Ok(Some(found)),
            Row::Unknown => Ok(None),
            Row::Held => Err(JournalError::Held(run.id.clone())),
            Row::OnHold => Err(JournalError::OnHold(run.id.clone())),
        }
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

impl Found {
    fn open(&self, run: &RunKey, sealer: &Sealer, rows: &[Logged]) -> Result<KeptRun, JournalError> {
        let checkpoint = self.checkpoint.as_ref();
        let checkpoint = checkpoint.map(|(_, sealed)| sealer.unpack(&Place::Checkpoint(run), sealed));
        let entry = |(_, number, sealed): &Logged| sealer.open(&Place::Entry(run, *number), sealed);
        let entries = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        let standing = self.stands.open(sealer, run)?;
        let mut kept = KeptRun::new(self.hash.clone(), checkpoint.transpose()?, entries, standing);
        kept.conversation =
            self.who.as_ref().map(|sealed| sealer.open(&Place::Who(run), sealed)).transpose()?;
        Ok(kept)
    }
}

fn entry(row: &rusqlite::Row<'_>) -> rusqlite::Result<Logged> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

/// The entries of a run in the log: those whose places are known, and those that came after.
fn logged(connection: &Connection, n: i64, (seqs, since): (&[i64], i64)) -> rusqlite::Result<Vec<Logged>> {
    let mut one =
        connection.prepare_cached("SELECT seq, number, entry FROM log WHERE seq = ?1 AND run = ?2")?;
    let mut rows = Vec::new();
    for seq in seqs {
        rows.extend(one.query_row([*seq, n], entry).optional()?);
    }
    let mut others = connection
        .prepare_cached("SELECT seq, number, entry FROM log WHERE seq > ?1 AND run = ?2 ORDER BY seq")?;
    for row in others.query_map([since, n], entry)? {
        rows.push(row?);
    }
    Ok(rows)
}

/// The row of a run.
fn found(connection: &Connection, (tenant, id): (i64, &str)) -> rusqlite::Result<Option<Found>> {
    let mut found = connection.prepare_cached(
        "SELECT run.n, hash, status, due, standing, who, number, body, driver, over FROM run \
         CROSS JOIN texts ON texts.n = run.texts LEFT JOIN checkpoint ON checkpoint.run = run.n WHERE tenant = ?1 AND id = ?2",
    )?;
    let found = found.query_row(params![tenant, id], |row| {
        let (n, hash, stands, who) = (row.get(0)?, row.get(1)?, Stands::read(row, 2)?, row.get(5)?);
        let checkpoint = row.get::<_, Option<i64>>(6)?.zip(row.get(7)?);
        Ok(Found { n, hash, stands, who, checkpoint, driver: row.get(8)?, over: row.get(9)? })
    });
    found.optional()
}
