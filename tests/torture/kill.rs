//! The ways in which processes die here, and what must be true afterwards.

use std::process::Child;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::chance::Chance;
use crate::operator::{Authorising, Ended};
use crate::place::{NAME, Place, Standing, until};
use crate::stepper::{Stepper, stepped};
use crate::town::{Next, Tally};

/// All processes of a round, the killed ones among them.
const PROCESSES: usize = 8;
/// How many of them are killed at random.
const VICTIMS: usize = 3;

/// When a process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kill {
    /// The process that refreshes, after its so-manieth write.
    RefreshAfterWrite(usize),
    /// The process that authorises, after its so-manieth write.
    AuthorizeAfterWrite(usize),
    /// The process that refreshes, when the provider has the request and has not acted on it.
    BeforeTheProviderActs,
    /// The process that refreshes, when the provider has acted and its reply is on the way.
    AfterTheProviderActed,
    /// Three of eight, at any moment within so long.
    AtRandom(Duration),
}

/// What a kill came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Nothing was lost: the killed process had not said that it refreshes.
    KeptUnasked,
    /// Nothing was lost: what the provider had granted was on disk.
    KeptGranted,
    /// Nothing was lost, wherever it was that they were killed.
    Kept,
    /// Lost: that a refresh begins was on disk, and the request had not left. What is on disk is the same as in the
    /// next two.
    LostUnsent,
    /// Lost: the provider had the request, and had not acted on it.
    LostUnacted,
    /// Lost, and nothing could have kept it: the provider had replaced the token, and its reply was not on disk.
    LostActed,
}

impl Outcome {
    pub(crate) const ALL: [Self; 6] = [
        Self::KeptUnasked,
        Self::KeptGranted,
        Self::Kept,
        Self::LostUnsent,
        Self::LostUnacted,
        Self::LostActed,
    ];
}

impl Kill {
    /// Kills, lets the others end, and looks at what is left.
    pub(crate) fn at(self, place: &Place, chance: &mut Chance) -> Outcome {
        let before = Seen::at(place);
        place.town.expire();
        match self {
            Self::RefreshAfterWrite(writes) => refresh_after_write(place, writes, before),
            Self::AuthorizeAfterWrite(writes) => authorize_after_write(place, writes, before),
            Self::BeforeTheProviderActs => held(place, Next::Wait(Arc::new(Semaphore::new(0))), before),
            Self::AfterTheProviderActed => held(place, Next::Hold(Arc::new(Semaphore::new(0))), before),
            Self::AtRandom(life) => at_random(place, (life, chance), before),
        }
    }
}

/// What the provider has seen at a moment.
#[derive(Clone, Copy)]
struct Seen {
    asked: usize,
    tally: Tally,
}

impl Seen {
    fn at(place: &Place) -> Self {
        Self { asked: place.town.refreshes(), tally: place.tally() }
    }

    fn acted_since(self, before: Self) -> u32 {
        self.tally.refreshes - before.tally.refreshes
    }

    /// Which loss it was. Where a refresh may have been sent nobody sends another, so all since `before` is its.
    fn loss(self, before: Self) -> Outcome {
        match (self.asked - before.asked, self.acted_since(before)) {
            (0, 0) => Outcome::LostUnsent,
            (1, 0) => Outcome::LostUnacted,
            (1, 1) => Outcome::LostActed,
            other => panic!("asked and acted: {other:?}, and yet lost"),
        }
    }
}

/// The rest of the eight run the flow while one of them dies.
fn others(place: &Place, count: usize) -> Vec<Child> {
    (0..count).map(|_| place.start_flow()).collect()
}

/// Everybody who lives ends with the name, or says what was lost; then one more run tells how it stands.
fn end(place: &Place, others: Vec<Child>) -> (Standing, Seen) {
    let ended: Vec<_> = others.into_iter().map(|child| place.judge_run(&Ended::of(child))).collect();
    let standing = place.standing();
    assert!(
        standing == Standing::Lost || !ended.contains(&Standing::Lost),
        "lost for some, and not for the next"
    );
    (standing, Seen::at(place))
}

fn refresh_after_write(place: &Place, writes: usize, before: Seen) -> Outcome {
    let (mut stepper, mut killed) = start_refresh(place);
    stepper.step(writes);
    let had_acted = Seen::at(place).acted_since(before) > 0;
    let others = others(place, PROCESSES - 1);
    stepper.kill();
    drop(killed.wait());
    let (standing, after) = end(place, others);
    match (standing, had_acted) {
        (Standing::Lost, _) => return after.loss(before),
        (Standing::Kept, _) => assert_eq!(after.acted_since(before), 1, "one refresh for all of them"),
    }
    if had_acted { Outcome::KeptGranted } else { Outcome::KeptUnasked }
}

