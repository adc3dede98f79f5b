//! flowrun against a certified OAuth provider that rotates refresh tokens: authorise, run, expire, run again.
//!
//! These need node and the packages of `tests/lab`; without them each test is skipped aloud. `.ci/run` installs both
//! and lets nothing be skipped.

#![expect(clippy::expect_used, reason = "a test whose parts do not start fails at once")]

#[path = "lab/beyond.rs"]
mod beyond;
#[path = "lab/lines.rs"]
mod lines;
#[path = "lab/operator.rs"]
mod operator;
#[path = "lab/provider.rs"]
mod provider;

use std::thread;

use operator::{Ended, Operator};
use provider::Lab;
use rustix::process::Signal;

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
    // A second refresh for one expiry would come early: it would replace a token that has only just been granted.
    assert_eq!((tally.invalid_grant, tally.early_refreshes, tally.faults), (0, 0, 0), "{tally:?}");
    assert_eq!(tally.contacts, PROCESSES * ROUNDS * RUNS_A_ROUND, "{tally:?}");
    assert!(tally.refreshes >= ROUNDS, "each round began after the token's end: {tally:?}");
}

/// OA-41: what a refresh brought is on disk before the process ends, however it is asked to end.
#[test]
fn a_process_that_is_interrupted_in_a_refresh_keeps_what_it_brought() {
    let Some(mut lab) = Lab::start(3600) else { return };
    let operator = Operator::with_integration(&mut lab);
    authorise_by_loopback(&operator, &lab);
    for signal in [Signal::INT, Signal::TERM] {
        lab.hold_tokens();
        let mut refresh = operator.start_refresh();
        lab.wait_for_held_reply();
        refresh.signal(signal);
        refresh.says("interrupted: what the provider answers is still awaited");
        lab.release_tokens();
        refresh.ends_with(130);
        assert_eq!(operator.run_flow(), Ended::last_name());
    }
    let tally = lab.tally();
    assert_eq!((tally.refreshes, tally.invalid_grant, tally.faults), (2, 0, 0), "{tally:?}");
}

/// OA-41: the same for a flow, which is told to tidy up first.
#[test]
fn a_flow_that_is_interrupted_in_a_refresh_keeps_what_it_brought() {
    let Some(mut lab) = Lab::start(LIFETIME_SECONDS) else { return };
    let operator = Operator::with_integration(&mut lab);
    authorise_by_loopback(&operator, &lab);
    lab.wait_for_expiry();
    lab.hold_tokens();
    let mut flow = operator.start_flow();
    lab.wait_for_held_reply();
    flow.signal(Signal::INT);
    flow.says("interrupted: the flow tidies up");
    lab.release_tokens();
    flow.ends_with(130);
    assert_eq!(operator.run_flow(), Ended::last_name());
    let tally = lab.tally();
    assert_eq!((tally.invalid_grant, tally.early_refreshes, tally.faults), (0, 0, 0), "{tally:?}");
}

/// RFC 6749 4.4: no person is asked, neither at first nor after the token's end.
#[test]
fn a_client_that_acts_for_itself_is_authorised_without_a_person() {
    let Some(mut lab) = Lab::start(LIFETIME_SECONDS) else { return };
    let operator = Operator::with_machine(&lab);
    operator.authorize("--no-browser").ends_all_set();
    assert_eq!(operator.run_flow(), Ended::last_name());
    lab.wait_for_expiry();
    assert_eq!(operator.run_flow(), Ended::last_name());
    let tally = lab.tally();
    assert_eq!((tally.client_credentials, tally.refreshes, tally.faults), (2, 0, 0), "{tally:?}");
}

fn authorise_by_loopback(operator: &Operator, lab: &Lab) {
    let mut waiting = operator.authorize("--no-browser");
    lab.consent_and_follow(&waiting.authorization_url(lab));
    waiting.ends_all_set();
}
