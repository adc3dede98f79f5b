//! What a run does, as an author sees it: YAML in; messages, attempts, moments and the end out.
//!
//! Time is a clock that jumps to the next wake-up, so deadlines and waits take no time to test. The
//! step kind `test.call` answers by script: one line an attempt.
#![expect(clippy::expect_used, reason = "a test that cannot be set up should say why and stop")]

#[path = "run/house.rs"]
mod house;

use expect_test::expect;
use house::check;

#[test]
fn variables_keep_their_types_and_outputs_say_what_was_set_l_4_l_14() {
    check(
        r#"
steps:
  - set: { count: 3, tags: [a, b], text: "n={{count}}" }
  - compute: { double: count * 2 }
  - set: { same: "{{double}}" }
outputs: { same: "{{same}}", text: "{{text}}", tags: "{{tags}}" }
"#,
        &[],
        expect![[r#"done {"same":6,"text":"n=3","tags":["a","b"]}"#]],
    );
}

#[test]
fn if_takes_one_branch_and_a_guard_skips_one_step_l_8() {
    check(
        r#"
steps:
  - set: { n: 2 }
  - if: n > 1
    then: [ { send: big } ]
    else: [ { send: small } ]
  - id: never
    if: n > 5
    send: huge
  - send: "{{steps.never.status}}"
"#,
        &[],
        expect![[r#"
            0s sent big
            0s sent skipped
            done {}"#]],
    );
}

#[test]
fn end_leaves_what_it_stands_in_done_and_what_failed_before_failed_l_12() {
    check(
        r#"
steps:
  - id: block
    if: true
    then:
      - id: broken
        fail: no
        on_error:
          - end:
finally:
  - send: "{{steps.block.status}}, {{steps.broken.status}}"
"#,
        &[],
        expect![[r#"
            0s sent done, failed
            done {}"#]],
    );
}

#[test]
fn a_call_is_tried_again_with_growing_waits_and_one_key_l_10() {
    check(
        "
steps:
  - id: call
    test.call: { url: x }
    retry: { times: 3, wait: 2s, max_wait: 2s }
    into: body
  - send: \"{{body}} after {{steps.call.attempts}}\"
",
        &["503", "connect", "ok fine"],
        expect![[r#"
            0s call 1
            2s call 2
            4s call 3
            4s sent fine after 3
            done {}"#]],
    );
}

#[test]
fn a_service_that_says_when_to_come_back_is_obeyed_l_10() {
    check(
        "steps: [ { test.call: { url: x }, retry: { times: 1, wait: 1s, max_wait: 1s } } ]",
        &["429 retry_after=90", "ok x"],
        expect![[r#"
            0s call 1
            90s call 2
            done {}"#]],
    );
}

#[test]
fn a_wait_that_would_pass_the_steps_deadline_is_not_begun_l_10() {
    check(
        "steps: [ { test.call: { url: x }, timeout: 30s, retry: { times: 5, wait: 20s, max_wait: 20s } } ]",
        &["503", "503", "ok x"],
        expect![[r#"
            0s call 1
            20s call 2
            failed at 20s: error[F050]: api.test answered 503 (flow.yaml:1:23 steps[0].test.call, tried 2 times)"#]],
    );
}

#[test]
fn what_is_not_retryable_is_not_retried_l_10() {
    check(
        "steps: [ { test.call: { url: x }, retry: 3 } ]",
        &["404"],
        expect![[r#"
            0s call 1
            failed at 0s: error[F050]: api.test answered 404 (flow.yaml:1:23 steps[0].test.call)"#]],
    );
}

#[test]
fn a_handler_sees_the_error_and_the_flow_goes_on_after_the_step_l_11() {
    check(
        r#"
steps:
  - id: call
    test.call: { url: x }
    on_error:
      - send: "{{error.kind}} {{error.status}} {{error.step}} {{error.attempts}}"
  - send: "still {{steps.call.status}}"
"#,
        &["404"],
        expect![[r#"
            0s call 1
            0s sent http 404 call 1
            0s sent still failed
            done {}"#]],
    );
}

#[test]
fn what_goes_well_passes_every_handler_by_l_11() {
    check(
        "
steps:
  - test.call: { url: x }
    into: body
    on_error: [ { send: never } ]
  - send: \"{{body}}\"
on_error: [ { send: never } ]
",
        &["ok fine"],
        expect![[r#"
            0s call 1
            0s sent fine
            done {}"#]],
    );
}

#[test]
fn a_handler_around_a_block_gives_defaults_too_and_sees_the_step_as_failed_l_11_l_12() {
    check(
        r#"
steps:
  - do:
      - id: call
        test.call: { url: x, variables: { name: { path: name, default: nobody } } }
        finally: [ { send: "{{steps.call.status}} {{steps.call.attempts}}" } ]
    on_error: [ { send: "{{name}} {{steps.call.status}}" } ]
"#,
        &["500"],
        expect![[r#"
            0s call 1
            0s sent failed 1
            0s sent nobody failed
            done {}"#]],
    );
}

#[test]
fn a_cancel_during_a_finally_waits_for_its_end() {
    check(
        r#"
steps:
  - do: [ { send: body } ]
    finally: [ { test.call: { url: x } }, { send: through } ]
  - send: never
"#,
        &["cancel then ok"],
        expect![[r#"
            0s sent body
            0s call 1
            1s sent through
            cancelled: interrupted"#]],
    );
}

#[test]
fn continue_gives_failed_picks_their_defaults_l_11() {
    check(
        r#"
steps:
  - test.call: { url: x, variables: { name: { path: name, default: nobody } } }
    on_error: continue
  - send: "{{name}}"
"#,
        &["500"],
        expect![[r#"
            0s call 1
            0s sent nobody
            done {}"#]],
    );
}

#[test]
fn a_bare_fail_raises_the_handled_error_again_and_finally_runs_l_11() {
    check(
        r#"
steps:
  - do:
      - test.call: { url: x }
        on_error: [ { send: first }, { fail: } ]
        finally: [ { send: "inner {{error.kind}}" } ]
    on_error:
      - send: "outer {{error.status}}"
    finally:
      - send: "at last {{default error \"no error\"}}"
"#,
        &["404"],
        expect![[r#"
            0s call 1
            0s sent first
            0s sent inner http
            0s sent outer 404
            0s sent at last no error
            done {}"#]],
    );
}

#[test]
fn end_leaves_through_every_finally_and_gives_its_own_outputs_l_14() {
    check(
        r#"
steps:
  - do:
      - end: { outputs: { why: early } }
      - send: never
    finally: [ { send: bye } ]
  - send: never
finally: [ { send: last } ]
outputs: { why: late }
"#,
        &[],
        expect![[r#"
            0s sent bye
            0s sent last
            done {"why":"early"}"#]],
    );
}

#[test]
fn a_steps_timeout_aborts_its_call_and_is_an_error_there_l_9() {
    check(
        r#"
steps:
  - id: slow
    test.call: { url: x }
    timeout: 5s
    on_error: [ { send: "{{error.kind}} {{error.effect}}" } ]
"#,
        &["hang"],
        expect![[r#"
            0s call 1
            5s aborted
            5s sent timeout unknown
            done {}"#]],
    );
}

#[test]
fn the_runs_own_deadline_is_seen_by_finally_but_not_by_handlers() {
    check(
        r#"
timeout: 10s
steps:
  - test.call: { url: x }
    on_error: [ { send: never } ]
    finally: [ { send: "inner {{error.kind}}" } ]
on_error: [ { send: never } ]
finally: [ { send: outer } ]
"#,
        &["hang"],
        expect![[r#"
            0s call 1
            10s aborted
            10s sent inner timeout
            10s sent outer
            timed out at 10s: error[F052]: the run was not done within 10s (flow.yaml:2:10 timeout)"#]],
    );
}

#[test]
fn a_cancel_runs_each_finally_once_and_aborts_what_is_called() {
    check(
        r#"
steps:
  - do:
      - test.call: { url: x }
        finally: [ { send: inner } ]
    on_error: [ { send: never } ]
    finally: [ { send: outer } ]
  - send: never
"#,
        &["cancel"],
        expect![[r#"
            0s call 1
            0s aborted
            0s sent inner
            0s sent outer
            cancelled: interrupted"#]],
    );
}

#[test]
fn a_finally_is_shielded_from_the_deadline_around_it() {
    check(
        r#"
steps:
  - do:
      - do: [ { send: body } ]
        finally:
          - test.call: { url: x }
            retry: { times: 1, wait: 20s, max_wait: 20s }
          - send: through
    timeout: 5s
    on_error: [ { send: "then {{error.kind}}" } ]
"#,
        &["503", "ok x"],
        expect![[r#"
            0s sent body
            0s call 1
            20s call 2
            20s sent through
            20s sent then timeout
            done {}"#]],
    );
}

#[test]
fn a_finally_has_thirty_seconds() {
    check(
        "
steps:
  - do: [ { send: body } ]
    finally: [ { test.call: { url: x } } ]
",
        &["hang"],
        expect![[r#"
            0s sent body
            0s call 1
            30s aborted
            failed at 30s: error[F052]: `finally` was not done within 30s (flow.yaml:4:16 steps[0].finally[0])"#]],
    );
}

#[test]
fn an_unset_variable_stops_the_step_at_its_column_l_4() {
    check(
        r#"
steps:
  - if: 1 > 2
    then: [ { set: { name: x } } ]
  - send: "Dear {{name}},"
"#,
        &[],
        expect!["failed at 0s: error[F055]: `name` has no value (flow.yaml:5:19 steps[1].send/text)"],
    );
}

#[test]
fn a_step_that_panics_fails_alone_and_its_words_are_not_kept() {
    check(
        r#"
steps:
  - test.call: { url: x }
    on_error: [ { send: "{{error.kind}}: {{error.message}}" } ]
"#,
        &["panic"],
        expect![[r#"
            0s call 1
            0s sent failed: the step panicked: this is a fault in the step, not in the flow
            done {}"#]],
    );
}

#[test]
fn too_many_steps_end_the_run_past_its_handlers_l_3() {
    check(
        "
limits: { steps: 3 }
steps: [ { send: a }, { send: b }, { send: c }, { send: d, on_error: continue } ]
finally: [ { log: seen } ]
",
        &[],
        expect![[r#"
            0s sent a
            0s sent b
            0s sent c
            failed at 0s: error[F058]: the run took more than 3 steps (flow.yaml:3:49 steps[3])"#]],
    );
}

#[test]
fn a_secret_reaches_the_step_and_nothing_else_n_2() {
    check(
        r#"
secrets: [KEY]
steps:
  - test.call: { url: x, header: "Bearer {{secrets.KEY}}" }
    into: echoed
  - send: "{{echoed}}"
"#,
        &["echo"],
        expect![[r#"
            0s call 1
            0s sent seen Bearer [redacted]
            done {}"#]],
    );
}

#[test]
fn a_handler_of_the_flow_that_ends_well_makes_the_run_done_with_its_outputs_l_11() {
    for handler in ["continue", "[ { set: { sorry: true } } ]"] {
        let flow = format!(
            "steps:\n  - set: {{ done: 1 }}\n  - fail: late\n  - set: {{ never: 2 }}\non_error: {handler}\noutputs: {{ done: \"{{{{done}}}}\", never: \"{{{{never}}}}\" }}\n"
        );
        check(&flow, &[], expect![[r#"done {"done":1}"#]]);
    }
}

#[test]
fn the_runs_time_goes_on_in_the_handler_of_the_flow_l_11() {
    check(
        r#"
timeout: 5s
steps:
  - fail: early
on_error:
  - wait: 1m
  - send: never
finally: [ { send: "{{error.kind}}" } ]
"#,
        &[],
        expect![[r#"
            5s sent timeout
            timed out at 5s: error[F052]: the run was not done within 5s (flow.yaml:2:10 timeout)"#]],
    );
}

#[test]
fn a_variable_without_room_ends_the_run_past_its_handlers_l_3() {
    for (limits, what) in [("variable: 20", "one"), ("state: 20", "all")] {
        let flow = format!(
            r#"
limits: {{ {limits} }}
steps:
  - set: {{ {what}: "{}" }}
    on_error: continue
on_error: [ {{ send: never }} ]
finally: [ {{ send: "{{{{error.kind}}}}" }} ]
"#,
            "x".repeat(30)
        );
        let seen = match what {
            "one" => expect![[r#"
                0s sent limit
                failed at 0s: error[F058]: variable `one` is larger than 20 bytes (flow.yaml:4:5 steps[0])"#]],
            _ => expect![[r#"
                0s sent limit
                failed at 0s: error[F058]: the variables of this run take more than 20 bytes (flow.yaml:4:5 steps[0])"#]],
        };
        check(&flow, &[], seen);
    }
}
