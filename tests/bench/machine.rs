//! What a step costs by itself: one `set` with one template, and whether that grows with the flow.
#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up should stop")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use flowrun_machine::{Command, Event, Happening, Op, Opening, Placed, Plan, Run, Scope, StepPlan, advance};
use flowrun_template::{Place, Slots, Tree};
use jiff::Timestamp;
use serde_json::{Value, json};

/// A flow of `steps` steps, each `set: { name: "Dear {{who}}" }`.
fn plan(steps: usize) -> Plan {
    let mut slots = Slots::new();
    let (who, name) = (slots.intern("who"), slots.intern("name"));
    let tree = Tree::compile(&Value::from("Dear {{who}}"), Place::Value, &mut slots).expect("a text");
    let mut ops = vec![Op::Enter { scope: 0 }];
    let mut owners = vec![None];
    let mut scopes = vec![Scope::default()];
    for step in 0..steps {
        let value = Placed { path: format!("steps[{step}].set.name"), part: tree.clone() };
        ops.extend([Op::Enter { scope: step + 1 }, Op::Set { slot: name, value }, Op::Leave]);
        owners.extend([Some(step); 3]);
        scopes.push(Scope { resume: ops.len(), ..Scope::default() });
    }
    ops.extend([Op::Leave, Op::Finish]);
    owners.extend([None, None]);
    scopes[0].resume = ops.len() - 1;
    let step =
        |at| StepPlan { path: format!("steps[{at}]"), id: None, kind: "set".to_owned(), is_mentioned: false };
    Plan {
        name: "bench".to_owned(),
        hash: String::new(),
        slots,
        steps: (0..steps).map(step).collect(),
        ops,
        owners,
        scopes,
        calls: Vec::new(),
        eaches: Vec::new(),
        forks: Vec::new(),
        callees: Vec::new(),
        awaits: Vec::new(),
        responds: Vec::new(),
        emits: Vec::new(),
        flows: Vec::new(),
        outputs: Vec::new(),
        inputs: vec![who],
        max_age: std::time::Duration::from_secs(3_600),
        max_steps: 1_000_000,
        max_state: 8 * 1024 * 1024,
        max_variable: 1024 * 1024,
    }
}

fn run(plan: &Plan) -> usize {
    let mut run = Run::new("run-1", plan);
    let mut next =
        Some(Happening::Start { inputs: vec![(plan.inputs[0], json!("Ada"))], opening: Opening::default() });
    let mut turns = 0;
    while let Some(what) = next.take() {
        let commands = advance(plan, &mut run, Event { at: Timestamp::UNIX_EPOCH, what });
        turns += 1;
        if matches!(commands.last(), Some(Command::Yield)) {
            next = Some(Happening::Resume);
        }
    }
    turns
}

fn trivial_steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("trivial steps with one template");
    for steps in [100, 1_000, 10_000] {
        let plan = plan(steps);
        group.throughput(Throughput::Elements(steps as u64));
        group.bench_with_input(BenchmarkId::from_parameter(steps), &plan, |bench, plan| {
            bench.iter(|| run(plan))
        });
    }
    group.finish();
}

criterion_group!(benches, trivial_steps);
criterion_main!(benches);
