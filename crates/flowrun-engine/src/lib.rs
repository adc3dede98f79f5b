//! Runs flows: drivers, the one place where a call is made, and the words for what failed.
//!
//! [`Engine`] is what a service embeds. It is built once from the edges of a house (clock, ways out,
//! integrations, channels, secrets, an observer) and then runs any number of flows that
//! `flowrun-lang` has checked. It names no step crate, no HTTP client, no store.
//!
//! # Example
//! ```
//! use std::sync::Arc;
//! use flowrun_engine::Engine;
//! use flowrun_step::{BoxFuture, Clock, Outbound, Reply, Request, StepError};
//!
//! # struct Noon;
//! # impl Clock for Noon {
//! #     fn now(&self) -> jiff::Timestamp { jiff::Timestamp::UNIX_EPOCH }
//! #     fn sleep_until(&self, _at: jiff::Timestamp) -> BoxFuture<'static, ()> { Box::pin(async {}) }
//! # }
//! # struct Closed;
//! # impl Outbound for Closed {
//! #     fn send(&self, _: Request) -> BoxFuture<'_, Result<Reply, StepError>> { unreachable!() }
//! # }
//! let engine = Engine::builder(Arc::new(Noon), Arc::new(Closed)).build()?;
//! assert_eq!(engine.steps().kinds().count(), 0);
//! # Ok::<(), flowrun_engine::BuildError>(())
//! ```

mod drive;
mod engine;
mod explain;
mod failure;
mod flows;
pub mod host;
mod hosting;
mod inlet;
pub mod journal;
mod log;
mod mail;
mod message;
mod observe;
mod outcome;
mod perform;
mod replay;
mod send;
mod services;
mod start;
pub mod story;
mod supervisor;
mod vault;

pub use engine::{BuildError, Engine, EngineBuilder};
pub use explain::explain;
pub use host::Host;
pub use mail::{Incoming, Mail, NotTaken, Post, Told, mail};
pub use message::{Attachment, Conversation, Message, Receipt, Refused};
pub use observe::{Observer, RunEvent};
pub use outcome::Outcome;
pub use start::Start;
pub use story::Story;
