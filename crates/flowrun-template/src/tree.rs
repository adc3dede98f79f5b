//! A value whose strings may be texts.
//!
//! Which place a leaf is written for is the caller's decision, leaf by leaf; a tree only keeps them together
//! and says, by JSON pointer (RFC 6901), which of them is meant.

use serde_json::{Map, Value};

use crate::error::{RenderError, SyntaxError};
use crate::mention::Mention;
use crate::place::Place;
use crate::rendered::{LateName, Rendered};
use crate::slot::{Scope, Slots};
use crate::text::Text;

/// A compiled value: what has no text in it is kept as it is.
#[derive(Clone, Debug)]
pub enum Tree {
    /// A value without texts.
    Constant(Value),
    /// A text.
    Text(Text),
    /// A list.
    List(Vec<Tree>),
    /// A map, in the author's order.
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// Compiles every string leaf of `value` for `place`.
    ///
    /// # Errors
    /// Every problem, each with the JSON pointer (RFC 6901) of its leaf.
    pub fn compile(
        value: &Value,
        place: Place,
        slots: &mut Slots,
    ) -> Result<Self, Vec<(String, SyntaxError)>> {
        let mut compiler = Compiler { place, slots, errors: Vec::new() };
        let tree = compiler.tree(value, &mut String::new());
        if compiler.errors.is_empty() { Ok(tree) } else { Err(compiler.errors) }
    }

    /// Renders every text in it; the error's `path` says which one failed.
    ///
    /// # Errors
    /// See [`Text::render`].
    pub fn render(&self, scope: &dyn Scope) -> Result<Rendered, RenderError> {
        self.render_at(scope, &mut String::new())
    }

    /// Calls `visit` with the JSON pointer of each text and what it reads.
    pub fn visit_mentions(&self, visit: &mut dyn FnMut(&str, &Mention)) {
        self.visit_texts(&mut |pointer, text| {
            text.mentions().iter().for_each(|mention| visit(pointer, mention))
        });
    }

    /// Calls `visit` with the JSON pointer of each text, and the text.
    pub fn visit_texts(&self, visit: &mut dyn FnMut(&str, &Text)) {
        self.visit_at(&mut String::new(), visit);
    }

    /// The secrets and kept fields it reads, without repeats.
    #[must_use]
    pub fn late(&self) -> Vec<LateName> {
        let mut names = Vec::new();
        self.visit_texts(&mut |_, text| {
            for name in text.late() {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        });
        names
    }

    fn render_at(&self, scope: &dyn Scope, pointer: &mut String) -> Result<Rendered, RenderError> {
        match self {
            Self::Constant(value) => Ok(Rendered::Value(value.clone())),
            Self::Text(text) => {
                text.render(scope).map_err(|error| RenderError { path: pointer.clone(), ..error })
            }
            Self::List(items) => {
                let items = items.iter().enumerate().map(|(at, item)| {
                    within(pointer, &at.to_string(), |pointer| item.render_at(scope, pointer))
                });
                items.collect::<Result<_, _>>().map(gather_list)
            }
            Self::Map(members) => {
                let members = members.iter().map(|(name, member)| {
                    let member = within(pointer, name, |pointer| member.render_at(scope, pointer))?;
                    Ok((name.clone(), member))
                });
                members.collect::<Result<_, _>>().map(gather_map)
            }
        }
    }

    fn visit_at(&self, pointer: &mut String, visit: &mut dyn FnMut(&str, &Text)) {
        match self {
            Self::Constant(_) => {}
            Self::Text(text) => visit(pointer, text),
            Self::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    within(pointer, &at.to_string(), |pointer| item.visit_at(pointer, visit));
                }
            }
            Self::Map(members) => {
                for (name, member) in members {
                    within(pointer, name, |pointer| member.visit_at(pointer, visit));
                }
            }
        }
    }
}

struct Compiler<'s> {
    place: Place,
    slots: &'s mut Slots,
    errors: Vec<(String, SyntaxError)>,
}

impl Compiler<'_> {
    fn tree(&mut self, value: &Value, pointer: &mut String) -> Tree {
        match value {
            Value::String(source) => self.leaf(source, pointer),
            Value::Array(items) => {
                let items = items.iter().enumerate();
                Tree::List(
                    items
                        .map(|(at, item)| {
                            within(pointer, &at.to_string(), |pointer| self.tree(item, pointer))
                        })
                        .collect(),
                )
            }
            Value::Object(members) => {
                let members = members.iter().map(|(name, member)| {
                    (name.clone(), within(pointer, name, |pointer| self.tree(member, pointer)))
                });
                Tree::Map(members.collect())
            }
            other => Tree::Constant(other.clone()),
        }
    }

    fn leaf(&mut self, source: &str, pointer: &str) -> Tree {
        match Text::compile(source, self.place, self.slots) {
            Ok(text) => {
                text.as_constant().map(|text| Tree::Constant(text.into())).unwrap_or(Tree::Text(text))
            }
            Err(problems) => {
                self.errors.extend(problems.into_iter().map(|problem| (pointer.to_owned(), problem)));
                Tree::Constant(Value::Null)
            }
        }
    }
}

/// Runs `inside` one step further down.
fn within<T>(pointer: &mut String, step: &str, inside: impl FnOnce(&mut String) -> T) -> T {
    let length = pointer.len();
    pointer.push('/');
    pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
    let result = inside(pointer);
    pointer.truncate(length);
    result
}

fn gather_list(items: Vec<Rendered>) -> Rendered {
    let values: Option<Vec<Value>> = items.iter().map(finished).collect();
    values.map_or(Rendered::List(items), |values| Rendered::Value(Value::Array(values)))
}

fn gather_map(members: Vec<(String, Rendered)>) -> Rendered {
    let values: Option<Map<String, Value>> =
        members.iter().map(|(name, member)| Some((name.clone(), finished(member)?))).collect();
    values.map_or(Rendered::Map(members), |values| Rendered::Value(Value::Object(values)))
}

fn finished(rendered: &Rendered) -> Option<Value> {
    match rendered {
        Rendered::Value(value) => Some(value.clone()),
        _ => None,
    }
}
