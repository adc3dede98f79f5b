//! What a house gives every run: step kinds, ways out, integrations, channels, secrets, time.

use std::fmt;
use std::sync::Arc;

use flowrun_step::{Channel, Clock, Integrations, Outbound, SecretSource, StepSet};

use tokio::sync::broadcast;

use crate::journal::{Journal, RunKey};
use crate::mail::Told;
use crate::observe::Observer;

/// The URL of a step that waits for a call.
pub(crate) type Callbacks = dyn Fn(&RunKey, &str) -> String + Send + Sync;

/// The edges of one house, as its runs use them.
pub(crate) struct Services {
    pub(crate) steps: StepSet,
    pub(crate) plain: Arc<dyn Outbound>,
    pub(crate) integrations: Arc<dyn Integrations>,
    pub(crate) channels: Vec<Arc<dyn Channel>>,
    pub(crate) secrets: Arc<dyn SecretSource>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn Observer>,
    /// Where runs are kept, if they are to outlive the process.
    pub(crate) journal: Option<Arc<dyn Journal>>,
    /// The URL on which the host hears calls for a step of a run.
    pub(crate) callbacks: Arc<Callbacks>,
    /// What flows and the host tell of, for every run of the house.
    pub(crate) events: broadcast::Sender<Told>,
}

impl Services {
    /// The channel of that name.
    pub(crate) fn channel(&self, name: &str) -> Option<&Arc<dyn Channel>> {
        self.channels.iter().find(|channel| channel.name() == name)
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").field("steps", &self.steps).finish_non_exhaustive()
    }
}
