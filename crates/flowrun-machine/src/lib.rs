//! The pure state machine that runs a compiled flow: events in, commands out.

mod advance;
mod call;
mod callee;
mod command;
mod event;
mod failure;
mod group;
mod key;
pub mod plan;
mod retry;
mod roots;
mod run;
mod strand;
mod turn;
mod turns;
mod undo;
mod unwind;
mod variables;

pub use advance::advance;
pub use command::{Command, End, StepStatus};
pub use event::{Called, Event, Happening};
pub use failure::Failure;
pub use plan::{
    CallPlan, CalleePlan, EachPlan, Fits, ForkPlan, GivenInput, Join, LogLevel, OnError, Op, OutputUse,
    Pause, Pc, Placed, Plan, Retry, RetryOn, Scope, StepPlan, UndoPlan,
};
pub use run::Run;
