//! What a journal knows and how it changes, without a disk: every call is one commit.

mod mail;

use std::collections::{BTreeMap, HashMap};

use flowrun_step::{RunId, Tenant};
use jiff::Timestamp;

use super::memory::unknown;
use super::{
    Answer, Appended, Begun, Busy, Change, Entry, History, JournalError, KeptCheckpoint, KeptRun, NewRun,
    Opener, Rest, RunKey, Standing, Summary, Texts, Waits, Whose,
};
use crate::host::{Filter, View};
use crate::mail::{Incoming, Told};
use crate::message::{Conversation, Message};

/// The records of a journal.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    pub(super) history: History,
    runs: BTreeMap<RunKey, Row>,
    pub(super) texts: HashMap<String, Texts>,
    pub(super) letters: BTreeMap<u64, Record>,
    /// The number of the last letter.
    last: u64,
    talks: HashMap<(Tenant, Conversation), TalkRow>,
    /// Ids of messages and calls.
    seen: HashMap<(Tenant, String), Timestamp>,
    events: Vec<(Tenant, Timestamp, Told)>,
    marks: HashMap<(Tenant, String), Timestamp>,
}

#[derive(Debug, Clone)]
struct Row {
    /// Which one it was to begin.
    n: usize,
    flow: String,
    hash: String,
    start: [u8; 32],
    began: Timestamp,
    changed: Timestamp,
    conversation: Option<Conversation>,
    checkpoint: Option<KeptCheckpoint>,
    entries: Vec<Entry>,
    /// What happened before the checkpoint; nothing is known of it once a part of it is gone.
    past: Option<Vec<Entry>>,
    bytes: usize,
    standing: Standing,
    waits: Waits,
    answer: Option<Answer>,
    /// Nobody drives it; until when.
    rest: Option<Option<Timestamp>>,
}

#[derive(Debug, Clone, Default)]
struct TalkRow {
    run: Option<RunId>,
    while_busy: Busy,
    is_handed_over: bool,
}

/// A letter, and whom it is for.
#[derive(Debug, Clone)]
pub(super) struct Record {
    at: Timestamp,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Run(RunKey, Incoming),
    Message {
        message: Message,
        /// Whether it is for the run after the one that its conversation is in.
        is_for_next: bool,
    },
}

fn seen_key(message: &Message) -> (Tenant, String) {
    let Conversation { channel, account, peer } = &message.conversation;
    (message.tenant.clone(), format!("{channel}\n{account}\n{peer}\n{}", message.id))
}

impl Row {
    /// Forgets what is not to be seen later of a run that is over.
    fn shrink(&mut self, history: History) {
        if history.keeps(self.standing.status()) {
            return;
        }
        (self.checkpoint, self.past) = (None, None);
        self.entries.clear();
        if history == History::None {
            self.conversation = None;
        }
    }
}

impl Book {
    pub(super) fn begin(&mut self, new: NewRun) -> Result<Begun, JournalError> {
        if let Some(known) = self.runs.get(&new.run) {
            return match known.start == new.start {
                true => Ok(Begun::Before(known.standing.clone(), known.answer.clone())),
                false => Err(JournalError::Conflict(new.run.id)),
            };
        }
        let at = new.change.at;
        if let Some(talk) = &new.talk {
            let key = (new.run.tenant.clone(), talk.conversation.clone());
            match self.talks.get(&key) {
                Some(TalkRow { is_handed_over: true, .. }) => return Ok(Begun::HandedOver),
                Some(TalkRow { run: Some(run), .. }) => return Ok(Begun::Busy(run.clone())),
                _ => {}
            }
            let is_new = match &talk.opener {
                Some(Opener::New(id)) => {
                    let message = Message::new(key.0.clone(), key.1.clone(), id);
                    self.see(&message, at)
                }
                Some(Opener::Kept(number)) => self.letters.remove(number).is_some(),
                None => true,
            };
            if !is_new {
                return Ok(Begun::Duplicate);
            }
            self.reach_next(&key);
            let run = Some(new.run.id.clone());
            self.talks.insert(key, TalkRow { run, while_busy: talk.while_busy, is_handed_over: false });
        }
        self.texts.entry(new.hash.clone()).or_insert(new.texts);
        let row = Row {
            n: self.runs.len(),
            flow: new.flow,
            hash: new.hash,
            start: new.start,
            began: at,
            changed: at,
            conversation: new.talk.map(|talk| talk.conversation),
            checkpoint: None,
            entries: Vec::new(),
            past: Some(Vec::new()),
            bytes: 0,
            standing: Standing::Running,
            waits: Waits::default(),
            answer: None,
            rest: None,
        };
        self.runs.insert(new.run.clone(), row);
        self.append(&new.run, new.change).map(|_| Begun::Now)
    }

