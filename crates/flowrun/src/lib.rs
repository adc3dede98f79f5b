//! flowrun assembled: the crate an embedding service depends on.
//!
//! [`fn@engine`] gives a builder that already knows both HTTP steps; the house adds its registry of
//! integrations, its channels, its own steps. The crates behind it are re-exported under short names.
//!
//! # Example
//! ```
//! use std::sync::Arc;
//! use flowrun::{http::{Client, NetworkPolicy}, SystemClock};
//!
//! let client = Client::builder().policy(NetworkPolicy::public_only()).build();
//! let engine = flowrun::engine(Arc::new(SystemClock), Arc::new(client)).build()?;
//! assert!(engine.steps().get("fetch_variables").is_some());
//! # Ok::<(), flowrun::engine::BuildError>(())
//! ```

mod system;
#[cfg(feature = "testing")]
pub mod testing;

use std::sync::Arc;

use flowrun_engine::{Engine, EngineBuilder};
use flowrun_step::{Clock, Outbound};
use flowrun_step_fetch_variables::FetchVariables;
use flowrun_step_http_request::HttpRequest;

pub use flowrun_engine as engine;
pub use flowrun_http as http;
pub use flowrun_journal as journal;
pub use flowrun_lang as lang;
pub use flowrun_machine as machine;
pub use flowrun_oauth as oauth;
pub use flowrun_registry as registry;
pub use flowrun_step as step;
pub use flowrun_template as template;

pub use system::{SystemClock, SystemEntropy};

/// Begins an engine with the two HTTP steps over this clock and this way out.
pub fn engine(clock: Arc<dyn Clock>, plain: Arc<dyn Outbound>) -> EngineBuilder {
    Engine::builder(clock, plain).step(FetchVariables).step(HttpRequest)
}
