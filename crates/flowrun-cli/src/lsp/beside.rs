//! Reads the registry beside the conversation, on a thread of its own: at the start, and when a file is opened or
//! saved. It may take as long as it likes.

use std::sync::mpsc::Sender;

use flowrun::step::{IntegrationStatus, Integrations, Tenant};

use super::Heard;
use crate::integrations;
use crate::world::World;

/// What a reading gave: the integrations, or why they are not known.
pub(super) type Reading = Result<Vec<IntegrationStatus>, String>;

/// Who reads, and what was read last.
pub(super) struct Beside {
    tell: Sender<Heard>,
    is_reading: bool,
    last: Option<Reading>,
}

/// What a reading changes.
pub(super) enum News {
    Same,
    Known(Vec<IntegrationStatus>),
    Unknown(String),
}

impl Beside {
    pub(super) fn new(tell: Sender<Heard>) -> Self {
        Self { tell, is_reading: false, last: None }
    }

    /// Begins to read, unless that is under way.
    ///
    /// # Errors
    /// When it cannot begin, with words for the log.
    pub(super) fn read(&mut self, world: &World) -> Result<(), String> {
        if self.is_reading {
            return Ok(());
        }
        let tell = self.tell.clone();
        let registry = integrations::registry(world).map_err(|complaint| unknown(&complaint.message))?;
        let asking =
            integrations::asking(world, &registry).map_err(|complaint| unknown(&complaint.message))?;
        let read = move || {
            let reading = list(&asking);
            // Dropped before anybody is told: the registry is free for others.
            drop((asking, registry));
            drop(tell.send(Heard::Integrations(reading)));
        };
        let thread = std::thread::Builder::new().name("registry".to_owned()).spawn(read);
        self.is_reading = thread.is_ok();
        thread.map(drop).map_err(|error| unknown(&error.to_string()))
    }

    /// Takes what was read.
    pub(super) fn take(&mut self, reading: Reading) -> News {
        self.is_reading = false;
        if self.last.as_ref() == Some(&reading) {
            return News::Same;
        }
        self.last = Some(reading.clone());
        match reading {
            Ok(known) => News::Known(known),
            Err(why) => News::Unknown(why),
        }
    }
}

fn list(asking: &impl Integrations) -> Reading {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| unknown(&error.to_string()))?;
    let listed = runtime.block_on(asking.list(&Tenant::default()));
    runtime.shutdown_background();
    listed.map_err(|error| {
        let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        unknown(&chain.map(ToString::to_string).collect::<Vec<_>>().join(": "))
    })
}

fn unknown(why: &str) -> String {
    format!("integrations are neither completed nor checked, for they cannot be read: {why}")
}
