//! The pure state machine that runs a compiled flow: events in, commands out.

pub mod plan;

pub use plan::{CallPlan, LogLevel, OnError, Op, OutputUse, Pc, Placed, Plan, Retry, RetryOn, Scope, StepPlan};
