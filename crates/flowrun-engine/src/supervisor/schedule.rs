//! Starts flows at the moments of their calendar (R18): once for each moment, whichever process is there.
//!
//! The run's id is made of the flow and the moment, so that a moment whose start was not written down is started again as the same
//! run. What is missed while no process is there is made up for once, or left out, as the flow says.

use std::sync::Arc;

use flowrun_lang::Flow;
use flowrun_lang::trigger::{ScheduleTrigger, Trigger};
use flowrun_step::{RunId, Tenant};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::Supervisor;
use super::open::id_from;
use crate::host::Request;
use crate::journal::{JournalError, RunKey};

/// How late a moment may be noticed and still not be missed.
const LATE: SignedDuration = SignedDuration::from_mins(1);
/// The beginning of the ids of runs that a schedule starts.
pub(super) const KIND: &str = "s";

/// A flow with a schedule.
struct Scheduled {
    tenant: Tenant,
    flow: Arc<Flow>,
    schedule: ScheduleTrigger,
}

impl Scheduled {
    /// Under which names its moments are kept: the last that was looked at, and the last that started a run.
    fn name(&self, what: &str) -> String {
        let ScheduleTrigger { cron, zone, .. } = &self.schedule;
        format!("{what}\n{}\n{zone}\n{cron}", self.flow.name())
    }

    /// The run of a moment.
    fn run(&self, moment: Timestamp) -> RunId {
        id_from(KIND, &json!([self.flow.name(), moment]))
    }
}

impl Supervisor {
    /// Starts the flows whose moment has come; gives when the next one's comes.
    pub(super) async fn fire_due(self: &Arc<Self>) -> Result<Option<Timestamp>, JournalError> {
        let mut next: Option<Timestamp> = None;
        for scheduled in self.scheduled() {
            if let Some(at) = self.fire(&scheduled).await? {
                next = Some(next.map_or(at, |other| other.min(at)));
            }
        }
        Ok(next)
    }

    fn scheduled(&self) -> Vec<Scheduled> {
        let sets = self.sets.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let of = |(tenant, set): (Tenant, Arc<crate::flows::FlowSet>)| {
            let scheduled = |flow: &Arc<Flow>| match flow.trigger() {
                Some(Trigger::Schedule(schedule)) => {
                    let (tenant, flow) = (tenant.clone(), Arc::clone(flow));
                    Some(Scheduled { tenant, flow, schedule: schedule.clone() })
                }
                _ => None,
            };
            set.all().filter_map(scheduled).collect::<Vec<_>>()
        };
        sets.into_iter().flat_map(of).collect()
    }

    async fn fire(self: &Arc<Self>, scheduled: &Scheduled) -> Result<Option<Timestamp>, JournalError> {
        let (now, schedule) = (self.services.clock.now(), &scheduled.schedule);
        let seen = scheduled.name("seen");
        let Some(last) = self.journal.mark(&scheduled.tenant, &seen, None).await? else {
            // A schedule that is new begins now: what was before it was never missed.
            self.journal.mark(&scheduled.tenant, &seen, Some(now)).await?;
            return Ok(schedule.next(now));
        };
        let Some(moment) = last_due(schedule, last, now) else { return Ok(schedule.next(now.max(last))) };
        let is_missed = now.duration_since(moment) > LATE;
        if !is_missed || schedule.makes_up {
            let fired = self.journal.mark(&scheduled.tenant, &scheduled.name("fired"), None).await?;
            let is_busy = match fired.filter(|before| *before != moment) {
                Some(before) => self.is_under_way(scheduled, before).await?,
                None => false,
            };
            if is_busy && schedule.queues {
                // It is looked at again when that run ends.
                return Ok(None);
            }
            if !is_busy {
                self.start_scheduled(scheduled, moment, fired).await?;
            }
        }
        self.journal.mark(&scheduled.tenant, &seen, Some(moment)).await?;
        Ok(schedule.next(now))
    }

    async fn is_under_way(&self, scheduled: &Scheduled, moment: Timestamp) -> Result<bool, JournalError> {
        let run = RunKey::new(scheduled.tenant.clone(), scheduled.run(moment));
        Ok(self.journal.view(&run).await?.is_some_and(|view| !view.standing.is_over()))
    }

    async fn start_scheduled(
        self: &Arc<Self>,
        scheduled: &Scheduled,
        moment: Timestamp,
        last: Option<Timestamp>,
    ) -> Result<(), JournalError> {
        let Scheduled { tenant, flow, .. } = scheduled;
        let trigger = json!({ "at": moment, "last": last });
        let request = Request { trigger, ..Request::new(tenant.clone(), flow.name(), scheduled.run(moment)) };
        match self.opening(flow, &request) {
            Ok(start) => drop(self.launch(Arc::clone(flow), start).await?),
            Err(error) => tracing::error!(flow = flow.name(), %error, "a schedule cannot start the flow"),
        }
        self.journal.mark(tenant, &scheduled.name("fired"), Some(moment)).await.map(drop)
    }
}

/// The last moment that has come since another; none if none has.
fn last_due(schedule: &ScheduleTrigger, since: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let mut moment = schedule.next(since).filter(|at| *at <= now)?;
    while let Some(later) = schedule.next(moment).filter(|at| *at <= now) {
        moment = later;
    }
    Some(moment)
}
