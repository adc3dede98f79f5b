//! What a flow has with the world outside while it runs: questions, events, calls of its own URLs, answers.
//!
//! Messages, events and calls come in at their second, through the mail that a host would use.
#![expect(clippy::expect_used, reason = "a test that cannot be set up should say why and stop")]

#[path = "run/house.rs"]
mod house;

use expect_test::{Expect, expect};
use flowrun_engine::{Incoming, Start, Told};
use flowrun_step::RunId;
use house::{Beside, World, check as runs, check_answered, check_calling, end, engine, flow, runtime};
use serde_json::json;

fn says(second: u64, text: &str) -> (u64, Incoming) {
    (second, Incoming::text(text))
}

fn event(second: u64, name: &str, key: Option<&str>, data: serde_json::Value) -> (u64, Incoming) {
    let (event, key) = (name.to_owned(), key.map(str::to_owned));
    (second, Incoming::Event(Told { id: format!("{event}-{second}"), event, key, data }))
}

fn calls(second: u64, callback: &str, body: &str) -> (u64, Incoming) {
    (second, Incoming::Call { callback: callback.to_owned(), payload: json!({ "body": body }) })
}

fn check(flow: &str, comes: &[(u64, Incoming)], expected: Expect) {
    check_answered(flow, &[], &[], comes, expected);
}

