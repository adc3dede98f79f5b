//! What comes to a run from outside: messages of its conversation, events, calls of its own URLs.
//!
//! A [`Post`] is the host's end, a [`Mail`] the run's. What comes before anybody waits for it is kept: messages until a
//! question takes them, calls until their step waits, events for ten minutes.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use flowrun_machine::{Command, InDoubt, Source};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::journal::{KEPT, WAITING, Waits};

/// The most events that are kept.
const MOST_KEPT: usize = 1_000;

/// Something that happened, told by a flow or by the host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// Its name.
    pub event: String,
    /// What it is about.
    pub key: Option<String>,
    /// What there is to know.
    pub data: Value,
    /// The same however often it is told: a run takes it once.
    pub id: String,
}

/// One thing that comes to a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Incoming {
    /// A message of its conversation: `{text, choice, attachments}`.
    Message(Value),
    /// An event.
    Event(Told),
    /// A call of the URL of one of its steps.
    Call {
        /// The step's id.
        callback: String,
        /// `{body, query, headers}`.
        payload: Value,
    },
    /// Somebody wants the run to end.
    Cancel {
        /// Why, in words.
        reason: String,
    },
    /// Somebody says what becomes of its calls in doubt.
    Resolve(InDoubt),
}

impl Incoming {
    /// A message that is a text and nothing else.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Message(json!({ "text": text, "choice": null, "attachments": [] }))
    }

    /// What ends a run for the flow that interrupts it (R8).
    #[must_use]
    pub fn interruption() -> Self {
        Self::Cancel { reason: "another flow of the conversation interrupted it".to_owned() }
    }
}

/// Why something was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotTaken {
    /// Too much waits already.
    #[error("{WAITING} messages wait already")]
    Full,
    /// The run is over.
    #[error("the run is over")]
    Over,
}

/// The host's end: puts things into a run's mail. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Post(mpsc::Sender<Incoming>);

impl Post {
    /// Puts something into the mail.
    ///
    /// # Errors
    /// When the run is over, or too much waits already.
    pub fn put(&self, incoming: Incoming) -> Result<(), NotTaken> {
        self.0.try_send(incoming).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotTaken::Full,
            mpsc::error::TrySendError::Closed(_) => NotTaken::Over,
        })
    }
}

/// The run's end: given to it when it is started.
#[derive(Debug)]
pub struct Mail(mpsc::Receiver<Incoming>);

/// A way into a run that is still to be started.
#[must_use]
pub fn mail() -> (Post, Mail) {
    let (post, mail) = mpsc::channel(WAITING);
    (Post(post), Mail(mail))
}

impl Mail {
    /// Takes the next thing in; never comes back once no [`Post`] is left.
    pub(crate) async fn next(&mut self) -> Incoming {
        match self.0.recv().await {
            Some(incoming) => incoming,
            None => std::future::pending().await,
        }
    }
}

/// A wait of the run.
#[derive(Debug)]
struct Wait {
    source: Source,
    since: Timestamp,
    /// Events that it has been shown.
    seen: HashSet<String>,
}

impl Wait {
    fn is_for(&self, told: &Told) -> bool {
        let Source::Event { name, key } = &self.source else { return false };
        told.event == *name && told.key == *key && !self.seen.contains(&told.id)
    }
}

/// Something that was sent and not taken: when it came, and its letter's number where a journal keeps it.
#[derive(Debug)]
struct Came<T> {
    at: Timestamp,
    number: Option<u64>,
    what: T,
}

/// What a wait takes.
#[derive(Debug, PartialEq)]
pub(crate) struct Taken {
    pub(crate) op: u64,
    pub(crate) message: Value,
    /// The letters that are done with.
    pub(crate) numbers: Vec<u64>,
    /// How many messages from before the question nobody takes any more.
    pub(crate) ignored: usize,
}

