//! What this crate promises, as seen from outside: data in, data out, over a scripted exchange.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should stop")]

mod authorization;
mod callbacks;
mod expiry;
mod hostile;
mod presets;
mod scripted;
mod settings;
mod token_errors;
mod token_replies;
mod token_requests;
