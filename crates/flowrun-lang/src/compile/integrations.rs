//! The integrations of a flow: which it may use, whether each can be used, and whether it was granted what the flow needs.

use std::collections::BTreeMap;
use std::ops::Range;

use flowrun_step::{IntegrationName, IntegrationState, IntegrationStatus};
use flowrun_template::{Mention, Segment};

use crate::catalog::lacks;
use crate::code::Code;
use crate::compile::Compiler;
use crate::document::{Keys, wrong_shape};
use crate::node::{Key, Node};
use crate::permissions::IntegrationUse;
use crate::suggest::{instead, nearest};

/// The keys beneath one integration of a flow.
const KEYS: &[&str] = &["scopes"];

/// What a flow says of one integration at its top.
pub(super) struct Declared {
    name: IntegrationName,
    bytes: Range<usize>,
    scopes: Vec<(String, Range<usize>)>,
}

impl Declared {
    fn path(&self) -> String {
        format!("integrations.{}", self.name)
    }
}

impl Compiler<'_, '_, '_> {
    /// Reads `integrations` of a flow: from then on it may use no other.
    pub(super) fn declare_integrations(&mut self, node: &Node) {
        let mut declared = BTreeMap::new();
        if node.entries().is_none() && !node.is_null() {
            let (wanted, help) =
                ("`integrations` is a map of names", "integrations: { NAME: { scopes: [SCOPE] } }");
            return wrong_shape(self.problems, ("integrations", node), wanted, help);
        }
        for (key, node) in node.entries().unwrap_or_default() {
            let Some(found) = self.declared(key, node) else { continue };
            let path = found.path();
            if declared.insert(found.name.key().to_owned(), found).is_some() {
                let message = format!("`{}` is declared twice: names are alike without case", key.text);
                let problem = self.problems.error(Code::DuplicateKey, (&path, key.bytes.clone()), message);
                problem.set_help("take one of them out");
            }
        }
        self.may_use = Some(declared);
    }

    fn declared(&mut self, key: &Key, node: &Node) -> Option<Declared> {
        let path = format!("integrations.{}", key.text);
        let name = match IntegrationName::new(&key.text) {
            Ok(name) => name,
            Err(error) => {
                let problem =
                    self.problems.error(Code::IllegalName, (&path, key.bytes.clone()), error.to_string());
                problem.set_help("`flowrun integrations list` shows the names there are");
                return None;
            }
        };
        let mut declared = Declared { name, bytes: key.bytes.clone(), scopes: Vec::new() };
        if node.is_null() {
            return Some(declared);
        }
        let mut keys = Keys::of(node, &path, self.problems)?;
        let scopes = keys.texts("scopes", self.problems).into_iter();
        declared.scopes = scopes.map(|(scope, node)| (scope.to_owned(), node.bytes.clone())).collect();
        keys.refuse_rest(KEYS, self.problems);
        Some(declared)
    }

    /// Whether the flow may use it: a flow that lists its integrations uses no other.
    fn is_declared(&mut self, name: &IntegrationName, path: &str, bytes: Range<usize>) -> bool {
        let Some(declared) = &self.may_use else { return true };
        if declared.contains_key(name.key()) {
            return true;
        }
        let known = declared.values().map(|declared| declared.name.as_str());
        let help = match nearest(name.as_str(), known) {
            Some(other) => format!("did you mean `{other}`?"),
            None => format!("declare it at the top of the flow: integrations: {{ {name}: {{}} }}"),
        };
        let message = format!("the flow does not declare the integration `{name}`");
        self.problems.error(Code::UndeclaredIntegration, (path, bytes), message).set_help(help);
        false
    }

    /// Once every use is known: what is declared and never used, and what its grant does not cover.
    pub(super) fn judge_declared(&mut self) {
        let declared = self.may_use.take().unwrap_or_default();
        for declared in declared.values() {
            if self.integrations.contains_key(declared.name.key()) {
                self.judge_scopes(declared);
            } else if !self.problems.has_errors() {
                // Before that, the step that uses it may be one that cannot be read.
                let message = format!("no step of this flow uses the integration `{}`", declared.name);
                let at = (declared.path(), declared.bytes.clone());
                let problem = self.problems.warning(Code::UnusedIntegration, (&at.0, at.1), message);
                problem.set_help(format!("take it out, or let a step say `integration: {}`", declared.name));
            }
        }
        self.may_use = Some(declared);
    }

    /// The scopes that are known not to have been granted, each where the flow asks for it.
    fn judge_scopes(&mut self, declared: &Declared) {
        let Some(status) = self.catalog.integration(&declared.name) else { return };
        let Some(granted) = status.granted.as_ref().filter(|_| status.state == IntegrationState::Authorized)
        else {
            return;
        };
        let is_missing = |(_, (scope, _)): &(usize, &(String, Range<usize>))| lacks(status, scope);
        let missing: Vec<_> = declared.scopes.iter().enumerate().filter(is_missing).collect();
        let wanted: Vec<&str> = missing.iter().map(|(_, (scope, _))| scope.as_str()).collect();
        let help = way_to(status, &wanted);
        for (at, (scope, bytes)) in missing {
            let path = format!("{}.scopes[{at}]", declared.path());
            let message = format!("integration `{}` was not granted the scope `{scope}`", declared.name);
            let problem = self.problems.error(Code::ScopeMissing, (&path, bytes.clone()), message);
            if status.scopes.contains(scope) {
                problem.causes.push("it was asked for, and the provider did not grant it".to_owned());
            }
            let all = if granted.is_empty() { "none".to_owned() } else { granted.join(" ") };
            problem.causes.push(format!("it was granted: {all}"));
            problem.set_help(help.clone());
        }
    }

    /// What is used, with the scopes that the flow says it needs.
    pub(super) fn used_integrations(&mut self) -> Vec<IntegrationUse> {
        let mut declared = self.may_use.take().unwrap_or_default();
        let used = std::mem::take(&mut self.integrations).into_iter();
        used.map(|(key, name)| {
            let scopes = declared.remove(&key).map(|declared| declared.scopes).unwrap_or_default();
            IntegrationUse { name, scopes: scopes.into_iter().map(|(scope, _)| scope).collect() }
        })
        .collect()
    }

    pub(super) fn judge_kept(&mut self, mention: &Mention, path: &str, bytes: Range<usize>) {
        let [Segment::Key(name), Segment::Key(field), ..] = mention.path.as_slice() else { return };
        self.use_integration(name, path, bytes.clone());
        let Ok(parsed) = IntegrationName::new(name) else { return };
        let Some(status) = self.catalog.integration(&parsed) else { return };
        if status.state == IntegrationState::Authorized && !status.kept.contains(field) {
            let message = format!("integration `{name}` keeps no field `{field}`");
            let help = if status.kept.is_empty() {
                format!("flowrun integrations show {name}")
            } else {
                instead(field, status.kept.iter().map(String::as_str))
            };
            self.problems.error(Code::UnknownIntegration, (path, bytes), message).set_help(help);
        }
    }

    /// An integration the flow uses: known to the house, and usable (SEED-16).
    pub(super) fn use_integration(&mut self, text: &str, path: &str, bytes: Range<usize>) {
        let name = match IntegrationName::new(text) {
            Ok(name) => name,
            Err(error) => {
                let problem = self.problems.error(Code::IllegalName, (path, bytes), error.to_string());
                return problem.set_help("`flowrun integrations list` shows the names there are");
            }
        };
        self.integrations.insert(name.key().to_owned(), name.clone());
        if !self.is_declared(&name, path, bytes.clone()) {
            return;
        }
        let Some(all) = self.catalog.integrations() else { return };
        match all.iter().find(|status| status.name == name) {
            Some(status) if status.state == IntegrationState::Authorized => {}
            Some(status) => self.not_authorized(&name, status.state, path, bytes),
            None => self.unknown_integration(&name, all, path, bytes),
        }
    }

    fn not_authorized(
        &mut self,
        name: &IntegrationName,
        state: IntegrationState,
        path: &str,
        bytes: Range<usize>,
    ) {
        let message = format!("integration `{name}` is not authorized");
        let problem = self.problems.error(Code::NotAuthorized, (path, bytes), message);
        problem.causes.push(match state {
            IntegrationState::Incomplete => "registered, but never authorized".to_owned(),
            IntegrationState::NeedsAttention(reason) => format!("its state is {state}: {}", reason.meaning()),
            IntegrationState::Authorized => format!("its state is {state}"),
        });
        problem.set_help(format!("flowrun integrations authorize {name}"));
    }

    fn unknown_integration(
        &mut self,
        name: &IntegrationName,
        all: &[IntegrationStatus],
        path: &str,
        bytes: Range<usize>,
    ) {
        let authorized = all.iter().filter(|status| status.state == IntegrationState::Authorized);
        let names: Vec<&str> = authorized.map(|status| status.name.as_str()).collect();
        let help = match nearest(name.as_str(), names.iter().copied()) {
            Some(other) => format!("did you mean `{other}`?"),
            None if names.is_empty() => format!("flowrun integrations add {name}"),
            None => format!("authorized here: {}; or: flowrun integrations add {name}", names.join(", ")),
        };
        let message = format!("there is no integration `{name}`");
        self.problems.error(Code::UnknownIntegration, (path, bytes), message).set_help(help);
    }
}

/// The commands after which an integration has these scopes too.
fn way_to(status: &IntegrationStatus, wanted: &[&str]) -> String {
    let name = &status.name;
    let mut all: Vec<&str> = status.scopes.iter().map(String::as_str).collect();
    all.extend(wanted.iter().filter(|scope| !status.scopes.iter().any(|asked| asked == *scope)));
    let authorize = format!("flowrun integrations authorize {name}");
    if all.len() == status.scopes.len() {
        return authorize;
    }
    format!("flowrun integrations edit {name} --scopes \"{}\" && {authorize}", all.join(" "))
}
