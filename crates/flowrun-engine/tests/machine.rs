//! The machine under made-up flows and any order of events: nobody who reads a test knows which flow it will be.
//!
//! `machine/parts.rs` makes flows up, `machine/world.rs` decides what happens next. No runtime and no clock run: time is
//! what the world says it is.

#![expect(clippy::expect_used, reason = "a test that cannot be set up should say why and stop")]

#[path = "machine/doubt.rs"]
mod doubt;
#[path = "machine/orders.rs"]
mod orders;
#[path = "machine/parts.rs"]
mod parts;
#[path = "machine/restored.rs"]
mod restored;
#[path = "machine/world.rs"]
mod world;
