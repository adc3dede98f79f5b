//! What becomes of a call of which nobody can say whether it was made (`in_doubt`, L-9; runs.md 8).

use flowrun_lang::Flow;
use flowrun_machine::{Called, Command, End, Event, Happening, InDoubt, LogLevel, Run, advance};
use jiff::{SignedDuration, Timestamp};

use crate::restored::flow_of;
use crate::world::{World, words};

/// A flow whose first step pays, and says what to do in doubt.
fn pays(in_doubt: &str) -> Flow {
    flow_of(&format!(
        "steps:\n  - id: pay\n    send: pay\n    timeout: 10s\n    in_doubt: {in_doubt}\n    undo: [ {{ send: refund }} ]\n    \
         on_error: [ {{ log: '{{{{default error.name \"no name\"}}}} {{{{error.effect}}}}' }} ]\n    finally: [ {{ log: close }} ]\n  - log: \
         \"{{{{steps.pay.status}}}}\"\n"
    ))
}

/// A run whose first call is in doubt, and what it asked for since.
struct Doubted<'a> {
    flow: &'a Flow,
    run: Run,
    /// The call, and when its time is up.
    call: (u64, String),
    timer: u64,
}

impl<'a> Doubted<'a> {
    fn of(flow: &'a Flow) -> (Self, Vec<Command>) {
        let mut run = Run::new("run-1", flow.plan());
        let commands = advance(flow.plan(), &mut run, World::calm().start());
        let call = commands.iter().find_map(|command| match command {
            Command::Call { op, key, .. } => Some((*op, key.clone())),
            _ => None,
        });
        let mut timers = commands.iter().filter_map(|command| match command {
            Command::Timer { op, .. } => Some(*op),
            _ => None,
        });
        let (call, timer) = (call.expect("it pays"), timers.next_back().expect("it has ten seconds"));
        let mut doubted = Self { flow, run, call, timer };
        let op = doubted.call.0;
        let commands = doubted.now(Happening::Called { op, result: Called::InDoubt });
        (doubted, commands)
    }

    fn now(&mut self, what: Happening) -> Vec<Command> {
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(20);
        advance(self.flow.plan(), &mut self.run, Event { at, what })
    }

    fn resolve(&mut self, how: InDoubt) -> Vec<Command> {
        let op = self.call.0;
        self.now(Happening::Resolve { op, how })
    }
}

/// What was logged and sent, and how it ended.
fn said(commands: &[Command]) -> Vec<String> {
    let said = commands.iter().filter_map(|command| match command {
        Command::Log { level: LogLevel::Info, text, .. } => Some(text.clone()),
        Command::Call { settings, attempt, .. } => Some(format!("{} {attempt}", words(settings)?)),
        Command::InDoubt { .. } => Some("in doubt".to_owned()),
        Command::Finish(End::Done { .. }) => Some("done".to_owned()),
        Command::Finish(End::Cancelled { .. }) => Some("cancelled".to_owned()),
        Command::Finish(other) => Some(format!("{other:?}")),
        _ => None,
    });
    said.collect()
}

#[test]
fn the_step_says_what_becomes_of_it() {
    for (in_doubt, expected) in [
        ("stop", &["in doubt"][..]),
        ("retry", &["pay 2"]),
        ("skip", &["close", "skipped", "done"]),
        ("fail", &["in_doubt unknown", "close", "failed", "done"]),
    ] {
        let flow = pays(in_doubt);
        assert_eq!(said(&Doubted::of(&flow).1), expected, "{in_doubt}");
    }
}

#[test]
fn a_call_that_is_made_again_has_the_key_it_had() {
    let flow = pays("retry");
    let (doubted, commands) = Doubted::of(&flow);
    let keys = commands.iter().filter_map(|command| match command {
        Command::Call { op, key, .. } => Some((*op != doubted.call.0, key)),
        _ => None,
    });
    assert_eq!(keys.collect::<Vec<_>>(), [(true, &doubted.call.1)]);
}

#[test]
fn one_that_stops_waits_for_somebody_who_says() {
    let flow = pays("stop");
    for (how, expected) in [
        (InDoubt::Stop, &["in doubt"][..]),
        (InDoubt::Retry, &["pay 2"]),
        (InDoubt::Skip, &["close", "skipped", "done"]),
        (InDoubt::Fail, &["in_doubt unknown", "close", "failed", "done"]),
    ] {
        let (mut doubted, _) = Doubted::of(&flow);
        assert_eq!(said(&doubted.resolve(how)), expected, "{how:?}");
    }
}

#[test]
fn a_result_that_is_found_ends_the_doubt() {
    let flow = pays("stop");
    let (mut doubted, _) = Doubted::of(&flow);
    let op = doubted.call.0;
    let result = Called::Done { output: serde_json::Value::Null, variables: Vec::new() };
    assert_eq!(said(&doubted.now(Happening::Called { op, result })), ["close", "done", "done"]);
}

/// The step's time would have hidden that a payment may have been made.
#[test]
fn a_time_that_is_up_waits_with_it_and_then_counts() {
    let flow = pays("stop");
    let (mut doubted, _) = Doubted::of(&flow);
    let op = doubted.timer;
    assert_eq!(said(&doubted.now(Happening::Fired { op })), Vec::<String>::new());
    assert_eq!(said(&doubted.resolve(InDoubt::Retry)), ["no name unknown", "close", "failed", "done"]);
}

#[test]
fn a_cancel_does_not_wait_for_it() {
    let flow = pays("stop");
    let (mut doubted, _) = Doubted::of(&flow);
    let cancel = Happening::Cancel { reason: "enough".to_owned() };
    assert_eq!(said(&doubted.now(cancel)), ["close", "cancelled"]);
    assert_eq!(said(&doubted.resolve(InDoubt::Retry)), Vec::<String>::new());
}
