//! flowrun against a certified OAuth provider that rotates refresh tokens: authorise, run, expire, run again.
//!
//! These need node and the packages of `tests/lab`; without them each test is skipped aloud. `.ci/run` installs both
//! and lets nothing be skipped.

#![expect(clippy::expect_used, reason = "a test whose parts do not start fails at once")]

#[path = "lab/lines.rs"]
mod lines;
#[path = "lab/operator.rs"]
mod operator;
#[path = "lab/provider.rs"]
mod provider;

use std::thread;

use operator::{Ended, Operator};
use provider::Lab;

/// Long enough for many processes to meet within one token's life, short enough to wait for its end.
const LIFETIME_SECONDS: u32 = 4;

const PROCESSES: u32 = 8;
const ROUNDS: u32 = 5;
const RUNS_A_ROUND: u32 = 5;

#[test]
fn the_lab_keeps_its_own_promises() {
    let Some((passed, said)) = provider::own_tests() else { return };
    assert!(passed, "{said}");
}

/// OA-16, OA-70: the person's browser ends on flowrun's own listener.
#[test]
fn an_integration_is_authorised_by_loopback() {
    let Some(mut lab) = Lab::start(3600) else { return };
    let operator = Operator::with_integration(&mut lab);
    authorise_by_loopback(&operator, &lab);
    assert_eq!(operator.run_flow(), Ended::last_name());
}

/// OA-22: on a machine without a browser, the address the browser ended on is pasted.
#[test]
fn an_integration_is_authorised_by_paste() {
    let Some(mut lab) = Lab::start(3600) else { return };
    let operator = Operator::with_integration(&mut lab);
    let mut waiting = operator.authorize("--paste");
    let callback = lab.consent(&waiting.authorization_url(&lab));
    waiting.type_in(&callback);
    waiting.ends_all_set();
    assert_eq!(operator.run_flow(), Ended::last_name());
}

/// OA-41, OA-46: the token that a refresh brought is the one that the next process finds.
#[test]
fn a_run_after_each_expiry_refreshes_once_and_the_next_process_goes_on_from_there() {
    let Some(mut lab) = Lab::start(LIFETIME_SECONDS) else { return };
    let operator = Operator::with_integration(&mut lab);
    authorise_by_loopback(&operator, &lab);
    for _ in 0..3 {
        assert_eq!(operator.run_flow(), Ended::last_name());
        lab.wait_for_expiry();
    }
    let tally = lab.tally();
    assert_eq!((tally.codes, tally.refreshes, tally.invalid_grant, tally.faults), (1, 2, 0, 0), "{tally:?}");
}

/// OA-38, T25: 8 processes, 25 runs each, all let go at once after the token's end, time and again.
#[test]
fn many_processes_across_expiries_refresh_once_for_each_and_all_succeed() {
    let Some(mut lab) = Lab::start(LIFETIME_SECONDS) else { return };
    let operator = Operator::with_integration(&mut lab);
    authorise_by_loopback(&operator, &lab);
    for _ in 0..ROUNDS {
        lab.wait_for_expiry();
        let five_runs = || (0..RUNS_A_ROUND).map(|_| operator.run_flow()).collect::<Vec<_>>();
        let all = thread::scope(|scope| {
            let processes: Vec<_> = (0..PROCESSES).map(|_| scope.spawn(five_runs)).collect();
            processes.into_iter().flat_map(|process| process.join().expect("a run ends")).collect::<Vec<_>>()
        });
        all.iter().for_each(|ended| assert_eq!(ended, &Ended::last_name()));
    }
    let tally = lab.tally();
    assert_eq!((tally.invalid_grant, tally.early_refreshes, tally.faults), (0, 0, 0), "{tally:?}");
    assert_eq!(tally.contacts, PROCESSES * ROUNDS * RUNS_A_ROUND, "{tally:?}");
    assert!(tally.refreshes >= ROUNDS, "each round began after the token's end: {tally:?}");
}

fn authorise_by_loopback(operator: &Operator, lab: &Lab) {
    let mut waiting = operator.authorize("--no-browser");
    lab.consent_and_follow(&waiting.authorization_url(lab));
    waiting.ends_all_set();
}
