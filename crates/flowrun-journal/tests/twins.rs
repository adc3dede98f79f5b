//! The journal on disk and the one in memory answer alike, whatever they are asked in whatever order (runs.md 6, 9, 10).

#![expect(clippy::expect_used, reason = "a test that cannot be set up should say why and stop")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use flowrun_engine::host::Filter;
use flowrun_engine::journal::{
    Answer, Begun, Change, History, Journal, KeptCheckpoint, MemoryJournal, NewRun, Opener, Rest, RunKey,
    Standing, Talk, Waits, Whose,
};
use flowrun_engine::{Conversation, Incoming, Message, Told};
use flowrun_journal::SqliteJournal;
use flowrun_lang::trigger::Busy;
use flowrun_lang::{Catalog, Flow, SourceText, check};
use flowrun_machine::{Body, EventRecord, Happening, InDoubt, Opening, Run, advance};
use flowrun_step::{BoxFuture, Clock, Entropy, RunId, StepSet, Tenant};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

struct Dice;

impl Entropy for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(4);
    }
}

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn sleep_until(&self, _: Timestamp) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

/// Something a journal is asked, by small numbers: which run, person, message or event.
#[derive(Debug, Clone)]
enum Asked {
    Begin { run: u8, peer: Option<u8>, busy: u8, message: Option<u8>, stray: bool },
    Append { run: u8, asks: bool, events: Vec<u8>, takes: bool, ends: bool, answers: bool },
    Shorten { run: u8 },
    Rest { run: u8, until: Option<u8>, heard: u8 },
    Stand { run: u8 },
    Load { run: u8 },
    Receive { peer: u8, message: u8, interrupts: bool },
    Deliver { run: u8, what: u8 },
    Tell { event: u8, id: u8 },
    Remember { peer: u8, message: u8 },
    Discard,
    HandOver { peer: u8 },
    HandBack { peer: u8 },
    Mark { name: u8, sets: bool },
    Erase { peer: Option<u8> },
    Later { minutes: u8 },
}

fn asked() -> impl Strategy<Value = Asked> {
    let (run, peer) = (0..3_u8, 0..2_u8);
    prop_oneof![
        4 => (run.clone(), proptest::option::of(peer.clone()), 0..3_u8, proptest::option::of(0..6_u8), any::<bool>())
            .prop_map(|(run, peer, busy, message, stray)| Asked::Begin { run, peer, busy, message, stray }),
        4 => (run.clone(), any::<bool>(), proptest::collection::vec(0..3_u8, 0..3), any::<bool>(), proptest::bool::weighted(0.2), any::<bool>())
            .prop_map(|(run, asks, events, takes, ends, answers)| Asked::Append { run, asks, events, takes, ends, answers }),
        1 => run.clone().prop_map(|run| Asked::Shorten { run }),
        3 => (run.clone(), proptest::option::of(0..9_u8), 0..9_u8).prop_map(|(run, until, heard)| Asked::Rest { run, until, heard }),
        1 => run.clone().prop_map(|run| Asked::Stand { run }),
        3 => run.clone().prop_map(|run| Asked::Load { run }),
        5 => (peer.clone(), 0..6_u8, proptest::bool::weighted(0.2))
            .prop_map(|(peer, message, interrupts)| Asked::Receive { peer, message, interrupts }),
        2 => (run, 0..3_u8).prop_map(|(run, what)| Asked::Deliver { run, what }),
        2 => (0..3_u8, 0..4_u8).prop_map(|(event, id)| Asked::Tell { event, id }),
        1 => (peer.clone(), 0..6_u8).prop_map(|(peer, message)| Asked::Remember { peer, message }),
        1 => Just(Asked::Discard),
        1 => peer.clone().prop_map(|peer| Asked::HandOver { peer }),
        1 => peer.clone().prop_map(|peer| Asked::HandBack { peer }),
        1 => proptest::option::weighted(0.8, peer).prop_map(|peer| Asked::Erase { peer }),
        1 => (0..2_u8, any::<bool>()).prop_map(|(name, sets)| Asked::Mark { name, sets }),
        1 => (1..12_u8).prop_map(|minutes| Asked::Later { minutes }),
    ]
}

