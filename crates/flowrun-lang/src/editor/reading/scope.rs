//! Which variables have a value at the cursor, in every run that gets there or in some.

use crate::compile::View;
use crate::editor::locate::{Part, Spot};
use crate::editor::names::is_free;
use crate::editor::reading::Reading;

/// How much is known to have a value at a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::editor) struct Known {
    pub(in crate::editor) name: String,
    pub(in crate::editor) is_sure: bool,
}

impl Reading {
    /// The variables that may have a value at a spot, those that are sure to first.
    pub(in crate::editor) fn known(&self, spot: &Spot) -> Vec<Known> {
        let view = self.view(spot);
        let earlier = self.earlier_beside(spot);
        let mut known: Vec<Known> = Vec::new();
        for write in &self.names.writes {
            let slot = self.slots.find(&write.name);
            let is_sure = earlier.contains(&write.name)
                || slot.is_some_and(|slot| view.as_ref().is_none_or(|view| view.reach.is_sure(slot)));
            let is_possible = is_sure
                || slot.is_some_and(|slot| view.as_ref().is_some_and(|view| view.reach.is_possible(slot)));
            let is_new = known.iter().all(|known| known.name != write.name);
            if is_possible && is_new && is_free(&write.name) {
                known.push(Known { name: write.name.clone(), is_sure });
            }
        }
        known.sort_by_key(|known| !known.is_sure);
        known
    }

    /// What the engine provides at a spot: `error`, `index`, `item` only where they are known.
    pub(in crate::editor) fn provides(&self, spot: &Spot) -> (bool, bool, bool) {
        let view = self.view(spot).unwrap_or_default();
        (view.has_error, view.has_index, view.has_item)
    }

    /// What is known at a spot: before its step, or after the one above where the step cannot be read.
    fn view(&self, spot: &Spot) -> Option<View> {
        let marks = &self.trail.marks;
        let mark = |path: &str| marks.iter().find(|mark| mark.path == path);
        if matches!(spot.path.first(), Some(Part::Key(key)) if key == "outputs") {
            return mark("outputs").map(|mark| mark.after.clone());
        }
        for end in (1..=spot.path.len()).rev() {
            let Part::Item(at) = spot.path[end - 1] else { continue };
            if let Some(mark) = mark(&spot.dotted(end)) {
                return Some(self.in_body(spot, end, mark.before.clone()));
            }
            let list = spot.dotted(end - 1);
            let above = (0..at).rev().find_map(|at| mark(&format!("{list}[{at}]")));
            if let Some(above) = above {
                return Some(self.in_body(spot, end, above.after.clone()));
            }
        }
        // The first step, which cannot be read: only the inputs have values.
        marks.first().map(|mark| mark.before.clone())
    }

    /// A view from outside, seen from a body of a loop that begins at `end` and has no step that can be read.
    fn in_body(&self, spot: &Spot, end: usize, mut view: View) -> View {
        let Some(Part::Key(key)) = spot.path.get(end) else { return view };
        let step = self.root.as_ref().and_then(|root| root.find(&spot.dotted(end)));
        match (key.as_str(), step) {
            ("do", Some(step)) => {
                let each = step.get("for_each");
                view.has_index |= each.is_some() || step.get("repeat").is_some();
                let item = each.and_then(|each| each.get("as")?.text());
                view.has_item |= each.is_some() && item.is_none();
                if let Some(slot) = item.and_then(|item| self.slots.find(item)) {
                    view.reach.set(slot);
                }
            }
            ("on_error" | "finally", _) => view.has_error = true,
            _ => {}
        }
        view
    }

    /// In `compute` and `set`, what stands above in the same map has a value.
    fn earlier_beside(&self, spot: &Spot) -> Vec<String> {
        let [.., Part::Key(kind), Part::Key(own)] = spot.path.as_slice() else { return Vec::new() };
        let map = || self.root.as_ref()?.find(&spot.dotted(spot.path.len() - 1))?.entries();
        match (kind.as_str(), map()) {
            ("compute" | "set", Some(entries)) => {
                entries.iter().map(|(key, _)| key.text.clone()).take_while(|key| key != own).collect()
            }
            _ => Vec::new(),
        }
    }
}
