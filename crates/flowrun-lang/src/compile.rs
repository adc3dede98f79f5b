//! From a document to a plan: every text compiled for its place, every name known, ops laid out flat.

mod block;
mod call;
mod compare;
mod declare;
mod kind;
mod limits;
mod loops;
mod mention;
mod parallel;
mod part;
mod retry;
mod trail;

pub(crate) use part::{Spot, dotted};
pub(crate) use trail::{Trail, View};

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use flowrun_machine::{Op, OutputUse, Placed, Plan, Scope, StepPlan};
use flowrun_step::IntegrationName;
use flowrun_template::{Slot, Slots, Tree, Type};

use crate::catalog::Catalog;
use crate::document::Document;
use crate::input::{Input, inputs};
use crate::names::Reach;
use crate::problems::Problems;

/// What compiling a document gives besides its problems.
pub(crate) struct Compiled {
    pub(crate) plan: Plan,
    pub(crate) inputs: Vec<Input>,
    pub(crate) secrets: Vec<String>,
    pub(crate) integrations: Vec<IntegrationName>,
    /// What was known where; only an editor asks.
    pub(crate) trail: Trail,
}

/// Lays out a document. The plan may run only if no error was found.
pub(crate) fn compile(
    document: &Document<'_>,
    hash: String,
    catalog: &Catalog,
    problems: &mut Problems<'_>,
) -> Compiled {
    let mut slots = Slots::new();
    let inputs = inputs(document.inputs, &mut slots, problems);
    let mut compiler = Compiler::new(catalog, slots, problems);
    compiler.declare_all(document, &inputs);
    let limits = compiler.limits(document.limits);
    compiler.max_items = limits.items;
    compiler.flow(document);
    let outputs = compiler.outputs(document.outputs, "outputs");
    compiler.keep_what_is_read();
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
        outputs,
        inputs: inputs.iter().map(|input| input.slot).collect(),
        max_steps: limits.steps,
        max_state: limits.state,
        max_variable: limits.variable,
    };
    let integrations = compiler.integrations.into_values().collect();
    let secrets = document.secrets.iter().map(|(name, _)| (*name).to_owned()).collect();
    Compiled { plan, inputs, secrets, integrations, trail: compiler.trail }
}

/// The state of one compilation.
pub(crate) struct Compiler<'c, 'p, 's> {
    catalog: &'c Catalog,
    pub(crate) problems: &'p mut Problems<'s>,
    slots: Slots,
    declared: HashSet<Slot>,
    /// The types of inputs that no step writes.
    types: HashMap<Slot, Type>,
    ids: HashMap<String, Range<usize>>,
    secrets: HashSet<String>,
    integrations: BTreeMap<String, IntegrationName>,
    steps: Vec<StepPlan>,
    ops: Vec<Op>,
    owners: Vec<Option<usize>>,
    scopes: Vec<Scope>,
    calls: Vec<flowrun_machine::CallPlan>,
    eaches: Vec<flowrun_machine::EachPlan>,
    forks: Vec<flowrun_machine::ForkPlan>,
    /// For each call, the step that makes it.
    callers: Vec<usize>,
    /// Ids that some text or expression reads under `steps`.
    mentioned: HashSet<String>,
    /// The step under way.
    owner: Option<usize>,
    /// What has a value at this point.
    reach: Reach,
    /// In a handler or a `finally` block: `error` may be read.
    has_error: bool,
    /// In a `finally` block: the flow cannot end here.
    in_finally: bool,
    /// In a loop: `index` may be read; in a `for_each` without `as`, `item` too.
    has_index: bool,
    has_item: bool,
    /// The most items of a `for_each` (L-3).
    max_items: usize,
    trail: Trail,
}

impl<'c, 'p, 's> Compiler<'c, 'p, 's> {
    fn new(catalog: &'c Catalog, slots: Slots, problems: &'p mut Problems<'s>) -> Self {
        Self {
            catalog,
            problems,
            slots,
            declared: HashSet::new(),
            types: HashMap::new(),
            ids: HashMap::new(),
            secrets: HashSet::new(),
            integrations: BTreeMap::new(),
            steps: Vec::new(),
            ops: Vec::new(),
            owners: Vec::new(),
            scopes: Vec::new(),
            calls: Vec::new(),
            eaches: Vec::new(),
            forks: Vec::new(),
            callers: Vec::new(),
            mentioned: HashSet::new(),
            owner: None,
            reach: Reach::default(),
            has_error: false,
            in_finally: false,
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
