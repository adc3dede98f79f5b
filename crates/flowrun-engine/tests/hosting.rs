//! Runs that an engine hosts: conversations, events, calls, moments; nothing of it is lost and nothing is driven that waits.

#![expect(clippy::expect_used, reason = "a test that cannot be set up should say why and stop")]

#[path = "durable/disk.rs"]
mod disk;
#[path = "durable/edges.rs"]
mod edges;
#[path = "hosting/house.rs"]
mod house;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use disk::{Death, Disk};
use edges::paused;
use flowrun_engine::host::{Called, Filter, NotStarted, Request};
use flowrun_engine::journal::Standing;
use flowrun_engine::{Host, Receipt, Refused, Told};
use flowrun_machine::InDoubt;
use flowrun_step::Tenant;
use serde_json::json;

use house::{House, World, engine, id, message, peer, publish, run_of, settle};

const ORDER: &str = "name: order\ntrigger: { message: { keywords: [order] } }\nsteps:\n  - id: which\n    ask: Which order?\n  \
                     - send: \"You said {{steps.which.output}}.\"\noutputs: { which: \"{{steps.which.output}}\" }\n";
const STOP: &str = "name: stop\ntrigger: { message: { keywords: [stop], interrupt: true } }\nsteps: [ { send: Stopped. } ]\n";
const BUSY: &str = "name: busy\ntrigger: { message: { keywords: [busy] } }\nsteps:\n  - test.slow: { seconds: 60 }\n  \
                    - send: Done.\n";

/// R6, R7: a message starts who listens, resumes who waits, and is taken once.
#[tokio::test(start_paused = true)]
async fn a_message_starts_the_flow_that_listens_and_the_next_one_is_its_answer() {
    let house = House::new(&[ORDER]).await;
    let run = run_of(&house.says("Order").await);
    assert!(matches!(house.standing(&run).await, Some(Standing::Waiting { .. })));
    assert_eq!(house.engine.receive(message("1", "Order")).await.expect("taken"), Receipt::Duplicate);
    assert_eq!(house.says("42").await, Receipt::Resumed { run: run.clone() });
    assert_eq!(house.sent(), ["+31: Which order?", "+31: You said 42."]);
    assert!(matches!(house.standing(&run).await, Some(Standing::Done { .. })));
    assert_eq!(house.says("hello?").await, Receipt::NoFlow);
}

/// runs.md 9: a run that waits is at rest, nobody drives it, and it wakes in another process.
#[tokio::test(start_paused = true)]
async fn a_waiting_run_is_answered_by_another_process() {
    let house = House::new(&[ORDER]).await;
    let run = run_of(&house.says("order").await);
    let listed = house.engine.list(&Tenant::default(), Filter::default()).await.expect("a list");
    assert!(!listed[0].is_driven, "{listed:?}");
    let other = engine(&house.world, Arc::new(house.journal.copy()), house.began);
    other.recover().await.expect("it recovers");
    let receipt = other.receive(message("2", "7")).await.expect("taken");
    settle().await;
    assert_eq!(receipt, Receipt::Resumed { run: run.clone() });
    let view = other.show(&Tenant::default(), &run).await.expect("read").expect("known");
    assert_eq!(
        view.standing,
        Standing::Done { outputs: json!({"which": "7"}).as_object().expect("one").clone() }
    );
}

/// runs.md 10: an `ask` whose time is up fires in whatever process is there, never early.
#[tokio::test(start_paused = true)]
async fn a_moment_wakes_the_run_that_waits_for_it() {
    let slow = "name: slow\nsteps:\n  - wait: 30d\n  - send: { to: me, channel: sms, text: Late. }\nlimits: { age: 60d }\n";
    let house = House::new(&[slow]).await;
    house.starts("slow", "run-1").await;
    tokio::time::sleep(Duration::from_secs(30 * 24 * 3600 - 2)).await;
    assert!(matches!(house.standing(&id("run-1")).await, Some(Standing::Waiting { .. })));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(matches!(house.standing(&id("run-1")).await, Some(Standing::Done { .. })));
    assert_eq!(house.sent(), ["nobody: Late."]);
}

