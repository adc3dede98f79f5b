//! What a run takes back, as an author sees it: YAML in; messages, attempts, moments and the end out (L-9, runs 5).
#![expect(clippy::expect_used, reason = "a test that cannot be set up should say why and stop")]

#[path = "run/house.rs"]
mod house;

use expect_test::expect;
use house::check;

#[test]
fn an_error_undoes_what_was_done_in_reverse_order_l_9() {
    check(
        r#"
steps:
  - send: book a room
    undo: [ { send: cancel the room } ]
  - send: book a flight
    undo:
      - send: cancel the flight
      - send: tell the airline
  - fail: no_car
  - send: never
    undo: [ { send: never } ]
"#,
        &[],
        expect![[r#"
            0s sent book a room
            0s sent book a flight
            0s sent cancel the flight
            0s sent tell the airline
            0s sent cancel the room
            failed at 0s: error[F057]: no_car (flow.yaml:9:5 steps[2])"#]],
    );
}

#[test]
fn a_good_end_undoes_nothing_l_9() {
    for end in ["log: fine", "end:", "end: { outputs: {} }"] {
        let flow = format!("steps:\n  - {{ send: book, undo: [ {{ send: cancel }} ] }}\n  - {end}\n");
        check(
            &flow,
            &[],
            expect![[r#"
                0s sent book
                done {}"#]],
        );
    }
}

#[test]
fn a_caught_error_undoes_nothing_and_a_later_one_undoes_what_was_done_in_the_block_l_9() {
    check(
        r#"
steps:
  - do:
      - send: a
        undo: [ { send: undo a } ]
      - fail: first
    on_error: continue
  - send: between
  - fail: second
"#,
        &[],
        expect![[r#"
            0s sent a
            0s sent between
            0s sent undo a
            failed at 0s: error[F057]: second (flow.yaml:9:5 steps[2])"#]],
    );
}

#[test]
fn a_step_that_failed_was_skipped_or_was_handled_is_not_undone_l_9() {
    check(
        r#"
steps:
  - test.call: { url: x }
    on_error: [ { send: handled } ]
    undo: [ { send: never } ]
  - send: skipped
    if: 1 == 2
    undo: [ { send: never } ]
  - test.call: { url: x }
    undo: [ { send: never } ]
"#,
        &["404", "500"],
        expect![[r#"
            0s call 1
            0s sent handled
            0s call 1
            failed at 0s: error[F050]: api.test answered 500 (flow.yaml:9:16 steps[2].test.call)"#]],
    );
}

#[test]
fn undo_sees_the_variables_and_steps_as_they_were_when_the_step_ended_well_l_9() {
    check(
        r#"
steps:
  - set: { room: 7, guest: Ada }
  - id: booked
    test.call: { url: x }
    into: booking
    undo:
      - send: "cancel {{booking}} in {{room}} ({{steps.booked.status}}, {{steps.booked.output}})"
      - set: { room: 9 }
      - send: "now {{room}}"
  - set: { room: 8, booking: other }
  - fail: late
"#,
        &["ok b-1"],
        expect![[r#"
            0s call 1
            0s sent cancel b-1 in 7 (done, b-1)
            0s sent now 9
            failed at 0s: error[F057]: late (flow.yaml:12:5 steps[3])"#]],
    );
}

#[test]
fn items_and_branches_are_undone_in_reverse_order_of_completion_l_9() {
    check(
        r#"
steps:
  - for_each: { in: "[3, 1, 2]", concurrency: 3, as: n }
    do:
      - wait: "{{n}}s"
        undo: [ { send: "undo item {{index}}: {{n}}" } ]
  - parallel:
      slow: [ { wait: 2s, undo: [ { send: undo slow } ] } ]
      fast: [ { wait: 1s, undo: [ { send: undo fast } ] } ]
  - fail: late
"#,
        &[],
        expect![[r#"
            5s sent undo slow
            5s sent undo fast
            5s sent undo item 0: 3
            5s sent undo item 2: 2
            5s sent undo item 1: 1
            failed at 5s: error[F057]: late (flow.yaml:10:5 steps[2])"#]],
    );
}

#[test]
fn a_timeout_of_the_run_is_undone_and_does_not_limit_the_undo_runs_5() {
    check(
        r#"
timeout: 10s
steps:
  - send: a
    undo:
      - wait: 1m
      - send: undo a
  - wait: 1h
finally: [ { send: finally } ]
"#,
        &[],
        expect![[r#"
            0s sent a
            10s sent finally
            70s sent undo a
            timed out at 70s: error[F052]: the run was not done within 10s (flow.yaml:2:10 timeout)"#]],
    );
}

#[test]
fn a_cancel_is_undone_and_so_is_what_ended_while_it_came_runs_5() {
    check(
        r#"
steps:
  - send: a
    undo: [ { send: undo a } ]
  - do:
      - test.call: { url: x }
    finally: [ { send: closing, undo: [ { send: open again } ] } ]
"#,
        &["cancel"],
        expect![[r#"
            0s sent a
            0s call 1
            0s aborted
            0s sent closing
            0s sent open again
            0s sent undo a
            cancelled: interrupted"#]],
    );
}

#[test]
fn a_cancel_does_not_cut_an_undo_short_runs_5() {
    check(
        r#"
steps:
  - send: a
    undo: [ { send: undo a } ]
  - send: b
    undo:
      - test.call: { url: x }
      - send: undo b
  - fail: late
"#,
        &["cancel later"],
        expect![[r#"
            0s sent a
            0s sent b
            0s call 1
            1s sent undo b
            1s sent undo a
            failed at 1s: error[F057]: late (flow.yaml:9:5 steps[2])"#]],
    );
}

#[test]
fn an_undo_that_fails_is_recorded_and_the_rest_goes_on_l_9() {
    check(
        r#"
steps:
  - send: a
    undo: [ { send: undo a } ]
  - send: b
    undo:
      - test.call: { url: x }
      - send: never
  - send: c
    undo: [ { fail: cannot } ]
  - fail: late
"#,
        &["404"],
        expect![[r#"
            0s sent a
            0s sent b
            0s sent c
            0s not taken back at steps[2].undo[0]: cannot
            0s call 1
            0s not taken back at steps[1].undo[0]: api.test answered 404
            0s sent undo a
            failed at 0s: error[F057]: late (flow.yaml:11:5 steps[3], not taken back, at flow.yaml:10 steps[2].undo[0]: cannot, not taken back, at flow.yaml:7 steps[1].undo[0].test.call: api.test answered 404)"#]],
    );
}

#[test]
fn each_undo_has_its_own_retry_and_timeout_l_9() {
    check(
        r#"
steps:
  - send: a
    undo:
      - test.call: { url: x }
        retry: { times: 2, wait: 5s, max_wait: 5s }
      - send: undo a
  - send: b
    undo:
      - test.call: { url: x }
        timeout: 3s
        on_error: [ { send: "{{error.kind}}" } ]
  - fail: late
"#,
        &["hang", "503", "503", "ok"],
        expect![[r#"
            0s sent a
            0s sent b
            0s call 1
            3s aborted
            3s sent timeout
            3s call 1
            8s call 2
            13s call 3
            13s sent undo a
            failed at 13s: error[F057]: late (flow.yaml:13:5 steps[2])"#]],
    );
}

#[test]
fn a_flow_level_handler_that_ends_well_undoes_nothing_and_one_that_fails_does_l_11() {
    check(
        r#"
steps:
  - send: a
    undo: [ { send: undo a } ]
  - fail: late
on_error: [ { send: "sorry: {{error.name}}" } ]
"#,
        &[],
        expect![[r#"
            0s sent a
            0s sent sorry: late
            done {}"#]],
    );
    check(
        r#"
steps:
  - send: a
    undo: [ { send: undo a } ]
  - fail: late
on_error:
  - send: "sorry: {{error.name}}"
  - fail:
finally: [ { send: "finally: {{error.name}}" } ]
"#,
        &[],
        expect![[r#"
            0s sent a
            0s sent sorry: late
            0s sent finally: late
            0s sent undo a
            failed at 0s: error[F057]: late (flow.yaml:5:5 steps[1])"#]],
    );
}

#[test]
fn a_block_is_undone_before_the_steps_in_it_l_9() {
    check(
        r#"
steps:
  - do:
      - send: a
        undo: [ { send: undo a } ]
      - send: b
        undo: [ { send: undo b } ]
    undo: [ { send: undo the block } ]
  - fail: late
"#,
        &[],
        expect![[r#"
            0s sent a
            0s sent b
            0s sent undo the block
            0s sent undo b
            0s sent undo a
            failed at 0s: error[F057]: late (flow.yaml:9:5 steps[1])"#]],
    );
}

#[test]
fn what_an_undo_keeps_counts_and_a_step_there_is_no_room_for_is_undone_all_the_same_l_3() {
    check(
        r#"
limits: { state: 100 }
steps:
  - set: { text: "0123456789012345678901234567890123456789" }
  - send: a
    undo: [ { send: "undo a with {{text}}" } ]
  - send: b
    undo: [ { send: "undo b with {{text}}" } ]
  - send: never
"#,
        &[],
        expect![[r#"
            0s sent a
            0s sent b
            0s sent undo b with 0123456789012345678901234567890123456789
            0s sent undo a with 0123456789012345678901234567890123456789
            failed at 0s: error[F058]: the variables of this run take more than 100 bytes (flow.yaml:7:5 steps[2])"#]],
    );
}

#[test]
fn the_same_step_in_two_turns_has_two_keys_when_it_is_undone_l_9() {
    check(
        r#"
steps:
  - for_each: "[1, 2]"
    do:
      - send: "{{item}}"
        undo:
          - test.call: { url: x }
            into: key
          - send: "{{key}}"
  - fail: late
"#,
        &["key", "key"],
        expect![[r#"
            0s sent 1
            0s sent 2
            0s call 1
            0s sent d43e3b08
            0s call 1
            0s sent 00b46c16
            failed at 0s: error[F057]: late (flow.yaml:10:5 steps[1])"#]],
    );
}
