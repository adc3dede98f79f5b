//! Named OAuth integrations, sealed on disk, refreshed once and never lost.
//!
//! A [`Registry`] keeps integrations by name. Each is added as a draft, authorised by a person (or by its client's
//! own credentials), and from then on lends steps a way out that carries its token: [`Registry`] is a house's
//! [`Integrations`](flowrun_step::Integrations). No token leaves it, but in the header of a request to a host that
//! the integration's rules name.
//!
//! It promises that a token is refreshed once, however many tasks and processes need it; that what a provider granted
//! is on disk before anybody uses it; and that what is on disk is sealed. It opens no socket: it is given a way out,
//! a clock and a source of randomness. The protocol is `flowrun-oauth`'s.
//!
//! # Example
//! ```
//! use flowrun_oauth::Preset;
//! use flowrun_registry::{Begin, NewIntegration, Options, Registry, World};
//! use flowrun_step::IntegrationName;
//!
//! # async fn authorise(world: World, open_browser: impl AsyncFn(&str) -> String)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::open(Options {
//!     data_dir: "/var/lib/flowrun".into(),
//!     key_file: "/etc/flowrun/key".into(),
//!     world,
//! });
//! let name = IntegrationName::new("teamleader")?;
//! let provider = Preset::named("teamleader").ok_or("no such preset")?.provider(&Default::default())?;
//! let added = registry.add(NewIntegration::new(name.clone(), provider)).await?;
//! println!("register this callback URL: {}", added.redirect_uri);
//! // ... then client id and secret are given with `edit`, and a person authorises:
//! let begun = registry.begin_authorization(&name, Begin::default()).await?;
//! let came_back_to = open_browser(begun.url.as_str()).await;
//! registry.complete_authorization(&name, &came_back_to, None).await?;
//! # Ok(())
//! # }
//! ```

mod registry;

mod integration;
mod view;

mod check;
mod command;
mod error;
mod lookup;
mod manage;
mod transfer;

mod backup;

mod authorize;
mod budget;
mod device;
mod discovery;
mod exchange;
mod inner;
mod introspect;
mod keep_alive;
mod live;
mod refresh;
mod revoke;
mod turn;

mod hosts;
mod integrations;
mod pass;
mod step_error;
mod way_out;

pub mod socket;

mod custody;
mod id;
mod record;

pub use check::{Checkup, Examined, Finding, Leg};
pub use custody::{Change, Session, Store};
pub use device::WaitingDevice;
pub use error::{AuthorizeError, CustodyError, EditError, LookupError, RefreshError, UnknownIntegration};
pub use integration::{Authorized, Begin, Begun, Edit, Edited, Failure, Integration, NewIntegration};
pub use introspect::{IntrospectError, Standing};
pub use registry::{Options, Registry, World};
pub use revoke::{AtProvider, RevokeError, Revoked};
pub use transfer::{Export, ExportError, ImportError, Imported, Taken};
