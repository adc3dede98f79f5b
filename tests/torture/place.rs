//! One integration at one provider, used by processes that may be killed, and what is known about it afterwards.

use std::process::Child;
use std::time::{Duration, Instant};

use crate::operator::{Ended, Operator};
use crate::town::{Tally, Town};

/// Its name.
pub(crate) const NAME: &str = "teamleader";

/// What the registry says when a refresh was sent, or may have been, and nobody has its reply (OA-45).
const LOST: &str =
    "a refresh was sent and its reply lost, so the provider may have replaced the refresh token";
const LOST_STATE: &str = "needs_attention(reply_lost)";
const WAY_OUT: &str = "flowrun integrations authorize teamleader";

/// Longest wait for something that is about to happen.
const LIMIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// The place.
pub(crate) struct Place {
    pub(crate) operator: Operator,
    pub(crate) town: Town,
}

/// Whether an integration still works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The next run found its last name, and nobody had to do anything.
    Kept,
    /// Its state is `needs_attention(reply_lost)`, and it said so.
    Lost,
}

impl Place {
    /// An integration that is registered and not yet authorised.
    pub(crate) fn new() -> Self {
        let place = Self { operator: Operator::new(), town: Town::start() };
        place.operator.add(NAME, &place.town.origin());
        place
    }

    /// One that is authorised.
    pub(crate) fn authorised() -> Self {
        let place = Self::new();
        place.authorise();
        place
    }

    /// A person authorises it.
    pub(crate) fn authorise(&self) {
        let ended = self.operator.authorise(NAME, |url| self.town.consent(url));
        assert!(ended.stdout.contains("All set!"), "{ended:?}");
    }

    /// Starts the seed's flow in a process of its own.
    pub(crate) fn start_flow(&self) -> Child {
        self.operator.flow(NAME).spawn().expect("flowrun starts")
    }

    /// Waits until the provider has been asked for so many refreshes, ever.
    pub(crate) fn wait_for_refreshes(&self, asked: usize) {
        until("a refresh is asked for", || self.town.refreshes() >= asked);
    }

    /// What a run came to that nobody killed: it worked, or it said what is wrong and what to do.
    pub(crate) fn judge_run(&self, ended: &Ended) -> Standing {
        assert!(!ended.said().contains("canary-"), "a token was said: {ended:?}");
        match (ended.status.code(), ended.stdout.as_str()) {
            (Some(0), "Their last name is Peeters.\n") => Standing::Kept,
            // Found in the flow's first step, which then says sorry, as the seed's flow does.
            (Some(0), _) if ended.stderr.contains(LOST) => Standing::Lost,
            // Found before anything was sent.
            (Some(4), "") if [LOST_STATE, LOST, WAY_OUT].iter().all(|said| ended.stderr.contains(said)) => {
                Standing::Lost
            }
            _ => panic!("a run that nobody killed: {ended:?}"),
        }
    }

    /// How the integration stands now that all processes have ended; a person mends what was lost.
    pub(crate) fn standing(&self) -> Standing {
        let standing = self.judge_run(&Ended::of(self.start_flow()));
        let shown = self.operator.show(NAME);
        match standing {
            Standing::Kept => assert_eq!(shown.state, "authorized"),
            Standing::Lost => {
                assert_eq!(shown.state, LOST_STATE);
                assert!(shown.failure.is_some_and(|said| said.contains(LOST)), "it says what happened");
                self.authorise();
                assert_eq!(
                    self.judge_run(&Ended::of(self.start_flow())),
                    Standing::Kept,
                    "a person mends it"
                );
            }
        }
        standing
    }

    /// What has happened at the provider; no refresh token ever came twice.
    pub(crate) fn tally(&self) -> Tally {
        let tally = self.town.tally();
        assert_eq!(tally.invalid_grant, 0, "a refresh token was used twice: {tally:?}");
        tally
    }
}

/// Waits until something is true.
pub(crate) fn until(what: &str, mut is_true: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_true() {
        assert!(began.elapsed() < LIMIT, "never: {what}");
        std::thread::sleep(LOOK_AGAIN);
    }
}
