//! What is on its way to runs.

use flowrun_step::Tenant;
use jiff::Timestamp;

use super::{Book, Record, Row, What, seen_key};
use crate::journal::{Address, Busy, Delivered, HandedOver, KEPT, Letter, RunKey, SEEN, WAITING};
use crate::mail::{Incoming, Told};
use crate::message::{Conversation, Message};

impl Book {
    /// Gives a run the events that are kept for what it waits for now.
    pub(super) fn remind(
        &mut self,
        run: &RunKey,
        subject: &(String, Option<String>),
        (began, now): (Timestamp, Timestamp),
    ) -> bool {
        let is_meant = |(tenant, at, told): &&(Tenant, Timestamp, Told)| {
            let is_kept = *at >= began && now.duration_since(*at) <= KEPT;
            *tenant == run.tenant && is_kept && (&told.event, &told.key) == (&subject.0, &subject.1)
        };
        let kept: Vec<_> =
            self.events.iter().filter(is_meant).map(|(_, at, told)| (*at, told.clone())).collect();
        for (at, told) in &kept {
            self.post(*at, What::Run(run.clone(), Incoming::Event(told.clone())));
        }
        !kept.is_empty()
    }

    fn post(&mut self, at: Timestamp, what: What) {
        self.last += 1;
        self.letters.insert(self.last, Record { at, what });
    }

    pub(in crate::journal) fn mail(&self, run: &RunKey, heard: u64) -> Vec<Letter> {
        let own = self.runs.get(run).and_then(|row| row.conversation.as_ref());
        let letter = |(number, record): (&u64, &Record)| {
            let incoming = match &record.what {
                What::Run(other, incoming) if other == run => incoming.clone(),
                What::Message { message, is_for_next: false }
                    if message.tenant == run.tenant && Some(&message.conversation) == own =>
                {
                    Incoming::Message(message.body())
                }
                _ => return None,
            };
            Some(Letter { number: *number, at: record.at, incoming })
        };
        self.letters.range(heard + 1..).filter_map(letter).collect()
    }

    /// What came for the run after the one before is from now on for the one that begins.
    pub(super) fn reach_next(&mut self, (tenant, conversation): &(Tenant, Conversation)) {
        for record in self.letters.values_mut() {
            if let What::Message { message, is_for_next } = &mut record.what
                && (&message.tenant, &message.conversation) == (tenant, conversation)
            {
                *is_for_next = false;
            }
        }
    }

    /// Remembers a message; says whether it is new.
    pub(in crate::journal) fn see(&mut self, message: &Message, at: Timestamp) -> bool {
        self.seen.retain(|_, seen| at.duration_since(*seen) <= SEEN);
        self.seen.insert(seen_key(message), at).is_none()
    }

    pub(in crate::journal) fn receive(
        &mut self,
        message: Message,
        at: Timestamp,
        interrupts: bool,
    ) -> Delivered {
        if self.seen.contains_key(&seen_key(&message)) {
            return Delivered::Duplicate;
        }
        let key = (message.tenant.clone(), message.conversation.clone());
        let Some(talk) = self.talks.get(&key).cloned() else { return Delivered::Nobody };
        if talk.is_handed_over {
            self.see(&message, at);
            return Delivered::HandedOver;
        }
        let Some(id) = talk.run else { return Delivered::Nobody };
        let run = RunKey::new(key.0, id);
        let is_awaited = self.runs.get(&run).is_some_and(|row| row.waits.answer) && !interrupts;
        self.see(&message, at);
        if !interrupts && !is_awaited && !self.makes_room(&message, talk.while_busy) {
            return Delivered::Dropped(run.id);
        }
        self.post(at, What::Message { message, is_for_next: interrupts });
        if interrupts {
            self.post(at, What::Run(run.clone(), Incoming::interruption()));
        }
        Delivered::Kept { address: self.address(run), is_awaited }
    }

