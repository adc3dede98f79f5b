//! What a journal says of its runs, and what it forgets of them.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::PoisonError;

use flowrun_engine::host::{Filter, View};
use flowrun_engine::journal::{JournalError, RunKey, Summary};
use flowrun_step::{RunId, Tenant};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::SqliteJournal;
use crate::find::Spread;
use crate::lease;
use crate::mail::forget_seen;
use crate::sealed::Place;
use crate::standing::{self, Stands};

const COLUMNS: &str = "id, flow, status, began, changed, driver";

/// Runs that are not at rest, those at rest that have mail, and blocked ones: this build may be another. `CROSS` and
/// `INDEXED BY` keep SQLite from looking through every run for the few that are meant.
const AWAKE: &str = "
    WITH awake (n) AS (
        SELECT n FROM run INDEXED BY run_awake WHERE rest = 0 AND over = 0
        UNION SELECT n FROM run INDEXED BY run_blocked WHERE status = 'blocked'
        UNION SELECT n FROM inbox CROSS JOIN run ON n = inbox.run WHERE rest = 1 AND over = 0
        UNION SELECT n FROM inbox CROSS JOIN conversation ON key = inbox.conversation CROSS JOIN run ON n = conversation.run
            WHERE inbox.next = 0 AND rest = 1 AND over = 0)
    SELECT name, id, run.n, driver FROM awake CROSS JOIN run ON run.n = awake.n CROSS JOIN tenant ON tenant.n = run.tenant
    WHERE held IS NULL
";

/// A run of [`AWAKE`]: its tenant, its id, its number, and the process that drives it, if that lives.
type Awake = (String, String, i64, Option<i64>);

/// A row as lists show it, and the process that drives it, if that lives.
fn summary(row: &Row<'_>) -> rusqlite::Result<(Summary, Option<i64>)> {
    let (id, flow, status) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let (began, changed) = (moment(row.get(3)?), moment(row.get(4)?));
    Ok((Summary { id, flow, status, is_driven: false, began, changed }, row.get(5)?))
}

fn moment(at: i64) -> String {
    Timestamp::from_millisecond(at).unwrap_or_default().to_string()
}

