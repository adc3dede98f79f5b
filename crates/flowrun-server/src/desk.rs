//! What every door needs: the host behind it, and what the server keeps beside.

use std::sync::Arc;

use flowrun::engine::host::NotStarted;
use flowrun::engine::journal::JournalError;
use flowrun::engine::{Host, Refused};
use flowrun::step::{Clock, Entropy, RunId, SecretSource, Tenant};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::audit::{Audit, Deed};
use crate::callback::Callbacks;
use crate::config::Config;
use crate::deployed::Deployed;
use crate::guard::unavailable;
use crate::hub::Hub;
use crate::problem::Problem;
use crate::seen::Seen;
use crate::token::Token;
use crate::{hex, token::Tokens};

/// What a server is made of.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "its parts are edges, and edges show nothing")]
pub struct Parts {
    /// What hosts the runs.
    pub host: Arc<dyn Host>,
    /// Where secrets come from, by their names.
    pub secrets: Arc<dyn SecretSource>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The host's observer.
    pub hub: Hub,
    /// What makes the host's callback URLs.
    pub callbacks: Arc<Callbacks>,
}

/// What every door needs.
pub(crate) struct Desk {
    pub(crate) parts: Parts,
    pub(crate) config: Config,
    pub(crate) tenant: Tenant,
    pub(crate) audit: Arc<Audit>,
    pub(crate) seen: Seen,
    /// The sets of flows that were deployed; whoever changes what is served holds it.
    pub(crate) deployed: Mutex<Deployed>,
    /// Ends when the server closes.
    pub(crate) closing: CancellationToken,
}

impl Desk {
    pub(crate) fn new(
        config: Config,
        parts: Parts,
        (deployed, closing): (Deployed, CancellationToken),
    ) -> Self {
        let audit = Arc::new(Audit::new(&config.server.data_dir, Arc::clone(&parts.clock)));
        let (tenant, deployed) = (Tenant::default(), Mutex::new(deployed));
        Self { parts, config, tenant, audit, seen: Seen::default(), deployed, closing }
    }

    pub(crate) fn tokens(&self) -> Tokens {
        let Parts { clock, entropy, .. } = &self.parts;
        Tokens::new(&self.config.server.data_dir, Arc::clone(clock), Arc::clone(entropy))
    }

    /// Writes down what the holder of a token did.
    pub(crate) async fn wrote(
        &self,
        who: &Token,
        (verb, subject): (&'static str, &str),
        result: &'static str,
    ) -> Result<(), Problem> {
        let (audit, subject) = (Arc::clone(&self.audit), subject.to_owned());
        let who = format!("token {} ({})", who.id, who.name);
        let write = move || audit.write(Deed { who: &who, verb, subject: &subject, result });
        match tokio::task::spawn_blocking(write).await {
            Ok(written) => written.map_err(|error| unavailable(&error)),
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// An id that nobody has.
    pub(crate) fn fresh(&self, start: &str) -> Result<RunId, Problem> {
        let mut bytes = [0; 16];
        self.parts.entropy.fill(&mut bytes);
        run_id(&format!("{start}{}", hex::of(&bytes)))
    }
}

/// The id of a run that a caller names.
pub(crate) fn run_id(text: &str) -> Result<RunId, Problem> {
    RunId::new(text).map_err(|error| Problem::Malformed(error.to_string()))
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Conflict(_) => Self::Conflict(error.to_string()),
            _ => unavailable(&error),
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Overloaded { retry_after } => Self::Overloaded(retry_after),
            Refused::Draining => Self::Draining,
            Refused::Journal(error) => error.into(),
            other => unavailable(&other),
        }
    }
}

impl From<NotStarted> for Problem {
    fn from(error: NotStarted) -> Self {
        match error {
            NotStarted::NoFlow(name) => Self::Absent(format!("flow `{name}`")),
            NotStarted::Inputs(diagnostics) => Self::Inputs(diagnostics),
            NotStarted::Refused(refused) => refused.into(),
            other => Self::Conflict(other.to_string()),
        }
    }
}