    fn row(&mut self, run: &RunKey) -> Result<&mut Row, JournalError> {
        self.runs.get_mut(run).ok_or_else(|| unknown(&run.id))
    }

    /// The row of a run that is driven.
    fn driven(&mut self, run: &RunKey) -> Result<&mut Row, JournalError> {
        let row = self.row(run)?;
        if row.rest.is_some() || row.standing.is_over() {
            return Err(JournalError::Unavailable(format!("nobody drives the run `{run}`")));
        }
        Ok(row)
    }

    pub(super) fn append(&mut self, run: &RunKey, change: Change) -> Result<Appended, JournalError> {
        let Change { at, entry, standing, taken, waits, answer } = change;
        let history = self.history;
        let row = self.driven(run)?;
        if let Some(entry) = entry {
            row.bytes += serde_json::to_vec(&entry).map_or(0, |bytes| bytes.len());
            row.entries.push(entry);
        }
        if row.standing != standing {
            row.changed = at;
        }
        row.standing = history.kept(standing);
        row.answer = answer.or(row.answer.take());
        let (bytes, is_over, began) = (row.bytes, row.standing.is_over(), row.began);
        let before = waits.map(|waits| (std::mem::replace(&mut row.waits, waits.clone()), waits));
        for number in taken {
            self.letters.remove(&number);
        }
        let mut has_mail = false;
        if let Some((before, waits)) = before {
            for subject in waits.events.difference(&before.events) {
                has_mail |= self.remind(run, subject, (began, at));
            }
        }
        if is_over {
            self.end(run);
        }
        Ok(Appended { bytes, has_mail })
    }

    /// A run is over: its conversation is free, and nothing is on its way to it any more.
    fn end(&mut self, run: &RunKey) {
        self.letters.retain(|_, letter| !matches!(&letter.what, What::Run(other, _) if other == run));
        if let Some(row) = self.runs.get_mut(run) {
            (row.waits, row.rest) = (Waits::default(), None);
            row.shrink(self.history);
        }
        self.talks.retain(|(tenant, _), talk| {
            if *tenant == run.tenant && talk.run.as_ref() == Some(&run.id) {
                talk.run = None;
            }
            talk.run.is_some() || talk.is_handed_over
        });
    }

    pub(super) fn shorten(&mut self, run: &RunKey, kept: KeptCheckpoint) -> Result<usize, JournalError> {
        let bytes = serde_json::to_vec(&kept).map_or(0, |bytes| bytes.len());
        let history = self.history;
        let row = self.driven(run)?;
        (row.checkpoint, row.bytes) = (Some(kept), 0);
        let entries = std::mem::take(&mut row.entries);
        match &mut row.past {
            Some(past) if history == History::Full => past.extend(entries),
            past if !entries.is_empty() => *past = None,
            _ => {}
        }
        Ok(bytes)
    }

    pub(super) fn rest(&mut self, run: &RunKey, rest: Rest) -> Result<bool, JournalError> {
        self.driven(run)?;
        if self.mail(run, rest.heard).iter().any(|letter| letter.number > rest.heard) {
            return Ok(false);
        }
        self.shorten(run, rest.checkpoint)?;
        let row = self.row(run)?;
        (row.standing, row.rest) = (rest.standing, Some(rest.until));
        Ok(true)
    }

    pub(super) fn stand(&mut self, run: &RunKey, standing: Standing) -> Result<(), JournalError> {
        let history = self.history;
        let row = self.row(run)?;
        (row.standing, row.rest) = (history.kept(standing), Some(None));
        if self.row(run)?.standing.is_over() {
            self.end(run);
        }
        Ok(())
    }

    pub(super) fn load(&mut self, run: &RunKey) -> Option<KeptRun> {
        let row = self.runs.get_mut(run)?;
        row.rest = None;
        let (checkpoint, entries) = match row.standing.is_over() {
            true => (None, Vec::new()),
            false => (row.checkpoint.clone(), row.entries.clone()),
        };
        let kept = KeptRun::new(row.hash.clone(), checkpoint, entries, row.standing.clone());
        Some(KeptRun { conversation: row.conversation.clone(), ..kept })
    }