fn run(number: u8) -> RunKey {
    RunKey::new(Tenant::default(), RunId::new(&format!("run-{number}")).expect("an id"))
}

fn peer(number: u8) -> Conversation {
    Conversation { channel: "sms".into(), account: String::new(), peer: format!("+{number}") }
}

fn message(from: u8, number: u8) -> Message {
    Message::new(Tenant::default(), peer(from), &number.to_string()).text("hello")
}

/// What both journals are asked with: a flow, and where the story is.
struct Story {
    flow: Flow,
    now: Timestamp,
    /// The last letters that were seen.
    letters: Vec<u64>,
}

impl Story {
    fn started(&self) -> (EventRecord, KeptCheckpoint) {
        let plan = self.flow.plan();
        let mut run = Run::new("run", plan);
        let what = Happening::Start { inputs: Vec::new(), opening: Opening::default() };
        let event = flowrun_machine::Event { at: Timestamp::UNIX_EPOCH, what };
        let record = EventRecord::of(plan, &run, &event).expect("it concerns a run that begins");
        advance(plan, &mut run, event);
        let checkpoint = serde_json::from_value(json!({ "checkpoint": run.checkpoint(plan) }));
        (record, checkpoint.expect("a checkpoint"))
    }

    fn change(&self, standing: Standing) -> Change {
        let (event, _) = self.started();
        let entry = json!({ "happened": { "event": event, "positions": "here" } });
        Change::new(self.now, Some(serde_json::from_value(entry).expect("an entry")), standing)
    }

    /// One question, and everything that can be seen after it.
    async fn ask(&self, journal: &dyn Journal, asked: &Asked) -> Vec<String> {
        let answer = self.answer(journal, asked).await;
        let mut seen = vec![answer];
        for number in 0..3 {
            seen.push(format!(
                "{:?}",
                journal.view(&run(number)).await.map(|view| view.map(|view| (view.standing, view.answer)))
            ));
            seen.push(format!("{:?}", journal.look(&run(number)).await));
            seen.push(format!("{:?}", journal.mail(&run(number), 0).await));
        }
        seen.push(format!("{:?}", journal.stray().await));
        seen.push(format!("{:?}", journal.due(self.now, 2).await));
        let mut unfinished = journal.unfinished().await.expect("it can be read");
        unfinished.sort();
        seen.push(format!("{unfinished:?}"));
        let mut listed = journal.list(&Tenant::default(), Filter::default()).await.expect("a list");
        listed.sort_by(|one, other| one.id.cmp(&other.id));
        seen.push(listed.iter().map(|run| format!("{} {} {}", run.id, run.flow, run.status)).collect());
        seen
    }

