//! What the registry promises, against a token server on loopback, folders of its own and real processes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authorization;
mod custody;
mod edits;
mod processes;
#[expect(dead_code, reason = "the tests of the binary, which share it, ask more of it")]
mod provider;
mod refreshing;
mod states;
mod way_out;
mod world;
