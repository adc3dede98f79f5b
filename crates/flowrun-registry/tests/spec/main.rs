//! What the registry promises, against a token server on loopback, folders of its own and real processes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authorization;
mod backup;
mod budget;
mod custody;
mod devices;
mod discovery;
mod doctor;
mod edits;
mod introspection;
mod keep_alive;
mod mix_up;
mod newer;
mod owners;
mod processes;
#[expect(dead_code, reason = "the tests of the binary, which share it, ask more of it")]
mod provider;
mod refreshing;
mod revocation;
mod rotation;
mod socket;
mod socket_processes;
mod socket_strangers;
mod states;
mod store;
mod transfer;
mod way_out;
mod world;
