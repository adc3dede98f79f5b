//! Why a step gave no output, in the words a flow's `on_error` can read (L-11).

use std::time::Duration;

use flowrun_template::{CallEffect, ErrorKind};

use crate::{IntegrationName, IntegrationState};

/// A foreign cause, so that the contract names no HTTP client.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a step gave no output.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// The reply's status is outside `expect`.
    #[error("{host} answered {status}")]
    Http {
        /// Host only: a path or query may hold a secret.
        host: String,
        /// The status code.
        status: u16,
        /// What the service said, capped, control characters stripped; empty when it said nothing readable.
        said: String,
        /// How long the service asked to wait.
        retry_after: Option<Duration>,
        /// What is known of the effect.
        effect: CallEffect,
    },
    /// No connection was made, so nothing was sent.
    #[error("no connection to {host}")]
    Connect {
        /// The host that was called.
        host: String,
        /// What the client saw, without the URL.
        source: BoxError,
    },
    /// The service was slower than the attempt allows.
    #[error("no answer from {host} within {limit:?}")]
    Timeout {
        /// The host that was called.
        host: String,
        /// The limit of this attempt.
        limit: Duration,
        /// What is known of the effect.
        effect: CallEffect,
    },
    /// The service takes no more calls for a while, longer than the step may wait; nothing was sent.
    #[error("{host} takes no more calls for {wait:?}, and this step waits {left:?} at most")]
    Limited {
        /// The host that was to be called.
        host: String,
        /// How long until it takes calls again.
        wait: Duration,
        /// How long the step may wait.
        left: Duration,
    },
    /// The connection broke after the request went out.
    #[error("the connection to {host} broke before its reply was complete")]
    Broken {
        /// The host that was called.
        host: String,
        /// What the client saw, without the URL.
        source: BoxError,
    },
    /// A rule of the house forbade the call; nothing was sent.
    #[error("{reason}")]
    Refused {
        /// The rule, and the host or integration it was about.
        reason: String,
        /// What to do about it.
        help: String,
    },
    /// The reply was larger than `max_bytes`.
    #[error("the reply of {host} is larger than {limit} bytes")]
    TooLarge {
        /// The host that was called.
        host: String,
        /// The limit in bytes, counted decompressed.
        limit: u64,
    },
    /// The integration cannot be used now.
    #[error("integration `{name}` cannot be used: {said}")]
    Integration {
        /// Which one.
        name: IntegrationName,
        /// Its state, if it exists.
        state: Option<IntegrationState>,
        /// Why, in words; the provider's own are capped and labelled.
        said: String,
        /// The next command to type.
        help: String,
        /// Whether the same call may succeed a little later.
        transient: bool,
    },
    /// A required value was not there.
    #[error("{what}")]
    Missing {
        /// What was looked for and what was there instead: keys and types, never values.
        what: String,
    },
    /// A value has another type than declared, or a body is not what was expected.
    #[error("{what}")]
    Type {
        /// What was expected and what was found.
        what: String,
    },
    /// A message that had to arrive did not.
    #[error("the message was not delivered: {said}")]
    Undelivered {
        /// What the channel says.
        said: String,
    },
    /// The step failed for a reason of its own.
    #[error("{message}")]
    Failed {
        /// The name an author can test for.
        name: String,
        /// What happened.
        message: String,
    },
}

impl StepError {
    /// The kind a flow's `on_error` sees.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Http { .. } | Self::Limited { .. } => ErrorKind::Http,
            Self::Connect { .. } | Self::Broken { .. } => ErrorKind::Connect,
            Self::Timeout { .. } => ErrorKind::Timeout,
            Self::Refused { .. } => ErrorKind::Refused,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::Integration { .. } => ErrorKind::Integration,
            Self::Missing { .. } => ErrorKind::Missing,
            Self::Type { .. } => ErrorKind::Type,
            Self::Undelivered { .. } => ErrorKind::Undelivered,
            Self::Failed { .. } => ErrorKind::Failed,
        }
    }

    /// Whether the same call may succeed if made again; `retry.errors` narrows it further (L-10).
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Broken { .. } | Self::Timeout { .. } => true,
            Self::Http { status, .. } => *status == 429 || *status == 408 || *status >= 500,
            Self::Integration { transient, .. } => *transient,
            _ => false,
        }
    }

    /// The status code, where a reply had one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Http { status, .. } => Some(*status),
            // What the service would have said.
            Self::Limited { .. } => Some(429),
            _ => None,
        }
    }

    /// How long the service asked to wait before another attempt.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Http { retry_after, .. } => *retry_after,
            Self::Limited { wait, .. } => Some(*wait),
            _ => None,
        }
    }

    /// What is known of the effect at the other side.
    #[must_use]
    pub fn effect(&self) -> CallEffect {
        match self {
            Self::Http { effect, .. } | Self::Timeout { effect, .. } => *effect,
            Self::Broken { .. } => CallEffect::Unknown,
            Self::TooLarge { .. } | Self::Missing { .. } | Self::Type { .. } => CallEffect::Done,
            _ => CallEffect::None,
        }
    }

    /// What to do next, where the error knows it.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Refused { help, .. } | Self::Integration { help, .. } => Some(help),
            Self::Limited { .. } => Some(
                "call it less often, give the step a longer `timeout`, or handle it: `error.retry_after` says when",
            ),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(status: u16) -> StepError {
        let (host, said) = ("api.example.com".to_owned(), String::new());
        StepError::Http { host, status, said, retry_after: None, effect: CallEffect::Unknown }
    }

    #[test]
    fn only_what_may_pass_by_itself_is_retryable_l_10() {
        for (status, retryable) in
            [(400, false), (401, false), (404, false), (408, true), (429, true), (503, true)]
        {
            assert_eq!(http(status).is_retryable(), retryable, "{status}");
        }
    }
}
