//! The protocol over the real client: what a token server says byte for byte, and what becomes of the integration.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod addresses;
mod house;
mod redirects;
mod replies;
mod scripted;
