//! The world outside a run: what was asked of it and not answered, and what happens next.
//!
//! Each choice is a number from nowhere: it picks which call, wait or timer has its turn, and how that goes. Once there are
//! no more choices everything goes well, so that every run comes to an end.

use std::collections::{BTreeMap, BTreeSet};

use flowrun_machine::{Called, Command, End, Event, Failure, Happening, InDoubt, Opening, Source};
use flowrun_step::ErrorKind;
use flowrun_template::Rendered;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The choice with which everything goes well.
const WELL: usize = 1;

pub(crate) struct World {
    is_wild: bool,
    now: Timestamp,
    /// What was asked and not answered, by its number; a call that was told to stop is still among it.
    asked: BTreeMap<u64, Command>,
    aborted: BTreeSet<u64>,
    yields: bool,
    /// What the last event answered.
    pub(crate) answered: Option<Command>,
    pub(crate) end: Option<End>,
}

impl World {
    /// Everything goes well, in any order, and no time passes while something else can happen.
    pub(crate) fn calm() -> Self {
        let (now, asked, aborted) = (Timestamp::UNIX_EPOCH, BTreeMap::new(), BTreeSet::new());
        Self { is_wild: false, now, asked, aborted, yields: false, answered: None, end: None }
    }

    /// Anything may happen.
    pub(crate) fn wild() -> Self {
        Self { is_wild: true, ..Self::calm() }
    }

    /// Whether a call was told to stop.
    pub(crate) fn was_stopped(&self, op: u64) -> bool {
        self.aborted.contains(&op)
    }

    pub(crate) fn start(&self) -> Event {
        let opening = Opening { trigger: json!({"text": "go"}), ..Opening::default() };
        Event { at: self.now, what: Happening::Start { inputs: Vec::new(), opening } }
    }

    pub(crate) fn cancel(&self) -> Event {
        Event { at: self.now, what: Happening::Cancel { reason: "enough".to_owned() } }
    }

    pub(crate) fn obey(&mut self, commands: &[Command]) {
        self.yields = false;
        for command in commands {
            match command {
                Command::Call { op, .. }
                | Command::Timer { op, .. }
                | Command::Await { op, .. }
                | Command::InDoubt { op, .. } => {
                    self.asked.insert(*op, command.clone());
                }
                Command::Abort { op } => drop(self.aborted.insert(*op)),
                Command::Drop { op } => drop(self.asked.remove(op)),
                Command::Yield => self.yields = true,
                Command::Finish(end) => self.end = Some(end.clone()),
                _ => {}
            }
        }
    }

    /// What was asked and not answered, as a run that was restored asks for it.
    pub(crate) fn unanswered(&self) -> Vec<Command> {
        let asked = self.asked.iter().filter(|(op, _)| !self.aborted.contains(op));
        let mut asked: Vec<_> = asked.map(|(_, command)| command.clone()).collect();
        asked.extend(self.yields.then_some(Command::Yield));
        asked
    }

    /// What happens next, by choice; without one all goes well.
    pub(crate) fn next(&mut self, choice: Option<usize>) -> Event {
        if self.yields {
            return Event { at: self.now, what: Happening::Resume };
        }
        let options = self.options();
        let (op, how) = match choice {
            Some(choice) => {
                (options[choice % options.len()], if self.is_wild { choice / options.len() } else { WELL })
            }
            None => (options[0], WELL),
        };
        self.answered = self.asked.get(&op).cloned();
        let what = match self.asked[&op].clone() {
            Command::Await { source, .. } => Happening::Received { op, message: message(&source, how) },
            Command::Timer { at, .. } => {
                self.asked.remove(&op);
                self.now = self.now.max(at);
                Happening::Fired { op }
            }
            Command::InDoubt { .. } => {
                self.asked.remove(&op);
                let how = [InDoubt::Stop, InDoubt::Skip, InDoubt::Retry, InDoubt::Fail][how % 4];
                Happening::Resolve { op, how }
            }
            Command::Call { page, .. } => {
                self.asked.remove(&op);
                Happening::Called { op, result: self.called(op, page.map(|page| page.number), how) }
            }
            other => unreachable!("{other:?} is not answered"),
        };
        Event { at: self.now, what }
    }

    /// Calls, then waits and doubts, then the timer that is due first.
    fn options(&self) -> Vec<u64> {
        let of = |is: fn(&Command) -> bool| self.asked.iter().filter(move |(_, command)| is(command));
        let calls = of(|command| matches!(command, Command::Call { .. })).map(|(op, _)| *op);
        let is_wait = |command: &Command| matches!(command, Command::Await { .. } | Command::InDoubt { .. });
        let waits = of(is_wait).map(|(op, _)| *op);
        let due = |(op, command): (&u64, &Command)| match command {
            Command::Timer { at, .. } => Some((*at, *op)),
            _ => None,
        };
        let mut options: Vec<u64> = calls.chain(waits).collect();
        if self.is_wild || options.is_empty() {
            options.extend(self.asked.iter().filter_map(due).min().map(|(_, op)| op));
        }
        options
    }

    /// What is told to stop may come back well all the same; what is not told so is not stopped.
    fn called(&self, op: u64, page: Option<u64>, how: usize) -> Called {
        match (how % 5, page) {
            (0, _) if self.aborted.contains(&op) => Called::Aborted,
            (0, _) => {
                Called::Failed(Failure { retryable: true, ..Failure::new(ErrorKind::Connect, "no way") })
            }
            (3, None) => Called::InDoubt,
            (2, _) => Called::Failed(Failure::new(ErrorKind::Http, "the service is gone")),
            (_, Some(page)) => Called::Page {
                items: (0..1 + how % 2).map(|item| json!(page * 10 + item as u64)).collect(),
                next: (page < 3).then(|| json!("more")),
                body: Value::Null,
            },
            _ => Called::Done { output: json!(how), variables: Vec::new() },
        }
    }
}

fn message(source: &Source, how: usize) -> Value {
    match source {
        Source::Answer { .. } => json!({"text": if how.is_multiple_of(2) { "many" } else { "3" }}),
        Source::Event { .. } => json!({"amount": how % 3 * 2}),
        Source::Callback { .. } => json!({"body": how}),
    }
}

/// The words of a `send`; none of what says nothing.
pub(crate) fn words(settings: &Rendered) -> Option<&str> {
    let Rendered::Value(settings) = settings else { return None };
    settings.get("text")?.as_str()
}
