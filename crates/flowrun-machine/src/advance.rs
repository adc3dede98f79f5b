//! Walks a run through its plan: one event in, commands out.
//!
//! Nothing here waits or touches the world. Ops are walked until every strand waits for something, the run is
//! over, or enough was done for one event; where it yields changes nothing else.

use flowrun_template::{ErrorKind, Rendered, Root, Scope as _, Slot, Tree, duration};
use serde_json::{Map, Value};

use crate::command::{Command, End};
use crate::event::{Event, Happening};
use crate::failure::Failure;
use crate::outside::Opening;
use crate::plan::{Op, Pc, Placed, Plan};
use crate::roots::Roots;
use crate::run::{Run, Timer};
use crate::strand::{Frame, Phase, Reason, Strand, StrandEnd, StrandId};
use crate::turn::Turn;

/// Takes one event and gives what is to be done next.
///
/// # Example
/// ```
/// use flowrun_machine::{advance, Command, End, Event, Happening, Op, Opening, Plan, Run, Scope};
/// use flowrun_template::Slots;
///
/// let plan = Plan {
///     name: "nothing".into(), hash: String::new(), slots: Slots::new(), steps: vec![], calls: vec![],
///     eaches: vec![], forks: vec![], callees: vec![], awaits: vec![], responds: vec![], emits: vec![], flows: vec![],
///     ops: vec![Op::Enter { scope: 0 }, Op::Leave, Op::Finish], owners: vec![None; 3],
///     scopes: vec![Scope { resume: 2, ..Scope::default() }], outputs: vec![], inputs: vec![],
///     max_age: std::time::Duration::from_secs(60), max_steps: 10, max_state: 1024, max_variable: 1024,
/// };
/// let mut run = Run::new("run-1", &plan);
/// let start = Event { at: "2026-11-24T12:00:00Z".parse()?, what: Happening::Start { inputs: vec![], opening: Opening::default() } };
/// assert!(matches!(advance(&plan, &mut run, start)[..], [.., Command::Finish(End::Done { .. })]));
/// # Ok::<(), jiff::Error>(())
/// ```
pub fn advance(plan: &Plan, run: &mut Run, event: Event) -> Vec<Command> {
    if !run.concerns(&event.what) {
        return Vec::new();
    }
    // Where the machine yields changes nothing: what is walked after it belongs to the event before it.
    if event.what != Happening::Resume {
        run.now = run.now.max(event.at);
    }
    let mut turn = Turn { plan, run, commands: Vec::new() };
    turn.happened(event.what);
    turn.on();
    turn.commands
}

/// One strand being walked.
pub(crate) struct Walk<'a> {
    /// The flow that was started, with the bundle of those it calls.
    pub(crate) root: &'a Plan,
    /// The flow this strand walks.
    pub(crate) plan: &'a Plan,
    /// Where that flow keeps its reserved names.
    pub(crate) roots: Roots,
    pub(crate) run: &'a mut Run,
    pub(crate) id: StrandId,
    pub(crate) strand: &'a mut Strand,
    pub(crate) commands: Vec<Command>,
}

/// Ends the walk of an op early: the strand goes on elsewhere, for this reason.
pub(crate) type Step = Result<(), Reason>;

