//! What a token endpoint is made to do, and when it did: seeded, so that a bad day can be had again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::town::{Next, Town};

/// Slower than any run expects, faster than the registry's limit of 20 s.
const SLOW: Duration = Duration::from_secs(3);

/// A way in which a token call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    InternalError,
    Unavailable,
    TooMany,
    Slow,
    /// The request was read and not acted on; the connection was reset.
    Reset,
    /// The request was acted on; nobody heard the reply.
    ReplyLost,
}

impl Failure {
    /// All of them; each comes as often as the others.
    pub(crate) const ALL: [Self; 6] =
        [Self::InternalError, Self::Unavailable, Self::TooMany, Self::Slow, Self::Reset, Self::ReplyLost];

    /// Whether flowrun cannot know what became of the request.
    pub(crate) fn is_ambiguous(self) -> bool {
        matches!(self, Self::Reset | Self::ReplyLost)
    }

    fn next(self) -> Next {
        let say = |status, header| Next::Say(status, header, "not today".to_owned());
        match self {
            Self::InternalError => say(500, ""),
            Self::Unavailable => say(503, ""),
            Self::TooMany => say(429, "retry-after: 5\r\n"),
            Self::Slow => Next::Late(SLOW),
            Self::Reset => Next::Reset,
            Self::ReplyLost => Next::HangUp,
        }
    }
}

/// One failure that was injected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Injected {
    pub(crate) failure: Failure,
    pub(crate) at: Instant,
    /// Of a refresh; otherwise of a code that a person had brought.
    pub(crate) is_refresh: bool,
}

#[derive(Debug, Default)]
struct Log {
    token_calls: u32,
    injected: Vec<Injected>,
}

/// The weather over one token endpoint.
pub(crate) struct Weather {
    chance: Chance,
    failing: u64,
    log: Arc<Mutex<Log>>,
}

impl Weather {
    /// Of a hundred calls, so many fail.
    pub(crate) fn of(seed: u64, failing: u64) -> Self {
        Self { chance: Chance::of(seed + 1_000), failing, log: Arc::default() }
    }

    /// From now on.
    pub(crate) fn begin(&self, town: &Town) {
        let (mut chance, failing, log) = (self.chance.clone(), self.failing, Arc::clone(&self.log));
        // Where it begins differs, or a short soak would meet only the first.
        let first = usize::try_from(chance.below(Failure::ALL.len() as u64)).unwrap_or_default();
        let mut deck = Failure::ALL.into_iter().cycle().skip(first);
        town.each_token(move |seen| {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.token_calls += 1;
            let failure = (chance.below(100) < failing).then(|| deck.next()).flatten()?;
            let is_refresh = seen.form.contains_key("refresh_token");
            log.injected.push(Injected { failure, at: Instant::now(), is_refresh });
            Some(failure.next())
        });
    }

    /// What was injected within `before` of now.
    pub(crate) fn lately(&self, before: Duration) -> Vec<Injected> {
        let log = self.log();
        let recent = log.injected.iter().filter(|injected| injected.at.elapsed() <= before);
        recent.copied().collect()
    }

    /// Token calls, and the failures among them.
    pub(crate) fn counts(&self) -> (u32, Vec<Injected>) {
        let log = self.log();
        (log.token_calls, log.injected.clone())
    }

    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
