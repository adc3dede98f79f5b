//! Turns of a `repeat`, pauses of a `wait`, and the good end of a strand.

use std::sync::Arc;
use std::time::Duration;

use flowrun_template::{ErrorKind, Logic, Slot, duration};
use jiff::Timestamp;
use serde_json::Value;

use crate::advance::{Step, Walk};
use crate::failure::Failure;
use crate::plan::{Pause, Pc, Placed};
use crate::run::Timer;
use crate::strand::{Blocked, Reason, StrandEnd};
use crate::variables::Variables;

impl Walk<'_> {
    /// Counts a turn of the innermost scope.
    pub(crate) fn turn(&mut self, index: Option<Slot>, turn: u64) {
        let Some(frame) = self.strand.frames.last_mut() else { return };
        frame.turn = Some(turn);
        if let Some(slot) = index {
            let outer = self.strand.variables.swap_root(slot, Some(Arc::new(Value::from(turn))));
            frame.outer_index.get_or_insert(outer);
        }
    }

    /// A turn ended: goes on if its condition holds, else takes another one after the pause.
    pub(crate) fn next_turn(
        &mut self,
        until: Option<&Placed<Logic>>,
        max: u64,
        every: Option<Duration>,
        (index, body): (Option<Slot>, Pc),
    ) -> Step {
        let is_over = until.map(|until| self.test(until)).transpose()?;
        let next = self.strand.frames.last().and_then(|frame| frame.turn).unwrap_or_default() + 1;
        match is_over {
            Some(true) => {}
            None if next >= max => {}
            Some(false) if next >= max => return Err(self.exhausted(max)),
            _ => {
                self.turn(index, next);
                return match every.and_then(|every| self.run.now.checked_add(every).ok()) {
                    Some(at) => self.pause_until(at, body),
                    None => self.go_to(body),
                };
            }
        }
        self.go_to(self.strand.pc + 1)
    }

    fn exhausted(&self, max: u64) -> Reason {
        let message = format!("`until` did not hold in {max} turns");
        let help = Some("raise `max`, or handle the error `exhausted`".to_owned());
        self.error(Failure { help, ..Failure::new(ErrorKind::Exhausted, message) })
    }

    /// Tests a condition.
    pub(crate) fn test(&self, condition: &Placed<Logic>) -> Result<bool, Reason> {
        let answer = condition.part.test(&self.strand.variables, self.run.now);
        answer.map_err(|error| self.error(Failure::of_logic(&condition.path, error)))
    }

    /// Tests a condition about something that came: it is `item` there, and nowhere else.
    pub(crate) fn test_about(
        &mut self,
        condition: &Placed<Logic>,
        item: Option<Slot>,
        came: Value,
    ) -> Result<bool, Reason> {
        let came = Arc::new(came);
        let outer = item.map(|slot| (slot, self.strand.variables.swap_root(slot, Some(came))));
        let holds = self.test(condition);
        if let Some((slot, outer)) = outer {
            self.strand.variables.swap_root(slot, outer);
        }
        holds
    }

    fn go_to(&mut self, pc: Pc) -> Step {
        self.strand.pc = pc;
        Ok(())
    }

    /// Begins a `wait`.
    pub(crate) fn pause(&mut self, pause: &Pause) -> Step {
        let at = match pause {
            Pause::For(text) => {
                let value = self.render(text)?;
                let length = value.as_str().map(duration::parse);
                let Some(Ok(length)) = length else {
                    let message = format!("`{value}` is no duration");
                    return Err(self.unusable(&text.path, message, "write 30s, 5m, 1h30m or 2d"));
                };
                self.run.now.checked_add(length).ok()
            }
            Pause::Until { at, before } => {
                let moment = at.part.evaluate(&self.strand.variables, self.run.now);
                let moment = moment.map_err(|error| self.error(Failure::of_logic(&at.path, error)))?;
                let Some(moment) = moment.as_str().and_then(|text| text.parse::<Timestamp>().ok()) else {
                    let message = format!("{moment} is no moment");
                    return Err(self.unusable(&at.path, message, "timestamp(x) makes one of a text"));
                };
                moment.checked_sub(*before).ok()
            }
        };
        let then = self.strand.pc + 1;
        match at {
            // A moment that has passed is no wait (L-14).
            Some(at) if at <= self.run.now => self.go_to(then),
            Some(at) => self.pause_until(at, then),
            None => {
                Err(self.unusable("", "this is longer than time itself".to_owned(), "write a shorter wait"))
            }
        }
    }

    fn unusable(&self, place: &str, message: String, help: &str) -> Reason {
        let failure = Failure::new(ErrorKind::Type, message);
        self.error(Failure { place: place.to_owned(), help: Some(help.to_owned()), ..failure })
    }

    fn pause_until(&mut self, at: Timestamp, then: Pc) -> Step {
        let timer = self.timer(Timer::Pause, at);
        self.strand.blocked = Some(Blocked::Pause { timer, then });
        Ok(())
    }

    /// The timer of a pause fired.
    pub(crate) fn pause_ended(&mut self, op: u64) {
        if let Some(Blocked::Pause { then, .. }) = self.strand.blocked.take_if(|it| it.is_pause_of(op)) {
            self.strand.pc = then;
        }
    }

    /// The strand of an item or a branch ended well.
    pub(crate) fn end_strand(&mut self, collect: Option<&Placed<Logic>>) -> Step {
        let evaluate = |collect: &Placed<Logic>| {
            let value = collect.part.evaluate(&self.strand.variables, self.run.now);
            value.map_err(|error| self.error(Failure::of_logic(&collect.path, error)))
        };
        let collected = collect.map(evaluate).transpose()?;
        let variables = std::mem::replace(&mut self.strand.variables, Variables::new(0));
        let changed_steps = std::mem::take(&mut self.strand.changed_steps);
        self.strand.end = Some(StrandEnd::Done { variables, collected, changed_steps });
        Ok(())
    }
}

impl Blocked {
    fn is_pause_of(&mut self, op: u64) -> bool {
        matches!(self, Self::Pause { timer, .. } if *timer == op)
    }
}
