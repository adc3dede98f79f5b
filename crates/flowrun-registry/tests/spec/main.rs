//! What the registry promises, against a token server on loopback, folders of its own and real processes.

mod authorization;
mod custody;
mod edits;
mod processes;
mod provider;
mod refreshing;
mod states;
mod way_out;
mod world;
