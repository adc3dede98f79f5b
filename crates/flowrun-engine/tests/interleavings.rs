//! Any flow, any order in which its calls come back: the result is the same, every `finally` runs once (L-13), and a bad
//! end takes back exactly what was done, the last first (L-9).
//!
//! Flows are made up of blocks, loops, branches and calls; each block opens and closes with a call. A scheduler that knows
//! nothing of the flow decides which call comes back next. No clock runs: what is proven is about order alone.

#![expect(clippy::expect_used, reason = "a test that cannot be set up should say why and stop")]

use std::collections::{BTreeMap, BTreeSet};

use flowrun_lang::{Catalog, Flow, Flows, SourceText, Unread, check_with};
use flowrun_machine::{Called, Command, End, Event, Failure, Happening, Opening, Run, advance};
use flowrun_step::{ErrorKind, StepSet};
use flowrun_template::Rendered;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A made-up part of a flow.
#[derive(Debug, Clone)]
enum Part {
    /// Says something and counts.
    Send,
    Block(Vec<Part>),
    Each {
        items: usize,
        concurrency: usize,
        body: Vec<Part>,
    },
    Fork(Vec<Vec<Part>>),
    Repeat(usize, Vec<Part>),
    /// The body in a flow of its own.
    Call(Vec<Part>),
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let leaf = Just(Part::Send);
    let part = leaf.prop_recursive(3, 16, 3, |inner| {
        let body = prop::collection::vec(inner, 1..3);
        prop_oneof![
            body.clone().prop_map(Part::Block),
            (0_usize..4, 1_usize..4, body.clone()).prop_map(|(items, concurrency, body)| Part::Each {
                items,
                concurrency,
                body
            }),
            prop::collection::vec(body.clone(), 1..4).prop_map(Part::Fork),
            (1_usize..3, body.clone()).prop_map(|(turns, body)| Part::Repeat(turns, body)),
            body.prop_map(Part::Call),
        ]
    });
    prop::collection::vec(part, 1..4)
}

/// Writes parts as steps; every name in them is used once.
#[derive(Default)]
struct Writer {
    next: usize,
    /// The flows that are called, by their file.
    called: BTreeMap<String, String>,
}

impl Writer {
    fn steps(&mut self, parts: &[Part]) -> Value {
        parts.iter().map(|part| self.step(part)).collect()
    }

    fn step(&mut self, part: &Part) -> Value {
        self.next += 1;
        let n = self.next;
        let (v, id) = (format!("v{n}"), format!("s{n}"));
        match part {
            // What it sets depends on the scope it stands in, so that a leak between scopes would show.
            Part::Send => {
                let say = json!({
                    "send": format!("say {n} {{{{seen}}}}"), "undo": [{"send": format!("undo {n} {{{{seen}}}}")}],
                });
                json!({"do": [say, {"compute": {&v: "seen + 1"}}]})
            }
            Part::Block(body) => json!({
                "do": opened(n, self.steps(body)), "finally": [{"send": format!("close {n}")}],
            }),
            Part::Each { items, concurrency, body } => json!({
                "id": id,
                "for_each": {
                    "in": format!("range({items})|list"), "as": format!("item{n}"),
                    "concurrency": concurrency, "collect": format!("item{n} * 10 + {v}"),
                },
                "do": [
                    {"compute": {"seen": format!("seen * 2 + item{n}")}},
                    {"do": opened(n, self.steps(body)), "finally": [{"send": format!("close {n}")}]},
                    {"compute": {&v: "seen"}},
                ],
                "into": format!("list{n}"),
            }),
            Part::Fork(branches) => {
                let branch = |(at, body): (usize, &Vec<Part>)| {
                    self.next += 1;
                    let n = self.next;
                    let steps = json!([
                        {"do": opened(n, self.steps(body)), "finally": [{"send": format!("close {n}")}]},
                        {"compute": {format!("b{n}"): format!("seen + {at}")}},
                    ]);
                    (format!("b{at}"), steps)
                };
                json!({"parallel": branches.iter().enumerate().map(branch).collect::<serde_json::Map<_, _>>()})
            }
            Part::Call(body) => {
                let steps = json!([
                    {"do": opened(n, self.steps(body)), "finally": [{"send": format!("close {n}")}]},
                    {"compute": {"seen": "seen + 1"}},
                ]);
                let inputs = json!({"seen": {"type": "integer"}});
                let called = json!({"inputs": inputs, "steps": steps, "outputs": {"seen": "{{seen}}"}});
                self.called.insert(format!("f{n}.flow.yaml"), called.to_string());
                json!({
                    "call": {"flow": format!("f{n}.flow.yaml"), "inputs": {"seen": "{{seen}}"}}, "into": v,
                })
            }
            Part::Repeat(turns, body) => json!({"repeat": {"max": turns}, "do": self.steps(body)}),
        }
    }
}

fn opened(n: usize, steps: Value) -> Value {
    let mut all = vec![json!({"send": format!("open {n}")})];
    all.extend(steps.as_array().cloned().unwrap_or_default());
    Value::from(all)
}

/// The flows that are called, by their file.
struct Beside(BTreeMap<String, String>);

impl Flows for Beside {
    fn read(&self, path: &str) -> Result<SourceText, Unread> {
        let text = self.0.get(path).ok_or_else(|| Unread::Because("nobody wrote it".to_owned()))?;
        Ok(SourceText::new(path, text.clone().into_bytes()).expect("UTF-8"))
    }
}

