//! The pure state machine that runs a compiled flow: events in, commands out.
