//! A house without a network or a secret, for benchmarks and tests of the journal: real time, dice, a channel that does nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flowrun_step::{
    BoxFuture, Channel, Clock, Entropy, Outbound, OutgoingMessage, Reply, Request, StepError,
};
use jiff::Timestamp;

pub(crate) struct Real;

impl Clock for Real {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the clock of a house that is measured")]
        let now = std::time::SystemTime::now();
        now.try_into().unwrap_or_default()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let left = Duration::try_from(at.duration_since(self.now())).unwrap_or_default();
        Box::pin(tokio::time::sleep(left))
    }
}

/// Other bytes every time, as a nonce must be; nothing here is a secret.
#[derive(Default)]
pub(crate) struct Dice(pub(crate) AtomicU64);

impl Entropy for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            chunk.copy_from_slice(&next.to_le_bytes()[..chunk.len()]);
        }
    }
}

pub(crate) struct Closed;

impl Outbound for Closed {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Reply, StepError>> {
        unreachable!("no step of this house sends a request")
    }
}

pub(crate) struct Mute;

impl Channel for Mute {
    fn name(&self) -> &str {
        "mute"
    }

    fn send<'a>(&'a self, _: &'a OutgoingMessage) -> BoxFuture<'a, Result<(), StepError>> {
        Box::pin(async { Ok(()) })
    }
}
