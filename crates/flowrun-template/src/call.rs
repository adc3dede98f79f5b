//! The words in which steps, the machine and a flow's `error` speak of a call (L-10, L-11).
//!
//! They stand here because both the step contract and the machine use them, and neither may name the other.

use serde::{Deserialize, Serialize};

/// What making a call twice would mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It only reads: repeating it changes nothing.
    Safe,
    /// It carries a key by which the other side recognises a repetition.
    Keyed,
    /// Repeating it may do the thing twice.
    Unsafe,
}

/// What is known of a failed call's effect at the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallEffect {
    /// Nothing was done there.
    None,
    /// It was done, and failed afterwards on our side.
    Done,
    /// The request went out and nobody can say.
    Unknown,
}

/// The `kind` of a flow's `error` (L-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// A reply whose status was not expected.
    Http,
    /// No connection.
    Connect,
    /// No answer in time.
    Timeout,
    /// A policy forbade the call.
    Refused,
    /// The reply or a value was larger than allowed.
    TooLarge,
    /// The integration is not usable.
    Integration,
    /// Something required was not there.
    Missing,
    /// A value has another type than declared.
    Type,
    /// The flow or a step said so.
    Failed,
    /// A repetition that never came true.
    Exhausted,
    /// A limit of the flow or the host.
    Limit,
    /// Nobody answered.
    NoReply,
    /// No answer was valid.
    InvalidReply,
    /// A message did not arrive.
    Undelivered,
}

impl ErrorKind {
    /// The word a flow reads.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::TooLarge => "too_large",
            Self::Integration => "integration",
            Self::Missing => "missing",
            Self::Type => "type",
            Self::Failed => "failed",
            Self::Exhausted => "exhausted",
            Self::Limit => "limit",
            Self::NoReply => "no_reply",
            Self::InvalidReply => "invalid_reply",
            Self::Undelivered => "undelivered",
        }
    }
}

impl CallEffect {
    /// The word a flow reads.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Done => "done",
            Self::Unknown => "unknown",
        }
    }
}
