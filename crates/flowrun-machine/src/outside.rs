//! What comes to a run from outside while it waits: answers, events, calls of its own URLs; and what it answers and tells.
//!
//! The driver routes; the machine decides. A message that does not fit leaves the wait as it is, or asks again.

use flowrun_template::{ErrorKind, Slot};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::advance::{Step, Walk};
use crate::command::{Body, Command, Source};
use crate::failure::Failure;
use crate::plan::{AskPlan, AwaitPlan, BodyKind, EmitPlan, Placed, RespondPlan};
use crate::run::Timer;
use crate::strand::{Asking, Blocked, Reason};

/// What a run is begun with, besides its inputs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    /// What started it: `trigger.text`, `trigger.body` …; null if nothing did.
    pub trigger: Value,
    /// The conversation it belongs to, `{id, channel}`; null without one.
    pub conversation: Value,
    /// For each flow of the bundle, as [`Plan::flow`](crate::Plan::flow) counts them, the URLs of `callbacks.<id>`.
    pub callbacks: Vec<Map<String, Value>>,
}

impl Walk<'_> {
    /// A question begins: from now on messages are answers, and the time for them runs.
    pub(crate) fn ask(&mut self, timeout: std::time::Duration) {
        let since = self.run.now;
        let until = since.checked_add(timeout).unwrap_or(Timestamp::MAX);
        if let Some(frame) = self.strand.frames.last_mut() {
            frame.asking = Some(Asking { since, until, misfits: 0 });
        }
    }

    /// Begins to wait for something from outside.
    pub(crate) fn await_(&mut self, at: usize) -> Step {
        let asking = self.strand.frames.last().and_then(|frame| frame.asking);
        let source = self.source_of(&self.plan.awaits[at])?;
        let op = self.run.number();
        let step = self.plan.owners[self.strand.pc].unwrap_or_default();
        let since = asking.map_or(Timestamp::MIN, |asking| asking.since);
        let flow = self.strand.flow;
        self.commands.push(Command::Await { op, flow, step, source: source.clone(), since });
        let timer = asking.map(|asking| self.timer(Timer::Answer, asking.until));
        self.run.waits.insert(op, self.id);
        self.strand.blocked = Some(Blocked::Await { op, at, source, since, timer });
        Ok(())
    }

    fn source_of(&self, plan: &AwaitPlan) -> Result<Source, Reason> {
        Ok(match plan {
            AwaitPlan::Answer(ask) => Source::Answer { takes_earlier: ask.takes_earlier },
            AwaitPlan::Event { name, key, .. } => {
                Source::Event { name: name.clone(), key: self.key_of(key.as_ref())? }
            }
            AwaitPlan::Callback { id, method } => Source::Callback { id: id.clone(), method: method.clone() },
        })
    }

    fn key_of(&self, key: Option<&Placed<flowrun_template::Tree>>) -> Result<Option<String>, Reason> {
        let key = key.map(|key| self.render(key)).transpose()?;
        Ok(key.map(|key| key.as_str().map_or_else(|| key.to_string(), str::to_owned)))
    }

    /// Something came for a wait. One that is over is not here any more.
    pub(crate) fn received(&mut self, op: u64, message: Value) {
        let Some(Blocked::Await { op: waited, at, .. }) = &self.strand.blocked else { return };
        if *waited != op {
            return;
        }
        let plan = self.plan;
        let taken = match &plan.awaits[*at] {
            AwaitPlan::Answer(ask) => self.answered(ask, &message),
            AwaitPlan::Event { filter, item, .. } => self.told(filter.as_ref(), *item, message),
            AwaitPlan::Callback { .. } => self.came(message),
        };
        if let Err(reason) = taken {
            self.unwind(reason);
        }
    }

    fn answered(&mut self, ask: &AskPlan, message: &Value) -> Step {
        self.stop_waiting();
        match (ask.answers.take(message), ask.input) {
            (Ok(value), input) => {
                let step = self.plan.owners[self.strand.pc].unwrap_or_default();
                match input {
                    Some(slot) => self.write(slot, value)?,
                    None => self.keep_output(step, value)?,
                }
                self.strand.pc = ask.then;
            }
            (Err(why), _) => {
                let asking = self.strand.frames.last_mut().and_then(|frame| frame.asking.as_mut());
                let misfits = asking.map_or(1, |asking| {
                    asking.misfits += 1;
                    asking.misfits
                });
                if misfits >= ask.attempts {
                    let message = format!("no answer fits after {misfits} of {}: {why}", ask.attempts);
                    let failure = Failure::new(ErrorKind::InvalidReply, message);
                    return Err(self.error(Failure { attempts: misfits, ..failure }));
                }
                self.strand.pc = ask.otherwise;
            }
        }
        Ok(())
    }

    /// An event that the filter refuses leaves the wait as it is.
    fn told(
        &mut self,
        filter: Option<&Placed<flowrun_template::Logic>>,
        item: Option<Slot>,
        data: Value,
    ) -> Step {
        if let Some(filter) = filter {
            let holds = self.test_about(filter, item, data.clone());
            match holds {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(reason) => {
                    self.stop_waiting();
                    return Err(reason);
                }
            }
        }
        self.came(data)
    }

    fn came(&mut self, message: Value) -> Step {
        self.stop_waiting();
        let step = self.plan.owners[self.strand.pc].unwrap_or_default();
        self.keep_output(step, message)?;
        self.strand.pc += 1;
        Ok(())
    }

    /// Forgets what is waited for.
    pub(crate) fn stop_waiting(&mut self) {
        match self.strand.blocked.take() {
            Some(Blocked::Await { op, timer, .. }) => {
                self.run.waits.remove(&op);
                self.commands.push(Command::Drop { op });
                if let Some(timer) = timer {
                    self.drop_timer(timer);
                }
            }
            other => self.strand.blocked = other,
        }
    }

    /// Nobody answered in time.
    pub(crate) fn nobody_answered(&mut self) {
        self.stop_waiting();
        let asked = self.strand.frames.last().and_then(|frame| frame.asking);
        let waited = asked.map(|asked| asked.until.duration_since(asked.since).unsigned_abs());
        let waited = flowrun_template::duration::format(waited.unwrap_or_default());
        let failure = Failure::new(ErrorKind::NoReply, format!("nobody answered within {waited}"));
        let help = Some("give more time with `timeout`, or handle the error `no_reply`".to_owned());
        let reason = self.error(Failure { help, ..failure });
        self.unwind(reason);
    }

    /// Answers whoever started the run and waits for it; once.
    pub(crate) fn respond(&mut self, plan: &RespondPlan) -> Step {
        if std::mem::replace(&mut self.run.is_answered, true) {
            let failure = Failure::new(ErrorKind::Failed, "the caller has been answered before");
            let help = Some("a run answers its caller once".to_owned());
            return Err(self.error(Failure { help, ..failure }));
        }
        let header = |(name, value): &(String, Placed<flowrun_template::Tree>)| {
            let value = self.render(value)?;
            Ok((name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        };
        let headers = plan.headers.iter().map(header).collect::<Result<_, Reason>>()?;
        let body = match &plan.body {
            None => Body::Empty,
            Some((value, BodyKind::Json)) => Body::Json(self.render(value)?),
            Some((value, BodyKind::Text)) => {
                let text = self.render(value)?;
                Body::Text(text.as_str().map_or_else(|| text.to_string(), str::to_owned))
            }
        };
        self.commands.push(Command::Answer { status: plan.status, headers, body });
        Ok(())
    }

    /// Tells of an event.
    pub(crate) fn emit(&mut self, plan: &EmitPlan) -> Step {
        let key = self.key_of(plan.key.as_ref())?;
        let data = plan.data.as_ref().map_or_else(|| Ok(json!({})), |data| self.render(data))?;
        let step = self.plan.owners[self.strand.pc].unwrap_or_default();
        let place = self.plan.steps[step].path.clone() + &self.strand.trail();
        let id = crate::key::key(&self.run.id, &place);
        self.commands.push(Command::Emit { event: plan.event.clone(), key, data, id });
        Ok(())
    }
}
