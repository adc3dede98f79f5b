//! Takes the machine further, and keeps what happened before anything that follows from it is done (runs.md 7).

use flowrun_machine::{Command, Event, EventRecord, Happening, advance};
use flowrun_step::Effect;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Driver, Stop};
use crate::journal::{Begun, Entry, NewRun, Standing};
use crate::log::Log;

impl Driver<'_> {
    /// Takes the machine one event further, and keeps the event before anything that follows from it is done. Only calls that
    /// change nothing are begun before (runs.md 7); what is still to be done comes back.
    pub(super) async fn advance(&mut self, what: Happening) -> Result<Vec<Command>, Stop> {
        if let Some(log) = &mut self.log {
            log.shorten(&self.plan, &self.run).await?;
        }
        let event = Event { at: self.services.clock.now(), what };
        let Some(mut log) = self.log.take() else { return Ok(advance(&self.plan, &mut self.run, event)) };
        let (record, cause) = (EventRecord::of(&self.plan, &self.run, &event), Cause::of(&event.what));
        let commands = advance(&self.plan, &mut self.run, event);
        if let Cause::Settled(op) = cause {
            log.settled(op);
        }
        log.note(&self.plan, &commands);
        let is_safe = |command: &Command| matches!(command, Command::Call { effect: Effect::Safe, .. });
        let (early, late) = commands.into_iter().partition::<Vec<_>, _>(is_safe);
        let kept = self.keep(&mut log, record, cause, (early, &late)).await;
        self.log = Some(log);
        kept.map(|()| late)
    }

    async fn keep(
        &mut self,
        log: &mut Log,
        record: Option<EventRecord>,
        cause: Cause,
        (early, late): (Vec<Command>, &[Command]),
    ) -> Result<(), Stop> {
        let end = late.iter().find_map(|command| match command {
            Command::Finish(end) => Some(Standing::of(self.flow, end)),
            _ => None,
        });
        let standing = end.unwrap_or_else(|| log.standing());
        if cause == Cause::Start
            && let Some(record) = record
        {
            let start = start_of(self.flow.name(), &record);
            let entry = log.entry(&self.plan, &self.run, record);
            if let Begun::Before(standing) = log.journal().begin(self.new_run(start, entry, standing)).await?
            {
                return Err(Stop::Before(standing));
            }
            early.into_iter().for_each(|command| self.obey(command));
            return Ok(());
        }
        early.into_iter().for_each(|command| self.obey(command));
        let entry = match record {
            Some(record) => log.entry(&self.plan, &self.run, record),
            None if cause == Cause::Resume => {
                log.turned();
                if !late.iter().any(is_felt) {
                    return Ok(());
                }
                log.turned_entry(&self.plan, &self.run)
            }
            None => return Ok(()),
        };
        Ok(log.keep(entry, standing).await?)
    }

    fn new_run(&self, start: [u8; 32], entry: Entry, standing: Standing) -> NewRun {
        let (id, flow, texts) = (self.id.clone(), self.flow.name().to_owned(), self.flow.texts());
        NewRun {
            id,
            flow,
            texts,
            hash: self.plan.hash.clone(),
            start,
            at: self.services.clock.now(),
            entry,
            standing,
        }
    }
}

/// The digest of a start: the flow's name and the inputs, however their keys are ordered.
fn start_of(flow: &str, record: &EventRecord) -> [u8; 32] {
    let mut start = json!([flow, record.inputs()]);
    start.sort_all_objects();
    Sha256::digest(start.to_string()).into()
}

/// As much of what happened as decides how it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Start,
    Resume,
    /// A call has ended, or somebody said what becomes of it.
    Settled(u64),
    Other,
}

impl Cause {
    fn of(what: &Happening) -> Self {
        match what {
            Happening::Start { .. } => Self::Start,
            Happening::Resume => Self::Resume,
            Happening::Called { op, .. } | Happening::Resolve { op, .. } => Self::Settled(*op),
            _ => Self::Other,
        }
    }
}

/// Whether somebody outside feels it, so that it must not be done a second time without a thought.
fn is_felt(command: &Command) -> bool {
    matches!(
        command,
        Command::Call { .. } | Command::Answer { .. } | Command::Emit { .. } | Command::Finish(_)
    )
}
