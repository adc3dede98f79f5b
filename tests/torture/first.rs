//! The first use of a home, killed at each write: folders, key, database and mark are all new, and none may be half
//! there in a way that keeps the next try out.

use crate::operator::{Authorising, Ended, Operator};
use crate::place::{NAME, Place};
use crate::stepper::{Stepper, stepped};
use crate::{COMPLETE, rounds, spread, tracer};

const ADD: [&str; 5] = ["integrations", "add", NAME, "--preset", "teamleader"];
const ADD_ANOTHER: [&str; 5] = ["integrations", "add", "another", "--preset", "zoho"];

/// How many places, where not all are tried.
const FEW: usize = 8;

/// All places where it writes, or a few of them.
fn places(all: usize) -> impl Iterator<Item = usize> {
    spread(if rounds() >= COMPLETE { all } else { FEW.min(all) }, all)
}

/// Adds an integration, and is killed after so many writes; gives how many there were.
fn add_until(operator: &Operator, writes: usize) -> usize {
    let trace = operator.home().join("trace");
    let mut command = stepped(operator, &ADD, &trace);
    let mut program = command.spawn().expect("strace starts");
    let mut stepper = Stepper::follow(&trace, &program);
    let made = (0..writes).take_while(|_| stepper.step(1).is_some()).count();
    stepper.kill();
    drop(program.wait());
    made
}

/// OA-57, N9.
#[test]
fn a_first_use_that_is_killed_at_any_write_keeps_nobody_out_oa_57() {
    if !tracer::is_there() {
        return;
    }
    let all = add_until(&Operator::new(), usize::MAX);
    for writes in places(all) {
        let operator = Operator::new();
        add_until(&operator, writes);
        for words in [&["integrations", "list"][..], &ADD_ANOTHER] {
            let ended = Ended::of(operator.flowrun(words).spawn().expect("flowrun starts"));
            assert!(ended.status.success(), "killed after write {writes} of {all}: {ended:?}");
        }
    }
}

/// OA-10, OA-36: what was never authorised still is not, or it is; either way a person can go on.
#[test]
fn a_first_authorisation_that_is_killed_at_any_write_can_be_made_again_oa_36() {
    if !tracer::is_there() {
        return;
    }
    let all = authorise_until(&Place::new(), usize::MAX);
    for writes in places(all) {
        let place = Place::new();
        authorise_until(&place, writes);
        let state = place.operator.show(NAME).state;
        assert!(
            ["incomplete", "authorized"].contains(&state.as_str()),
            "after write {writes} of {all}: {state}"
        );
        place.authorise();
        place.standing();
        assert_eq!(place.tally().refreshes, 0, "what was authorised a moment ago needs no refresh");
    }
}

/// Authorises, and is killed after so many writes; gives how many there were.
fn authorise_until(place: &Place, writes: usize) -> usize {
    let trace = place.operator.home().join("trace");
    let words = ["integrations", "authorize", NAME, "--paste"];
    let mut command = stepped(&place.operator, &words, &trace);
    let mut authorizing = Authorising::start(&mut command);
    let mut stepper = Stepper::follow(&trace, &authorizing.program);
    let made = std::thread::scope(|scope| {
        scope.spawn(|| authorizing.answer(|url| place.town.consent(url)));
        let made = (0..writes).take_while(|_| stepper.step(1).is_some()).count();
        stepper.kill();
        made
    });
    authorizing.end();
    made
}
