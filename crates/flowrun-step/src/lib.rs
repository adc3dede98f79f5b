//! The contract of a flow step: what an engine gives it, and what it gives back.
//!
//! A step kind is a type that implements [`Step`]: it names itself, declares its settings as a plain
//! struct whose schema says which strings are templates, and makes one call. Everything that touches
//! the world comes through [`StepContext`]: a step never holds a token, it asks for an [`Outbound`]
//! by integration name. The other edges of a house stand here too: [`Channel`], [`Integrations`],
//! [`SecretSource`], [`Clock`] and [`Entropy`]. This crate names no HTTP client, no store, no runtime.
//!
//! # Example
//! ```
//! use flowrun_step::{schemars, Step, StepContext, StepError, StepInfo, StepKind, StepSet};
//!
//! /// What an author writes under `acme.shout`.
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! struct Settings {
//!     /// The words to shout.
//!     #[schemars(extend("x-flowrun" = "text"))]
//!     text: String,
//! }
//!
//! struct Shout;
//!
//! impl Step for Shout {
//!     type Settings = Settings;
//!     type Output = String;
//!
//!     fn info(&self) -> StepInfo {
//!         StepInfo::new(StepKind::new("acme.shout").expect("a legal kind"), 1)
//!     }
//!
//!     async fn call(&self, _cx: StepContext, settings: Settings) -> Result<String, StepError> {
//!         Ok(settings.text.to_uppercase())
//!     }
//! }
//!
//! let steps = StepSet::new().with(Shout)?;
//! assert!(steps.get("acme.shout").is_some());
//! # Ok::<(), flowrun_step::KindTaken>(())
//! ```

mod capabilities;
mod channel;
mod context;
mod draft;
mod edge;
mod error;
mod name;
mod outbound;
mod set;
mod step;

pub use capabilities::{Capabilities, by_number, listed};
pub use channel::{Channel, Conversation, OutgoingMessage};
pub use context::StepContext;
pub use draft::{Draft, Finding, Leaf};
pub use edge::{
    BoxFuture, Clock, Entropy, IntegrationState, IntegrationStatus, Integrations, NeedsAttention,
    SecretSource,
};
pub use error::{BoxError, StepError};
pub use flowrun_template::{CallEffect, Effect, ErrorKind};
pub use name::{IntegrationName, InvalidName, RunId, StepId, StepKind, Tenant};
pub use outbound::{Asker, Exposure, Outbound, Reply, Request};
pub use set::{ErasedStep, KindTaken, StepOutput, StepSet};
pub use step::{Keeps, Page, Step, StepInfo};

pub use schemars;
pub use serde_json;
