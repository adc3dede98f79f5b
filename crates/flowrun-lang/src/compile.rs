//! From a document to a plan: every text compiled for its place, every name known, ops laid out flat.

mod block;
mod call;
mod callee;
mod compare;
mod declare;
mod hosts;
mod integrations;
mod kind;
mod limits;
mod loops;
mod mention;
mod outside;
mod parallel;
mod part;
mod reach;
mod retry;
mod trail;
mod trigger;
mod unused;

pub(crate) use part::{Spot, dotted};
pub(crate) use trail::{Trail, View};

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;

use flowrun_machine::{Op, OutputUse, Placed, Plan, Scope, StepPlan};
use flowrun_step::IntegrationName;
use flowrun_template::{Slot, Slots, Tree, Type};

use crate::bundle::Bundle;
use crate::catalog::Catalog;
use crate::document::Document;
use crate::input::{Input, inputs};
use crate::names::Reach;
use crate::permissions::{IntegrationUse, Visit};
use crate::problems::Problems;
use crate::settings::Judge;
use crate::trigger::Trigger;

/// What compiling a document gives besides its problems.
pub(crate) struct Compiled {
    pub(crate) plan: Plan,
    pub(crate) inputs: Vec<Input>,
    pub(crate) secrets: Vec<String>,
    pub(crate) integrations: Vec<IntegrationUse>,
    pub(crate) trigger: Option<Trigger>,
    /// How many calls are nested beneath it.
    pub(crate) depth: usize,
    pub(crate) visits: Vec<Visit>,
    /// What was known where; only an editor asks.
    pub(crate) trail: Trail,
}

/// Lays out a document; nothing if it calls a flow with mistakes. The plan may run only if no error was found.
pub(crate) fn compile(
    document: &Document<'_>,
    hash: String,
    bundle: &mut Bundle<'_>,
    problems: &mut Problems<'_>,
) -> Option<Compiled> {
    let mut slots = Slots::new();
    let inputs = inputs(document.inputs, &mut slots, problems);
    let mut compiler = Compiler::new(bundle, slots, problems);
    compiler.declare_all(document, &inputs);
    let limits = compiler.limits(document.limits);
    (compiler.max_items, compiler.call_depth) = (limits.items, limits.call_depth);
    if let Some(node) = document.trigger {
        compiler.trigger(node);
    }
    compiler.flow(document, &inputs);
    let outputs = compiler.outputs(document.outputs, "outputs");
    compiler.keep_what_is_read();
    compiler.stream_what_one_reads();
    compiler.unused(document, &inputs);
    compiler.judge_declared();
    if compiler.is_broken {
        return None;
    }
    let (depth, integrations) = (compiler.depth, compiler.used_integrations());
    let plan = Plan {
        name: document.name.unwrap_or("flow").to_owned(),
        hash,
        slots: compiler.slots,
        steps: compiler.steps,
        ops: compiler.ops,
        owners: compiler.owners,
        scopes: compiler.scopes,
        calls: compiler.calls,
        eaches: compiler.eaches,
        forks: compiler.forks,
        callees: compiler.callees,
        awaits: compiler.awaits,
        responds: compiler.responds,
        emits: compiler.emits,
        flows: Vec::new(),
        outputs,
        inputs: inputs.iter().map(|input| input.slot).collect(),
        max_age: limits.age,
        max_steps: limits.steps,
        max_state: limits.state,
        max_variable: limits.variable,
    };
    let secrets = document.secrets.iter().map(|(name, _)| (*name).to_owned()).collect();
    let (visits, trail, trigger) = (compiler.visits, compiler.trail, compiler.trigger);
    Some(Compiled { plan, inputs, secrets, integrations, trigger, depth, visits, trail })
}

