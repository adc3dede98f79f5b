//! Who answers a run that waits for something from outside: what was given with it, else the person at the terminal.
//!
//! Without either the run is ended: it would wait for what never comes.

use std::collections::VecDeque;

use flowrun::engine::{Incoming, Post, Told};
use flowrun::lang::Code;
use flowrun::machine::Source;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::record::Tape;
use super::run_id;
use crate::args::{StartArguments, TalkArguments};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::lines::lines;
use crate::pairs::pair;
use crate::world::World;

/// The desk at which a run is answered.
pub(super) struct Desk<'a> {
    world: &'a World,
    post: Post,
    said: VecDeque<String>,
    events: Vec<(String, Value)>,
    calls: Vec<(String, Value)>,
    /// What the person was asked and has not answered.
    asked: VecDeque<(String, Source)>,
    lines: Option<mpsc::Receiver<String>>,
    /// Hears what is said, if the run is recorded.
    tape: Option<Tape>,
}

impl<'a> Desk<'a> {
    /// A desk with what the command line gives.
    pub(super) fn new(
        world: &'a World,
        given: &TalkArguments,
        post: Post,
        tape: Option<Tape>,
    ) -> Result<Self, Complaint> {
        Ok(Self {
            world,
            post,
            said: given.said.iter().cloned().collect(),
            events: given.events.iter().map(|text| named("--event", text)).collect::<Result<_, _>>()?,
            calls: given.calls.iter().map(|text| named("--call", text)).collect::<Result<_, _>>()?,
            asked: VecDeque::new(),
            lines: None,
            tape,
        })
    }

    /// Whether somebody answers a question.
    pub(super) fn is_manned(world: &World, given: &StartArguments) -> bool {
        (world.is_interactive && !given.dry_run) || !given.talk.said.is_empty()
    }

    /// A step waits: answers it, or asks the person.
    pub(super) fn waits(&mut self, step: String, source: Source) -> Result<(), Complaint> {
        if let Some(given) = self.given(&step, &source) {
            return self.put(given?);
        }
        if !self.world.is_interactive {
            return Err(nobody(&step, &source));
        }
        self.lines.get_or_insert_with(lines);
        self.prompt(&step, &source);
        self.asked.push_back((step, source));
        Ok(())
    }

    /// What was given for it, each once.
    fn given(&mut self, step: &str, source: &Source) -> Option<Result<Incoming, Complaint>> {
        let take = |all: &mut Vec<(String, Value)>, name: &str| {
            let at = all.iter().position(|(known, _)| known == name)?;
            Some(all.remove(at).1)
        };
        match source {
            Source::Answer { .. } => self.said.pop_front().map(|text| Ok(Incoming::text(&text))),
            Source::Event { name, key } => take(&mut self.events, name).map(|data| event(name, key, data)),
            Source::Callback { id, .. } => take(&mut self.calls, id)
                .or_else(|| take(&mut self.calls, step))
                .map(|body| Ok(call(id, body))),
        }
    }

    fn prompt(&self, step: &str, source: &Source) {
        match source {
            Source::Answer { .. } => {}
            Source::Event { name, key } => {
                let about = key.as_ref().map_or_else(String::new, |key| format!(" about {key}"));
                self.world
                    .terminal
                    .say(&format!("{step:<11} waits for `{name}`{about}: type its data as JSON"));
            }
            Source::Callback { .. } => {
                self.world.terminal.say(&format!("{step:<11} waits for a call: type its body as JSON"));
            }
        }
        self.world.terminal.prompt("> ");
    }

    /// The next line that the person types; never comes back while nothing is asked.
    pub(super) async fn line(&mut self) -> Option<String> {
        match (&mut self.lines, self.asked.is_empty()) {
            (Some(lines), false) => lines.recv().await,
            _ => std::future::pending().await,
        }
    }

    /// The person typed a line, or will type no more.
    pub(super) fn typed(&mut self, line: Option<String>) -> Result<(), Complaint> {
        let Some((step, source)) = self.asked.pop_front() else { return Ok(()) };
        let Some(line) = line else { return Err(nobody(&step, &source)) };
        if matches!(source, Source::Answer { .. }) {
            return self.put(Incoming::text(&line));
        }
        match (serde_json::from_str::<Value>(&line), &source) {
            (Ok(data), Source::Event { name, key }) => self.put(event(name, key, data)?),
            (Ok(body), Source::Callback { id, .. }) => self.put(call(id, body)),
            (wrong, _) => {
                let why = wrong.err().map_or_else(String::new, |error| format!(": {error}"));
                self.world.terminal.say(&format!("this is no JSON{why}"));
                self.prompt(&step, &source);
                self.asked.push_front((step, source));
                Ok(())
            }
        }
    }

    fn put(&self, incoming: Incoming) -> Result<(), Complaint> {
        if let Some(tape) = &self.tape {
            tape.heard(&incoming);
        }
        self.post.put(incoming).map_err(|error| Complaint::from_error(Exit::Failed, &error))
    }
}

fn named(option: &str, text: &str) -> Result<(String, Value), Complaint> {
    let (name, json) = pair(option, text)?;
    let value = serde_json::from_str(json).map_err(|error| {
        Complaint::new(Exit::Usage, format!("what `{option} {name}` gives is not JSON"))
            .because(error)
            .help(format!("{option} '{name}={{\"amount\": 7}}'"))
    })?;
    Ok((name.to_owned(), value))
}

fn event(name: &str, key: &Option<String>, data: Value) -> Result<Incoming, Complaint> {
    let id = run_id()?.as_str().to_owned();
    Ok(Incoming::Event(Told { event: name.to_owned(), key: key.clone(), data, id }))
}

fn call(id: &str, body: Value) -> Incoming {
    let payload = json!({ "body": body, "query": {}, "headers": {} });
    Incoming::Call { callback: id.to_owned(), payload }
}

fn nobody(step: &str, source: &Source) -> Complaint {
    let (what, help) = match source {
        Source::Answer { .. } => {
            ("asks a person".to_owned(), "--say TEXT, once for each question".to_owned())
        }
        Source::Event { name, .. } => {
            (format!("waits for the event `{name}`"), format!("--event {name}=JSON"))
        }
        Source::Callback { id, .. } => {
            ("waits for a call of its URL".to_owned(), format!("--call {id}=JSON"))
        }
    };
    Complaint::new(Exit::Failed, format!("step `{step}` {what}, and there is nobody to answer"))
        .with_code(Code::NobodyToAsk)
        .because("stdin is no terminal")
        .help(help)
}