/// What a run has been sent and has not taken, and what it waits for.
#[derive(Debug, Default)]
pub(crate) struct Letterbox {
    messages: VecDeque<Came<Value>>,
    events: VecDeque<Came<Told>>,
    calls: HashMap<String, Came<Value>>,
    /// URLs that were called once.
    used: HashSet<String>,
    waits: BTreeMap<u64, Wait>,
}

impl Letterbox {
    /// Keeps what came. What is meant for the driver is not kept here.
    pub(crate) fn keep(&mut self, at: Timestamp, number: Option<u64>, incoming: Incoming) {
        match incoming {
            Incoming::Message(what) => self.messages.push_back(Came { at, number, what }),
            Incoming::Event(what) => self.tell(Came { at, number, what }),
            Incoming::Call { callback, payload } => {
                if self.used.insert(callback.clone()) {
                    self.calls.insert(callback, Came { at, number, what: payload });
                }
            }
            Incoming::Cancel { .. } | Incoming::Resolve(_) => {}
        }
    }

    /// Forgets messages that others have taken the place of.
    pub(crate) fn withdraw(&mut self, is_gone: impl Fn(u64) -> bool) {
        self.messages.retain(|came| !came.number.is_some_and(&is_gone));
    }

    /// Keeps an event, once and for a while; a letter until it is taken.
    fn tell(&mut self, came: Came<Told>) {
        if self.events.iter().any(|known| known.what.id == came.what.id) {
            return;
        }
        let is_old = |known: &Came<Told>| known.number.is_none() && came.at.duration_since(known.at) > KEPT;
        while self.events.len() >= MOST_KEPT || self.events.front().is_some_and(is_old) {
            self.events.pop_front();
        }
        self.events.push_back(came);
    }