    async fn answer(&self, journal: &dyn Journal, asked: &Asked) -> String {
        match asked.clone() {
            Asked::Begin { run: number, peer: with, busy, message, stray } => {
                let busy = [Busy::Queue, Busy::Drop, Busy::Replace][usize::from(busy)];
                let stray = self.letters.first().filter(|_| stray).map(|number| Opener::Kept(*number));
                let opener = stray.or(message.map(|number| Opener::New(number.to_string())));
                let talk = with.map(|with| Talk { conversation: peer(with), while_busy: busy, opener });
                let texts = self.flow.texts();
                let new = NewRun::new(
                    run(number),
                    "flow",
                    (texts, "hash".to_owned()),
                    self.change(Standing::Running),
                );
                format!("{:?}", journal.begin(NewRun { start: [number; 32], talk, ..new }).await)
            }
            Asked::Append { run: number, asks, events, takes, ends, answers } => {
                let standing = match ends {
                    true => Standing::Cancelled { reason: "enough".into() },
                    false => Standing::Running,
                };
                let mut change = self.change(standing);
                let event = |event: u8| (format!("event-{event}"), (event > 0).then(|| event.to_string()));
                let events: BTreeSet<_> = events.into_iter().map(event).collect();
                change.waits = Some(Waits { answer: asks, events });
                change.taken = self.letters.iter().copied().filter(|_| takes).take(1).collect();
                change.answer = answers.then(|| Answer {
                    status: 200,
                    headers: Vec::new(),
                    body: Body::Text("hi".into()),
                });
                let appended = journal.append(&run(number), change).await;
                format!("{:?}", appended.map(|appended| appended.has_mail).map_err(drop))
            }
            Asked::Shorten { run: number } => {
                format!("{:?}", journal.shorten(&run(number), self.started().1).await.map(drop).map_err(drop))
            }
            Asked::Rest { run: number, until, heard } => {
                let until = until.map(|seconds| self.now + jiff::SignedDuration::from_secs(seconds.into()));
                let (checkpoint, heard) = (self.started().1, heard.into());
                let rest = Rest { checkpoint, standing: Standing::Waiting { until }, until, heard };
                format!("{:?}", journal.rest(&run(number), rest).await.map_err(drop))
            }
            Asked::Stand { run: number } => {
                let standing = Standing::Blocked { why: "so".into() };
                format!("{:?}", journal.stand(&run(number), standing).await.map_err(drop))
            }
            Asked::Load { run: number } => format!("{:?}", journal.load(&run(number)).await),
            Asked::Receive { peer, message: number, interrupts } => {
                format!("{:?}", journal.receive(message(peer, number), self.now, interrupts).await)
            }
            Asked::Deliver { run: number, what } => {
                let call = Incoming::Call { callback: "ok".into(), payload: json!({}) };
                let incoming =
                    [call, Incoming::Cancel { reason: "so".into() }, Incoming::Resolve(InDoubt::Skip)];
                format!(
                    "{:?}",
                    journal.deliver(&run(number), incoming[usize::from(what)].clone(), self.now).await
                )
            }
            Asked::Tell { event, id } => {
                let (name, key) = (format!("event-{event}"), (event > 0).then(|| event.to_string()));
                let told = Told { event: name, key, data: json!(1), id: id.to_string() };
                let heard = journal.tell(&Tenant::default(), told, self.now).await.expect("told");
                let mut heard = format!(
                    "{:?}",
                    heard.map(|mut heard| {
                        heard.sort_by(|a, b| a.run.cmp(&b.run));
                        heard
                    })
                );
                heard.shrink_to_fit();
                heard
            }
            Asked::Remember { peer, message: number } => {
                format!("{:?}", journal.remember(message(peer, number), self.now).await)
            }
            Asked::Discard => match self.letters.first() {
                Some(number) => format!("{:?}", journal.discard(*number).await),
                None => String::new(),
            },
            Asked::HandOver { peer: with } => {
                format!("{:?}", journal.hand_over(&Tenant::default(), &peer(with)).await)
            }
            Asked::HandBack { peer: with } => {
                format!("{:?}", journal.hand_back(&Tenant::default(), &peer(with)).await)
            }
            Asked::Erase { peer: whose } => {
                let person = whose.map(|number| peer(number).peer);
                let whose = person.as_deref().map_or(Whose::Everybody, Whose::Person);
                let mut erased = journal.erase(&Tenant::default(), whose).await.expect("it is erased");
                erased.sort();
                format!("{erased:?}")
            }
            Asked::Mark { name, sets } => {
                let at = sets.then_some(self.now);
                format!("{:?}", journal.mark(&Tenant::default(), &name.to_string(), at).await)
            }
            Asked::Later { .. } => String::new(),
        }
    }
}

