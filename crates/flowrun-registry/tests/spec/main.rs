//! What the registry promises, against a token server on loopback, folders of its own and real processes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authorization;
mod budget;
mod custody;
mod doctor;
mod edits;
mod keep_alive;
mod newer;
mod owners;
mod processes;
mod provider;
mod refreshing;
mod rotation;
mod states;
mod store;
mod transfer;
mod way_out;
mod world;
