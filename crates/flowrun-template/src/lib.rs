//! Write, pick, decide: the three small languages of a flow, as pure functions over JSON values.
//!
//! [`Text`] and [`Tree`] write (Handlebars), [`Path`] and [`Picks`] pick (RFC 9535 JSONPath), [`Logic`]
//! decides (Jinja expressions). Each is compiled once, when a flow is checked, and used many times.
//! Nothing here reads a clock, a file, a secret or the network; what is only known at the moment of a
//! call stays a reference inside [`Rendered`] until a [`Vault`] fills it. (`date` with a time zone asks the
//! system's zone database, through jiff.)
//!
//! # Example
//! ```
//! use flowrun_template::{Logic, Path, Picked, Place, Rendered, Scope, Slot, Slots, Text};
//! use serde_json::{Value, json};
//!
//! struct Variables(Vec<Value>);
//! impl Scope for Variables {
//!     fn value(&self, slot: Slot) -> Option<&Value> {
//!         self.0.get(slot.index())
//!     }
//! }
//!
//! let mut slots = Slots::new();
//! let message = Text::compile("Their last name is {{last_name}}.", Place::Text, &mut slots).expect("a text");
//! let known = Logic::compile("last_name is defined and last_name != ''", &mut slots).expect("an expression");
//!
//! let reply = json!({"data": {"last_name": "Doe"}});
//! let Ok(Picked::One(last_name)) = Path::compile("data.last_name").expect("a path").pick(&reply) else { panic!() };
//! let variables = Variables(vec![last_name.clone()]);
//! assert_eq!(known.test(&variables, jiff::Timestamp::UNIX_EPOCH), Ok(true));
//! assert_eq!(message.render(&variables), Ok(Rendered::Value(json!("Their last name is Doe."))));
//! ```

mod call;
pub mod duration;
mod error;
pub mod limits;
mod logic;
mod mention;
mod name;
mod path;
mod picks;
mod place;
mod redactor;
mod rendered;
mod slot;
mod text;
mod tree;
mod value_type;

pub use call::{CallEffect, Effect, ErrorKind};
pub use error::{RenderError, RenderErrorKind, SyntaxError, SyntaxErrorKind};
pub use logic::{Comparing, Logic, LogicError, LogicErrorKind, Side, Vocabulary};
pub use mention::{Mention, Root, Segment};
pub use name::{HELPERS, RESERVED, is_name};
pub use path::{Path, PickError, PickErrorKind, Picked};
pub use picks::Picks;
pub use place::Place;
pub use redactor::{Redactor, is_named_secret, redact_named};
pub use rendered::{FillError, FillErrorKind, Late, LateName, Rendered, Vault};
pub use slot::{Scope, Slot, Slots};
pub use text::Text;
pub use tree::Tree;
pub use value_type::{Type, TypeError};
