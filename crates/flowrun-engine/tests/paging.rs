//! Calls that are answered in pages, gathered or streamed into the one loop that reads them.
//!
//! `test.call` answers each page by script: `ok 1,2 > b` is a page of two items that leads to `b`.
#![expect(clippy::expect_used, reason = "a test that cannot be set up should say why and stop")]

#[path = "run/house.rs"]
mod house;

use expect_test::expect;
use house::{check, check_answered, check_calling};

/// A step that pages, and what follows it.
fn listing(pages: &str, rest: &str) -> String {
    format!(
        "steps:\n  - id: list\n    test.call: {{ url: x, pages: {{ {pages} }} }}\n    retry: {{ times: 1, wait: 1s, max_wait: 1s }}\n{rest}"
    )
}

#[test]
fn pages_are_gathered_into_items_and_their_number_each_with_a_key_of_its_own() {
    check(
        &listing("", "    into: all\n  - send: \"{{json all.items}} in {{all.pages}}\"\n"),
        &["ok 1,2 > b", "ok 3 > c", "ok 4"],
        expect![[r#"
            0s call 1
            0s page after null [f7]
            0s call 1
            0s page after "b" [d6]
            0s call 1
            0s page after "c" [12]
            0s sent [1,2,3,4] in 3
            done {}"#]],
    );
}

#[test]
fn an_empty_page_the_same_page_again_and_until_end_it() {
    for (pages, script, all) in [
        ("", &["ok 1 > b", "ok  > c"][..], "[1] in 2"),
        ("", &["ok 1,2 > b", "ok 1,2 > c"], "[1,2] in 2"),
        ("until: item.size < 2", &["ok 1,2 > b", "ok 3 > c"], "[1,2,3] in 2"),
    ] {
        let flow = listing(pages, "    into: all\n  - send: \"{{json all.items}} in {{all.pages}}\"\n");
        ends_with(&flow, script, &format!("sent {all}\ndone {{}}"));
    }
}

#[track_caller]
fn ends_with(flow: &str, script: &[&str], expected: &str) {
    let seen = house::seen(flow, &[], script, &[]);
    assert!(seen.ends_with(expected), "{seen}");
}

#[test]
fn each_page_has_its_own_attempts_and_more_pages_than_allowed_are_an_error_l_10() {
    check(
        &listing("max_pages: 2", "    into: all\n  - send: \"{{all.pages}}\"\n"),
        &["503", "ok 1 > b", "503", "ok 2 > c"],
        expect![[r#"
            0s call 1
            0s page after null [f7]
            1s call 2
            1s page after null [f7]
            1s call 1
            1s page after "b" [d6]
            2s call 2
            2s page after "b" [d6]
            failed at 2s: error[F060]: there are more than 2 pages (flow.yaml:2:5 steps[0])"#]],
    );
}

#[test]
fn where_one_loop_reads_the_items_a_page_comes_when_it_is_needed() {
    let rest = "  - for_each: { in: steps.list.output.items, concurrency: 2, collect: item * 10 }\n    do: [ { wait: 1s }, { send: \
                \"{{item}}\" } ]\n    into: tens\n  - send: \"{{json tens}}\"\n";
    check(
        &listing("", rest),
        &["ok 1,2,3,4 > b", "ok 5,6 > c", "ok 7"],
        expect![[r#"
        0s call 1
        0s page after null [f7]
        1s sent 1
        1s sent 2
        1s call 1
        1s page after "b" [d6]
        2s sent 3
        2s sent 4
        2s call 1
        2s page after "c" [12]
        3s sent 5
        3s sent 6
        4s sent 7
        4s sent [10,20,30,40,50,60,70]
        done {}"#]],
    );
}

#[test]
fn a_page_that_fails_later_fails_the_loop_and_names_the_step_that_lists() {
    let rest = "  - for_each: steps.list.output.items\n    do: [ { send: \"{{item}}\" } ]\n    on_error: [ { send: \
                \"{{error.step}} {{error.status}} {{error.attempts}}\" } ]\n";
    check(
        &listing("", rest),
        &["ok 1,2 > b", "503", "503"],
        expect![[r#"
        0s call 1
        0s page after null [f7]
        0s sent 1
        0s call 1
        0s sent 2
        0s page after "b" [d6]
        1s call 2
        1s page after "b" [d6]
        1s sent list 503 2
        done {}"#]],
    );
}

#[test]
fn whoever_else_reads_the_items_has_them_gathered() {
    let rest = "  - for_each: steps.list.output.items\n    do: [ { send: \"{{item}}\" } ]\n  - send: \
                \"{{steps.list.output.pages}}\"\n";
    check(
        &listing("", rest),
        &["ok 1 > b", "ok 2"],
        expect![[r#"
        0s call 1
        0s page after null [f7]
        0s call 1
        0s page after "b" [d6]
        0s sent 1
        0s sent 2
        0s sent 2
        done {}"#]],
    );
}

#[test]
fn a_loop_around_the_reader_alone_sees_all_items_in_each_turn() {
    let rest = "  - repeat: { max: 2 }\n    do:\n      - for_each: steps.list.output.items\n        do: [ { send: \"{{item}}\" } ]\n";
    check(
        &listing("", rest),
        &["ok 1 > b", "ok 2"],
        expect![[r#"
        0s call 1
        0s page after null [f7]
        0s call 1
        0s page after "b" [d6]
        0s sent 1
        0s sent 2
        0s sent 1
        0s sent 2
        done {}"#]],
    );
}

#[test]
fn a_cancel_in_the_midst_of_a_page_ends_the_loop() {
    let rest = "  - for_each: steps.list.output.items\n    do: [ { send: \"{{item}}\" } ]\n    finally: [ { send: bye } ]\n";
    check_answered(
        &listing("", rest),
        &[],
        &["ok 1 > b", "cancel"],
        &[],
        expect![[r#"
        0s call 1
        0s page after null [f7]
        0s call 1
        0s sent 1
        0s page after "b" [d6]
        0s aborted
        0s sent bye
        cancelled: interrupted"#]],
    );
}

#[test]
fn more_items_than_the_loop_allows_are_an_error_when_they_come_l_3() {
    let rest =
        "  - for_each: { in: steps.list.output.items, max_items: 2 }\n    do: [ { send: \"{{item}}\" } ]\n";
    check_calling(
        &listing("", rest),
        &[],
        &["ok 1,2 > b", "ok 3"],
        expect![[r#"
        0s call 1
        0s page after null [f7]
        0s sent 1
        0s call 1
        0s sent 2
        0s page after "b" [d6]
        failed at 0s: error[F058]: the list has more than 2 items (flow.yaml:5:21 steps[1].for_each.in)"#]],
    );
}
