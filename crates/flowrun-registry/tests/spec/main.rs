//! What the registry promises, against a token server on loopback, folders of its own and real processes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authorization;
mod custody;
mod devices;
mod discovery;
mod edits;
mod introspection;
mod mix_up;
mod processes;
mod provider;
mod refreshing;
mod revocation;
mod socket;
mod socket_processes;
mod socket_strangers;
mod states;
mod way_out;
mod world;