/// A journal on disk, one in memory, and what they are asked with.
fn twins(folder: &Path, history: History) -> (SqliteJournal, MemoryJournal, Story) {
    let edges = (Arc::new(Stopped) as _, Arc::new(Dice) as _);
    let disk = SqliteJournal::open(folder, &[7; 32], edges).expect("a journal").history(history);
    let memory = MemoryJournal::default().history(history);
    let source = SourceText::new("f.yaml", b"steps: [ { log: hi } ]\n".to_vec()).expect("UTF-8");
    let flow = check(&source, &Catalog::new(StepSet::new())).flow.expect("a flow");
    (disk, memory, Story { flow, now: Timestamp::UNIX_EPOCH, letters: Vec::new() })
}

async fn compare(folder: &Path, history: History, all: &[Asked]) -> Result<(), TestCaseError> {
    let (disk, memory, mut story) = twins(folder, history);
    for asked in all {
        if let Asked::Later { minutes } = asked {
            story.now += jiff::SignedDuration::from_mins((*minutes).into());
        }
        let (seen, expected) = (story.ask(&disk, asked).await, story.ask(&memory, asked).await);
        prop_assert_eq!(seen, expected, "{:?}", asked);
        story.letters.clear();
        for number in 0..3 {
            let mail = memory.mail(&run(number), 0).await.expect("mail");
            story.letters.extend(mail.iter().map(|letter| letter.number));
        }
        story.letters.extend(memory.stray().await.expect("strays").iter().map(|(number, _)| *number));
    }
    Ok(())
}

#[test]
fn a_journal_on_disk_answers_as_one_in_memory_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut runner = TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
    let history = prop_oneof![Just(History::None), Just(History::Summary), Just(History::Full)];
    let stories = (history, proptest::collection::vec(asked(), 1..40));
    let ran = runner.run(&stories, |(history, all)| {
        let folder = tempfile::tempdir().expect("a folder");
        runtime.block_on(compare(folder.path(), history, &all))
    });
    ran.unwrap_or_else(|error| panic!("{error}"));
}

/// The log has no index, and numbers of it are used again: what a process saw of it once must not hide what was written since.
#[tokio::test]
async fn a_run_is_taken_up_with_all_its_entries_though_the_log_was_looked_through_while_it_went_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (disk, memory, story) = twins(folder.path(), History::Summary);
    let begin = |run| Asked::Begin { run, peer: None, busy: 0, message: None, stray: false };
    let append = |run, ends| Asked::Append {
        run,
        asks: false,
        events: Vec::new(),
        takes: false,
        ends,
        answers: false,
    };
    for journal in [&disk as &dyn Journal, &memory] {
        for asked in [begin(0), begin(1), append(1, false)] {
            story.answer(journal, &asked).await;
        }
        assert_eq!(journal.unfinished().await.expect("it is read").len(), 2);
        for asked in [append(1, true), append(0, false), Asked::Stand { run: 0 }] {
            story.answer(journal, &asked).await;
        }
        let kept = journal.load(&run(0)).await.expect("it is read").expect("it is there");
        assert_eq!(kept.entries.len(), 2, "{journal:?}");
    }
}

/// R13: a run may be over with its first entry; then as little stays of it as of any other.
#[tokio::test]
async fn of_a_run_that_ends_as_it_begins_stays_what_was_said_to_stay() {
    for (history, has_outputs) in [(History::None, false), (History::Summary, true), (History::Full, true)] {
        let folder = tempfile::tempdir().expect("a folder");
        let (disk, memory, story) = twins(folder.path(), history);
        let done = Standing::Done { outputs: json!({"who": "Ada"}).as_object().expect("one").clone() };
        for journal in [&disk as &dyn Journal, &memory] {
            let texts = (story.flow.texts(), "hash".to_owned());
            let begun = journal.begin(NewRun::new(run(0), "flow", texts, story.change(done.clone()))).await;
            assert_eq!(begun.expect("it is kept"), Begun::Now);
            let view = journal.view(&run(0)).await.expect("it is read").expect("it is there");
            let Standing::Done { outputs } = view.standing else { panic!("{:?}", view.standing) };
            assert_eq!(outputs.contains_key("who"), has_outputs, "{history:?}, {journal:?}");
        }
    }
}
