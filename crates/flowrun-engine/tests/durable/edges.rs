//! The edges of a house in time that jumps: its clock is tokio's, and nothing leads out of it.

use std::time::Duration;

use flowrun_step::{BoxFuture, Clock, Outbound, Reply, Request, StepError};
use jiff::Timestamp;

/// A runtime whose time jumps while all wait.
pub(crate) fn paused() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().expect("a runtime")
}

/// Shows 1970 at the moment it holds.
pub(crate) struct Ticking(pub(crate) tokio::time::Instant);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + self.0.elapsed()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let left = Duration::try_from(at.duration_since(self.now())).unwrap_or_default();
        Box::pin(tokio::time::sleep(left))
    }
}

pub(crate) struct Closed;

impl Outbound for Closed {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Reply, StepError>> {
        unreachable!("no step of this house sends a request")
    }
}