impl Walk<'_> {
    pub(crate) fn start(&mut self, inputs: Vec<(Slot, Value)>, opening: Opening) {
        // An age beyond the end of time is none.
        if let Ok(at) = self.run.now.checked_add(self.root.max_age) {
            self.timer(Timer::Age, at);
        }
        self.run.opening = opening;
        self.roots.begin((self.plan, 0), self.run, self.strand);
        for (slot, value) in inputs {
            if let Err(reason) = self.write(slot, value) {
                return self.unwind(reason);
            }
        }
    }

    pub(crate) fn op(&mut self) -> Step {
        let plan = self.plan;
        let mut next = self.strand.pc + 1;
        match &plan.ops[self.strand.pc] {
            Op::Enter { scope } => self.enter(*scope)?,
            Op::Set { slot, value } => self.set(*slot, value)?,
            Op::Compute { slot, value } => {
                let computed = value.part.evaluate(&self.strand.variables, self.run.now);
                let computed = computed.map_err(|error| self.error(Failure::of_logic(&value.path, error)))?;
                self.write(*slot, computed)?;
            }
            Op::Branch { condition, otherwise } => {
                if !self.test(condition)? {
                    next = *otherwise;
                }
            }
            Op::Jump { to } => next = *to,
            Op::Call { call } => return self.call(*call),
            Op::CallFlow { callee } => return self.call_flow(*callee),
            Op::Each { each } => return self.each(*each),
            Op::Fork { fork } => return self.fork(*fork),
            Op::EndStrand { collect } => return self.end_strand(collect.as_ref()),
            Op::FirstTurn { index } => self.turn(*index, 0),
            Op::NextTurn { until, max, every, index, body } => {
                return self.next_turn(until.as_ref(), *max, *every, (*index, *body));
            }
            Op::Pause(pause) => return self.pause(pause),
            Op::IfSet { slot, to } => {
                if self.strand.variables.value(*slot).is_some() {
                    next = *to;
                }
            }
            Op::Ask { timeout } => self.ask(*timeout),
            Op::Await { at } => return self.await_(*at),
            Op::Respond { at } => self.respond(&plan.responds[*at])?,
            Op::Emit { at } => self.emit(&plan.emits[*at])?,
            Op::Log { level, text, data } => {
                let text = self.render(text)?.as_str().map(str::to_owned).unwrap_or_default();
                let data = data.as_ref().map(|data| self.render(data)).transpose()?;
                let (flow, step) = (self.strand.flow, plan.owners[self.strand.pc]);
                self.commands.push(Command::Log { level: *level, text, data, flow, step });
            }
            Op::Raise { name, message } => {
                let message = message.as_ref().map(|message| self.render(message)).transpose()?;
                let message = message.and_then(|message| message.as_str().map(str::to_owned));
                let failure = Failure::new(ErrorKind::Failed, message.unwrap_or_else(|| name.clone()));
                return Err(self.error(Failure { name: Some(name.clone()), ..failure }));
            }
            Op::RaiseAgain => return Err(self.raise_again()),
            Op::End { outputs } => {
                let outputs = self.outputs(outputs.as_ref().unwrap_or(&plan.outputs))?;
                return Err(Reason::End(outputs));
            }
            Op::Leave | Op::Handled => return self.body_ended(),
            Op::Skip => return self.skip(),
            Op::EndFinally => return self.finally_ended(),
            Op::Finish => {
                let outputs = self.outputs(&plan.outputs)?;
                if self.strand.is_main() {
                    self.finish(End::Done { outputs });
                } else {
                    self.strand.end = Some(StrandEnd::Left(Reason::End(outputs)));
                }
                return Ok(());
            }
        }
        self.strand.pc = next;
        Ok(())
    }

    fn enter(&mut self, scope: usize) -> Step {
        let step = self.plan.owners[self.strand.pc];
        let depth = self.strand.frames.len();
        let timeout = self.plan.scopes[scope].timeout;
        let deadline = timeout.and_then(|timeout| self.run.now.checked_add(timeout).ok());
        let timer = deadline.map(|at| self.timer(Timer::Scope(depth), at));
        self.strand.frames.push(Frame {
            scope,
            step,
            phase: Phase::Body,
            call: None,
            attempts: 0,
            is_skipped: false,
            turn: None,
            asking: None,
            outer_index: None,
            deadline,
            timer,
            failed_call: None,
            failure: None,
            after: None,
            outer_error: None,
        });
        self.run.steps_used += u64::from(step.is_some() && !self.strand.is_in_finally());
        if self.run.steps_used > self.root.max_steps {
            let message = format!("the run took more than {} steps", self.root.max_steps);
            let failure = Failure::new(ErrorKind::Limit, message);
            let help = Some("raise the flow's `limits: { steps: … }`, if that many are meant".to_owned());
            return Err(Reason::Limit(Box::new(self.located(Failure { help, ..failure }))));
        }
        Ok(())
    }

    /// The run is as old as it may be.
    pub(crate) fn too_old(&mut self) {
        let age = duration::format(self.root.max_age);
        let failure = Failure::new(ErrorKind::Limit, format!("the run took longer than {age}"));
        let help = Some("raise the flow's `limits: { age: … }`, if it may take that long".to_owned());
        let failure = self.located(Failure { help, ..failure });
        self.interrupt(Reason::Limit(Box::new(failure)));
    }

    fn set(&mut self, slot: Slot, value: &Placed<Tree>) -> Step {
        if let Tree::Text(text) = &value.part
            && let Some(from) = text.as_slot()
        {
            let shared = self.strand.variables.share(self.plan, &mut self.run.room, (from, slot));
            if shared.map_err(|failure| Reason::Limit(Box::new(self.located(*failure))))? {
                return Ok(());
            }
        }
        let value = self.render(value)?;
        self.write(slot, value)
    }

    /// Writes a variable; one that is too large ends the run (L-3).
    pub(crate) fn write(&mut self, slot: Slot, value: Value) -> Step {
        let written = self.strand.variables.write(self.plan, &mut self.run.room, slot, value);
        written.map_err(|failure| Reason::Limit(Box::new(self.located(*failure))))
    }

    /// Renders a value in which nothing is late.
    pub(crate) fn render(&self, value: &Placed<Tree>) -> Result<Value, Reason> {
        match self.rendered(value)? {
            Rendered::Value(value) => Ok(value),
            _ => {
                let failure = Failure::new(ErrorKind::Refused, "a secret cannot stand here");
                Err(self.error(Failure { place: value.path.clone(), ..failure }))
            }
        }
    }

    /// Renders a value in which secrets and kept fields may stay references.
    pub(crate) fn rendered(&self, value: &Placed<Tree>) -> Result<Rendered, Reason> {
        let rendered = value.part.render(&self.strand.variables);
        rendered.map_err(|error| self.error(Failure::of_render(&value.path, error)))
    }

    /// Outputs; one whose variable was never set is absent (L-14).
    fn outputs(&self, outputs: &[(String, Placed<Tree>)]) -> Result<Map<String, Value>, Reason> {
        let set = outputs.iter().filter(|(_, value)| self.is_set(&value.part));
        set.map(|(name, value)| Ok((name.clone(), self.render(value)?))).collect()
    }

    fn is_set(&self, tree: &Tree) -> bool {
        let mut is_set = true;
        tree.visit_mentions(&mut |_, mention| {
            if let Root::Slot(slot) = mention.root {
                is_set &= mention.tolerated || self.strand.variables.value(slot).is_some();
            }
        });
        is_set
    }

    /// An error of the op under way.
    pub(crate) fn error(&self, failure: Failure) -> Reason {
        Reason::Error(Box::new(self.located(failure)))
    }

    /// The failure with its step and place, where it does not know them.
    pub(crate) fn located(&self, mut failure: Failure) -> Failure {
        let step = self.plan.owners.get::<Pc>(self.strand.pc).copied().flatten();
        if failure.flow.is_some() {
            return failure;
        }
        failure.flow = Some(self.strand.flow);
        failure.step = failure.step.or(step);
        if let Some(step) = failure.step.filter(|_| failure.place.is_empty()) {
            failure.place.clone_from(&self.plan.steps[step].path);
        }
        failure
    }

    pub(crate) fn finish(&mut self, end: End) {
        self.run.is_over = true;
        let timers = std::mem::take(&mut self.run.timers);
        self.commands.extend(timers.into_keys().map(|op| Command::Drop { op }));
        self.commands.push(Command::Finish(end));
    }
}
