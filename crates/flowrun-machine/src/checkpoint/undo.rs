//! What a run has to take back, in a checkpoint.

use serde::{Deserialize, Serialize};

use super::Unrestorable;
use super::failure::{EndRecord, FailureRecord};
use super::names::Names;
use super::variables::VariablesRecord;
use crate::plan::Plan;
use crate::undo::{Entry, Undo};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UndoRecord {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    entries: Vec<EntryRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<EndRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failures: Vec<FailureRecord>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryRecord {
    flow: usize,
    /// The step that has an `undo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    variables: VariablesRecord,
    size: usize,
    trail: String,
}

impl UndoRecord {
    pub(super) fn of(root: &Plan, undo: &Undo) -> Self {
        let entry = |entry: &Entry| {
            let names = Names(root.flow(entry.flow));
            EntryRecord {
                flow: entry.flow,
                step: entry.step.map(|step| names.step(step)),
                variables: VariablesRecord::of(names, &entry.variables, None),
                size: entry.size,
                trail: entry.trail.clone(),
            }
        };
        Self {
            entries: undo.entries.iter().map(entry).collect(),
            end: undo.end.as_ref().map(|end| EndRecord::of(root, end)),
            failures: undo.failures.iter().map(|failure| FailureRecord::of(root, failure)).collect(),
        }
    }

    pub(super) fn read(self, root: &Plan) -> Result<Undo, Unrestorable> {
        Ok(Undo {
            entries: self.entries.into_iter().map(|entry| entry.read(root)).collect::<Result<_, _>>()?,
            end: self.end.map(|end| end.read(root)).transpose()?,
            failures: self
                .failures
                .into_iter()
                .map(|failure| failure.read(root))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl EntryRecord {
    fn read(self, root: &Plan) -> Result<Entry, Unrestorable> {
        let names = Names(root.flow(self.flow));
        let step = self.step.map(|path| names.step_index(&path)).transpose()?;
        let undo = names.0.scopes[names.scope(step)?].undo.as_ref();
        let undo = undo.ok_or_else(|| Unrestorable::Missing("`undo` at that step".to_owned()))?;
        let variables = self.variables.read(names, None)?;
        Ok(Entry { flow: self.flow, step, pc: undo.pc, variables, size: self.size, trail: self.trail })
    }
}
