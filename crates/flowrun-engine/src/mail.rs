//! What comes to a run from outside: messages of its conversation, events, calls of its own URLs.
//!
//! A [`Post`] is the host's end, a [`Mail`] the run's. What comes before anybody waits for it is kept: messages until a
//! question takes them, calls until their step waits, events for ten minutes.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use flowrun_machine::Source;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// The most messages, events and calls that wait to be taken in.
const WAITING: usize = 100;
/// How long events are kept for a step that waits later.
const KEPT: SignedDuration = SignedDuration::from_mins(10);
/// The most events that are kept.
const MOST_KEPT: usize = 1_000;

/// Something that happened, told by a flow or by the host.
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, PartialEq)]
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
}

impl Incoming {
    /// A message that is a text and nothing else.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Message(json!({ "text": text, "choice": null, "attachments": [] }))
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

/// What a run has been sent and has not taken, and what it waits for.
#[derive(Debug, Default)]
pub(crate) struct Letterbox {
    messages: VecDeque<(Timestamp, Value)>,
    events: VecDeque<(Timestamp, Told)>,
    calls: HashMap<String, Value>,
    /// URLs that were called once.
    used: HashSet<String>,
    waits: BTreeMap<u64, Wait>,
}

impl Letterbox {
    /// Keeps what came.
    pub(crate) fn keep(&mut self, now: Timestamp, incoming: Incoming) {
        match incoming {
            Incoming::Message(message) => self.messages.push_back((now, message)),
            Incoming::Event(told) => self.tell(now, told),
            Incoming::Call { callback, payload } => {
                if self.used.insert(callback.clone()) {
                    self.calls.insert(callback, payload);
                }
            }
        }
    }

    /// Keeps an event, once and for a while.
    pub(crate) fn tell(&mut self, now: Timestamp, told: Told) {
        if self.events.iter().any(|(_, known)| known.id == told.id) {
            return;
        }
        while self.events.len() >= MOST_KEPT
            || self.events.front().is_some_and(|(at, _)| now.duration_since(*at) > KEPT)
        {
            self.events.pop_front();
        }
        self.events.push_back((now, told));
    }

    /// Whether anything from outside is waited for.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waits.is_empty()
    }

    /// Whether more messages are taken in.
    pub(crate) fn has_room(&self) -> bool {
        self.messages.len() < WAITING
    }

    pub(crate) fn wait(&mut self, op: u64, source: Source, since: Timestamp) {
        self.waits.insert(op, Wait { source, since, seen: HashSet::new() });
    }

    pub(crate) fn forget(&mut self, op: u64) {
        self.waits.remove(&op);
    }

    /// The next thing that a wait may take. An event stays for others; a message or a call is gone.
    pub(crate) fn next(&mut self) -> Option<(u64, Value)> {
        let Self { messages, events, calls, waits, .. } = self;
        waits.iter_mut().find_map(|(op, wait)| {
            let found = match &wait.source {
                Source::Answer { takes_earlier } => {
                    let is_answer = |at: &Timestamp| *takes_earlier || *at >= wait.since;
                    let at = messages.iter().position(|(at, _)| is_answer(at))?;
                    messages.remove(at).map(|(_, message)| message)
                }
                Source::Event { name, key } => {
                    let is_meant = |told: &Told| {
                        told.event == *name && told.key == *key && !wait.seen.contains(&told.id)
                    };
                    let told = events.iter().map(|(_, told)| told).find(|told| is_meant(told))?;
                    wait.seen.insert(told.id.clone());
                    Some(told.data.clone())
                }
                Source::Callback { id, .. } => calls.remove(id),
            };
            found.map(|found| (*op, found))
        })
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

    fn asks(takes_earlier: bool) -> Source {
        Source::Answer { takes_earlier }
    }

    /// runs.md 10: `ask` takes the first message after its question, `accept: any` an earlier one too.
    #[test]
    fn a_question_takes_the_first_message_after_it_or_any() {
        for (takes_earlier, answer) in [(false, "late"), (true, "early")] {
            let mut letterbox = Letterbox::default();
            letterbox.keep(at(1), Incoming::Message(json!("early")));
            letterbox.keep(at(3), Incoming::Message(json!("late")));
            letterbox.wait(7, asks(takes_earlier), at(2));
            assert_eq!(letterbox.next(), Some((7, json!(answer))));
        }
    }

    #[test]
    fn an_event_is_shown_to_every_wait_for_it_and_to_each_once() {
        let mut letterbox = Letterbox::default();
        let paid = |key: Option<&str>| Source::Event { name: "paid".to_owned(), key: key.map(str::to_owned) };
        letterbox.wait(1, paid(Some("7")), at(0));
        letterbox.wait(2, paid(None), at(0));
        letterbox.wait(3, paid(Some("7")), at(0));
        for id in ["a", "a", "b"] {
            letterbox.tell(at(1), told(id, Some("7")));
        }
        let mut shown = Vec::new();
        while let Some(next) = letterbox.next() {
            shown.push(next);
        }
        assert_eq!(shown, [(1, json!("a")), (1, json!("b")), (3, json!("a")), (3, json!("b"))]);
    }

    #[test]
    fn an_event_is_kept_for_ten_minutes_and_a_second_call_of_a_url_is_nobodys() {
        let mut letterbox = Letterbox::default();
        letterbox.tell(at(0), told("old", None));
        letterbox.tell(at(601), told("new", None));
        for payload in ["first", "second"] {
            letterbox.keep(at(601), Incoming::Call { callback: "ok".to_owned(), payload: json!(payload) });
        }
        letterbox.wait(1, Source::Event { name: "paid".to_owned(), key: None }, at(0));
        letterbox.wait(2, Source::Callback { id: "ok".to_owned(), method: "POST".to_owned() }, at(0));
        assert_eq!(letterbox.next(), Some((1, json!("new"))));
        assert_eq!(letterbox.next(), Some((2, json!("first"))));
        letterbox.keep(at(602), Incoming::Call { callback: "ok".to_owned(), payload: json!("third") });
        assert_eq!(letterbox.next(), None);
    }
}
