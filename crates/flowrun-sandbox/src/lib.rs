//! Providers on loopback that behave on the wire like Teamleader, Zoho, Google and Intercom.
//!
//! A [`Sandbox`] is one HTTPS listener on 127.0.0.1 that answers for the providers' real host names with
//! a certificate of an authority made in memory (N10). Whoever uses it maps [`Sandbox::hosts`] to
//! [`Sandbox::address`] in the connector and trusts [`Sandbox::ca_der`]; every check then runs on the
//! real name, and a name the sandbox does not list is the caller's to refuse. The crate knows nothing of
//! flows or registries, opens no connection but to itself, and takes time and randomness from [`Options`].
//!
//! ```
//! use flowrun_sandbox::{Options, ProviderName, Sandbox};
//! use std::sync::Arc;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = Arc::new(|| jiff::Timestamp::UNIX_EPOCH);
//! let entropy = Arc::new(|bytes: &mut [u8]| bytes.fill(7)); // a real one in a real program
//! let sandbox = Sandbox::start(Options::new(clock, entropy)).await?;
//! assert!(sandbox.hosts().contains(&"api.teamleader.eu"));
//! assert_eq!(sandbox.stats(ProviderName::Teamleader).api_calls, 0);
//! # Ok(())
//! # }
//! ```

// What a caller holds.
mod options;
mod sandbox;
mod tally;

// The listener and the names it answers for.
mod authority;
mod data_centre;
mod hosts;
mod server;

// Who answers: calls in, replies out.
mod call;
mod contacts;
mod provider;
mod world;

// What the providers share: consents, codes, tokens, limits.
mod asked;
mod consent;
mod desk;
mod mint;
mod page;
mod rules;
mod window;

// A person to click "Allow".
mod browser;

pub use browser::{Answer, ConsentError};
pub use data_centre::DataCentre;
pub use options::{Clock, Entropy, Options};
pub use provider::{Client, ProviderName};
pub use sandbox::{Sandbox, StartError};
pub use tally::{Logged, Stats};
