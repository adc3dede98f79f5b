//! The rules of the house, as tests over its own files.
//!
//! Each rule is a function from the [`Tree`] of files to the places that break it. The tests here run every rule
//! over the real tree; `house/planted.rs` plants a violation of each in a temporary folder and sees it found.
//! What the compiler, clippy and cargo-deny can say is left to them.

#![expect(clippy::expect_used, reason = "a test that cannot read its files fails at once")]

#[path = "house/manifests.rs"]
mod manifests;
#[path = "house/pages.rs"]
mod pages;
#[path = "house/planted.rs"]
mod planted;
#[path = "house/requirements.rs"]
mod requirements;
#[path = "house/sources.rs"]
mod sources;
#[path = "house/spelling.rs"]
mod spelling;
#[path = "tool/summary.rs"]
mod summary;
#[path = "house/table.rs"]
mod table;
#[path = "house/tree.rs"]
mod tree;

use std::time::Duration;

use expect_test::expect;
use tree::{Rule, Tree};

/// Fails with every place of the real tree that breaks the rule.
#[track_caller]
fn holds(rule: Rule) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let tree = Tree::read(root.as_ref()).expect("the source tree is readable");
    let broken = tree.broken(rule);
    assert!(broken.is_empty(), "\n{broken}");
}

#[test]
fn the_root_holds_only_what_the_design_lists() {
    holds(manifests::root);
}

#[test]
fn every_crate_has_its_row_and_every_row_its_crate() {
    holds(manifests::rows);
}

#[test]
fn arrows_between_crates_point_down() {
    holds(manifests::arrows);
}

#[test]
fn a_chosen_library_is_named_by_its_one_crate() {
    holds(manifests::libraries);
}

#[test]
fn every_crate_takes_the_lints_of_the_house() {
    holds(manifests::lints);
}

#[test]
fn every_rust_file_says_first_what_it_is_for() {
    holds(sources::module_docs);
}

#[test]
fn nothing_is_left_marked_for_later() {
    holds(sources::later_marks);
}

#[test]
fn no_test_is_ignored_or_expects_a_panic_and_no_lint_is_allowed() {
    holds(sources::attributes);
}

#[test]
fn a_long_file_gives_its_reason() {
    holds(sources::length);
}

#[test]
fn only_the_command_line_reads_the_process_and_only_the_facade_the_clock() {
    holds(sources::world);
}

#[test]
fn every_error_code_has_its_page_and_every_page_its_code() {
    holds(pages::errors);
}

#[test]
fn every_oauth_requirement_is_cited_by_a_test() {
    holds(requirements::cited);
}

#[test]
fn the_architecture_page_is_short_and_names_every_crate() {
    holds(pages::architecture);
}

#[test]
fn every_decision_is_in_the_index() {
    holds(pages::decisions);
}

#[test]
fn the_lock_file_of_the_lab_names_no_host() {
    holds(pages::lab_lock);
}

#[test]
fn prose_has_one_spelling() {
    holds(spelling::british);
}

#[test]
fn the_suite_ends_with_the_sum_of_every_test_program() {
    let mut summary = summary::Summary::default();
    summary.add("running 3 tests");
    summary
        .add("test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.01s");
    summary.add(
        "test result: FAILED. 40 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 2.10s",
    );
    expect![
        "test result: FAILED. 42 passed; 1 failed; 1 ignored; 0 measured; 4 filtered out; finished in 3.00s"
    ]
    .assert_eq(&summary.line(false, Duration::from_secs(3)));
}