    /// Whether anything from outside is waited for.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waits.is_empty()
    }

    /// Whether more messages are taken in.
    pub(crate) fn has_room(&self) -> bool {
        self.messages.len() < WAITING
    }

    /// Takes note of what is waited for from now on, and of what no longer is; says whether that changed anything.
    pub(crate) fn note(&mut self, commands: &[Command]) -> bool {
        let before = self.waits.len();
        let mut is_new = false;
        for command in commands {
            match command {
                Command::Await { op, source, since, .. } => {
                    is_new = true;
                    let wait = Wait { source: source.clone(), since: *since, seen: HashSet::new() };
                    self.waits.insert(*op, wait);
                }
                Command::Drop { op } => drop(self.waits.remove(op)),
                _ => {}
            }
        }
        is_new || before != self.waits.len()
    }

    /// What is waited for, as a journal keeps it.
    pub(crate) fn waits(&self) -> Waits {
        let mut waits = Waits::default();
        for wait in self.waits.values() {
            match &wait.source {
                Source::Answer { .. } => waits.answer = true,
                Source::Event { name, key } => drop(waits.events.insert((name.clone(), key.clone()))),
                Source::Callback { .. } => {}
            }
        }
        waits
    }

    /// The next thing that a wait may take. An event stays for others; a message or a call is gone.
    pub(crate) fn next(&mut self) -> Option<Taken> {
        let ops: Vec<u64> = self.waits.keys().copied().collect();
        ops.into_iter().find_map(|op| self.next_of(op))
    }

    fn next_of(&mut self, op: u64) -> Option<Taken> {
        let Self { messages, events, calls, waits, .. } = self;
        let wait = waits.get_mut(&op)?;
        let since = wait.since;
        match &wait.source {
            Source::Answer { takes_earlier } => {
                let is_answer = |came: &Came<Value>| *takes_earlier || came.at >= since;
                let ignored = messages.iter().position(is_answer)?;
                let mut numbers: Vec<u64> =
                    messages.drain(..ignored).filter_map(|came| came.number).collect();
                let Came { number, what, .. } = messages.pop_front()?;
                numbers.extend(number);
                Some(Taken { op, message: what, numbers, ignored })
            }
            Source::Event { .. } => {
                let came = events.iter().find(|came| wait.is_for(&came.what))?;
                let (told, number) = (came.what.clone(), came.number);
                wait.seen.insert(told.id.clone());
                let is_done = !waits.values().any(|wait| wait.is_for(&told));
                let numbers = number.filter(|_| is_done).into_iter().collect();
                Some(Taken { op, message: told.data, numbers, ignored: 0 })
            }
            Source::Callback { id, .. } => {
                let Came { number, what, .. } = calls.remove(id)?;
                Some(Taken { op, message: what, numbers: number.into_iter().collect(), ignored: 0 })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn told(id: &str, key: Option<&str>) -> Told {
        let (event, key) = ("paid".to_owned(), key.map(str::to_owned));
        Told { event, key, data: json!(id), id: id.to_owned() }
    }

    fn wait(letterbox: &mut Letterbox, op: u64, source: Source, since: Timestamp) {
        letterbox.note(&[Command::Await { op, flow: 0, step: 0, source, since }]);
    }

    fn next(letterbox: &mut Letterbox) -> Option<(u64, Value)> {
        letterbox.next().map(|taken| (taken.op, taken.message))
    }

    fn asks(takes_earlier: bool) -> Source {
        Source::Answer { takes_earlier }
    }

    /// runs.md 10: `ask` takes the first message after its question, `accept: any` an earlier one too.
    #[test]
    fn a_question_takes_the_first_message_after_it_or_any() {
        for (takes_earlier, answer) in [(false, "late"), (true, "early")] {
            let mut letterbox = Letterbox::default();
            letterbox.keep(at(1), None, Incoming::Message(json!("early")));
            letterbox.keep(at(3), None, Incoming::Message(json!("late")));
            wait(&mut letterbox, 7, asks(takes_earlier), at(2));
            assert_eq!(next(&mut letterbox), Some((7, json!(answer))));
        }
    }

    #[test]
    fn an_event_is_shown_to_every_wait_for_it_and_to_each_once() {
        let mut letterbox = Letterbox::default();
        let paid = |key: Option<&str>| Source::Event { name: "paid".to_owned(), key: key.map(str::to_owned) };
        wait(&mut letterbox, 1, paid(Some("7")), at(0));
        wait(&mut letterbox, 2, paid(None), at(0));
        wait(&mut letterbox, 3, paid(Some("7")), at(0));
        for id in ["a", "a", "b"] {
            letterbox.keep(at(1), None, Incoming::Event(told(id, Some("7"))));
        }
        let mut shown = Vec::new();
        while let Some(taken) = next(&mut letterbox) {
            shown.push(taken);
        }
        assert_eq!(shown, [(1, json!("a")), (1, json!("b")), (3, json!("a")), (3, json!("b"))]);
    }

    #[test]
    fn an_event_is_kept_for_ten_minutes_and_a_second_call_of_a_url_is_nobodys() {
        let mut letterbox = Letterbox::default();
        letterbox.keep(at(0), None, Incoming::Event(told("old", None)));
        letterbox.keep(at(601), None, Incoming::Event(told("new", None)));
        for payload in ["first", "second"] {
            letterbox.keep(
                at(601),
                None,
                Incoming::Call { callback: "ok".to_owned(), payload: json!(payload) },
            );
        }
        wait(&mut letterbox, 1, Source::Event { name: "paid".to_owned(), key: None }, at(0));
        wait(&mut letterbox, 2, Source::Callback { id: "ok".to_owned(), method: "POST".to_owned() }, at(0));
        assert_eq!(next(&mut letterbox), Some((1, json!("new"))));
        assert_eq!(next(&mut letterbox), Some((2, json!("first"))));
        letterbox.keep(at(602), None, Incoming::Call { callback: "ok".to_owned(), payload: json!("third") });
        assert_eq!(next(&mut letterbox), None);
    }
}