fn flow(parts: &[Part]) -> Flow {
    let mut writer = Writer::default();
    let mut steps = vec![json!({"set": {"seen": 1}})];
    steps.extend(writer.steps(parts).as_array().cloned().unwrap_or_default());
    let lists = (1..=writer.next).map(|n| (format!("list{n}"), json!(format!("{{{{list{n}}}}}"))));
    let text = json!({"limits": {"steps": 1_000_000}, "steps": steps}).to_string();
    let declared = |(name, _): &(String, Value)| text.contains(&format!("\"{name}\""));
    let outputs: serde_json::Map<_, _> = lists.filter(declared).collect();
    let text = json!({"limits": {"steps": 1_000_000}, "steps": steps, "outputs": outputs}).to_string();
    let source = SourceText::new("flow.yaml", text.into_bytes()).expect("UTF-8");
    let checked = check_with(&source, &Catalog::new(StepSet::new()), &Beside(writer.called));
    checked.flow.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

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

/// What comes between a flow and its good end, after so many calls have come back.
#[derive(Debug, Clone, Copy)]
enum Stop {
    Never,
    Cancel(usize),
    /// The call that comes back next has failed.
    Fail(usize),
}

/// Runs a flow; `choices` pick which call comes back next.
fn run(flow: &Flow, choices: &[usize], stop: Stop) -> (Seen, Order) {
    let (plan, mut run) = (flow.plan(), Run::new("run-1", flow.plan()));
    let (mut out, mut said, mut end) = (Vec::<(u64, String)>::new(), BTreeMap::new(), None);
    let (mut order, mut aborted) = (Order::default(), BTreeSet::new());
    let mut next = Some(Happening::Start { inputs: Vec::new(), opening: Opening::default() });
    let mut step = 0;
    while let Some(what) = next.take() {
        let commands = advance(plan, &mut run, Event { at: Timestamp::UNIX_EPOCH, what });
        for command in commands {
            match command {
                Command::Call { op, settings, .. } => {
                    let words = words(&settings);
                    order.undone.extend(words.strip_prefix("undo ").map(str::to_owned));
                    *said.entry(words.clone()).or_insert(0) += 1;
                    out.push((op, words));
                }
                // What is told to stop comes back as if nothing had been said, whenever its turn is.
                Command::Abort { op } => drop(aborted.insert(op)),
                Command::Timer { .. }
                | Command::Drop { .. }
                | Command::NotUndone { .. }
                | Command::StepEnded { .. } => {}
                Command::Yield => next = Some(Happening::Resume),
                Command::Finish(reached) => end = Some(reached),
                other => panic!("no part asks for {other:?}"),
            }
        }
        if end.is_some() {
            break;
        }
        if next.is_none() && matches!(stop, Stop::Cancel(after) if after == step) {
            step += 1;
            next = Some(Happening::Cancel { reason: "enough".to_owned() });
        } else if next.is_none() {
            let at = choices.get(step % choices.len().max(1)).copied().unwrap_or_default() % out.len();
            let (op, words) = out.swap_remove(at);
            let result = if matches!(stop, Stop::Fail(after) if after == step) {
                Called::Failed(Failure::new(ErrorKind::Http, "the service is gone"))
            } else {
                let said = words.strip_prefix("say ").filter(|_| !aborted.contains(&op));
                order.done.extend(said.map(str::to_owned));
                Called::Done { output: Value::Null, variables: Vec::new() }
            };
            step += 1;
            next = Some(Happening::Called { op, result });
        }
    }
    (Seen { said, end: end.expect("a run that waits for nothing has ended") }, order)
}

fn words(settings: &Rendered) -> String {
    let Rendered::Value(settings) = settings else { panic!("no part holds a secret") };
    settings["text"].as_str().expect("a send has a text").to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_result_is_the_same_for_every_interleaving_l_13(
        parts in parts(),
        orders in prop::collection::vec(prop::collection::vec(any::<usize>(), 1..12), 3),
    ) {
        let flow = flow(&parts);
        let (first, _) = run(&flow, &[0], Stop::Never);
        prop_assert!(matches!(first.end, End::Done { .. }), "{:?}", first.end);
        for order in orders {
            prop_assert_eq!(&run(&flow, &order, Stop::Never).0, &first);
        }
    }

    #[test]
    fn a_cancel_anywhere_runs_each_finally_once_for_each_time_its_block_was_entered(
        parts in parts(),
        order in prop::collection::vec(any::<usize>(), 1..12),
        after in 0_usize..30,
    ) {
        let (seen, _) = run(&flow(&parts), &order, Stop::Cancel(after));
        for (words, times) in &seen.said {
            if let Some(block) = words.strip_prefix("open ") {
                prop_assert_eq!(seen.said.get(&format!("close {block}")), Some(times), "{:?}", &seen.said);
            }
        }
    }

    #[test]
    fn a_bad_end_takes_back_each_thing_done_once_the_last_first_and_a_good_one_nothing_l_9(
        parts in parts(),
        order in prop::collection::vec(any::<usize>(), 1..12),
        after in 0_usize..30,
        is_cancel in any::<bool>(),
    ) {
        let stop = if is_cancel { Stop::Cancel(after) } else { Stop::Fail(after) };
        let (seen, Order { mut done, undone }) = run(&flow(&parts), &order, stop);
        if matches!(seen.end, End::Done { .. }) {
            done.clear();
        }
        done.reverse();
        prop_assert_eq!(undone, done, "{:?}", seen);
    }
}
