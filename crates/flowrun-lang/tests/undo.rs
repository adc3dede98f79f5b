//! What an `undo` may read: what has a value when its step has ended well, and nothing that comes later (L-9).

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod house;

use flowrun_lang::{SourceText, check};

/// What is said of a flow: each message, with whether it stops the flow.
fn said_of(flow: &str) -> Vec<(bool, String)> {
    let source = SourceText::new("flow.yaml", flow.as_bytes().to_vec()).unwrap();
    let said = check(&source, &house::catalog()).diagnostics;
    said.into_iter().map(|problem| (problem.is_error(), problem.message)).collect()
}

#[test]
fn an_undo_reads_what_its_step_gave_though_a_handler_leaves_it_unset_later_l_9() {
    let flow = r#"
steps:
  - id: booked
    fetch_variables:
      url: https://api.example.com/book
      variables: { room: data.room }
    on_error: continue
    undo:
      - send: "cancel {{room}}, {{steps.booked.attempts}}"
  - send: "{{default room \"none\"}}"
"#;
    assert_eq!(said_of(flow), []);
}

#[test]
fn an_undo_does_not_read_what_a_finally_or_a_later_step_sets_l_9() {
    let flow = r#"
steps:
  - send: a
    finally: [ { set: { closed: 1 } } ]
    undo: [ { send: "{{closed}}" } ]
  - set: { later: 2 }
"#;
    assert_eq!(said_of(flow), [(true, "`closed` has no value yet here".to_owned())]);
}

#[test]
fn what_an_undo_sets_is_its_own_l_9() {
    let flow = r#"
steps:
  - send: a
    undo:
      - set: { mine: 1 }
      - send: "{{mine}}"
  - send: "{{mine}}"
outputs: { mine: "{{mine}}" }
"#;
    let unset = (true, "`mine` has no value yet here".to_owned());
    let never = (false, "`mine` never has a value here, so this output is never given".to_owned());
    assert_eq!(said_of(flow), [unset, never]);
}

#[test]
fn an_undo_in_a_loop_reads_its_item_and_index_l_9() {
    let flow = r#"
steps:
  - for_each: "[1, 2]"
    do:
      - send: "{{item}}"
        undo: [ { send: "{{index}}: {{item}}" } ]
  - repeat: { max: 2 }
    do:
      - send: "{{index}}"
        undo: [ { send: "{{index}}" } ]
"#;
    assert_eq!(said_of(flow), []);
}
