//! The client over real connections: exchanges, the addresses it dials, and HTTPS.

#[path = "../provider/mod.rs"]
mod provider;
mod unruly;

mod addresses;
mod exchange;
mod secure;
