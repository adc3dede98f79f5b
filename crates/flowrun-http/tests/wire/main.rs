//! The client over real connections: exchanges, the addresses it dials, and HTTPS.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../provider/mod.rs"]
mod provider;
mod unruly;

mod addresses;
mod exchange;
mod limits;
mod secure;
mod traces;
