//! Leaves a run that waits, so that it costs nothing until something comes for it (runs.md 9), and hears what came.

use flowrun_machine::Happening;
use flowrun_step::Effect;
use jiff::{SignedDuration, Timestamp};

use super::{Driver, Fed, Felt, Stop, Task};
use crate::journal::Change;
use crate::log::Log;
use crate::mail::Incoming;
use crate::outcome::Outcome;

/// How long a run that only waits for a moment is driven on.
const SOON: SignedDuration = SignedDuration::from_secs(10);

impl Driver<'_> {
    /// Leaves the run, if nobody has to drive it now.
    pub(super) async fn leave(&mut self, is_cancelling: bool) -> Result<Option<Outcome>, Stop> {
        let Some(hosted) = self.inlet.hosted() else {
            let doubts = self.only_doubts_left().filter(|_| !is_cancelling);
            return Ok(doubts.map(|steps| Outcome::InDoubt { steps }));
        };
        if hosted.is_draining() && !self.is_yielding && !self.is_calling(|effect| effect == Effect::Unsafe) {
            if let Some(log) = &mut self.log {
                log.close(&self.plan, &self.run).await?;
            }
            return Ok(Some(Outcome::Left));
        }
        let until = self.next_timer();
        let is_soon = until.is_some_and(|at| at.duration_since(self.services.clock.now()) < SOON);
        if self.is_yielding || is_soon || self.is_calling(|_| true) {
            return Ok(None);
        }
        let Some(log) = &mut self.log else { return Ok(None) };
        if log.leave((&self.plan, &self.run), (until, self.heard)).await? {
            let steps = log.doubts();
            let is_doubtful = !steps.is_empty();
            return Ok(Some(if is_doubtful {
                Outcome::InDoubt { steps }
            } else {
                Outcome::Waiting { until }
            }));
        }
        // What came meanwhile is heard at once.
        hosted.poked.notify_one();
        Ok(None)
    }

    fn is_calling(&self, is_meant: impl Fn(Effect) -> bool) -> bool {
        let is_call = |task: &Task| matches!(task, Task::Call(call) if is_meant(call.effect));
        self.underway.values().any(|task| is_call(&task.what))
    }

    fn next_timer(&self) -> Option<Timestamp> {
        let at = |task: &Task| match task {
            Task::Timer(at) => Some(*at),
            Task::Call(_) => None,
        };
        self.underway.values().filter_map(|task| at(&task.what)).min()
    }

    /// Hears what the journal keeps for the run.
    pub(super) async fn fetch(&mut self) -> Fed {
        let Some(log) = &self.log else { return Ok(None) };
        let letters = log.journal().mail(&self.key, 0).await?;
        self.letterbox.withdraw(|number| letters.iter().all(|letter| letter.number != number));
        let heard = self.heard;
        let mut felt = Vec::new();
        for letter in letters.into_iter().filter(|letter| letter.number > heard) {
            self.heard = letter.number;
            match letter.incoming {
                Incoming::Cancel { reason } => {
                    felt.push(Felt { what: Happening::Cancel { reason }, taken: vec![letter.number] });
                }
                Incoming::Resolve(how) => {
                    let ops = self.log.as_ref().map(Log::doubtful).unwrap_or_default();
                    let resolve = |op| Felt { what: Happening::Resolve { op, how }, taken: Vec::new() };
                    felt.extend(ops.into_iter().map(resolve));
                    self.done_with(vec![letter.number]).await?;
                }
                other => self.letterbox.keep(letter.at, Some(letter.number), other),
            }
        }
        for felt in felt {
            if let Some(end) = self.felt(felt).await? {
                return Ok(Some(end));
            }
        }
        self.deliver().await
    }

    /// Forgets letters from which nothing follows.
    pub(super) async fn done_with(&mut self, taken: Vec<u64>) -> Result<(), Stop> {
        let now = self.services.clock.now();
        if let Some(log) = &mut self.log {
            let standing = log.standing();
            log.keep(Change { taken, ..Change::new(now, None, standing) }).await?;
        }
        Ok(())
    }
}
