//! What went wrong with an exchange, in the contract's words; never a URL, only its host.

use std::error::Error;
use std::time::Duration;

use flowrun_step::{CallEffect, Effect, Request, StepError};

use crate::resolve::Forbidden;

/// A refusal: which rule, and what to do.
pub(crate) fn refused(reason: String, help: &str) -> StepError {
    StepError::Refused { reason, help: help.to_owned() }
}

/// A refusal because of the host's address.
pub(crate) fn out_of_reach(host: &str, forbidden: Forbidden) -> StepError {
    match forbidden {
        Forbidden::Address => refused(
            format!("{host} is not at an address this house may call"),
            "private addresses are the operator's to allow; link-local, reserved and metadata addresses stay closed",
        ),
        Forbidden::Name => refused(
            format!("{host} is not one of the sandbox's hosts"),
            "run without --sandbox to call real services",
        ),
    }
}

/// Why no reply came, for a request that may or may not have gone out before on another hop.
pub(crate) fn unanswered(error: reqwest::Error, request: &Request, has_hopped: bool) -> StepError {
    let host = request.host().to_owned();
    if let Some(forbidden) = forbidden(&error) {
        return out_of_reach(&host, forbidden);
    }
    let (is_connect, source) = (error.is_connect(), error.without_url().into());
    // After a redirect something was sent already, even if the last host cannot be reached.
    if is_connect && (!has_hopped || request.effect == Effect::Safe) {
        StepError::Connect { host, source }
    } else {
        StepError::Broken { host, source }
    }
}

/// The attempt's time was over.
pub(crate) fn too_slow(request: &Request, limit: Duration) -> StepError {
    let effect = if request.effect == Effect::Safe { CallEffect::None } else { CallEffect::Unknown };
    StepError::Timeout { host: request.host().to_owned(), limit, effect }
}

fn forbidden(error: &reqwest::Error) -> Option<Forbidden> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(forbidden) = error.downcast_ref::<Forbidden>() {
            return Some(*forbidden);
        }
        cause = error.source();
    }
    None
}
