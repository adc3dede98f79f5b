//! A run that is written down and read again, at any point: what it does from there on is what it would have done (runs.md 2, 6).

use expect_test::expect;
use flowrun_lang::{Catalog, Flow, SourceText, check};
use flowrun_machine::{Checkpoint, Command, Event, EventRecord, Happening, Plan, Run, Unrestorable, advance};
use flowrun_step::StepSet;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use crate::parts::{flow, wild};
use crate::world::World;

/// The run, after it has been a text.
fn restored(plan: &Plan, run: &Run) -> Run {
    let text = serde_json::to_string(&run.checkpoint(plan)).expect("a text");
    let checkpoint: Checkpoint = serde_json::from_str(&text).expect("the same");
    Run::restore(plan, checkpoint).expect("the plan is the same")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Both runs are told the same; one is written down and read again after every event, the other never.
    #[test]
    fn a_run_that_is_restored_after_every_event_has_the_same_future(
        parts in wild(),
        choices in prop::collection::vec(any::<usize>(), 0..60),
        cancel in prop::option::of(0_usize..40),
    ) {
        let flow = flow(&parts);
        let (plan, mut world) = (flow.plan(), World::wild());
        let (mut live, mut other) = (Run::new("run-1", plan), restored(plan, &Run::new("run-1", plan)));
        let mut event = world.start();
        for at in 0.. {
            let commands = advance(plan, &mut live, event.clone());
            prop_assert_eq!(&advance(plan, &mut other, event), &commands);
            world.obey(&commands);
            other = restored(plan, &other);
            prop_assert_eq!(other.checkpoint(plan), live.checkpoint(plan));
            if world.end.is_some() {
                break;
            }
            let (stops, asks): (Vec<_>, Vec<_>) =
                other.outstanding(plan).into_iter().partition(|command| matches!(command, Command::Abort { .. }));
            prop_assert_eq!(asks, world.unanswered());
            for stop in stops {
                let is_asked = matches!(stop, Command::Abort { op } if world.was_stopped(op));
                prop_assert!(is_asked, "{:?}", stop);
            }
            event = if cancel == Some(at) { world.cancel() } else { world.next(choices.get(at).copied()) };
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// runs.md 6: the truth is a checkpoint and the events after it, wherever the checkpoint was made; what changes nothing is
    /// not among them.
    #[test]
    fn a_checkpoint_and_the_events_after_it_give_the_run_as_it_is(
        parts in wild(),
        choices in prop::collection::vec(any::<usize>(), 0..60),
        kept in 0_usize..40,
    ) {
        let flow = flow(&parts);
        let (plan, mut world, mut live) = (flow.plan(), World::wild(), Run::new("run-1", flow.plan()));
        let (mut checkpoint, mut log, mut turns) = (live.checkpoint(plan), Vec::new(), 0);
        let mut event = world.start();
        for at in 0.. {
            match EventRecord::of(plan, &live, &event) {
                Some(record) => log.push((std::mem::take(&mut turns), record)),
                None => turns += u32::from(event.what == Happening::Resume),
            }
            world.obey(&advance(plan, &mut live, event));
            if at == kept {
                (checkpoint, turns) = (live.checkpoint(plan), 0);
                log.clear();
            }
            if world.end.is_some() {
                break;
            }
            event = world.next(choices.get(at).copied());
        }
        let log: Vec<(u32, EventRecord)> = serde_json::from_value(json!(log)).expect("the same");
        let mut again = Run::restore(plan, checkpoint).expect("the plan is the same");
        for (turns, record) in log {
            for _ in 0..turns {
                advance(plan, &mut again, Event { at: Timestamp::MIN, what: Happening::Resume });
            }
            let event = record.read(plan, &again).expect("the plan is the same");
            advance(plan, &mut again, event);
        }
        for _ in 0..turns {
            advance(plan, &mut again, Event { at: Timestamp::MIN, what: Happening::Resume });
        }
        prop_assert_eq!(again.positions(plan), live.positions(plan));
        prop_assert_eq!(again.checkpoint(plan), live.checkpoint(plan));
    }
}

pub(crate) fn flow_of(text: &str) -> Flow {
    let source = SourceText::new("flow.yaml", text.as_bytes().to_vec()).expect("UTF-8");
    let checked = check(&source, &Catalog::new(StepSet::new()));
    checked.flow.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

/// A run of this flow that has asked its question.
fn asked(flow: &Flow) -> (World, Run) {
    let (mut world, mut run) = (World::calm(), Run::new("run-1", flow.plan()));
    let mut event = world.start();
    loop {
        world.obey(&advance(flow.plan(), &mut run, event));
        if world.unanswered().iter().any(|command| matches!(command, Command::Await { .. })) {
            return (world, run);
        }
        event = world.next(None);
    }
}

const ASKS: &str = "steps:\n  - set: { who: you }\n  - id: n\n    ask: { text: \"How many, {{who}}?\", type: integer }\n    into: many\n  \
                    - send: \"{{many}} for {{who}}\"\n";

/// As a newer compiler might lay it out: other ops before the question, other variables before `who`.
const ASKS_ANEW: &str = "steps:\n  - set: { zero: 0, who: you }\n    on_error: continue\n    finally: [ { log: \"{{zero}}\" } ]\n  \
                         - id: n\n    ask: { text: \"How many, {{who}}?\", type: integer }\n    into: many\n  \
                         - send: \"{{many}} for {{who}}\"\n";

#[test]
fn a_run_that_waits_goes_on_in_a_plan_that_was_laid_out_anew() {
    let (before, after) = (flow_of(ASKS), flow_of(ASKS_ANEW));
    let (mut world, run) = asked(&before);
    let mut text = serde_json::to_value(run.checkpoint(before.plan())).expect("JSON");
    text["plan"] = json!(after.plan().hash);
    let checkpoint = serde_json::from_value(text).expect("a checkpoint");
    let mut run = Run::restore(after.plan(), checkpoint).expect("every name is there");
    let commands = advance(after.plan(), &mut run, world.next(None));
    let said = commands.iter().find_map(|command| match command {
        Command::Call { settings, .. } => crate::world::words(settings),
        _ => None,
    });
    assert_eq!(said, Some("3 for you"));
}

/// What a checkpoint looks like is what another build reads: a change here needs a new `MACHINE`, or a way to read both.
#[test]
fn a_checkpoint_names_steps_ops_and_variables_and_counts_nothing_of_the_plan() {
    let flow = flow_of(ASKS);
    let (_, run) = asked(&flow);
    let mut text = serde_json::to_value(run.checkpoint(flow.plan())).expect("JSON");
    text["plan"] = json!("the hash");
    expect![[r#"
        {
          "machine": 1,
          "plan": "the hash",
          "id": "run-1",
          "now": "1970-01-01T00:00:00Z",
          "next_op": 5,
          "next_strand": 1,
          "steps_used": 2,
          "room_used": 5,
          "is_cancelled": false,
          "is_answered": false,
          "is_over": false,
          "opening": {
            "trigger": {
              "text": "go"
            },
            "conversation": null,
            "callbacks": []
          },
          "strands": [
            {
              "id": 0,
              "flow": 0,
              "at": {
                "step": "steps[1]",
                "op": "await"
              },
              "frames": [
                {
                  "phase": "body"
                },
                {
                  "step": "steps[1]",
                  "phase": "body",
                  "call": {
                    "step": "steps[1]",
                    "op": "call"
                  },
                  "attempts": 1,
                  "asking": {
                    "since": "1970-01-01T00:00:00Z",
                    "until": "1970-01-02T00:00:00Z",
                    "misfits": 0
                  }
                }
              ],
              "variables": {
                "values": {
                  "who": {
                    "value": "you",
                    "size": 5
                  }
                }
              },
              "blocked": {
                "await": {
                  "op": 3,
                  "source": {
                    "answer": {
                      "takes_earlier": false
                    }
                  },
                  "since": "1970-01-01T00:00:00Z",
                  "timer": 4
                }
              }
            }
          ],
          "groups": [],
          "timers": [
            {
              "op": 1,
              "strand": 0,
              "at": "1970-01-31T00:00:00Z",
              "what": "age"
            },
            {
              "op": 4,
              "strand": 0,
              "at": "1970-01-02T00:00:00Z",
              "what": "answer"
            }
          ],
          "undo": {}
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&text).expect("JSON"));
}

#[test]
fn what_a_plan_does_not_have_is_said_and_never_guessed() {
    let flow = flow_of(ASKS);
    let (_, run) = asked(&flow);
    let whole = serde_json::to_value(run.checkpoint(flow.plan())).expect("JSON");
    let refused = |key: &str, value: serde_json::Value| {
        let mut text = whole.clone();
        *text.pointer_mut(key).expect("a key of the record") = value;
        let checkpoint = serde_json::from_value(text).expect("a checkpoint");
        Run::restore(flow.plan(), checkpoint).map(drop).expect_err("it is refused").to_string()
    };
    for (key, value, why) in [
        ("/machine", json!(7), "the run was walked by version 7 of the machine, and this is version 1"),
        ("/plan", json!("another"), "the run belongs to another version of the flow"),
        ("/strands/0/at/step", json!("steps[9]"), "the flow has no step `steps[9]`"),
        ("/strands/0/at/op", json!("emit"), "the flow has no `emit` number 1 at steps[1]"),
        (
            "/strands/0/at/op",
            json!("enter"),
            "the checkpoint is damaged: a strand waits where its step does not",
        ),
        ("/strands/0/frames/1/step", json!("steps[7]"), "the flow has no step `steps[7]`"),
    ] {
        assert_eq!(refused(key, value), why);
    }
    assert!(matches!(
        Run::restore(flow_of(ASKS_ANEW).plan(), run.checkpoint(flow.plan())).map(drop),
        Err(Unrestorable::Plan)
    ));
}

/// A run that is over hears nothing, before it was written down and after.
#[test]
fn a_run_that_is_over_stays_over() {
    let flow = flow_of("steps: [ { log: done } ]\n");
    let mut run = Run::new("run-1", flow.plan());
    advance(flow.plan(), &mut run, World::calm().start());
    let mut run = restored(flow.plan(), &run);
    assert_eq!(run.outstanding(flow.plan()), []);
    let event =
        Event { at: jiff::Timestamp::UNIX_EPOCH, what: Happening::Cancel { reason: "enough".to_owned() } };
    assert_eq!(advance(flow.plan(), &mut run, event), []);
}
