//! From YAML text to a plan: positions, diagnostics, schema checks.
//!
//! [`check`] reads a flow once and says everything that is wrong with it, each problem with a code, a
//! place and a fix; a flow without errors comes back as a [`Flow`] that can only be run. Nothing here
//! reads a file, a clock or the network: what a house knows comes in as a [`Catalog`].
//!
//! # Example
//! ```
//! use flowrun_lang::{check, Catalog, SourceText};
//! use flowrun_step::StepSet;
//!
//! let text = b"name: hello\ninputs:\n  who: { type: string }\nsteps:\n  - send: Hello {{whom}}.\n";
//! let source = SourceText::new("hello.yaml", text.to_vec()).expect("UTF-8");
//! let checked = check(&source, &Catalog::new(StepSet::new()));
//! let problem = &checked.diagnostics[0];
//! assert_eq!(problem.to_string(), "error[F033]: nothing in this flow sets `whom`");
//! assert_eq!(problem.place.as_ref().map(|p| (p.line, p.column)), Some((5, 19)));
//! ```

mod bundle;
mod calendar;
pub mod case;
mod catalog;
mod check;
mod code;
mod compile;
mod diagnostic;
mod document;
pub mod editor;
mod flow;
pub mod graph;
mod input;
mod names;
mod node;
mod parse;
mod permissions;
mod problems;
mod scalar;
mod schema;
mod settings;
mod source;
mod suggest;
mod texts;
mod trap;
pub mod trigger;

pub use bundle::{Flows, Unread};
pub use catalog::Catalog;
pub use check::{Checked, check, check_with};
pub use code::Code;
pub use diagnostic::{Diagnostic, Place, Severity};
pub use flow::Flow;
pub use input::{Given, Input};
pub use permissions::{CallbackUse, EventUse, HostUse, IntegrationUse, Permissions, TriggerUse};
pub use schema::flow_schema;
pub use source::SourceText;
pub use texts::Texts;
