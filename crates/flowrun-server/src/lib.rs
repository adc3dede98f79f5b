//! Runs over HTTP: what a flowrun server answers, to whom, and how it is set up.
//!
//! [`Config`] reads `flowrun.toml`.
//!
//! # Example
//! ```
//! use flowrun_server::Config;
//!
//! let config = Config::read("flowrun.toml", "[server]\nlisten = '127.0.0.1:7373'")?;
//! assert!(config.server.listen.ip().is_loopback());
//! # Ok::<(), flowrun_server::BadConfig>(())
//! ```

mod config;
mod problem;

mod guard;
mod routes;

mod audit;
mod metrics;
mod signature;
mod token;

mod hex;
mod keep;

pub use audit::{Audit, AuditError, Deed, Verified};
pub use config::{BadConfig, Channel, Config, Flows, ManagedBy, Network, Retention, Server, Webhooks};
pub use metrics::Metrics;
pub use problem::Problem;
pub use signature::{DELIVERY, SIGNATURE, TIMESTAMP, Unproven, bearer, delivery, sign, verify};
pub use token::{Scope, Token, TokenError, Tokens};
