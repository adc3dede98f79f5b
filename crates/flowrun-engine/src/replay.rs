//! Feeds a run the events it had, so that it stands where it stood.

use std::collections::BTreeMap;

use flowrun_lang::Flow;
use flowrun_machine::{Command, Event, Happening, Run, advance};
use flowrun_step::RunId;
use jiff::Timestamp;

use crate::journal::{Entry, KeptCheckpoint, KeptRun};

/// A run as it was.
pub(crate) struct Replayed {
    pub(crate) run: Run,
    pub(crate) losses: BTreeMap<u64, u32>,
    /// Whether the process before left on purpose.
    pub(crate) is_clean: bool,
    /// What the last event asked for that nobody answers: it may not have been done.
    pub(crate) again: Vec<Command>,
}

/// What a run is fed, and what it answers.
pub(crate) enum Fed<'a> {
    /// It stands at a checkpoint, and waits for what these ask for.
    Restored(&'a [Command]),
    /// Something happens.
    Event(&'a Event),
    /// What it asks for.
    Turned(&'a [Command]),
    /// Its process died while these ops were under way.
    Lost(&'a [u64]),
}

impl Replayed {
    /// The run, after everything that is kept of it.
    ///
    /// # Errors
    /// When it cannot stand where it stood: why, in words. It is never guessed (runs.md 2).
    pub(crate) fn of(flow: &Flow, id: &RunId, kept: KeptRun) -> Result<Self, String> {
        Self::seen(flow, id, kept, &mut |_| {})
    }

    /// The same, while somebody sees everything that it is fed.
    pub(crate) fn seen(
        flow: &Flow,
        id: &RunId,
        kept: KeptRun,
        see: &mut dyn FnMut(Fed<'_>),
    ) -> Result<Self, String> {
        let plan = flow.plan();
        let is_fresh = kept.entries.is_empty();
        let (mut run, mut losses, is_clean) = match kept.checkpoint {
            Some(KeptCheckpoint { checkpoint, losses, is_clean }) => {
                let run = Run::restore(plan, checkpoint).map_err(|error| error.to_string())?;
                see(Fed::Restored(&run.outstanding(plan)));
                (run, losses, is_clean && is_fresh)
            }
            None => (Run::new(id.as_str(), plan), BTreeMap::new(), false),
        };
        let mut again = Vec::new();
        for entry in kept.entries {
            match entry {
                Entry::Lost { ops } => {
                    see(Fed::Lost(&ops));
                    ops.into_iter().for_each(|op| *losses.entry(op).or_default() += 1);
                }
                Entry::Happened { turns, event, positions } => {
                    (0..turns).for_each(|_| see(Fed::Turned(&advance(plan, &mut run, resumed()))));
                    let event = event.read(plan, &run).map_err(|error| error.to_string())?;
                    see(Fed::Event(&event));
                    again = advance(plan, &mut run, event);
                    see(Fed::Turned(&again));
                    stands(flow, &run, &positions)?;
                }
                Entry::Turned { turns, positions } => {
                    for _ in 0..turns {
                        again = advance(plan, &mut run, resumed());
                        see(Fed::Turned(&again));
                    }
                    stands(flow, &run, &positions)?;
                }
            }
        }
        let is_unanswered = |command: &Command| {
            matches!(command, Command::Answer { .. } | Command::Emit { .. } | Command::Finish(_))
        };
        again.retain(is_unanswered);
        Ok(Self { run, losses, is_clean, again })
    }
}

/// Whether the run stands where it stood.
fn stands(flow: &Flow, run: &Run, positions: &str) -> Result<(), String> {
    if run.positions(flow.plan()) == positions {
        return Ok(());
    }
    Err("what happened in it leads elsewhere in this version of flowrun".to_owned())
}

fn resumed() -> Event {
    Event { at: Timestamp::MIN, what: Happening::Resume }
}
