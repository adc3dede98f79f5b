//! Variables in a checkpoint: by name, and only where they differ from those of the strand that forked this one.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Unrestorable;
use super::names::Names;
use crate::variables::Variables;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VariablesRecord {
    values: BTreeMap<String, VariableRecord>,
    /// What stands for something in the other strand, and for nothing here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unset: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VariableRecord {
    value: Arc<Value>,
    /// Its room, where this strand wrote it itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<usize>,
}

impl VariablesRecord {
    /// What differs from `base`, which the same flow must have.
    pub(super) fn of(names: Names<'_>, variables: &Variables, base: Option<&Variables>) -> Self {
        let mut record = Self::default();
        let mut outer = base.map(Variables::entries);
        for ((_, name), (value, size)) in names.0.slots.iter().zip(variables.entries()) {
            let outer = outer.as_mut().and_then(Iterator::next).and_then(|(value, _)| value);
            match (value, outer) {
                (Some(value), Some(outer))
                    if size.is_none() && (Arc::ptr_eq(value, outer) || value == outer) => {}
                (Some(value), _) => {
                    record.values.insert(name.to_owned(), VariableRecord { value: Arc::clone(value), size });
                }
                (None, Some(_)) => record.unset.push(name.to_owned()),
                (None, None) => {}
            }
        }
        record
    }

    pub(super) fn read(self, names: Names<'_>, base: Option<&Variables>) -> Result<Variables, Unrestorable> {
        let mut variables = base.map_or_else(|| Variables::new(names.0.slots.len()), Variables::forked);
        for name in self.unset {
            variables.put(names.variable(&name)?, None, None);
        }
        for (name, VariableRecord { value, size }) in self.values {
            variables.put(names.variable(&name)?, Some(value), size);
        }
        Ok(variables)
    }
}
