//! Loops, branches and waits, as an author sees them: YAML in; messages, attempts, moments and the end out.
//!
//! Time is a clock that jumps to the next wake-up. The step kind `test.call` answers by script: one line an attempt.
#![expect(clippy::expect_used, reason = "a test that cannot be set up should say why and stop")]

#[path = "run/house.rs"]
mod house;

use expect_test::expect;
use house::check;

#[test]
fn switch_takes_the_first_case_that_holds_and_none_does_nothing() {
    check(
        r#"
steps:
  - set: { n: 7 }
  - switch:
      - { if: n > 10, then: [ { send: large } ] }
      - { if: n > 5, then: [ { send: middling } ] }
      - { if: n > 1, then: [ { send: small } ] }
      - else: [ { send: none } ]
  - switch:
      - { if: n == 1, then: [ { send: one } ] }
  - send: after
"#,
        &[],
        expect![[r#"
            0s sent middling
            0s sent after
            done {}"#]],
    );
}

#[test]
fn for_each_goes_through_a_list_in_order_and_collects_l_13() {
    check(
        r#"
steps:
  - set: { people: [ { name: Ada, age: 36 }, { name: Bob, age: 9 }, { name: Cy, age: 50 } ] }
  - id: names
    for_each: { in: people, as: person, collect: "person.name ~ '-' ~ index" }
    do:
      - send: "{{index}} {{person.name}}"
    into: names
  - send: "{{join names \", \"}} {{steps.names.status}}"
outputs: { names: "{{names}}" }
"#,
        &[],
        expect![[r#"
            0s sent 0 Ada
            0s sent 1 Bob
            0s sent 2 Cy
            0s sent Ada-0, Bob-1, Cy-2 done
            done {"names":["Ada-0","Bob-1","Cy-2"]}"#]],
    );
}

#[test]
fn an_item_has_its_own_scope_and_nothing_else_leaves_it_l_13() {
    check(
        r#"
steps:
  - set: { total: 0 }
  - for_each: "[1, 2, 3]"
    do:
      - compute: { total: total + item }
      - send: "{{total}}"
  - send: "still {{total}}"
"#,
        &[],
        expect![[r#"
            0s sent 1
            0s sent 2
            0s sent 3
            0s sent still 0
            done {}"#]],
    );
}

#[test]
fn items_run_side_by_side_as_far_as_concurrency_lets_them_and_results_keep_their_order_l_13() {
    check(
        r#"
steps:
  - for_each: { in: "[3, 1, 2, 1]", concurrency: 2, collect: item * 10 }
    do:
      - wait: "{{item}}s"
      - send: "{{item}}"
    into: tens
  - send: "{{join tens \" \"}}"
"#,
        &[],
        expect![[r#"
            1s sent 1
            3s sent 3
            3s sent 2
            4s sent 1
            4s sent 30 10 20 10
            done {}"#]],
    );
}

#[test]
fn the_first_item_to_fail_ends_the_rest_through_their_finally_l_13() {
    check(
        r#"
steps:
  - id: loop
    for_each: { in: "[5, 1, 9]", concurrency: 3 }
    do:
      - do:
          - wait: "{{item}}s"
          - if: item == 1
            then: [ { fail: one } ]
          - send: "never for {{item}}"
        finally: [ { send: "closing {{item}}" } ]
    on_error:
      - send: "{{error.name}} at {{error.step}}"
  - send: "{{steps.loop.status}}"
"#,
        &[],
        expect![[r#"
            1s sent closing 1
            1s sent closing 5
            1s sent closing 9
            1s sent one at steps[0].do[0].do[1].then[0]
            1s sent failed
            done {}"#]],
    );
}

#[test]
fn an_item_that_handles_its_error_costs_the_others_nothing_l_13() {
    check(
        r#"
steps:
  - for_each: "[1, 2, 3]"
    do:
      - test.call: { url: x }
        on_error: [ { send: "no {{item}}" } ]
      - send: "on with {{item}}"
"#,
        &["ok a", "404", "ok c"],
        expect![[r#"
            0s call 1
            0s sent on with 1
            0s call 1
            0s sent no 2
            0s sent on with 2
            0s call 1
            0s sent on with 3
            done {}"#]],
    );
}

#[test]
fn repeat_takes_turns_in_the_surrounding_scope_until_its_condition_holds_l_13() {
    check(
        r#"
steps:
  - set: { n: 1 }
  - repeat: { max: 10, until: n > 20, every: 5s }
    do:
      - compute: { n: n * 3 }
      - send: "turn {{index}}: {{n}}"
  - send: "{{n}}"
"#,
        &[],
        expect![[r#"
            0s sent turn 0: 3
            5s sent turn 1: 9
            10s sent turn 2: 27
            10s sent 27
            done {}"#]],
    );
}

#[test]
fn a_repeat_that_never_comes_to_its_end_is_exhausted() {
    check(
        r#"
steps:
  - repeat: { max: 2, until: "false" }
    do: [ { send: "{{index}}" } ]
    on_error: [ { send: "{{error.kind}}" }, { fail: } ]
"#,
        &[],
        expect![[r#"
            0s sent 0
            0s sent 1
            0s sent exhausted
            failed at 0s: error[F060]: `until` did not hold in 2 turns (flow.yaml:3:5 steps[0])"#]],
    );
}

#[test]
fn a_repeat_without_a_condition_takes_all_its_turns_and_index_counts_the_innermost_loop() {
    check(
        r#"
steps:
  - repeat: { max: 2 }
    do:
      - repeat: { max: 2 }
        do: [ { send: "inner {{index}}" } ]
      - send: "outer {{index}}"
"#,
        &[],
        expect![[r#"
            0s sent inner 0
            0s sent inner 1
            0s sent outer 0
            0s sent inner 0
            0s sent inner 1
            0s sent outer 1
            done {}"#]],
    );
}

#[test]
fn calls_of_different_turns_and_items_have_keys_of_their_own() {
    check(
        r#"
steps:
  - for_each: "[1, 2]"
    do:
      - repeat: { max: 2 }
        do: [ { test.call: { url: x }, into: key }, { send: "{{key}}" } ]
"#,
        &["key", "key", "key", "key"],
        expect![[r#"
            0s call 1
            0s sent e72d6349
            0s call 1
            0s sent 9d82f1c3
            0s call 1
            0s sent c389f7ac
            0s call 1
            0s sent b15319cb
            done {}"#]],
    );
}

#[test]
fn branches_read_the_state_at_the_fork_and_are_merged_at_the_join_l_13() {
    check(
        r#"
steps:
  - set: { base: 10, shared: before }
  - parallel:
      slow:
        - wait: 3s
        - compute: { slow: base + 1 }
        - id: slow_step
          send: "slow sees {{shared}}"
      quick:
        - compute: { quick: base + 2 }
        - id: quick_step
          send: "quick"
  - send: "{{slow}} {{quick}} {{steps.slow_step.status}} {{steps.quick_step.status}}"
"#,
        &[],
        expect![[r#"
            0s sent quick
            3s sent slow sees before
            3s sent 11 12 done done
            done {}"#]],
    );
}

#[test]
fn the_first_branch_to_fail_ends_the_others_l_13() {
    check(
        r#"
steps:
  - parallel:
      calls:
        - test.call: { url: x }
      waits:
        - do: [ { wait: 1h } ]
          finally: [ { send: "let go, error {{default error \"none\"}}" } ]
    on_error: [ { send: "{{error.kind}} {{error.status}}" } ]
  - send: on
"#,
        &["404"],
        expect![[r#"
            0s call 1
            0s sent let go, error none
            0s sent http 404
            0s sent on
            done {}"#]],
    );
}

#[test]
fn a_branch_may_fail_alone_if_it_handles_it() {
    check(
        r#"
steps:
  - parallel:
      a: [ { test.call: { url: x }, into: a, on_error: continue } ]
      b: [ { set: { b: 2 } } ]
  - send: "{{default a \"no a\"}} {{b}}"
"#,
        &["404"],
        expect![[r#"
            0s call 1
            0s sent no a 2
            done {}"#]],
    );
}

#[test]
fn join_any_takes_the_first_to_succeed_and_its_writes_alone_l_13() {
    check(
        r#"
steps:
  - parallel:
      slow: [ { wait: 9s }, { set: { winner: slow } } ]
      fails: [ { wait: 1s }, { fail: broken } ]
      quick: [ { wait: 2s }, { set: { winner: quick } } ]
    join: any
  - send: "{{winner}}"
"#,
        &[],
        expect![[r#"
            2s sent quick
            done {}"#]],
    );
}

#[test]
fn join_any_fails_if_all_fail_l_13() {
    check(
        r#"
steps:
  - parallel:
      one: [ { wait: 2s }, { fail: one } ]
      two: [ { wait: 1s }, { fail: two } ]
    join: any
"#,
        &[],
        expect!["failed at 2s: error[F057]: one (flow.yaml:4:28 steps[0].parallel.one[1])"],
    );
}

#[test]
fn a_wait_lasts_as_long_as_it_says_and_a_past_moment_is_none_l_14() {
    check(
        r#"
steps:
  - set: { due: "1970-01-01T00:01:00Z", past: "1969-01-01T00:00:00Z", pause: 1m30s }
  - wait: 10s
  - send: ten
  - wait: { until: due, before: 20s }
  - send: forty
  - wait: { until: past }
  - send: at once
  - wait: "{{pause}}"
  - send: later
"#,
        &[],
        expect![[r#"
            10s sent ten
            40s sent forty
            40s sent at once
            130s sent later
            done {}"#]],
    );
}

#[test]
fn a_timeout_around_a_loop_ends_every_item_and_says_so_once() {
    check(
        r#"
steps:
  - id: loop
    for_each: { in: "[1, 2, 3]", concurrency: 2 }
    do:
      - do: [ { wait: 1h } ]
        finally: [ { send: "closing {{item}}" } ]
    timeout: 5s
    on_error: [ { send: "{{error.kind}}" } ]
"#,
        &[],
        expect![[r#"
            5s sent closing 1
            5s sent closing 2
            5s sent timeout
            done {}"#]],
    );
}

#[test]
fn end_in_an_item_ends_the_flow_well_through_every_finally() {
    check(
        r#"
steps:
  - for_each: { in: "[1, 2, 3]", concurrency: 3 }
    do:
      - do:
          - wait: "{{item}}s"
          - end: { outputs: { found: "{{item}}" } }
        finally: [ { send: "closing {{item}}" } ]
  - send: never
"#,
        &[],
        expect![[r#"
            1s sent closing 1
            1s sent closing 2
            1s sent closing 3
            done {"found":1}"#]],
    );
}

#[test]
fn a_cancel_ends_every_strand_once() {
    check(
        r#"
steps:
  - parallel:
      calls: [ { test.call: { url: x } } ]
      waits: [ { do: [ { wait: 1h } ], finally: [ { send: bye } ] } ]
    finally: [ { send: last } ]
"#,
        &["cancel"],
        expect![[r#"
            0s call 1
            0s sent bye
            0s aborted
            0s sent last
            cancelled: interrupted"#]],
    );
}

#[test]
fn too_many_items_are_refused_by_name_l_3() {
    check(
        r#"
steps:
  - for_each: { in: "[1, 2, 3]", max_items: 2 }
    do: [ { send: "{{item}}" } ]
"#,
        &[],
        expect![
            "failed at 0s: error[F058]: the list has 3 items, more than 2 (flow.yaml:3:21 steps[0].for_each.in)"
        ],
    );
}

#[test]
fn what_is_no_list_cannot_be_gone_through() {
    check(
        r#"
steps:
  - set: { people: Ada }
  - for_each: people
    do: [ { send: "{{item}}" } ]
"#,
        &[],
        expect![
            "failed at 0s: error[F056]: `for_each` goes through a list, and this is a text (flow.yaml:4:15 steps[1].for_each)"
        ],
    );
}

#[test]
fn every_item_counts_towards_the_steps_of_the_run_l_3() {
    check(
        r#"
limits: { steps: 6 }
steps:
  - for_each: "[1, 2, 3, 4, 5, 6, 7]"
    do: [ { log: x } ]
"#,
        &[],
        expect!["failed at 0s: error[F058]: the run took more than 6 steps (flow.yaml:5:11 steps[0].do[0])"],
    );
}

#[test]
fn a_loop_in_a_loop_and_a_parallel_in_it_keep_their_scopes() {
    check(
        r#"
steps:
  - for_each: { in: "[[1, 2], [3]]", as: row, collect: sums }
    do:
      - for_each: { in: row, as: n, collect: double + triple }
        do:
          - parallel:
              a: [ { compute: { double: n * 2 } } ]
              b: [ { compute: { triple: n * 3 } } ]
        into: sums
    into: all
  - send: "{{json all}}"
"#,
        &[],
        expect![[r#"
            0s sent [[5,10],[15]]
            done {}"#]],
    );
}
