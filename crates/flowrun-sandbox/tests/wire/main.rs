//! The sandbox's providers, held to their wire behaviour over real HTTPS.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;
mod google;
mod intercom;
mod listener;
mod page;
mod teamleader;
mod zoho;
