//! The one place where a call is filled, made, picked from, redacted and capped.
//!
//! Every driver comes through [`perform`]. It is given settings in which secrets and kept fields are
//! still references; what it gives back holds no secret and no more of a reply than the flow keeps.

use std::sync::Arc;

use flowrun_machine::{CallPlan, Called, Failure, OutputUse, PageAsk};
use flowrun_step::{Conversation, ErasedStep, Keeps, Page, StepContext, StepError};
use flowrun_template::{Redactor, Rendered, Slot};
use serde_json::{Map, Value};

use crate::failure::{of_fill, of_step};
use crate::send::send;
use crate::services::Services;
use crate::vault::FilledVault;

/// What one attempt needs besides the house's services.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    /// Run, place, attempt, key and ways out.
    pub(crate) context: StepContext,
    /// The settings, complete but for what is late.
    pub(crate) settings: Rendered,
    /// The call as planned.
    pub(crate) plan: CallPlan,
    /// The page that is asked for, of a call that is answered in pages.
    pub(crate) page: Option<PageAsk>,
    /// Whom the run talks with.
    pub(crate) conversation: Option<Conversation>,
}

/// Makes one attempt of a call.
pub(crate) async fn perform(services: Arc<Services>, attempt: Attempt) -> Called {
    let place = attempt.plan.settings.path.clone();
    match fill_and_call(&services, attempt).await {
        Ok(called) => called,
        Err(failure) => Called::Failed(placed(*failure, place)),
    }
}

type Failed = Box<Failure>;
type Kept = (Value, Vec<(Slot, Value)>);

async fn fill_and_call(services: &Services, attempt: Attempt) -> Result<Called, Failed> {
    let Attempt { context, settings, plan, page, conversation } = attempt;
    let vault = FilledVault::gather((services, &context.tenant), &settings)
        .await
        .map_err(|e| Box::new(of_step(&e)))?;
    let context = if vault.holds_secrets() { context.with_secret() } else { context };
    let settings = settings.fill(&vault).map_err(|e| Box::new(of_fill(&e)))?;
    let made = match (services.steps.get(&plan.kind), page) {
        (Some(step), Some(page)) => turn(step, context, settings, (&plan, page)).await,
        (Some(step), None) => call(step, context, settings, &plan).await.map(done),
        (None, _) => {
            let sent = send(services, (&context, conversation), &settings).await;
            sent.map(|()| done((Value::Null, Vec::new()))).map_err(Into::into)
        }
    };
    let redactor = vault.redactor();
    match made {
        Ok(called) => Ok(kept(called, &redactor)),
        Err(error) => Err(Box::new(redacted(error.into_failure(), &redactor))),
    }
}

fn done((output, variables): Kept) -> Called {
    Called::Done { output, variables }
}

/// What a call gave, without the secrets that were filled in for it.
fn kept(called: Called, redactor: &Redactor) -> Called {
    match called {
        Called::Done { mut output, mut variables } => {
            redactor.redact_value(&mut output);
            variables.iter_mut().for_each(|(_, value)| redactor.redact_value(value));
            Called::Done { output, variables }
        }
        Called::Page { mut items, mut next, mut body } => {
            items.iter_mut().for_each(|item| redactor.redact_value(item));
            next.iter_mut().for_each(|next| redactor.redact_value(next));
            redactor.redact_value(&mut body);
            Called::Page { items, next, body }
        }
        other => other,
    }
}

/// Fetches one page; all of it is kept only where something reads it.
async fn turn(
    step: &Arc<dyn ErasedStep>,
    context: StepContext,
    settings: Value,
    (plan, page): (&CallPlan, PageAsk),
) -> Result<Called, CallError> {
    let Page { items, next, body } = step.page(context, settings, page.cursor).await?;
    let is_read = plan.paging.as_ref().is_some_and(|paging| paging.until.is_some());
    Ok(Called::Page { items, next, body: if is_read { body } else { Value::Null } })
}

/// Why a call gave nothing: the step's own reason, or what it gave did not hold what was picked.
enum CallError {
    Step(StepError),
    Pick(flowrun_template::PickError),
}

impl From<StepError> for CallError {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}

impl CallError {
    fn into_failure(self) -> Failure {
        match self {
            Self::Step(error) => of_step(&error),
            Self::Pick(error) => Failure::of_pick(&error),
        }
    }
}

async fn call(
    step: &Arc<dyn ErasedStep>,
    context: StepContext,
    settings: Value,
    plan: &CallPlan,
) -> Result<Kept, CallError> {
    let info = step.info();
    let output = step.call(context, settings).await?;
    let picked = match &plan.picks {
        Some(picks) => {
            let from = output.pointer(info.pick_from).unwrap_or(&Value::Null);
            picks.part.pick(from).map_err(CallError::Pick)?
        }
        None => Vec::new(),
    };
    let output = match (plan.output, info.keeps) {
        (OutputUse::Nobody, _) => Value::Null,
        (OutputUse::Mentions, Keeps::Variables) => {
            Value::Object(picked.iter().cloned().collect::<Map<_, _>>())
        }
        (OutputUse::Into, _) | (OutputUse::Mentions, Keeps::Whole) => output,
    };
    Ok((output, written(plan, picked)))
}

/// The variables by slot; an optional pick that found nothing is not among them.
fn written(plan: &CallPlan, picked: Vec<(String, Value)>) -> Vec<(Slot, Value)> {
    let Some(picks) = &plan.picks else { return Vec::new() };
    let slot = |name: &str| {
        picks.part.names().zip(&plan.writes).find(|(other, _)| *other == name).map(|(_, slot)| *slot)
    };
    picked.into_iter().filter_map(|(name, value)| Some((slot(&name)?, value))).collect()
}

fn placed(failure: Failure, place: String) -> Failure {
    if failure.place.is_empty() { Failure { place, ..failure } } else { failure }
}

fn redacted(mut failure: Failure, redactor: &Redactor) -> Failure {
    failure.message = redactor.redact(&failure.message).into_owned();
    failure.help = failure.help.map(|help| redactor.redact(&help).into_owned());
    failure
}
