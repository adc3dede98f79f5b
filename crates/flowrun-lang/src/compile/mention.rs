//! Judges what a text or an expression mentions: declared, set on every way here, allowed here.

use std::ops::Range;

use flowrun_template::{Mention, RESERVED, Root, Segment, Slot};

use crate::code::Code;
use crate::compile::Compiler;
use crate::compile::part::Spot;
use crate::suggest::{instead, nearest};

impl Compiler<'_, '_, '_> {
    /// Judges one mention; `spot` says what its place allows, `bytes` where it stands in the file.
    pub(super) fn judge(&mut self, mention: &Mention, spot: Spot, path: &str, bytes: Range<usize>) {
        self.note(mention, &bytes);
        match mention.root {
            Root::Slot(slot) => {
                if let Some(reads) = &mut self.undo_reads {
                    reads.insert(slot);
                }
                let name = self.slots.name(slot).to_owned();
                self.read.insert(slot);
                if RESERVED.contains(&name.as_str()) {
                    self.judge_reserved(&name, mention, path, bytes);
                } else if !self.declared.contains(&slot) {
                    self.undeclared(&name, mention.within_each, path, bytes);
                } else if !mention.tolerated && !spot.may_be_unset {
                    self.judge_reach(slot, &name, path, bytes);
                } else if !mention.tolerated {
                    self.judge_output(slot, &name, path, bytes);
                }
            }
            Root::Secrets => self.judge_secret(mention, spot, path, bytes),
            Root::Integrations => self.judge_kept(mention, path, bytes),
        }
    }

    fn undeclared(&mut self, name: &str, within_each: bool, path: &str, bytes: Range<usize>) {
        let declared = self.declared.iter().map(|slot| self.slots.name(*slot));
        let meant = if self.problems.are_many() { None } else { nearest(name, declared) };
        let help = match meant {
            Some(other) => format!("did you mean `{other}`?"),
            None if within_each => format!("of the item, write `this.{name}`"),
            None => {
                format!("declare it: inputs: {{ {name}: {{ type: string }} }}, or set it in a step before")
            }
        };
        let message = format!("nothing in this flow sets `{name}`");
        self.problems.error(Code::Undeclared, (path, bytes), message).set_help(help);
    }

    fn judge_reach(&mut self, slot: Slot, name: &str, path: &str, bytes: Range<usize>) {
        if !self.reach.is_possible(slot) {
            let message = format!("`{name}` has no value yet here");
            let problem = self.problems.error(Code::PossiblyUnset, (path, bytes), message);
            problem.set_help(format!("set `{name}` in a step before this one"));
        } else if !self.reach.is_sure(slot) {
            let message = format!("`{name}` may have no value here: it is not set on every way to this step");
            let problem = self.problems.warning(Code::PossiblyUnset, (path, bytes), message);
            problem.set_help(format!(
                "in a text, {{{{default {name} \"…\"}}}}; else set it on every way to this step"
            ));
        }
    }

    fn judge_reserved(&mut self, name: &str, mention: &Mention, path: &str, bytes: Range<usize>) {
        match name {
            "steps" => self.judge_step(mention, path, bytes),
            "error" if !self.has_error => {
                let message = "`error` is only known in `on_error` and `finally`";
                let problem = self.problems.error(Code::Undeclared, (path, bytes), message);
                problem.set_help("elsewhere, read `steps.<id>.error`");
            }
            "index" if self.has_index => {}
            "item" if self.has_item => {}
            "index" | "item" => {
                let message = format!("`{name}` is only known in a loop");
                let problem = self.problems.error(Code::Undeclared, (path, bytes), message);
                problem.set_help(if name == "item" {
                    "in the `do:` of a `for_each`; with `as: contact` the item is called `contact`"
                } else {
                    "in the `do:` of a `for_each` or a `repeat`"
                });
            }
            "trigger" => self.judge_trigger(mention, path, bytes),
            "callbacks" => self.judge_callback(mention, path, bytes),
            // Secrets and kept fields never come here: they are late, and told by their places.
            _ => {}
        }
    }

    fn judge_step(&mut self, mention: &Mention, path: &str, bytes: Range<usize>) {
        let Some(Segment::Key(id)) = mention.path.first() else {
            self.mentioned.extend(self.ids.keys().cloned());
            // Whoever reads all of them reads each, and as a whole.
            self.ids.keys().for_each(|id| *self.mentions.entry(id.clone()).or_default() += 2);
            return;
        };
        if self.ids.contains_key(id) {
            self.mentioned.insert(id.clone());
            *self.mentions.entry(id.clone()).or_default() += 1;
            return;
        }
        let help = if self.ids.is_empty() {
            format!("give the step that is meant its id: - id: {id}")
        } else {
            instead(id, self.ids.keys().map(String::as_str).collect::<Vec<_>>())
        };
        self.problems
            .error(Code::UnknownStep, (path, bytes), format!("no step has the id `{id}`"))
            .set_help(help);
    }

    fn judge_secret(&mut self, mention: &Mention, spot: Spot, path: &str, bytes: Range<usize>) {
        if !spot.may_hold_secrets {
            let message = "a secret may only stand in a setting of a step that calls a service";
            let problem = self.problems.error(Code::SecretHere, (path, bytes), message);
            return problem
                .set_help("use it in `headers`, `query`, `form`, `json` or `body` of the request itself");
        }
        let Some(Segment::Key(name)) = mention.path.first() else { return };
        if !self.secrets.contains(name) {
            let help = match nearest(name, self.secrets.iter().map(String::as_str)) {
                Some(other) => format!("did you mean `secrets.{other}`?"),
                None => format!("declare it at the top of the flow: secrets: [{name}]"),
            };
            let message = format!("the flow does not declare the secret `{name}`");
            self.problems.error(Code::UndeclaredSecret, (path, bytes), message).set_help(help);
        }
    }
}
