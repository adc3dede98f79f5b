//! What a journal says of its runs, and what it forgets of them.

use flowrun_engine::host::{Filter, View};
use flowrun_engine::journal::{JournalError, KeptRun, RunKey, Summary};
use flowrun_step::{RunId, Tenant};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use crate::SqliteJournal;
use crate::lease;
use crate::mail::forget_seen;
use crate::sealed::Place;

const COLUMNS: &str = "id, flow, status, began, changed, over";

/// Runs that are not at rest, those at rest that have mail, and blocked ones: this build may be another. `CROSS` and
/// `INDEXED BY` keep SQLite from looking through every run for the few that are meant.
const AWAKE: &str = "
    SELECT tenant, id FROM run INDEXED BY run_awake WHERE rest = 0 AND over = 0
    UNION SELECT tenant, id FROM run INDEXED BY run_blocked WHERE status = 'blocked'
    UNION SELECT tenant, id FROM inbox CROSS JOIN run ON n = inbox.run WHERE rest = 1 AND over = 0
    UNION SELECT tenant, id FROM inbox CROSS JOIN conversation ON key = inbox.conversation CROSS JOIN run ON n = conversation.run
        WHERE inbox.next = 0 AND rest = 1 AND over = 0
";

/// A row as lists show it; whether it is over.
fn summary(row: &Row<'_>) -> rusqlite::Result<(Summary, bool)> {
    let (id, flow, status) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let (began, changed) = (row.get(3)?, row.get(4)?);
    Ok((Summary { id, flow, status, is_driven: false, began, changed }, row.get(5)?))
}

impl SqliteJournal {
    pub(crate) async fn list_of(
        &self,
        tenant: &Tenant,
        filter: Filter,
    ) -> Result<Vec<Summary>, JournalError> {
        let key = tenant.clone();
        let rows = self.committer.commit(move |connection| {
            let mut all = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM run WHERE tenant = ?1 AND (?2 IS NULL OR flow = ?2) AND (?3 IS NULL OR status = ?3) \
                 AND (?4 IS NULL OR (changed, n) < (SELECT changed, n FROM run WHERE tenant = ?1 AND id = ?4)) \
                 ORDER BY changed DESC, n DESC LIMIT ?5"
            ))?;
            let after = filter.after.as_ref().map(RunId::as_str);
            let most = i64::try_from(filter.page()).unwrap_or(i64::MAX);
            all.query_map(params![key.as_str(), filter.flow, filter.status, after, most], summary)?
                .collect::<Result<Vec<_>, _>>()
        });
        Ok(rows.await?.into_iter().map(|(row, over)| self.with_driver(tenant, row, over)).collect())
    }

    /// Whether a process drives it at this moment, which no table says.
    fn with_driver(&self, tenant: &Tenant, mut summary: Summary, over: bool) -> Summary {
        let run = RunId::new(&summary.id).map(|id| RunKey::new(tenant.clone(), id));
        summary.is_driven = !over && run.is_ok_and(|run| self.is_driven(&run));
        summary
    }

    pub(crate) async fn view_of(&self, run: &RunKey) -> Result<Option<View>, JournalError> {
        let key = run.clone();
        let row = self.committer.commit(move |connection| {
            let mut one = connection.prepare_cached(&format!(
                "SELECT {COLUMNS}, standing, answer FROM run WHERE tenant = ?1 AND id = ?2"
            ))?;
            let row = |row: &Row<'_>| Ok((summary(row)?, row.get(6)?, row.get(7)?));
            one.query_row([key.tenant.as_str(), key.id.as_str()], row).optional()
        });
        let Some(((summary, over), standing, answer)) = row.await? else { return Ok(None) };
        let standing: Vec<u8> = standing;
        let answer: Option<Vec<u8>> = answer;
        let answer = answer.map(|sealed| self.sealer.open(&Place::Answer(run), &sealed)).transpose()?;
        let standing = self.sealer.open(&Place::Standing(run), &standing)?;
        Ok(Some(View::new(self.with_driver(&run.tenant, summary, over), standing, answer)))
    }

    /// A run as it is kept, whoever drives it; none if there is none of this id.
    ///
    /// # Errors
    /// When the journal cannot be read, or a record of the run was changed.
    pub async fn look(&self, run: &RunKey) -> Result<Option<KeptRun>, JournalError> {
        Ok(self.find(run, false).await?.map(|(kept, _)| kept))
    }

    /// Whether a process drives a run at this moment.
    #[must_use]
    pub fn is_driven(&self, run: &RunKey) -> bool {
        lease::is_held(&self.folder.join("locks"), run)
    }

    pub(crate) async fn due_runs(
        &self,
        now: Timestamp,
        most: usize,
    ) -> Result<(Vec<RunKey>, Option<Timestamp>), JournalError> {
        let (now, most) = (now.as_millisecond(), i64::try_from(most).unwrap_or(i64::MAX));
        let due = self.committer.commit(move |connection| {
            let mut due = connection.prepare_cached(
                "SELECT tenant, id, due FROM run WHERE due IS NOT NULL ORDER BY due LIMIT ?1",
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
        let awake = self.committer.commit(move |connection| {
            let mut query = connection.prepare(AWAKE)?;
            query
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<Vec<(String, String)>, _>>()
        });
        Ok(awake.await?.iter().filter_map(|(tenant, id)| key_of(tenant, id)).collect())
    }

    /// Removes runs that were over before a moment, with everything kept of them; gives how many.
    ///
    /// # Errors
    /// When the journal cannot be written; then none is removed.
    pub async fn prune(&self, before: Timestamp) -> Result<usize, JournalError> {
        let (before, now) = (before.to_string(), self.clock.now());
        let pruned = self.committer.commit(move |connection| {
            const OVER: &str = "over = 1 AND changed < ?1";
            connection.execute(
                &format!("DELETE FROM log WHERE run IN (SELECT n FROM run WHERE {OVER})"),
                [&before],
            )?;
            let removed = connection.execute(&format!("DELETE FROM run WHERE {OVER}"), [&before])?;
            forget_seen(connection, now)?;
            connection.execute("DELETE FROM texts WHERE hash NOT IN (SELECT texts FROM run)", [])?;
            Ok(removed)
        });
        let removed = pruned.await?;
        self.texts().clear();
        Ok(removed)
    }
}

fn key_of(tenant: &str, id: &str) -> Option<RunKey> {
    Some(RunKey::new(Tenant::new(tenant).ok()?, RunId::new(id).ok()?))
}
