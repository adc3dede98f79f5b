//! Whether a test file fits its flow: every step and secret it names is one, and every integration
//! the flow uses is there.

use flowrun_step::IntegrationName;

use super::{Case, Suite, Written};
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Place};
use crate::flow::Flow;
use crate::suggest::nearest;
use crate::trigger::Trigger;

impl Suite {
    /// Everything in the file that does not fit the flow.
    #[must_use]
    pub fn misfits(&self, file: &str, flow: &Flow) -> Vec<Diagnostic> {
        let missing = flow.integrations().iter().map(|used| &used.name).filter(|name| !self.has(name));
        let at = || self.flow.as_ref().map_or_else(|| Place::whole(file), |flow| flow.place.clone());
        let mut misfits: Vec<Diagnostic> = missing.map(|name| unknown_integration(name, at())).collect();
        for step in self.cases.iter().flat_map(steps) {
            misfits.extend(unknown_step(step, flow));
        }
        for (secret, _) in self.cases.iter().flat_map(|case| &case.secrets) {
            misfits.extend(undeclared_secret(secret, flow));
        }
        misfits.extend(self.cases.iter().filter_map(|case| misstarted(case, flow)));
        misfits.sort_by_key(|misfit| misfit.place.as_ref().map_or(0, |place| place.bytes.start));
        misfits
    }

    fn has(&self, name: &IntegrationName) -> bool {
        self.integrations.iter().any(|known| known.name == *name)
    }
}

/// Every step that a case names.
fn steps(case: &Case) -> impl Iterator<Item = &Written<String>> {
    let expect = &case.expect;
    let replies = case.replies.iter().filter_map(|reply| reply.step.as_ref());
    let requests = expect.requests.iter().flat_map(|requests| &requests.is);
    let counted = expect.attempts.iter().map(|(step, _)| step);
    let ended = expect.steps.iter().map(|(step, _)| step);
    let calls = case.calls.iter().map(|call| &call.name);
    let replies = replies.chain(calls);
    replies.chain(requests.filter_map(|request| request.step.as_ref())).chain(counted).chain(ended)
}

/// A case that starts the flow in another way than its trigger.
fn misstarted(case: &Case, flow: &Flow) -> Option<Diagnostic> {
    let start = case.start.as_ref()?;
    let (kind, trigger) = (start.is.0.as_str(), flow.trigger().map(Trigger::kind));
    if trigger == Some(kind) {
        return None;
    }
    let (message, help) = match trigger {
        Some(other) => (
            format!("the flow starts with a `{other}`, not with a `{kind}`"),
            format!("start: {{ {other}: {{}} }}"),
        ),
        None => (
            "the flow has no `trigger` to start it with".to_owned(),
            "leave `start` out, or give the flow a `trigger`".to_owned(),
        ),
    };
    Some(Diagnostic::error(Code::Trigger, message).at(start.place.clone()).help(help))
}

fn unknown_step(step: &Written<String>, flow: &Flow) -> Option<Diagnostic> {
    let names = names(flow);
    let ids: Vec<&str> = names.iter().map(String::as_str).collect();
    if ids.contains(&step.is.as_str()) {
        return None;
    }
    let message = format!("no step of the flow has the id `{}`", step.is);
    let help = match nearest(&step.is, ids.iter().copied()) {
        Some(id) => format!("did you mean `{id}`?"),
        None if ids.is_empty() => format!("give the step that is meant an id: `- id: {}`", step.is),
        None => format!("its steps are: {}", ids.join(", ")),
    };
    Some(Diagnostic::error(Code::UnknownStep, message).at(step.place.clone()).help(help))
}

/// The steps that have an id, as reports call them; those of called flows too.
fn names(flow: &Flow) -> Vec<String> {
    let plan = flow.plan();
    let steps = (0..=plan.flows.len()).flat_map(|number| {
        let with_id = plan.flow(number).steps.iter().enumerate().filter(|(_, step)| step.id.is_some());
        with_id.map(move |(at, _)| plan.step_name(number, at))
    });
    steps.collect()
}

fn undeclared_secret(secret: &Written<String>, flow: &Flow) -> Option<Diagnostic> {
    if flow.secrets().contains(&secret.is) {
        return None;
    }
    let message = format!("the flow declares no secret `{}`", secret.is);
    let help = match nearest(&secret.is, flow.secrets().iter().map(String::as_str)) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("declare it in the flow: `secrets: [{}]`", secret.is),
    };
    Some(Diagnostic::error(Code::UndeclaredSecret, message).at(secret.place.clone()).help(help))
}

fn unknown_integration(name: &IntegrationName, at: Place) -> Diagnostic {
    let message = format!("the flow uses the integration `{name}`, and the test file gives it none");
    let help = format!("integrations: {{ {name}: authorized }}");
    Diagnostic::error(Code::UnknownIntegration, message).at(at).help(help)
}
