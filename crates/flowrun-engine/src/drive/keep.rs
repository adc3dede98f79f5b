//! Takes the machine further, and keeps what happened before anything that follows from it is done (runs.md 7).

use flowrun_machine::{Command, End, Event, EventRecord, Happening, advance};
use flowrun_step::Effect;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Driver, Fed, Felt, Stop};
use crate::journal::{Answer, Begun, Change, NewRun, Standing, Talk};
use crate::log::Log;
use crate::observe::RunEvent;

impl Driver<'_> {
    /// Begins the run, and says whether it began to whoever asked for it.
    pub(super) async fn begin(&mut self, start: Happening, talk: Option<Box<Talk>>) -> Fed {
        self.conversation = talk.as_ref().map(|talk| talk.conversation.clone());
        self.talk = talk.map(|talk| *talk);
        self.feed(start).await
    }

    /// Takes the machine one event further, and keeps the event before anything that follows from it is done. Only calls that
    /// change nothing are begun before (runs.md 7); what is still to be done comes back.
    pub(super) async fn advance(&mut self, felt: Felt) -> Result<Vec<Command>, Stop> {
        if let Some(log) = &mut self.log {
            log.shorten(&self.plan, &self.run).await?;
        }
        let event = Event { at: self.services.clock.now(), what: felt.what };
        let Some(mut log) = self.log.take() else {
            let commands = advance(&self.plan, &mut self.run, event);
            self.letterbox.note(&commands);
            return Ok(commands);
        };
        let (record, cause) = (EventRecord::of(&self.plan, &self.run, &event), Cause::of(&event.what));
        let commands = advance(&self.plan, &mut self.run, event);
        if let Cause::Settled(op) = cause {
            log.settled(op);
        }
        log.note(&self.plan, &commands);
        let is_safe = |command: &Command| matches!(command, Command::Call { effect: Effect::Safe, .. });
        let (early, late) = commands.into_iter().partition::<Vec<_>, _>(is_safe);
        let change = self.change(&log, felt.taken, &late);
        let kept = self.keep(&mut log, (record, cause), (early, &late), change).await;
        self.log = Some(log);
        kept.map(|()| late)
    }

    /// What the commands change of the run on disk, besides its log.
    fn change(&mut self, log: &Log, taken: Vec<u64>, commands: &[Command]) -> Change {
        let is_new = self.letterbox.note(commands);
        let now = self.services.clock.now();
        let mut change = Change { taken, ..Change::new(now, None, log.standing()) };
        change.waits = (is_new && self.inlet.hosted().is_some()).then(|| self.letterbox.waits());
        // What is still to be told would be lost with the process, were the run over before.
        let is_to_be_told = commands.iter().any(|command| matches!(command, Command::Emit { .. }));
        for command in commands {
            match command {
                Command::Finish(end) if !is_to_be_told => change.standing = Standing::of(self.flow, end),
                Command::Answer { status, headers, body } => {
                    let (status, headers, body) = (*status, headers.clone(), body.clone());
                    change.answer = Some(Answer { status, headers, body });
                }
                _ => {}
            }
        }
        change
    }

    /// The run is over, on disk too.
    pub(super) async fn finish(&mut self, end: End) -> Fed {
        if let Some(log) = &mut self.log {
            log.end(self.services.clock.now(), Standing::of(self.flow, &end)).await?;
        }
        Ok(Some(end))
    }

    async fn keep(
        &mut self,
        log: &mut Log,
        (record, cause): (Option<EventRecord>, Cause),
        (early, late): (Vec<Command>, &[Command]),
        mut change: Change,
    ) -> Result<(), Stop> {
        if cause == Cause::Start
            && let Some(record) = record
        {
            let start = start_of(self.flow.name(), &record);
            change.entry = Some(log.entry(&self.plan, &self.run, record));
            let begun = log.begin(self.new_run(start, change)).await;
            self.inlet.tell_begun(&begun);
            let begun = begun?;
            if begun != Begun::Now {
                return Err(Stop::NotBegun(begun));
            }
            self.observe(&RunEvent::Started { flow: self.flow.name().to_owned() });
            early.into_iter().for_each(|command| self.obey(command));
            return Ok(());
        }
        early.into_iter().for_each(|command| self.obey(command));
        change.entry = match record {
            Some(record) => Some(log.entry(&self.plan, &self.run, record)),
            None if cause == Cause::Resume => {
                log.turned();
                let is_to_be_kept = late.iter().any(is_felt) || change.waits.is_some();
                is_to_be_kept.then(|| log.turned_entry(&self.plan, &self.run))
            }
            None => None,
        };
        if (change.entry.is_some() || !change.taken.is_empty())
            && log.keep(change).await?
            && let Some(hosted) = self.inlet.hosted()
        {
            hosted.poked.notify_one();
        }
        Ok(())
    }

    fn new_run(&mut self, start: [u8; 32], change: Change) -> NewRun {
        let texts = (self.flow.texts(), self.plan.hash.clone());
        let new = NewRun::new(self.key.clone(), self.flow.name(), texts, change);
        NewRun { start, talk: self.talk.take(), ..new }
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
