//! Flows that call flows, as an author sees them: YAML in; messages, attempts, moments and the end out (L-13, runs 5).
#![expect(clippy::expect_used, reason = "a test that cannot be set up should say why and stop")]

#[path = "run/house.rs"]
#[expect(dead_code, reason = "every flow here has others beside it")]
mod house;

use expect_test::expect;
use house::check_calling;

/// Greets whom it is given, and gives what it said.
const GREET: &str = r#"
name: greet
inputs:
  who: { type: string }
  times: { type: integer, default: 1 }
steps:
  - set: { greeting: "Hello {{who}} x{{times}}" }
  - id: said
    send: "{{greeting}}"
outputs: { greeting: "{{greeting}}", status: "{{steps.said.status}}" }
"#;

#[test]
fn a_call_gives_inputs_and_takes_outputs_l_13() {
    check_calling(
        r#"
steps:
  - set: { name: Ada, times: 3 }
  - id: hello
    call: { flow: greet.flow.yaml, inputs: { who: "{{name}}" } }
    into: result
  - call: { flow: greet.flow.yaml, inputs: { who: Bob, times: "{{times}}" } }
  - send: "{{result.greeting}}, {{steps.hello.output.status}}, {{steps.hello.status}}"
"#,
        &[("greet.flow.yaml", GREET)],
        &[],
        expect![[r#"
            0s sent Hello Ada x1
            0s sent Hello Bob x3
            0s sent Hello Ada x1, done, done
            done {}"#]],
    );
}

#[test]
fn a_called_flow_has_its_own_variables_and_steps_l_13() {
    check_calling(
        r#"
steps:
  - set: { n: 1 }
  - id: same
    call: other.flow.yaml
  - send: "{{n}} {{steps.same.attempts}}"
"#,
        &[(
            "other.flow.yaml",
            r#"
steps:
  - id: same
    set: { n: 2 }
  - if: steps.same.status == "done" and n == 2
    then: [ { send: mine is 2 } ]
"#,
        )],
        &[],
        expect![[r#"
            0s sent mine is 2
            0s sent 1 1
            done {}"#]],
    );
}

#[test]
fn a_calls_end_ends_it_well_and_not_its_caller_even_from_a_loop_within_it_runs_5() {
    check_calling(
        r#"
steps:
  - call: ends.flow.yaml
    into: result
  - send: "on with {{result.found}}"
"#,
        &[(
            "ends.flow.yaml",
            r#"
steps:
  - for_each: { in: "[1, 2, 3]", concurrency: 3 }
    do:
      - if: item == 2
        then: [ { end: { outputs: { found: "{{item}}" } } } ]
      - wait: 1m
    finally: [ { send: closing } ]
  - send: never
outputs: { found: "none" }
"#,
        )],
        &[],
        expect![[r#"
            0s sent closing
            0s sent on with 2
            done {}"#]],
    );
}

const FAILS: &str = r#"
name: fails
steps:
  - id: paid
    send: pay
    undo: [ { send: pay back } ]
  - id: ask
    test.call: { url: x }
    retry: { times: 1, wait: 2s, max_wait: 2s }
on_error:
  - send: "inside: {{error.kind}} at {{error.step}}"
  - fail:
finally: [ { send: inside closes } ]
"#;

#[test]
fn an_error_of_a_called_flow_is_the_callers_to_handle_and_undoes_nothing_then_l_11() {
    check_calling(
        r#"
steps:
  - id: pay
    call: fails.flow.yaml
    on_error:
      - send: "outside: {{error.kind}} {{error.status}} at {{error.step}}"
  - send: "{{steps.pay.status}}"
"#,
        &[("fails.flow.yaml", FAILS)],
        &["503", "503"],
        expect![[r#"
            0s sent pay
            0s call 1
            2s call 2
            2s sent inside: http at ask
            2s sent inside closes
            2s sent outside: http 503 at ask
            2s sent failed
            done {}"#]],
    );
}

#[test]
fn an_error_nobody_handles_is_shown_in_the_called_file_and_all_is_taken_back_l_9() {
    check_calling(
        r#"
steps:
  - send: book
    undo: [ { send: cancel } ]
  - call: fails.flow.yaml
  - send: never
"#,
        &[("fails.flow.yaml", FAILS)],
        &["503", "404"],
        expect![[r#"
            0s sent book
            0s sent pay
            0s call 1
            2s call 2
            2s sent inside: http at ask
            2s sent inside closes
            2s sent pay back
            2s sent cancel
            failed at 2s: error[F050]: api.test answered 404 (fails.flow.yaml:8:16 steps[1].test.call, tried 2 times)"#]],
    );
}

#[test]
fn what_a_called_flow_did_is_taken_back_with_its_callers_in_one_order_runs_5() {
    check_calling(
        r#"
steps:
  - send: first
    undo: [ { send: undo first } ]
  - call: { flow: greet.flow.yaml, inputs: { who: Ada } }
    undo: [ { call: { flow: greet.flow.yaml, inputs: { who: nobody } } } ]
  - call: pays.flow.yaml
  - send: last
    undo: [ { send: undo last } ]
  - fail: late
"#,
        &[
            ("greet.flow.yaml", GREET),
            (
                "pays.flow.yaml",
                r#"
steps:
  - set: { sum: 5 }
  - send: "pay {{sum}}"
    undo: [ { send: "pay {{sum}} back" } ]
"#,
            ),
        ],
        &[],
        expect![[r#"
            0s sent first
            0s sent Hello Ada x1
            0s sent pay 5
            0s sent last
            0s sent undo last
            0s sent pay 5 back
            0s sent Hello nobody x1
            0s sent undo first
            failed at 0s: error[F057]: late (flow.yaml:10:5 steps[4])"#]],
    );
}

#[test]
fn what_takes_back_is_not_itself_taken_back_l_9() {
    check_calling(
        r#"
steps:
  - send: book
    undo:
      - call: refund.flow.yaml
      - fail: anyway
  - fail: late
"#,
        &[("refund.flow.yaml", "steps:\n  - send: refund\n    undo: [ { send: never } ]\n")],
        &[],
        expect![[r#"
            0s sent book
            0s sent refund
            0s not taken back at steps[0].undo[1]: anyway
            failed at 0s: error[F057]: late (flow.yaml:7:5 steps[1], not taken back, at flow.yaml:6 steps[0].undo[1]: anyway)"#]],
    );
}

const SLOW: &str = r#"
name: slow
steps:
  - wait: 1h
finally: [ { send: "closing: {{default error.kind \"no error\"}}" } ]
"#;

#[test]
fn a_time_limit_around_a_call_ends_it_through_its_finally_runs_5() {
    check_calling(
        r#"
steps:
  - call: slow.flow.yaml
    timeout: 5s
    on_error: [ { send: "{{error.kind}}: {{error.message}}" } ]
"#,
        &[("slow.flow.yaml", SLOW)],
        &[],
        expect![[r#"
            5s sent closing: no error
            5s sent timeout: the step was not done within 5s
            done {}"#]],
    );
}

#[test]
fn a_called_flows_own_time_limit_is_an_error_of_kind_timeout_runs_5() {
    check_calling(
        r#"
steps:
  - call: limited.flow.yaml
    on_error: [ { send: "{{error.kind}}: {{error.message}}" } ]
"#,
        &[("limited.flow.yaml", &format!("timeout: 3s{SLOW}"))],
        &[],
        expect![[r#"
            3s sent closing: timeout
            3s sent timeout: the called flow was not done within 3s
            done {}"#]],
    );
    check_calling(
        "steps:\n  - call: limited.flow.yaml\n",
        &[("limited.flow.yaml", &format!("timeout: 3s{SLOW}"))],
        &[],
        expect![[r#"
            3s sent closing: timeout
            failed at 3s: error[F052]: the called flow was not done within 3s (limited.flow.yaml:1:10 timeout)"#]],
    );
}

#[test]
fn a_cancel_ends_a_called_flow_through_its_finally_runs_5() {
    check_calling(
        r#"
steps:
  - call: hangs.flow.yaml
finally: [ { send: outside } ]
"#,
        &[(
            "hangs.flow.yaml",
            r#"
steps:
  - test.call: { url: x }
finally: [ { send: inside } ]
"#,
        )],
        &["cancel"],
        expect![[r#"
            0s call 1
            0s aborted
            0s sent inside
            0s sent outside
            cancelled: interrupted"#]],
    );
}

#[test]
fn items_and_branches_may_call_the_same_flow_at_once_each_with_its_own_key_runs_1() {
    check_calling(
        r#"
steps:
  - for_each: { in: "[1, 2]", concurrency: 2, collect: answer.key }
    do:
      - call: key.flow.yaml
        into: answer
    into: keys
  - call: key.flow.yaml
    into: third
  - test.call: { url: x }
    into: fourth
  - send: "{{join keys \" \"}} {{third.key}} {{fourth}}"
"#,
        &[(
            "key.flow.yaml",
            "steps:\n  - test.call: { url: x }\n    into: key\noutputs: { key: \"{{key}}\" }\n",
        )],
        &["key", "key", "key", "key"],
        expect![[r#"
            0s call 1
            0s call 1
            0s call 1
            0s call 1
            0s sent 238824cf cfe37748 6ff0d3df 6838d6a9
            done {}"#]],
    );
}

#[test]
fn a_value_that_does_not_fit_is_an_error_of_the_call_l_1() {
    check_calling(
        r#"
steps:
  - set: { who: { first: Ada } }
  - call: { flow: greet.flow.yaml, inputs: { who: "{{who}}" } }
    on_error: [ { send: "{{error.kind}}: {{error.message}}" } ]
  - set: { times: 0 }
  - call: { flow: rules.flow.yaml, inputs: { times: "{{times}}" } }
"#,
        &[
            ("greet.flow.yaml", GREET),
            (
                "rules.flow.yaml",
                "inputs: { times: { type: integer, minimum: 1 } }\nsteps:\n  - send: never\n",
            ),
        ],
        &[],
        expect![[r#"
            0s sent type: the value of `who` does not fit: this is a map, not a string
            failed at 0s: error[F056]: the value of `times` does not fit: 0 is less than the minimum of 1 (flow.yaml:7:53 steps[3].call.inputs.times)"#]],
    );
}

#[test]
fn calls_are_nested_and_steps_are_counted_over_all_of_them_l_3() {
    let next = |next: &str| format!("steps:\n  - call: {next}\n    into: out\n  - send: \"back\"\n");
    check_calling(
        &format!("limits: {{ steps: 5 }}\n{}", next("b.flow.yaml")),
        &[
            ("b.flow.yaml", &next("sub/c.flow.yaml")),
            ("sub/c.flow.yaml", &next("../d.flow.yaml")),
            ("d.flow.yaml", "steps:\n  - send: deepest\n"),
        ],
        &[],
        expect![[r#"
            0s sent deepest
            0s sent back
            failed at 0s: error[F058]: the run took more than 5 steps (b.flow.yaml:4:5 steps[1])"#]],
    );
}
