//! Any flow, any order of events: the result is the same, every `finally` runs once (L-13), and a bad end takes back exactly
//! what was done, the last first (L-9).

use std::collections::BTreeMap;

use flowrun_lang::Flow;
use flowrun_machine::{Called, Command, End, Event, Failure, Happening, Run, advance};
use flowrun_step::ErrorKind;
use proptest::prelude::*;

use crate::parts::{calm, flow, wild};
use crate::world::{World, words};

/// What was seen of a run: what was said, how often, and the end.
#[derive(Debug, PartialEq)]
struct Seen {
    said: BTreeMap<String, usize>,
    end: End,
}

/// In which order things were done, and in which they were taken back.
#[derive(Debug, Default, PartialEq)]
struct Order {
    done: Vec<String>,
    undone: Vec<String>,
}

/// What comes between a flow and its good end, after so many events.
#[derive(Debug, Clone, Copy)]
enum Stop {
    Never,
    Cancel(usize),
    /// The call that comes back next has failed.
    Fail(usize),
}

/// How many events are left to chance.
const CHOICES: usize = 100;

/// One whole run, and how many events it took.
struct Ran {
    seen: Seen,
    order: Order,
    events: usize,
}

/// Runs a flow; `choices` pick what happens next.
fn run(flow: &Flow, mut world: World, choices: &[usize], stop: Stop) -> Ran {
    let (plan, mut run) = (flow.plan(), Run::new("run-1", flow.plan()));
    let (mut said, mut order, mut events) = (BTreeMap::new(), Order::default(), 0);
    let mut event = world.start();
    let end = loop {
        let commands = advance(plan, &mut run, event);
        world.obey(&commands);
        for words in commands.iter().filter_map(called) {
            order.undone.extend(words.strip_prefix("undo ").map(str::to_owned));
            *said.entry(words.to_owned()).or_insert(0) += 1;
        }
        if let Some(end) = world.end.take() {
            break end;
        }
        event = match stop {
            Stop::Cancel(after) if after == events => world.cancel(),
            _ => world.next((events < CHOICES).then(|| choices[events % choices.len()])),
        };
        events += usize::from(event.what != Happening::Resume);
        if let Event { what: Happening::Called { op, result }, .. } = &mut event {
            if matches!(stop, Stop::Fail(after) if after + 1 == events) {
                *result = Called::Failed(Failure::new(ErrorKind::Http, "the service is gone"));
            }
            let is_done = matches!(result, Called::Done { .. }) && !world.was_stopped(*op);
            let said = world.answered.as_ref().and_then(called).filter(|_| is_done);
            order.done.extend(said.and_then(|words| words.strip_prefix("say ")).map(str::to_owned));
        }
    };
    Ran { seen: Seen { said, end }, order, events }
}

/// What a call says, if it says anything; once for all its attempts.
fn called(command: &Command) -> Option<&str> {
    let Command::Call { settings, attempt: 1, .. } = command else { return None };
    words(settings)
}

fn orders() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(any::<usize>(), 1..12)
}

/// Every block that was opened was closed as often.
fn closed(seen: &Seen) -> Result<(), TestCaseError> {
    for (words, times) in &seen.said {
        if let Some(block) = words.strip_prefix("open ") {
            prop_assert_eq!(seen.said.get(&format!("close {block}")), Some(times), "{:?}", &seen.said);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_result_is_the_same_for_every_interleaving_l_13(
        parts in calm(),
        orders in prop::collection::vec(orders(), 3),
    ) {
        let flow = flow(&parts);
        let first = run(&flow, World::calm(), &[0], Stop::Never).seen;
        prop_assert!(matches!(first.end, End::Done { .. }), "{:?}", first.end);
        for order in orders {
            prop_assert_eq!(&run(&flow, World::calm(), &order, Stop::Never).seen, &first);
        }
    }

    /// Whatever else goes wrong at the same time: calls that fail, times that are up, branches that lose.
    #[test]
    fn a_cancel_anywhere_runs_each_finally_once_for_each_time_its_block_was_entered(
        parts in wild(),
        order in orders(),
        after in any::<prop::sample::Index>(),
    ) {
        let flow = flow(&parts);
        let whole = run(&flow, World::wild(), &order, Stop::Never);
        closed(&whole.seen)?;
        let after = after.index(whole.events.max(1));
        let cut = run(&flow, World::wild(), &order, Stop::Cancel(after));
        closed(&cut.seen)?;
        if matches!(whole.seen.end, End::Done { .. }) && whole.events > 0 {
            prop_assert!(matches!(cut.seen.end, End::Cancelled { .. }), "{:?}", cut.seen.end);
        }
    }

    #[test]
    fn a_bad_end_takes_back_each_thing_done_once_the_last_first_and_a_good_one_nothing_l_9(
        parts in calm(),
        order in orders(),
        after in any::<prop::sample::Index>(),
        is_cancel in any::<bool>(),
    ) {
        let flow = flow(&parts);
        let after = after.index(run(&flow, World::calm(), &order, Stop::Never).events.max(1));
        let stop = if is_cancel { Stop::Cancel(after) } else { Stop::Fail(after) };
        let Ran { seen, order: Order { mut done, undone }, .. } = run(&flow, World::calm(), &order, stop);
        if matches!(seen.end, End::Done { .. }) {
            done.clear();
        }
        done.reverse();
        prop_assert_eq!(undone, done, "{:?}", seen);
    }
}