    /// Whether one more message may wait for a run that works.
    fn makes_room(&mut self, message: &Message, while_busy: Busy) -> bool {
        let is_beside = |record: &Record| match &record.what {
            What::Message { message: other, .. } => {
                (&other.tenant, &other.conversation) == (&message.tenant, &message.conversation)
            }
            What::Run(..) => false,
        };
        match while_busy {
            Busy::Queue => self.letters.values().filter(|record| is_beside(record)).count() < WAITING,
            Busy::Drop => false,
            Busy::Replace => {
                self.letters.retain(|_, record| !is_beside(record));
                true
            }
        }
    }

    fn address(&self, run: RunKey) -> Address {
        let is_at_rest = self.runs.get(&run).is_some_and(|row| row.rest.is_some());
        Address { run, is_at_rest }
    }

    pub(in crate::journal) fn deliver(
        &mut self,
        run: &RunKey,
        incoming: Incoming,
        at: Timestamp,
    ) -> Delivered {
        if self.runs.get(run).is_none_or(|row| row.standing.is_over()) {
            return Delivered::Nobody;
        }
        if let Incoming::Call { callback, .. } = &incoming {
            let key = (run.tenant.clone(), format!("{}\n{callback}", run.id));
            if self.seen.insert(key, at).is_some() {
                return Delivered::Duplicate;
            }
        }
        self.post(at, What::Run(run.clone(), incoming));
        Delivered::Kept { address: self.address(run.clone()), is_awaited: true }
    }

    pub(in crate::journal) fn tell(
        &mut self,
        tenant: &Tenant,
        told: Told,
        at: Timestamp,
    ) -> Option<Vec<Address>> {
        self.events.retain(|(_, kept, _)| at.duration_since(*kept) <= KEPT);
        if self.events.iter().any(|(other, _, known)| other == tenant && known.id == told.id) {
            return None;
        }
        self.events.push((tenant.clone(), at, told.clone()));
        let subject = (told.event.clone(), told.key.clone());
        let is_waiting =
            |(run, row): &(&RunKey, &Row)| run.tenant == *tenant && row.waits.events.contains(&subject);
        let waiting: Vec<RunKey> = self.runs.iter().filter(is_waiting).map(|(run, _)| run.clone()).collect();
        for run in &waiting {
            self.post(at, What::Run(run.clone(), Incoming::Event(told.clone())));
        }
        Some(waiting.into_iter().map(|run| self.address(run)).collect())
    }

    pub(in crate::journal) fn stray(&self) -> Vec<(u64, Message)> {
        let is_free = |message: &Message| {
            let key = (message.tenant.clone(), message.conversation.clone());
            self.talks.get(&key).is_none_or(|talk| talk.run.is_none())
        };
        let stray = |(number, record): (&u64, &Record)| match &record.what {
            What::Message { message, .. } if is_free(message) => Some((*number, message.clone())),
            _ => None,
        };
        self.letters.iter().filter_map(stray).collect()
    }

    pub(in crate::journal) fn hand_over(
        &mut self,
        tenant: &Tenant,
        conversation: &Conversation,
    ) -> HandedOver {
        let talk = self.talks.entry((tenant.clone(), conversation.clone())).or_default();
        talk.is_handed_over = true;
        let run = talk.run.clone();
        let mut queued = Vec::new();
        self.letters.retain(|_, record| match &record.what {
            What::Message { message, .. }
                if message.tenant == *tenant && message.conversation == *conversation =>
            {
                queued.push(message.clone());
                false
            }
            _ => true,
        });
        HandedOver { run, queued }
    }

    pub(in crate::journal) fn hand_back(&mut self, tenant: &Tenant, conversation: &Conversation) {
        let key = (tenant.clone(), conversation.clone());
        if let Some(talk) = self.talks.get_mut(&key) {
            talk.is_handed_over = false;
            if talk.run.is_none() {
                self.talks.remove(&key);
            }
        }
    }
}
