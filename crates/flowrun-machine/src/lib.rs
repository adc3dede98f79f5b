//! The pure state machine that runs a compiled flow: events in, commands out.

mod advance;
mod call;
mod callee;
mod checkpoint;
mod command;
mod doubt;
mod event;
mod failure;
mod group;
mod items;
mod key;
mod outside;
mod outstanding;
mod paging;
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
pub use checkpoint::{Checkpoint, EventRecord, MACHINE, Unrestorable};
pub use command::{Body, Command, End, Source, StepStatus};
pub use event::{Called, Event, Happening};
pub use failure::Failure;
pub use outside::Opening;
pub use paging::PageAsk;
pub use plan::{
    Answers, AskPlan, AwaitPlan, BodyKind, CallPlan, CalleePlan, EachPlan, EmitPlan, Fits, ForkPlan,
    GivenInput, InDoubt, Join, LogLevel, OnError, Op, OutputUse, PagingPlan, Pause, Pc, Placed, Plan,
    RespondPlan, Retry, RetryOn, Scope, StepPlan, StreamPlan, UndoPlan,
};
pub use run::Run;
