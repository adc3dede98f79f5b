//! Two reasons to leave at the same time: the one that reaches further wins, whichever came first (runs.md 5).

#![expect(clippy::expect_used, reason = "a test that cannot be set up should say why and stop")]

#[path = "run/house.rs"]
mod house;

use expect_test::expect;
use house::check;

#[test]
fn a_cancel_stays_one_when_the_time_of_a_step_around_a_finally_is_up_too() {
    check(
        "steps:\n  - do:\n      - do: [ { test.call: { url: x } } ]\n        finally: [ { wait: 5s } ]\n    timeout: 3s\n    \
         on_error: continue\n  - send: not here\n",
        &["cancel"],
        expect![[r#"
            0s call 1
            0s aborted
            cancelled: interrupted"#]],
    );
}

#[test]
fn the_age_of_the_run_ends_it_although_a_step_has_run_out_of_time_before() {
    check(
        "limits: { age: 10s }\nsteps:\n  - do:\n      - test.call: { url: x }\n        timeout: 2s\n        finally: [ { wait: 20s } \
         ]\n    timeout: 5s\n    on_error: continue\n  - send: not here\n",
        &["hang"],
        expect![[r#"
            0s call 1
            2s aborted
            failed at 22s: error[F058]: the run took longer than 10s (flow.yaml:6:20 steps[0].do[0].finally[0])"#]],
    );
}

/// The inner step's own error would have been handled; the outer step's is not.
#[test]
fn the_time_of_an_outer_step_counts_although_an_inner_one_is_leaving_already() {
    check(
        "steps:\n  - do:\n      - test.call: { url: x }\n        timeout: 2s\n        on_error: continue\n        finally: [ { wait: 5s \
         } ]\n      - send: not here\n    timeout: 4s\n",
        &["hang"],
        expect![[r#"
            0s call 1
            2s aborted
            failed at 7s: error[F052]: the step was not done within 4s (flow.yaml:8:14 steps[0].timeout)"#]],
    );
}
