//! What this crate promises, as seen from outside: data in, data out, over a scripted exchange.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should stop")]

mod authorization;
mod callbacks;
mod devices;
mod discovery;
mod expiry;
mod hostile;
mod introspection;
mod presets;
mod resources;
mod revocation;
mod scripted;
mod settings;
mod token_errors;
mod token_replies;
mod token_requests;