    pub(super) fn look(&self, run: &RunKey) -> Option<KeptRun> {
        let row = self.runs.get(run)?;
        let checkpoint = row.checkpoint.clone().filter(|_| row.past.is_none());
        let entries = row.past.iter().flatten().chain(&row.entries).cloned().collect();
        let kept = KeptRun::new(row.hash.clone(), checkpoint, entries, row.standing.clone());
        let conversation = row.conversation.clone();
        Some(KeptRun { conversation, ..kept })
    }

    pub(super) fn erase(&mut self, tenant: &Tenant, whose: Whose<'_>) -> Vec<RunKey> {
        let is_meant = |owner: &Tenant, who: Option<&Conversation>| {
            owner == tenant
                && match whose {
                    Whose::Everybody => true,
                    Whose::Person(peer) => who.is_some_and(|who| who.peer == peer),
                }
        };
        let meant = self.runs.iter().filter(|(run, row)| is_meant(&run.tenant, row.conversation.as_ref()));
        let erased: Vec<RunKey> = meant.map(|(run, _)| run.clone()).collect();
        self.letters.retain(|_, letter| match &letter.what {
            What::Run(run, _) => !erased.contains(run),
            What::Message { message, .. } => !is_meant(&message.tenant, Some(&message.conversation)),
        });
        self.talks.retain(|(owner, who), talk| {
            let is_erased = talk.run.as_ref().is_some_and(|_| is_meant(owner, Some(who)));
            !is_erased && (whose != Whose::Everybody || owner != tenant)
        });
        if whose == Whose::Everybody {
            self.events.retain(|(owner, ..)| owner != tenant);
        }
        self.runs.retain(|run, _| !erased.contains(run));
        erased
    }

    pub(super) fn due(&self, now: Timestamp, most: usize) -> (Vec<RunKey>, Option<Timestamp>) {
        let at = |(run, row): (&RunKey, &Row)| Some((row.rest??, row.n, run.clone()));
        let mut all: Vec<_> = self.runs.iter().filter_map(at).collect();
        all.sort();
        let (due, later): (Vec<_>, Vec<_>) = all.into_iter().partition(|(at, ..)| *at <= now);
        let next = due.get(most).or(later.first()).map(|(at, ..)| *at);
        (due.into_iter().take(most).map(|(.., run)| run).collect(), next)
    }

    pub(super) fn mark(&mut self, tenant: &Tenant, name: &str, at: Option<Timestamp>) -> Option<Timestamp> {
        let key = (tenant.clone(), name.to_owned());
        match at {
            Some(at) => self.marks.insert(key, at),
            None => self.marks.get(&key).copied(),
        }
    }

    pub(super) fn unfinished(&self) -> Vec<RunKey> {
        let goes_on = |(run, row): &(&RunKey, &Row)| {
            let is_blocked = matches!(row.standing, Standing::Blocked { .. });
            !row.standing.is_over() && (row.rest.is_none() || is_blocked || !self.mail(run, 0).is_empty())
        };
        self.runs.iter().filter(goes_on).map(|(run, _)| run.clone()).collect()
    }

    pub(super) fn list(&self, tenant: &Tenant, filter: &Filter) -> Vec<Summary> {
        let own = self.runs.iter().filter(|(run, _)| run.tenant == *tenant);
        let is_meant = |(_, row): &(&RunKey, &Row)| {
            filter.flow.as_ref().is_none_or(|flow| *flow == row.flow)
                && filter.status.as_ref().is_none_or(|status| status == row.standing.status())
        };
        let mut rows: Vec<_> = own.filter(is_meant).collect();
        rows.sort_by(|(a, left), (b, right)| right.changed.cmp(&left.changed).then(a.cmp(b)));
        let after = filter.after.as_ref().and_then(|id| rows.iter().position(|(run, _)| run.id == *id));
        let from = after.map_or(0, |at| at + 1);
        rows[from..].iter().take(filter.page()).map(|(run, row)| summary(run, row)).collect()
    }

    pub(super) fn view(&self, run: &RunKey) -> Option<View> {
        let row = self.runs.get(run)?;
        Some(View { summary: summary(run, row), standing: row.standing.clone(), answer: row.answer.clone() })
    }
}

fn summary(run: &RunKey, row: &Row) -> Summary {
    Summary {
        id: run.id.to_string(),
        flow: row.flow.clone(),
        status: row.standing.status().to_owned(),
        is_driven: row.rest.is_none() && !row.standing.is_over(),
        began: row.began.to_string(),
        changed: row.changed.to_string(),
    }
}
