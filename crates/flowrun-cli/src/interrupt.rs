//! Somebody wants the process to end: Ctrl-C, or the SIGTERM that a service manager sends.
//!
//! It is listened for only where something may be under way that must not be cut off. Everywhere else, and above all
//! while a person is asked something, the signal ends the process as the system does it.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::complaint::Complaint;
use crate::exit::Exit;

/// The wishes to end, from when they are listened for; none is lost between two of them.
pub(crate) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    /// Takes the signals from the system, which from then on ends nothing by itself.
    pub(crate) fn listen() -> Result<Self, Complaint> {
        let listen = |kind| {
            let listened = signal(kind);
            listened.map_err(|error| {
                Complaint::new(Exit::Failed, "the system lets nobody interrupt this process")
                    .because(error)
                    .help("free some file handles")
            })
        };
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Comes back once somebody wants the process to end.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
