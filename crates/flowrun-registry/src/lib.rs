//! Named OAuth integrations, sealed on disk, refreshed once and never lost.

mod check;
mod command;
mod error;
mod integration;
mod registry;

pub use check::{Finding, Leg};
pub use error::{AuthorizeError, CustodyError, EditError, LookupError, RefreshError, UnknownIntegration};
pub use integration::{Authorized, Begin, Begun, Edit, Edited, Failure, Integration, NewIntegration};
pub use registry::{Options, Registry, World};
