//! One run of the seed's flow, what became of it, and what that is put down to.

use std::time::{Duration, Instant};

use crate::operator::{Ended, Operator};
use crate::weather::{Failure, Weather};

/// How far back a failure may lie that still stops a run: the cooldown after it, and the flow's own retries.
const COOLDOWN: Duration = Duration::from_secs(45);
/// How far back a lost reply may lie: whoever finds it first calls a person at once.
const LOSS: Duration = Duration::from_secs(30);

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It said the last name.
    Done,
    /// The provider had failed, and was to be left alone for a while.
    Cooling,
    /// A reply was lost, and somebody has to authorise again.
    NeedsAPerson,
    /// Nothing that was injected explains this; what the run said.
    Unexplained(String),
    /// What it said holds a token or a secret; where.
    Leak,
}

/// One run.
pub(crate) struct Run {
    pub(crate) kind: Kind,
    pub(crate) took: Duration,
}

impl Run {
    /// Runs the flow of an integration, and looks at the weather over it.
    pub(crate) fn of(operator: &Operator, name: &str, weather: &Weather) -> Self {
        let began = Instant::now();
        let ended = Ended::of(operator.flow(name).spawn().expect("flowrun starts"));
        let took = began.elapsed();
        Self { kind: kind(&ended, weather, took), took }
    }
}

fn kind(ended: &Ended, weather: &Weather, took: Duration) -> Kind {
    let said = ended.said();
    if said.contains("canary-") || said.contains("a secret of the client") {
        return Kind::Leak;
    }
    let happened = |before: Duration, failure: fn(Failure) -> bool| {
        weather.lately(before + took).iter().any(|injected| failure(injected.failure))
    };
    let refused =
        |failure| matches!(failure, Failure::InternalError | Failure::Unavailable | Failure::TooMany);
    let is_loss = said.contains("reply lost") || said.contains("needs_attention(reply_lost)");
    match (ended.status.code(), ended.stdout.as_str()) {
        (Some(0), "Their last name is Peeters.\n") => Kind::Done,
        // The seed's flow says sorry for whatever went wrong, and that is its end; exit 4 is before its first step.
        (Some(0 | 4), _) if is_loss && happened(LOSS, Failure::is_ambiguous) => Kind::NeedsAPerson,
        (Some(0), _) if said.contains("could not be refreshed now") && happened(COOLDOWN, refused) => {
            Kind::Cooling
        }
        (code, _) => Kind::Unexplained(format!("exit {code:?}: {said}")),
    }
}
