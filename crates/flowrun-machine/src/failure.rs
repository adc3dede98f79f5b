//! An error of a run, with everything a flow's `error` (L-11) and a diagnostic can say about it.
//!
//! It is data: words for a person are made of it elsewhere, from its place.

use std::ops::Range;
use std::time::Duration;

use flowrun_template::{CallEffect, ErrorKind};

/// An error of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind a flow can test for.
    pub kind: ErrorKind,
    /// The name, where the flow or a step gave one.
    pub name: Option<String>,
    /// What happened; never a secret.
    pub message: String,
    /// The status code, where a reply had one.
    pub status: Option<u16>,
    /// The step, as an index into [`Plan::steps`](crate::Plan::steps).
    pub step: Option<usize>,
    /// How many attempts were made; 0 where nothing was begun.
    pub attempts: u32,
    /// How long the other side asked to wait.
    pub retry_after: Option<Duration>,
    /// What is known of the effect at the other side.
    pub effect: CallEffect,
    /// Whether the same call may succeed if made again.
    pub retryable: bool,
    /// The path in the flow, such as `steps[0].fetch_variables.url`.
    pub place: String,
    /// The bytes of the text at that place it is about.
    pub span: Option<Range<usize>>,
    /// A fix one can type.
    pub help: Option<String>,
}

impl Failure {
    /// An error of which only kind and message are known; the machine adds step, attempts and place.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            name: None,
            message: message.into(),
            status: None,
            step: None,
            attempts: 0,
            retry_after: None,
            effect: CallEffect::None,
            retryable: false,
            place: String::new(),
            span: None,
            help: None,
        }
    }
}
