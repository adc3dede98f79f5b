//! Runs over HTTP: what a flowrun server answers, to whom, and how it is set up.
//!
//! A [`Server`] speaks to any [`Host`](flowrun::engine::Host) of runs, and names no driver. Every route stands in one
//! table, with who may come in; one guard stands before all of them (N6). [`Config`] reads `flowrun.toml`, [`Tokens`]
//! keeps the API's tokens, [`Audit`] what was done with them, [`Hub`] what happens in runs. Reading the environment and
//! building the house is the command line's.
//!
//! # Example
//! ```
//! use flowrun_server::{Config, Parts, Server};
//! use tokio_util::sync::CancellationToken;
//!
//! # async fn run(parts: Parts) -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::read("flowrun.toml", "[server]\nlisten = '127.0.0.1:7373'")?;
//! let server = Server::bind(config, parts).await?;
//! let close = CancellationToken::new();
//! server.serve(close).await;
//! # Ok(())
//! # }
//! ```

pub mod config;

mod openapi;
mod serve;

mod guard;
mod routes;

mod api;
mod desk;
mod problem;

mod audit;
mod backup;
mod callback;
mod channel;
mod deployed;
mod hub;
mod metrics;
mod seen;
mod signature;
mod token;

mod hex;
mod keep;

pub use api::wire::{Answer, Run};
pub use audit::{Audit, AuditError, Deed, Verified};
pub use backup::{Restoring, is_half_restored, kept_files};
pub use callback::Callbacks;
pub use channel::WebhookChannel;
pub use config::{BadConfig, Config};
pub use deployed::{deployed, revision};
pub use desk::Parts;
pub use hub::Hub;
pub use metrics::Metrics;
pub use openapi::openapi;
pub use problem::Problem;
pub use serve::{ServeError, Server};
pub use signature::{DELIVERY, SIGNATURE, TIMESTAMP, Unproven, bearer, delivery, sign, verify};
pub use token::{Scope, Token, TokenError, Tokens};
