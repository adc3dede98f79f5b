//! Goes on with a run whose last process is gone: what was under way is made again, or is in doubt (runs.md 8).

use flowrun_machine::{Called, Command, Happening, InDoubt};
use flowrun_step::Effect;

use super::{Driver, Fed};
use crate::journal::LOSSES;
use crate::mail::Told;

impl Driver<'_> {
    /// Goes on where the last process stopped.
    pub(super) async fn take_up(
        &mut self,
        again: Vec<Command>,
        resolve: Option<InDoubt>,
        is_clean: bool,
    ) -> Fed {
        for command in again {
            match command {
                Command::Emit { event, key, data, id } => self.emit(Told { event, key, data, id }).await?,
                Command::Finish(end) => return self.finish(end).await,
                other => self.obey(other),
            }
        }
        let outstanding = self.run.outstanding(&self.plan);
        let lost = outstanding.iter().filter_map(|command| match command {
            Command::Call { op, effect: Effect::Safe | Effect::Keyed, .. } => Some(*op),
            _ => None,
        });
        let lost: Vec<u64> = lost.collect();
        let losses = match &mut self.log {
            Some(log) if !is_clean => log.lose(self.services.clock.now(), &lost).await?,
            _ => lost.iter().map(|op| (*op, 0)).collect(),
        };
        self.letterbox.note(&outstanding);
        let mut happened = Vec::new();
        for command in outstanding {
            match command {
                Command::Yield => self.is_yielding = true,
                Command::Abort { op } => {
                    happened.push(Happening::Called { op, result: Called::Aborted });
                }
                Command::InDoubt { op, .. } => {
                    if let Some(log) = &mut self.log {
                        log.note(&self.plan, std::slice::from_ref(&command));
                    }
                    match resolve {
                        Some(how) => happened.push(Happening::Resolve { op, how }),
                        None => self.obey(command),
                    }
                }
                Command::Call { op, .. } if losses.get(&op).is_none_or(|times| *times >= LOSSES) => {
                    happened.push(Happening::Called { op, result: Called::InDoubt });
                    if let Some(how) = resolve {
                        happened.push(Happening::Resolve { op, how });
                    }
                }
                other => self.obey(other),
            }
        }
        for what in happened {
            if let Some(end) = self.feed(what).await? {
                return Ok(Some(end));
            }
        }
        if self.inlet.hosted().is_some() { self.fetch().await } else { Ok(None) }
    }
}