/// The state of one compilation.
pub(crate) struct Compiler<'c, 'p, 's> {
    catalog: &'c Catalog,
    /// The flows beside this one.
    bundle: &'p mut Bundle<'c>,
    pub(crate) problems: &'p mut Problems<'s>,
    slots: Slots,
    declared: HashSet<Slot>,
    /// The types of inputs that no step writes.
    types: HashMap<Slot, Type>,
    ids: HashMap<String, Range<usize>>,
    secrets: HashSet<String>,
    /// The integrations that steps use, by key.
    integrations: BTreeMap<String, IntegrationName>,
    /// Those that the flow says it uses, where it says so.
    may_use: Option<BTreeMap<String, integrations::Declared>>,
    /// Where calls go, as far as it is written out.
    visits: Vec<Visit>,
    steps: Vec<StepPlan>,
    ops: Vec<Op>,
    owners: Vec<Option<usize>>,
    scopes: Vec<Scope>,
    calls: Vec<flowrun_machine::CallPlan>,
    eaches: Vec<flowrun_machine::EachPlan>,
    forks: Vec<flowrun_machine::ForkPlan>,
    callees: Vec<flowrun_machine::CalleePlan>,
    awaits: Vec<flowrun_machine::AwaitPlan>,
    responds: Vec<flowrun_machine::RespondPlan>,
    emits: Vec<flowrun_machine::EmitPlan>,
    /// The steps that wait for a call of their own URL.
    callback_ids: HashSet<String>,
    /// What ends the pages of the call under way.
    pub(crate) until: Option<Placed<flowrun_template::Logic>>,
    /// Where the step under way stands: pages stream only within one such stretch of a strand.
    stretch: usize,
    stretches: usize,
    /// Paged calls so far, by the id of their step: the stretch, and the call.
    paged: HashMap<String, (usize, usize)>,
    /// Loops that may be the one reader of a paged step: the step's id, the loop, the call, the op that fetches.
    readers: Vec<(String, usize, flowrun_machine::StreamPlan)>,
    /// How often each step is mentioned.
    mentions: HashMap<String, usize>,
    /// What starts the flow, and what is known of it then.
    trigger: Option<Trigger>,
    trigger_fields: &'static [&'static str],
    /// How many calls are nested beneath it, and may be.
    depth: usize,
    call_depth: usize,
    /// A flow it calls has mistakes.
    is_broken: bool,
    /// For each call, the step that makes it.
    callers: Vec<usize>,
    /// What judges the constants of each kind's settings, made once: it costs a millisecond.
    pub(crate) judges: HashMap<String, Judge>,
    /// Ids that some text or expression reads under `steps`.
    mentioned: HashSet<String>,
    /// Variables that some text or expression reads.
    read: HashSet<Slot>,
    /// The step under way.
    owner: Option<usize>,
    /// What has a value at this point.
    reach: Reach,
    /// In a handler or a `finally` block: `error` may be read.
    has_error: bool,
    /// In a `finally` block: the flow cannot end here.
    in_finally: bool,
    /// In an `undo` block: what it reads. The flow cannot end here either.
    undo_reads: Option<BTreeSet<Slot>>,
    /// In a loop: `index` may be read; in a `for_each` without `as`, `item` too.
    has_index: bool,
    pub(crate) has_item: bool,
    /// The most items of a `for_each` (L-3).
    max_items: usize,
    trail: Trail,
}

impl<'c, 'p, 's> Compiler<'c, 'p, 's> {
    fn new(bundle: &'p mut Bundle<'c>, slots: Slots, problems: &'p mut Problems<'s>) -> Self {
        Self {
            catalog: bundle.catalog,
            bundle,
            problems,
            slots,
            declared: HashSet::new(),
            types: HashMap::new(),
            ids: HashMap::new(),
            secrets: HashSet::new(),
            integrations: BTreeMap::new(),
            may_use: None,
            visits: Vec::new(),
            steps: Vec::new(),
            ops: Vec::new(),
            owners: Vec::new(),
            scopes: Vec::new(),
            calls: Vec::new(),
            eaches: Vec::new(),
            forks: Vec::new(),
            callees: Vec::new(),
            awaits: Vec::new(),
            responds: Vec::new(),
            emits: Vec::new(),
            callback_ids: HashSet::new(),
            until: None,
            stretch: 0,
            stretches: 0,
            paged: HashMap::new(),
            readers: Vec::new(),
            mentions: HashMap::new(),
            trigger: None,
            trigger_fields: &[],
            depth: 0,
            call_depth: 0,
            is_broken: false,
            callers: Vec::new(),
            judges: HashMap::new(),
            mentioned: HashSet::new(),
            read: HashSet::new(),
            owner: None,
            reach: Reach::default(),
            has_error: false,
            in_finally: false,
            undo_reads: None,
            has_index: false,
            has_item: false,
            max_items: 0,
            trail: Trail::default(),
        }
    }

    /// Adds an op that belongs to the step under way.
    fn op(&mut self, op: Op) -> usize {
        self.ops.push(op);
        self.owners.push(self.owner);
        self.ops.len() - 1
    }

    /// Where the next op will stand.
    fn here(&self) -> usize {
        self.ops.len()
    }

    /// Once every mention is known: drops the outputs that nothing reads.
    fn keep_what_is_read(&mut self) {
        for step in &mut self.steps {
            step.is_mentioned = step.id.as_ref().is_some_and(|id| self.mentioned.contains(id));
        }
        for (call, step) in self.calls.iter_mut().zip(&self.callers) {
            if call.output == OutputUse::Nobody && self.steps[*step].is_mentioned {
                call.output = OutputUse::Mentions;
            }
        }
    }

    /// Lets pages stream where one loop alone reads the items of a step.
    fn stream_what_one_reads(&mut self) {
        for (id, each, stream) in std::mem::take(&mut self.readers) {
            if self.mentions.get(&id) == Some(&1)
                && let Some(paging) = &mut self.calls[stream.call].paging
            {
                paging.streams = true;
                self.eaches[each].stream = Some(stream);
            }
        }
    }

    /// Runs a part of the flow that may be taken another number of times than what stands around it.
    pub(crate) fn apart<T>(&mut self, part: impl FnOnce(&mut Self) -> T) -> T {
        self.stretches += 1;
        let outer = std::mem::replace(&mut self.stretch, self.stretches);
        let done = part(self);
        self.stretch = outer;
        done
    }

    /// Compiles `outputs`, of the flow or of an `end`.
    fn outputs(
        &mut self,
        entries: &[(crate::node::Key, crate::node::Node)],
        path: &str,
    ) -> Vec<(String, Placed<Tree>)> {
        let output = |(key, node): &(crate::node::Key, crate::node::Node)| {
            let path = format!("{path}.{}", key.text);
            (key.text.clone(), self.output_value(node, &path))
        };
        entries.iter().map(output).collect()
    }
}