/// R7: messages wait for a busy run; what it does not take is routed afresh when it ends, in order.
#[tokio::test(start_paused = true)]
async fn what_a_busy_run_does_not_take_is_routed_afresh_at_its_end() {
    let house = House::new(&[ORDER, BUSY]).await;
    let busy = run_of(&house.says("busy").await);
    assert_eq!(house.says("order").await, Receipt::Queued { run: busy.clone() });
    assert_eq!(house.says("42").await, Receipt::Queued { run: busy });
    tokio::time::sleep(Duration::from_secs(61)).await;
    // `42` came before the question of the run that `order` started: it is no answer to it.
    assert_eq!(house.sent(), ["+31: Done.", "+31: Which order?"]);
    house.says("43").await;
    assert_eq!(house.sent()[2..], ["+31: You said 43."]);
    assert!(house.world.events.lock().expect("unpoisoned").contains(&"1 ignored".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_flow_says_what_becomes_of_messages_while_it_works() {
    for (policy, last) in [("drop", "first"), ("replace", "third")] {
        let asks = format!(
            "name: asks\ntrigger: {{ message: {{ keywords: [go], while_busy: {policy} }} }}\nsteps:\n  - test.slow: {{ seconds: 5 }}\n  \
             - id: a\n    ask: {{ text: What now, accept: any }}\n  - send: \"{{{{steps.a.output}}}}\"\n"
        );
        let house = House::new(&[asks.as_str()]).await;
        house.says("go").await;
        let receipts = [house.says("second").await, house.says("third").await];
        let dropped = receipts.iter().filter(|receipt| matches!(receipt, Receipt::Dropped { .. })).count();
        assert_eq!(dropped, if policy == "drop" { 2 } else { 0 });
        tokio::time::sleep(Duration::from_secs(6)).await;
        house.says("first").await;
        assert_eq!(house.sent().last().expect("an answer"), &format!("+31: {last}"), "{policy}");
    }
}

/// R8: an interrupting flow ends the run the conversation is in, whose `finally` runs, and is then started.
#[tokio::test(start_paused = true)]
async fn an_interrupting_message_ends_the_run_and_starts_its_own_flow() {
    let tidy = ORDER.replace("outputs:", "finally: [ { send: Tidied. } ]\noutputs:");
    let house = House::new(&[tidy.as_str(), STOP]).await;
    let order = run_of(&house.says("order").await);
    let Receipt::Interrupted { run, ended } = house.says("STOP").await else { panic!("it interrupts") };
    assert_eq!(ended, order);
    assert!(matches!(house.standing(&order).await, Some(Standing::Cancelled { .. })));
    assert!(matches!(house.standing(&run).await, Some(Standing::Done { .. })));
    assert_eq!(house.sent(), ["+31: Which order?", "+31: Tidied.", "+31: Stopped."]);
}

/// R9: a conversation that was handed over starts nothing until it is handed back.
#[tokio::test(start_paused = true)]
async fn a_conversation_with_a_person_of_the_house_starts_nothing() {
    let house = House::new(&[ORDER, BUSY]).await;
    let busy = run_of(&house.says("busy").await);
    house.says("a human, please").await;
    let queued = house.engine.hand_over(&Tenant::default(), &peer()).await.expect("given");
    assert_eq!(queued.iter().map(|message| message.text.as_str()).collect::<Vec<_>>(), ["a human, please"]);
    settle().await;
    assert!(matches!(house.standing(&busy).await, Some(Standing::Cancelled { .. })));
    assert_eq!(house.says("order").await, Receipt::HandedOver);
    house.engine.hand_back(&Tenant::default(), &peer()).await.expect("back");
    assert!(matches!(house.says("order").await, Receipt::Started { .. }));
}

/// runs.md 10: every waiting run takes an event once, one that waits later takes it within ten minutes, and flows listen to it.
#[tokio::test(start_paused = true)]
async fn an_event_reaches_those_who_wait_those_who_wait_soon_and_those_who_listen() {
    let waits = "name: waits\ninputs: { after: { type: string, default: 0s } }\nsteps:\n  - test.slow: { seconds: \"{{after}}\" }\n  \
                 - id: paid\n    wait: { event: paid, key: \"7\", where: item.amount > 1 }\noutputs: { paid: \"{{steps.paid.output.amount}}\" }\n";
    let listens = "name: listens\ntrigger: { event: { name: paid, if: trigger.data.amount > 1 } }\nsteps: [ { log: hi } ]\n";
    let house = House::new(&[waits, listens]).await;
    house.starts("waits", "now").await;
    let mut later = Request::new(Tenant::default(), "waits", id("later"));
    later.inputs.insert("after".into(), flowrun_lang::Given::Text("20".into()));
    house.engine.start(later).await.expect("it starts");
    settle().await;
    for (event, amount, heard) in [("a", 1, 1), ("b", 2, 2), ("b", 2, 0)] {
        let (event, key) = (event.to_owned(), Some("7".to_owned()));
        let told = Told { event: "paid".into(), key, data: json!({ "amount": amount }), id: event };
        assert_eq!(house.engine.tell(&Tenant::default(), told).await.expect("told"), heard);
        settle().await;
    }
    let paid = Standing::Done { outputs: json!({"paid": 2}).as_object().expect("one").clone() };
    assert_eq!(house.standing(&id("now")).await, Some(paid.clone()));
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(house.standing(&id("later")).await, Some(paid));
    let started = house
        .world
        .events
        .lock()
        .expect("unpoisoned")
        .iter()
        .filter(|event| *event == "listens started")
        .count();
    assert_eq!(started, 1);
}

/// runs.md 10: the URL of a step is its run's own; an early call is kept, a second is told so.
#[tokio::test(start_paused = true)]
async fn a_call_of_a_steps_url_is_taken_once_even_before_the_step_waits() {
    let hook = "name: hook\nsteps:\n  - log: \"{{callbacks.ok}}\"\n  - test.slow: { seconds: 5 }\n  - id: ok\n    wait: { webhook: }\noutputs: { \
                said: \"{{steps.ok.output.body}}\" }\n";
    let house = House::new(&[hook]).await;
    house.starts("hook", "run-1").await;
    let call = |said: &str| {
        let payload = json!({ "body": said, "query": {}, "headers": {} });
        let house = &house;
        async move { house.engine.call(&Tenant::default(), &id("run-1"), "ok", payload).await.expect("taken") }
    };
    assert_eq!([call("first").await, call("second").await], [Called::Taken, Called::Before]);
    tokio::time::sleep(Duration::from_secs(6)).await;
    let said = json!({"said": "first"}).as_object().expect("one").clone();
    assert_eq!(house.standing(&id("run-1")).await, Some(Standing::Done { outputs: said }));
    let gone = house.engine.call(&Tenant::default(), &id("nobody"), "ok", json!({})).await;
    assert_eq!(gone.expect("answered"), Called::Gone);
}

/// R10, runs.md 11: the same id and inputs are the same run; other inputs a conflict; what a step answered is kept with it.
#[tokio::test(start_paused = true)]
async fn a_start_that_is_repeated_finds_the_run_and_its_answer() {
    let answers = "name: answers\ninputs: { n: { type: integer } }\nsteps:\n  - respond: { status: 202, json: { n: \"{{n}}\" } }\n  - wait: 1h\n";
    let house = House::new(&[answers]).await;
    let request = |n: &str| {
        let mut request = Request::new(Tenant::default(), "answers", id("run-1"));
        request.inputs = BTreeMap::from([("n".to_owned(), flowrun_lang::Given::Text(n.to_owned()))]);
        request
    };
    assert!(!house.engine.start(request("1")).await.expect("it starts").existing);
    let settled = house.engine.settled(&Tenant::default(), &id("run-1"), Duration::from_secs(5)).await;
    let answer = settled.expect("read").expect("known").answer.expect("answered");
    assert_eq!((answer.status, answer.body.value()), (202, json!({ "n": 1 })));
    assert!(house.engine.start(request("1")).await.expect("the same").existing);
    assert!(matches!(house.engine.start(request("2")).await, Err(NotStarted::Conflict(_))));
    assert!(matches!(house.engine.start(request("x")).await, Err(NotStarted::Inputs(_))));
}

/// R10: whoever waits for a run's answer has it when it is given, however long the run goes on.
#[tokio::test(start_paused = true)]
async fn a_caller_is_answered_while_the_run_goes_on() {
    let goes_on = "name: goes-on\nsteps:\n  - test.slow: { seconds: 2 }\n  - respond: { status: 201 }\n  - test.slow: { seconds: 60 }\n";
    let house = House::new(&[goes_on]).await;
    house.starts("goes-on", "run-1").await;
    let settled = house.engine.settled(&Tenant::default(), &id("run-1"), Duration::from_secs(30)).await;
    let view = settled.expect("read").expect("known");
    assert_eq!(view.answer.map(|answer| answer.status), Some(201));
    assert!(house.began.elapsed() < Duration::from_secs(5), "{:?}", house.began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_conversation_is_in_one_run_unless_the_other_is_replaced() {
    let house = House::new(&[ORDER]).await;
    let order = run_of(&house.says("order").await);
    let mut request = Request::new(Tenant::default(), "order", id("second"));
    request.conversation = Some(peer());
    let busy = house.engine.start(request.clone()).await;
    assert!(matches!(busy, Err(NotStarted::Busy(run)) if run == order));
    request.replaces = true;
    house.engine.start(request).await.expect("it replaces");
    assert!(matches!(house.standing(&order).await, Some(Standing::Cancelled { .. })));
}

/// R1: no name, message or run of one tenant is another's.
#[tokio::test(start_paused = true)]
async fn tenants_share_nothing() {
    let house = House::new(&[ORDER]).await;
    let other = Tenant::new("other").expect("a tenant");
    house.says("order").await;
    let mut elsewhere = message("1", "order");
    elsewhere.tenant = other.clone();
    assert_eq!(house.engine.receive(elsewhere).await.expect("taken"), Receipt::NoFlow);
    assert!(house.engine.list(&other, Filter::default()).await.expect("a list").is_empty());
    assert_eq!(house.engine.list(&Tenant::default(), Filter::default()).await.expect("a list").len(), 1);
}

/// R18: a schedule starts its flow once a moment, makes up for what was missed once, and skips what overlaps.
#[tokio::test(start_paused = true)]
async fn a_schedule_starts_its_flow_at_its_moments_and_makes_up_for_missed_ones_once() {
    let minutes = |settings: &str, slow: u32| {
        format!(
            "name: tick\ntrigger: {{ schedule: {{ cron: \"*/10 * * * *\"{settings} }} }}\nsteps:\n  - test.slow: {{ seconds: \"{slow}\" }}\n  \
             - send: {{ to: me, channel: sms, text: \"{{{{trigger.at}}}}\" }}\n"
        )
    };
    for (settings, slow, missed, expected) in [
        ("", 1, 60, vec!["00:10", "00:20", "01:20", "01:30"]),
        (", missed: skip", 1, 60, vec!["00:10", "00:20", "01:30"]),
        ("", 700, 0, vec!["00:10", "00:30"]),
        (", overlap: queue", 700, 0, vec!["00:10", "00:20"]),
    ] {
        let flow = minutes(settings, slow);
        let house = House::new(&[flow.as_str()]).await;
        tokio::time::sleep(Duration::from_secs(25 * 60)).await;
        if missed > 0 {
            house.engine.drain(Duration::from_secs(1)).await;
            tokio::time::sleep(Duration::from_secs(missed * 60)).await;
            let other = engine(&house.world, Arc::new(house.journal.clone()), house.began);
            publish(&other, &Tenant::default(), &[flow.as_str()]).await;
            other.recover().await.expect("it recovers");
            tokio::time::sleep(Duration::from_secs(10 * 60)).await;
        } else {
            tokio::time::sleep(Duration::from_secs(20 * 60)).await;
        }
        let sent: Vec<String> =
            house.sent().iter().map(|text| text[text.len() - 9..text.len() - 4].to_owned()).collect();
        assert_eq!(sent, expected, "{settings}");
    }
}

/// R11, R19: a house that closes takes nothing more, lets the call under way end, and the next process goes on.
#[tokio::test(start_paused = true)]
async fn a_house_that_closes_leaves_its_runs_to_the_next() {
    let house = House::new(&[BUSY]).await;
    let run = run_of(&house.says("busy").await);
    house.engine.drain(Duration::from_secs(5)).await;
    assert!(matches!(house.engine.receive(message("9", "busy")).await, Err(Refused::Draining)));
    let other = engine(&house.world, Arc::new(house.journal.copy()), house.began);
    other.recover().await.expect("it recovers");
    tokio::time::sleep(Duration::from_secs(61)).await;
    let view = other.show(&Tenant::default(), &run).await.expect("read").expect("known");
    assert_eq!((view.standing.status(), house.sent()), ("done", vec!["+31: Done.".to_owned()]));
}

/// One life of a house on a disk that dies: who was not told that a message was taken sends it again to the next process.
async fn lives(world: &World, disk: &Disk, began: tokio::time::Instant, messages: &[(&str, &str)]) -> bool {
    let engine = engine(world, Arc::new(disk.clone()), began);
    publish(&engine, &Tenant::default(), &[ORDER, STOP]).await;
    let mut is_alive = engine.recover().await.is_ok();
    settle().await;
    for (id, text) in messages {
        is_alive &= engine.receive(message(id, text)).await.is_ok();
        settle().await;
        if !is_alive {
            break;
        }
    }
    engine.drain(Duration::from_millis(1)).await;
    is_alive
}

/// runs.md 8, 13: a process that dies before or after any commit loses no message and takes none twice.
#[test]
fn a_conversation_goes_on_wherever_its_process_dies() {
    let messages = [("1", "order"), ("2", "41"), ("3", "order"), ("4", "stop"), ("5", "order"), ("6", "42")];
    let calm = Disk::new(Death::Never, false);
    let world = World::of(&calm.outside.calls);
    assert!(paused().block_on(async { lives(&world, &calm, tokio::time::Instant::now(), &messages).await }));
    let (expected, commits) = (world.sent(), calm.outside.commits.load(std::sync::atomic::Ordering::SeqCst));
    assert_eq!(expected.len(), 6, "{expected:?}");
    for at in 1..=commits {
        for death in [Death::Before(at), Death::After(at)] {
            let dying = Disk::new(death, false);
            let world = World::of(&dying.outside.calls);
            paused().block_on(async {
                let began = tokio::time::Instant::now();
                let mut left = &messages[..];
                lives(&world, &dying, began, left).await;
                // Whoever sent them sends all again in order: what was taken is known by its id.
                while let [next, rest @ ..] = left {
                    assert!(lives(&world, &dying.again(Death::Never), began, &[*next]).await);
                    left = rest;
                }
            });
            assert_eq!(world.sent(), expected, "{death:?}");
        }
    }
    assert!(commits > 20, "{commits} commits");
}

/// runs.md 8: nobody knows whether the call was made that the process died in; the run waits, and goes on as somebody says.
#[tokio::test(start_paused = true)]
async fn a_run_in_doubt_waits_until_somebody_says_what_becomes_of_it() {
    let pays = "name: pays\nsteps:\n  - id: pay\n    test.pay: { seconds: 60 }\n  - send: { to: me, channel: sms, text: Paid. }\n";
    let house = House::new(&[pays]).await;
    house.starts("pays", "run-1").await;
    house.engine.drain(Duration::from_secs(1)).await;
    let other = engine(&house.world, Arc::new(house.journal.copy()), house.began);
    other.recover().await.expect("it recovers");
    settle().await;
    let status =
        async || other.show(&Tenant::default(), &id("run-1")).await.expect("read").expect("known").standing;
    assert_eq!(status().await, Standing::InDoubt { steps: vec!["pay".to_owned()] });
    assert!(other.resolve(&Tenant::default(), &id("run-1"), InDoubt::Skip).await.expect("taken"));
    settle().await;
    assert_eq!((status().await.status(), house.sent()), ("done", vec!["nobody: Paid.".to_owned()]));
    assert!(!other.resolve(&Tenant::default(), &id("nobody"), InDoubt::Skip).await.expect("answered"));
}

/// R13: what goes on with a person ends at once, what waits and what is over is gone, and nobody else's is.
#[tokio::test(start_paused = true)]
async fn a_person_who_is_erased_leaves_nothing_and_others_everything() {
    let house = House::new(&[ORDER, BUSY]).await;
    let waiting = run_of(&house.says("order").await);
    house.says("42").await;
    let busy = run_of(&house.says("busy").await);
    house.says("are you there?").await;
    let mut other = message("1", "order");
    other.conversation.peer = "+32".into();
    house.engine.receive(other).await.expect("taken");
    settle().await;
    let erased = house.engine.erase_person(&Tenant::default(), "+31").await.expect("it is erased");
    assert_eq!(erased, 2);
    assert_eq!((house.standing(&waiting).await, house.standing(&busy).await), (None, None));
    tokio::time::sleep(Duration::from_secs(120)).await;
    let sent = house.sent();
    assert!(!sent.contains(&"+31: Done.".to_owned()), "what was under way went on: {sent:?}");
    assert_eq!(house.engine.list(&Tenant::default(), Filter::default()).await.expect("a list").len(), 1);
    assert!(matches!(house.says("order").await, Receipt::Started { .. }), "they may come back");
}

/// R13: a tenant who is erased has no runs and no flows; another with the same ids has.
#[tokio::test(start_paused = true)]
async fn a_tenant_who_is_erased_has_neither_runs_nor_flows() {
    let house = House::new(&[ORDER]).await;
    let other = Tenant::new("other").expect("a tenant");
    publish(&house.engine, &other, &[ORDER]).await;
    let mut elsewhere = message("1", "order");
    elsewhere.tenant = other.clone();
    house.engine.receive(elsewhere.clone()).await.expect("taken");
    house.says("order").await;
    assert_eq!(house.engine.erase_tenant(&other).await.expect("it is erased"), 1);
    assert!(house.engine.flows(&other).is_empty());
    assert!(house.engine.list(&other, Filter::default()).await.expect("a list").is_empty());
    assert_eq!(house.engine.list(&Tenant::default(), Filter::default()).await.expect("a list").len(), 1);
}
