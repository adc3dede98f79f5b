//! The control socket: one process owns the registry and answers the others on this machine (N9).
//!
//! An [`Owner`] answers at a socket file; a [`Client`] asks there and is a house's
//! [`Integrations`](flowrun_step::Integrations) just as a [`Registry`](crate::Registry) is. It promises that either
//! end speaks only to the user it runs as, that no frame holds a refresh token or a client secret, and that an access
//! token is given only for a host of the integration's rules. A refresh is made by the owner, once, under the same
//! locks as everybody's; so a process that finds no owner, or loses it, works as well by itself.
//!
//! # Example
//! ```
//! use std::path::Path;
//! use std::sync::Arc;
//! use flowrun_registry::Registry;
//! use flowrun_registry::socket::{Client, Owner, Place};
//! use flowrun_step::Outbound;
//!
//! # async fn example(registry: Registry, plain: Arc<dyn Outbound>, end: impl Future<Output = ()>)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! let place = Place::of(Path::new("/var/lib/flowrun"), None);
//! // In the process that owns the registry:
//! Owner::bind(&registry, &place)?.serve(end).await?;
//! // In any other; without an owner it uses the registry itself, under the locks:
//! let integrations = Client::new(place, plain).or(registry);
//! println!("{} integrations", integrations.list().await?.len());
//! # Ok(())
//! # }
//! ```

mod place;

mod frame;
mod wire;

mod answer;
mod owner;

mod ask;
mod client;

mod error;

pub use client::Client;
pub use error::{AskError, BindError, PlaceError};
pub use owner::Owner;
pub use place::Place;
