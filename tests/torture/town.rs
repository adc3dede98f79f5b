//! The scripted provider of the registry's own tests, served beside a test that only waits for processes.
//!
//! It rotates refresh tokens and ends a grant whose refresh token comes twice. It is plain HTTP on loopback, so the
//! real binary reaches it with its real registry; the sandbox's providers are reached only by `--sandbox`, whose
//! registry is in memory and has nothing that could survive a kill.

#[expect(dead_code, reason = "the registry's own tests ask more of it than any one of these does")]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#[path = "../../crates/flowrun-registry/tests/spec/provider.rs"]
mod provider;

use std::ops::Deref;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use tokio::runtime::Builder;
use tokio::sync::oneshot;

pub(crate) use provider::{Next, Provider, Tally};

/// A provider with a thread of its own; it ends when dropped.
pub(crate) struct Town {
    provider: Option<Provider>,
    closes: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Town {
    /// Starts the provider.
    pub(crate) fn start() -> Self {
        let (closes, closed) = oneshot::channel();
        let (hand_out, handed) = mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                hand_out.send(Provider::start().await).expect("the test waits for it");
                // Whether it is told or the test is gone, this is its end.
                drop(closed.await);
            });
        });
        Self {
            provider: Some(handed.recv().expect("the provider starts")),
            closes: Some(closes),
            thread: Some(thread),
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address())
    }
}

impl Deref for Town {
    type Target = Provider;

    fn deref(&self) -> &Provider {
        self.provider.as_ref().expect("there until it is dropped")
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        self.provider = None;
        self.closes = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
