//! The contract of a flow step: what an engine gives it, and what it gives back.