impl SqliteJournal {
    pub(crate) async fn list_of(
        &self,
        tenant: &Tenant,
        filter: Filter,
    ) -> Result<Vec<Summary>, JournalError> {
        let Some(tenancy) = self.tenant_if_known(tenant).await? else { return Ok(Vec::new()) };
        let locks = self.locks();
        let rows = self.committer.commit(move |connection| {
            let mut all = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM run WHERE tenant = ?1 AND (?2 IS NULL OR flow = ?2) AND (?3 IS NULL OR status = ?3) \
                 AND (?4 IS NULL OR (changed, n) < (SELECT changed, n FROM run WHERE tenant = ?1 AND id = ?4)) \
                 ORDER BY changed DESC, n DESC LIMIT ?5"
            ))?;
            let after = filter.after.as_ref().map(RunId::as_str);
            let most = i64::try_from(filter.page()).unwrap_or(i64::MAX);
            let rows =
                all.query_map(params![tenancy.n, filter.flow, filter.status, after, most], summary)?;
            rows.map(|row| with_driver(connection, &locks, row?)).collect()
        });
        rows.await
    }

    pub(crate) async fn view_of(&self, run: &RunKey) -> Result<Option<View>, JournalError> {
        let Some(tenancy) = self.tenant_if_known(&run.tenant).await? else { return Ok(None) };
        let (id, locks) = (run.id.clone(), self.locks());
        let row = self.committer.commit(move |connection| {
            let mut one = connection.prepare_cached(&format!(
                "SELECT {COLUMNS}, {}, answer FROM run WHERE tenant = ?1 AND id = ?2",
                standing::COLUMNS
            ))?;
            let row = |row: &Row<'_>| Ok((summary(row)?, Stands::read(row, 6)?, row.get(9)?));
            let row = one.query_row(params![tenancy.n, id.as_str()], row).optional()?;
            row.map(|(summary, stands, answer)| {
                Ok((with_driver(connection, &locks, summary)?, stands, answer))
            })
            .transpose()
        });
        let Some((summary, stands, answer)) = row.await? else { return Ok(None) };
        let (answer, sealer): (Option<Vec<u8>>, _) = (answer, &tenancy.sealer);
        let answer = answer.map(|sealed| sealer.open(&Place::Answer(run), &sealed)).transpose()?;
        let standing = stands.open(sealer, run)?;
        Ok(Some(View::new(summary, standing, answer)))
    }

    pub(crate) async fn due_runs(
        &self,
        now: Timestamp,
        most: usize,
    ) -> Result<(Vec<RunKey>, Option<Timestamp>), JournalError> {
        let (now, most) = (now.as_millisecond(), i64::try_from(most).unwrap_or(i64::MAX));
        let due = self.committer.commit(move |connection| {
            let mut due = connection.prepare_cached(
                "SELECT name, id, due FROM run INDEXED BY run_due CROSS JOIN tenant ON tenant.n = run.tenant \
                 WHERE rest = 1 AND due IS NOT NULL AND held IS NULL ORDER BY due LIMIT ?1",
            )?;
            let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?));
            due.query_map([most.saturating_add(1)], row)?.collect::<Result<Vec<_>, _>>()
        });
        let mut due: Vec<(String, String, i64)> = due.await?;
        let later = due.iter().position(|(_, _, at)| *at > now).unwrap_or(due.len());
        let later = later.min(usize::try_from(most).unwrap_or(usize::MAX));
        let next = due.get(later).and_then(|(_, _, at)| Timestamp::from_millisecond(*at).ok());
        due.truncate(later);
        Ok((due.iter().filter_map(|(tenant, id, _)| key_of(tenant, id)).collect(), next))
    }

    pub(crate) async fn mark_of(
        &self,
        tenant: &Tenant,
        name: &str,
        at: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, JournalError> {
        let (key, at) = (self.sealer.mark(tenant, name), at.map(Timestamp::as_millisecond));
        let before = self.committer.commit(move |connection| {
            let before = "SELECT at FROM mark WHERE key = ?1";
            let before = connection.query_row(before, [&key[..]], |row| row.get::<_, i64>(0)).optional()?;
            if let Some(at) = at {
                let keep =
                    "INSERT INTO mark (key, at) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET at = ?2";
                connection.execute(keep, params![&key[..], at])?;
            }
            Ok(before)
        });
        Ok(before.await?.and_then(|at| Timestamp::from_millisecond(at).ok()))
    }

    pub(crate) async fn awake(&self) -> Result<Vec<RunKey>, JournalError> {
        let locks = self.locks();
        let awake = self.committer.commit(move |connection| {
            let mut query = connection.prepare(AWAKE)?;
            let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
            let awake: Vec<Awake> = query.query_map([], row)?.collect::<Result<_, _>>()?;
            Ok((Spread::of(connection, undriven(connection, &locks, &awake)?)?, awake))
        });
        let (spread, awake) = awake.await?;
        *self.spread.lock().unwrap_or_else(PoisonError::into_inner) = spread;
        Ok(awake.iter().filter_map(|(tenant, id, ..)| key_of(tenant, id)).collect())
    }

    /// Removes runs that were over before a moment, with everything kept of them; gives how many.
    ///
    /// # Errors
    /// When the journal cannot be written; then none is removed.
    pub async fn prune(&self, before: Timestamp) -> Result<usize, JournalError> {
        let (before, now) = (before.as_millisecond(), self.clock.now());
        let pruned = self.committer.commit(move |connection| {
            const OVER: &str = "SELECT n FROM run WHERE over = 1 AND changed < ?1";
            for table in ["log", "history", "checkpoint"] {
                connection.execute(&format!("DELETE FROM {table} WHERE run IN ({OVER})"), [before])?;
            }
            let removed = connection.execute("DELETE FROM run WHERE over = 1 AND changed < ?1", [before])?;
            forget_seen(connection, now)?;
            connection.execute("DELETE FROM texts WHERE n NOT IN (SELECT texts FROM run)", [])?;
            Ok(removed)
        });
        pruned.await
    }
}

/// The numbers of the runs that no living process drives, and so writes to.
fn undriven(connection: &Connection, locks: &Path, awake: &[Awake]) -> rusqlite::Result<Vec<i64>> {
    let mut living = BTreeSet::new();
    for driver in awake.iter().filter_map(|(.., driver)| *driver).collect::<BTreeSet<_>>() {
        if lease::lives(connection, locks, driver)? {
            living.insert(driver);
        }
    }
    let is_undriven = |(.., driver): &&Awake| driver.is_none_or(|driver| !living.contains(&driver));
    Ok(awake.iter().filter(is_undriven).map(|(.., n, _)| *n).collect())
}

/// Whether a process drives it at this moment, which the table alone does not say.
fn with_driver(
    connection: &Connection,
    locks: &Path,
    (mut summary, driver): (Summary, Option<i64>),
) -> rusqlite::Result<Summary> {
    if let Some(driver) = driver {
        summary.is_driven = lease::lives(connection, locks, driver)?;
    }
    Ok(summary)
}

fn key_of(tenant: &str, id: &str) -> Option<RunKey> {
    Some(RunKey::new(Tenant::new(tenant).ok()?, RunId::new(id).ok()?))
}