#[test]
fn a_question_is_sent_and_its_answer_is_the_output_as_the_type_says() {
    check(
        "steps:\n  - id: n\n    ask: { text: \"How many?\", type: integer }\n    into: many\n  \
         - send: \"{{many}}, {{steps.n.output}}\"\noutputs: { many: \"{{many}}\" }\n",
        &[says(5, " 3 ")],
        expect![[r#"
            0s sent How many?
            5s sent 3, 3
            done {"many":3}"#]],
    );
}

#[test]
fn what_does_not_fit_is_asked_again_with_other_words_and_in_the_end_is_an_error() {
    let flow = "steps:\n  - ask: { text: \"Which?\", choices: [Red, green], invalid: \"Red or green?\", attempts: 2 }\n    \
                into: colour\n  - send: \"{{colour}}\"\n";
    check(
        flow,
        &[says(1, "blue"), says(2, "RED")],
        expect![[r#"
            0s sent Which? [Red] [green]
            1s sent Red or green? [Red] [green]
            2s sent Red
            done {}"#]],
    );
    check(
        flow,
        &[says(1, "blue"), says(2, "grey"), says(3, "red")],
        expect![[r#"
            0s sent Which? [Red] [green]
            1s sent Red or green? [Red] [green]
            failed at 2s: error[F065]: no answer fits after 2 of 2: it is none of: Red, green (flow.yaml:2:5 steps[0], tried 2 times)"#]],
    );
}

#[test]
fn nobody_answers_in_time_and_every_answer_counts_towards_the_same_time_l_11() {
    check(
        "steps:\n  - ask: { text: \"When?\", type: timestamp, timeout: 1m }\n    on_error: \n      - send: \"{{error.kind}}\"\n",
        &[says(50, "tomorrow")],
        expect![[r#"
            0s sent When?
            50s sent When?
            60s sent no_reply
            done {}"#]],
    );
}

#[test]
fn a_step_that_times_out_no_longer_waits_and_its_answer_goes_to_the_next_question() {
    check(
        "steps:\n  - ask: One?\n    timeout: 10s\n    on_error: continue\n  - ask: Two?\n    into: two\n  \
         - send: \"{{two}}\"\n",
        &[says(15, "yes")],
        expect![[r#"
            0s sent One?
            10s sent Two?
            15s sent yes
            done {}"#]],
    );
}

/// runs.md 10: `after` is the rule, `any` takes what was said before too.
#[test]
fn what_was_said_before_a_question_answers_it_only_where_that_is_allowed() {
    for (accept, answered) in [("after", "20s sent late"), ("any", "10s sent early")] {
        let flow = format!(
            "steps:\n  - wait: 10s\n  - ask: {{ text: \"What?\", accept: {accept} }}\n    into: it\n  - send: \"{{{{it}}}}\"\n"
        );
        let expected = format!("10s sent What?\n{answered}\ndone {{}}");
        let comes = [says(5, "early"), says(20, "late")];
        // The expectation is made here, so it cannot be written in place.
        check_with(&flow, &comes, &expected);
    }
}

fn check_with(flow: &str, comes: &[(u64, Incoming)], expected: &str) {
    let expected: &'static str = Box::leak(expected.to_owned().into_boxed_str());
    let position = expect_test::Position { file: file!(), line: line!(), column: column!() };
    check(flow, comes, Expect { position, data: expected, indent: false });
}

#[test]
fn an_input_that_nobody_gave_is_asked_for_before_step_one_and_one_in_the_trigger_is_not_l_1() {
    check(
        "trigger: { event: { name: made } }\ninputs:\n  id: { type: string, from: data.id }\n  size: { type: string, \
         enum: [small, large], ask: \"How large is {{id}}?\" }\nsteps:\n  - send: \"{{id}} {{size}} {{trigger.data.id}}\"\n",
        &[says(1, "huge"), says(2, "large")],
        expect![[r#"
            0s sent How large is 7? [small] [large]
            1s sent How large is 7? [small] [large]
            2s sent 7 large 7
            done {}"#]],
    );
}

#[test]
fn an_event_is_taken_by_name_key_and_filter_and_one_from_before_the_wait_counts() {
    check(
        "steps:\n  - set: { order: \"7\" }\n  - wait: 10s\n  - id: paid\n    wait: { event: paid, key: \"{{order}}\", where: \
         item.amount > 10 }\n    into: payment\n  - send: \"{{payment.amount}} {{steps.paid.output.by}}\"\n",
        &[
            event(1, "paid", Some("8"), json!({ "amount": 99, "by": "another" })),
            event(2, "paid", Some("7"), json!({ "amount": 1, "by": "a part" })),
            event(3, "refunded", Some("7"), json!({ "amount": 50 })),
            event(30, "paid", Some("7"), json!({ "amount": 12, "by": "card" })),
        ],
        expect![[r#"
            30s sent 12 card
            done {}"#]],
    );
}

#[test]
fn a_filter_that_cannot_be_answered_fails_its_step() {
    check(
        "steps:\n  - wait: { event: paid, where: item.amount > 10 }\n",
        &[event(1, "paid", None, json!({}))],
        expect![
            "failed at 1s: error[F055]: `item.amount` is undefined: there is no `amount` in an empty map (flow.yaml:2:33 steps[0].wait.where)"
        ],
    );
}

#[test]
fn what_one_branch_tells_another_hears() {
    runs(
        "steps:\n  - parallel:\n      one: [ { wait: { event: ready, key: a } }, { send: heard } ]\n      other: [ { wait: 1s }, \
         { emit: { event: ready, key: a, data: { n: 1 } } } ]\n",
        &[],
        expect![[r#"
            1s told ready a {"n":1}
            1s sent heard
            done {}"#]],
    );
}

/// Runs flows side by side in one house, and says how each ended within an hour.
fn ends(flows: &[&str]) -> Vec<String> {
    runtime().block_on(async {
        let world = World::new(&[]);
        let engine = engine(&world);
        let mut runs = tokio::task::JoinSet::new();
        for (at, text) in flows.iter().enumerate() {
            let (engine, world, flow) = (engine.clone(), world.clone(), flow(&engine, text, &Beside(&[])));
            let start = Start::new(RunId::new(&format!("run-{at}")).expect("an id"), Vec::new());
            runs.spawn(async move {
                let hour = std::time::Duration::from_secs(3_600);
                let outcome =
                    tokio::time::timeout(hour, engine.run(&flow, start, world.cancel.clone())).await;
                (at, outcome.map_or_else(|_| "waits still".to_owned(), |outcome| end(&world, outcome)))
            });
        }
        let mut ends = runs.join_all().await;
        ends.sort_unstable();
        ends.into_iter().map(|(_, end)| end).collect()
    })
}

/// However many events come between, and however few pauses whoever tells them makes.
#[test]
fn a_run_that_waits_hears_its_event_among_thousands_of_another_run() {
    let waits = "steps:\n  - wait: { event: paid }\n    into: paid\noutputs: { by: \"{{paid.by}}\" }\n";
    let tells = "limits: { steps: 100000 }\nsteps:\n  - emit: { event: paid, data: { by: card } }\n  - repeat: { max: 20000 }\n    \
                 do: [ { emit: { event: tick } } ]\n";
    assert_eq!(ends(&[waits, tells]), ["done {\"by\":\"card\"}", "done {}"]);
}

#[test]
fn a_call_of_the_steps_own_url_is_kept_until_it_waits_and_a_second_is_nobodys() {
    check(
        "steps:\n  - send: \"{{callbacks.ok}}\"\n  - wait: 10s\n  - id: ok\n    wait: { webhook: }\n  - send: \"{{steps.ok.output.body}}\"\n",
        &[calls(1, "ok", "first"), calls(2, "ok", "second")],
        expect![[r#"
            0s sent urn:flowrun:callback:ok
            10s sent first
            done {}"#]],
    );
}

#[test]
fn the_caller_is_answered_once_and_the_flow_goes_on() {
    runs(
        "steps:\n  - respond: { status: 202, headers: { X-Id: \"{{run.id}}\" }, json: { ok: true } }\n  - wait: 5s\n  \
         - send: done\n  - respond: { text: again }\n",
        &[],
        expect![[r#"
            0s answered 202 [("X-Id", "run-1")] Json(Object {"ok": Bool(true)})
            5s sent done
            failed at 5s: error[F057]: the caller has been answered before (flow.yaml:5:5 steps[3])"#]],
    );
}

#[test]
fn a_called_flow_asks_in_the_conversation_of_its_caller() {
    let inner = "inputs: { name: { type: string, ask: \"Your name?\" } }\nsteps:\n  - ask: And your town?\n    into: town\n\
                 outputs: { who: \"{{name}} of {{town}}\" }\n";
    let flow = "steps:\n  - id: who\n    call: inner.yaml\n  - send: \"{{steps.who.output.who}}\"\n";
    check_answered(
        flow,
        &[("inner.yaml", inner)],
        &[],
        &[says(1, "Ann"), says(2, "Ghent")],
        expect![[r#"
            0s sent Your name?
            1s sent And your town?
            2s sent Ann of Ghent
            done {}"#]],
    );
    check_calling(
        flow,
        &[("inner.yaml", "steps: []\noutputs: { who: nobody }\n")],
        &[],
        expect![[r#"
        0s sent nobody
        done {}"#]],
    );
}

#[test]
fn a_cancel_ends_a_wait_and_runs_each_finally() {
    check_answered(
        "steps:\n  - parallel:\n      one: [ { ask: \"Yes?\" } ]\n      other: [ { test.call: { url: x } } ]\n    finally: [ { send: bye } ]\n",
        &[],
        &["cancel"],
        &[],
        expect![[r#"
            0s call 1
            0s sent Yes?
            0s aborted
            0s sent bye
            cancelled: interrupted"#]],
    );
}

/// L-3: however it waits; a handler does not take it, `finally` sees it, what was done is taken back.
#[test]
fn a_run_ends_at_its_age_l_3() {
    runs(
        "limits: { age: 10s }\nsteps:\n  - test.call: { url: x }\n    undo: [ { send: undone } ]\n  - wait: { event: never }\n    \
         on_error: [ { send: not here } ]\n    finally: [ { send: \"{{error.kind}}\" } ]\n",
        &["ok"],
        expect![[r#"
            0s call 1
            10s sent limit
            10s sent undone
            failed at 10s: error[F058]: the run took longer than 10s (flow.yaml:5:5 steps[1])"#]],
    );
}