/// How many writes a refresh makes, when nobody kills it.
pub(crate) fn writes_of_a_refresh(place: &Place) -> Vec<String> {
    let before = Seen::at(place);
    let (stepper, mut refresh) = start_refresh(place);
    let calls = stepper.run();
    drop(refresh.wait());
    assert_eq!(Seen::at(place).acted_since(before), 1, "it refreshed");
    calls
}

fn start_refresh(place: &Place) -> (Stepper, Child) {
    let trace = place.operator.home().join("trace");
    let mut command = stepped(&place.operator, &["integrations", "refresh", NAME, "--force"], &trace);
    let strace = command.spawn().expect("strace starts");
    (Stepper::follow(&trace, &strace), strace)
}

fn authorize_after_write(place: &Place, writes: usize, before: Seen) -> Outcome {
    let trace = place.operator.home().join("trace");
    let mut command = stepped(&place.operator, &["integrations", "authorize", NAME, "--paste"], &trace);
    let mut authorizing = Authorising::start(&mut command);
    let mut stepper = Stepper::follow(&trace, &authorizing.program);
    let others = thread::scope(|scope| {
        let person = scope.spawn(|| authorizing.answer(|url| place.town.consent(url)));
        stepper.step(writes);
        let others = others(place, PROCESSES - 1);
        stepper.kill();
        person.join().expect("a person goes on");
        others
    });
    authorizing.end();
    let had_redeemed = place.tally().codes > before.tally.codes;
    // A code that was redeemed for nothing costs the person another try, and the old authorisation nothing (OA-19).
    let (standing, after) = end(place, others);
    assert_eq!(standing, Standing::Kept, "authorising anew costs no earlier authorisation");
    assert!(after.acted_since(before) <= 1, "one refresh at most");
    if had_redeemed { Outcome::KeptGranted } else { Outcome::KeptUnasked }
}

/// How many writes an authorisation makes, when nobody kills it.
pub(crate) fn writes_of_an_authorization(place: &Place) -> Vec<String> {
    let before = place.tally();
    let trace = place.operator.home().join("trace");
    let mut command = stepped(&place.operator, &["integrations", "authorize", NAME, "--paste"], &trace);
    let mut authorizing = Authorising::start(&mut command);
    let stepper = Stepper::follow(&trace, &authorizing.program);
    let calls = thread::scope(|scope| {
        let person = scope.spawn(|| authorizing.answer(|url| place.town.consent(url)));
        let calls = stepper.run();
        person.join().expect("a person goes on");
        calls
    });
    authorizing.end();
    assert_eq!(place.tally().codes, before.codes + 1, "it authorised");
    calls
}

fn held(place: &Place, next: Next, before: Seen) -> Outcome {
    let acts = matches!(next, Next::Hold(_));
    place.town.next_token(next);
    let mut refresh = place.operator.flowrun(&["integrations", "refresh", NAME, "--force"]);
    let mut killed = refresh.spawn().expect("flowrun starts");
    place.wait_for_refreshes(before.asked + 1);
    until("the provider acts", || !acts || place.tally().refreshes > before.tally.refreshes);
    let others = others(place, PROCESSES - 1);
    killed.kill().expect("it waits for the reply");
    drop(killed.wait());
    let (standing, after) = end(place, others);
    assert_eq!(standing, Standing::Lost, "nobody has the reply, and nobody guesses");
    after.loss(before)
}

/// How long it takes eight processes to end, of which one refreshes.
pub(crate) fn life_of_eight(place: &Place) -> Duration {
    let before = Seen::at(place);
    place.town.expire();
    let began = Instant::now();
    let all = others(place, PROCESSES);
    let ended: Vec<_> = all.into_iter().map(|child| place.judge_run(&Ended::of(child))).collect();
    assert!(!ended.contains(&Standing::Lost), "nobody was killed");
    assert_eq!(Seen::at(place).acted_since(before), 1, "one refresh for all of them");
    began.elapsed()
}

fn at_random(place: &Place, (life, chance): (Duration, &mut Chance), before: Seen) -> Outcome {
    let mut victims = others(place, VICTIMS);
    let others = others(place, PROCESSES - VICTIMS);
    let most = u64::try_from(life.as_millis()).expect("short") / VICTIMS as u64;
    for victim in &mut victims {
        // The moment is meant to be any moment; nothing is waited for.
        thread::sleep(Duration::from_millis(chance.below(most + 1)));
        drop(victim.kill());
    }
    victims.iter_mut().for_each(|victim| drop(victim.wait()));
    let (standing, after) = end(place, others);
    if standing == Standing::Lost {
        return after.loss(before);
    }
    assert_eq!(after.acted_since(before), 1, "one refresh for all of them");
    Outcome::Kept
}
