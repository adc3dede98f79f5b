//! Resolves what stands in a tag: helpers, their arguments, and every name (L-4, N2).
//!
//! A name is the flow's variable, a loop's item, a secret or a kept field of an integration; each is allowed
//! only in its places, and refused elsewhere with the fix.

use std::fmt::Write as _;
use std::ops::Range;

use super::helper::Helper;
use super::program::{Base, Expression, Reference, Turn};
use super::scan::{Block, Entry, Opener, Outcome, Scanner, refuse};
use super::token::{Kind, Token};
use crate::error::{SyntaxError, SyntaxErrorKind};
use crate::limits;
use crate::mention::{Mention, Root, Segment};
use crate::name::HELPERS;
use crate::place::Place;
use crate::rendered::LateName;

impl Scanner<'_> {
    /// The one path a block looks at.
    pub(super) fn condition(
        &mut self,
        tokens: &[Token],
        content: &mut String,
        span: &Range<usize>,
        tolerated: bool,
    ) -> Outcome {
        match tokens {
            [token @ Token { kind: Kind::Path { .. }, .. }]
                if !token.word().is_some_and(|word| HELPERS.contains(&word)) =>
            {
                let expression = self.value(token, tolerated)?;
                if expression.is_late() {
                    return refuse(
                        SyntaxErrorKind::Secret,
                        token.span.clone(),
                        "a block cannot look at a secret or a kept field",
                        "",
                    );
                }
                self.placeholder(Entry::Value(expression), 'v', content);
                Ok(())
            }
            _ => {
                let help = "decide in `if:` or `compute:` and look at the result here: {{#if is_open}}";
                refuse(
                    SyntaxErrorKind::Unsupported,
                    span.clone(),
                    "a block looks at one name or path, nothing else",
                    help,
                )
            }
        }
    }

    /// A single value, or a helper with its arguments.
    pub(super) fn call(
        &mut self,
        tokens: &[Token],
        content: &mut String,
        span: &Range<usize>,
        depth: usize,
    ) -> Outcome {
        let Some((head, arguments)) = tokens.split_first() else {
            return refuse(SyntaxErrorKind::Grammar, span.clone(), "a value is missing here", "");
        };
        let helper = head.word().and_then(Helper::named);
        if arguments.is_empty() {
            return self.argument(head, content, false);
        }
        let Some(helper) = helper else { return Err(unknown_helper(head, self.source)) };
        self.placeholder(Entry::Helper(helper, head.span.clone()), 'h', content);
        let mut rest = arguments;
        let mut first = true;
        while let Some((token, after)) = rest.split_first() {
            content.push(' ');
            if token.kind == Kind::Open {
                let length = matching(after, token, depth)?;
                content.push('(');
                self.call(&after[..length], content, &token.span, depth + 1)?;
                content.push(')');
                rest = &after[length + 1..];
            } else {
                self.argument(token, content, first && helper == Helper::Default)?;
                rest = after;
            }
            first = false;
        }
        Ok(())
    }

    fn argument(&mut self, token: &Token, content: &mut String, tolerated: bool) -> Outcome {
        let expression = match &token.kind {
            Kind::Constant(value) => Expression::Literal(value.clone()),
            Kind::Path { .. } => self.value(token, tolerated)?,
            Kind::Open | Kind::Close | Kind::Bar => {
                let help = "write {{helper value}}; filters with `|` belong to expressions";
                return refuse(SyntaxErrorKind::Grammar, token.span.clone(), "this cannot stand here", help);
            }
        };
        self.placeholder(Entry::Value(expression), 'v', content);
        Ok(())
    }

    fn placeholder(&mut self, entry: Entry, letter: char, content: &mut String) {
        let _ = write!(content, "{letter}{}", self.out.table.len());
        self.out.table.push(entry);
    }

    fn value(&mut self, token: &Token, tolerated: bool) -> Outcome<Expression> {
        let Kind::Path { root, path } = &token.kind else {
            return refuse(SyntaxErrorKind::Grammar, token.span.clone(), "a name is missing here", "");
        };
        let span = token.span.clone();
        if let Some((depth, what)) = self.in_loop(root) {
            return Ok(Expression::Read(Reference {
                root: Base::Loop { depth, what },
                path: path.clone(),
                span,
            }));
        }
        if root.starts_with('@') || root == "this" {
            let help = "in a loop there are this, @index, @key, @first and @last";
            return refuse(SyntaxErrorKind::Unsupported, span, format!("`{root}` has no meaning here"), help);
        }
        if path.is_empty() && HELPERS.contains(&root.as_str()) {
            let help = format!("give it a value: {{{{{root} name}}}}; inside another helper, in parentheses");
            return refuse(SyntaxErrorKind::Arguments, span, format!("`{root}` is a helper"), &help);
        }
        let root = self.root(root, path, &span)?;
        let within_each = self.blocks.iter().any(|block| block.opener == Opener::Each && !block.in_else);
        self.out.mentions.push(Mention {
            root,
            path: path.clone(),
            span: span.clone(),
            tolerated,
            within_each,
        });
        Ok(match (root, path.as_slice()) {
            (Root::Slot(slot), _) => {
                Expression::Read(Reference { root: Base::Slot(slot), path: path.clone(), span })
            }
            (Root::Integrations, [Segment::Key(integration), Segment::Key(field)]) => {
                Expression::Late(LateName::Kept { integration: integration.clone(), field: field.clone() })
            }
            (_, [Segment::Key(name), ..]) => Expression::Late(LateName::Secret(name.clone())),
            _ => return refuse(SyntaxErrorKind::Name, span, "a name is missing here", ""),
        })
    }

    fn root(&mut self, root: &str, path: &[Segment], span: &Range<usize>) -> Outcome<Root> {
        match (root, path) {
            ("secrets", [Segment::Key(_)]) if matches!(self.place, Place::Text | Place::Url) => {
                let (message, help) = if self.place == Place::Url {
                    ("a secret cannot stand in a URL", "send it in `headers:`, `query:` or the body")
                } else {
                    (
                        "a secret cannot stand in a text that people or logs see",
                        "secrets belong in a request's headers, query or body",
                    )
                };
                refuse(SyntaxErrorKind::Secret, span.clone(), message, help)
            }
            ("secrets", [Segment::Key(_)]) => Ok(Root::Secrets),
            ("secrets", _) => refuse(
                SyntaxErrorKind::Secret,
                span.clone(),
                "a secret is read by its name alone",
                "write secrets.NAME",
            ),
            ("integrations", [Segment::Key(_), Segment::Key(_)])
                if self.place == Place::Url && self.opens_source() =>
            {
                Ok(Root::Integrations)
            }
            ("integrations", _) => {
                let help = "{{integrations.<name>.<field>}}/path, at the very start of a `url:`";
                refuse(
                    SyntaxErrorKind::Integration,
                    span.clone(),
                    "a kept field can only be the start of a URL",
                    help,
                )
            }
            _ => Ok(Root::Slot(self.slots.intern(root))),
        }
    }

    /// Whether the tag being read is the first thing in the source.
    fn opens_source(&self) -> bool {
        self.out.rewritten.is_empty()
    }

    /// What `root` means in the enclosing loops, the innermost first.
    fn in_loop(&self, root: &str) -> Option<(usize, Turn)> {
        let loops = self.blocks.iter().filter(|block| block.opener == Opener::Each && !block.in_else);
        let loops: Vec<&Block> = loops.collect();
        let what = match root {
            "this" => Some(Turn::Item),
            "@index" => Some(Turn::Index),
            "@key" => Some(Turn::Key),
            "@first" => Some(Turn::First),
            "@last" => Some(Turn::Last),
            _ => None,
        };
        if let Some(what) = what {
            return Some((loops.len().checked_sub(1)?, what));
        }
        loops.iter().enumerate().rev().find_map(|(depth, block)| {
            let is = |name: &Option<String>| name.as_deref() == Some(root);
            (is(&block.item))
                .then_some((depth, Turn::Item))
                .or_else(|| is(&block.position).then_some((depth, Turn::Key)))
        })
    }
}

/// How many tokens stand before the parenthesis that closes `open`.
fn matching(after: &[Token], open: &Token, depth: usize) -> Outcome<usize> {
    if depth == limits::TEXT_DEPTH {
        let message = format!("helpers stand more than {} deep", limits::TEXT_DEPTH);
        return refuse(SyntaxErrorKind::TooDeep, open.span.clone(), message, "make parts of it with `set:`");
    }
    let mut level = 0_usize;
    for (at, token) in after.iter().enumerate() {
        match token.kind {
            Kind::Open => level += 1,
            Kind::Close if level == 0 => return Ok(at),
            Kind::Close => level -= 1,
            _ => {}
        }
    }
    refuse(SyntaxErrorKind::Grammar, open.span.clone(), "this parenthesis is never closed", ")")
}

fn unknown_helper(head: &Token, source: &str) -> SyntaxError {
    let name = &source[head.span.clone()];
    let help = match name {
        "eq" | "ne" | "lt" | "gt" | "lte" | "gte" | "and" | "or" | "not" => {
            "decide in `if:` or `compute:` and write the result here".to_owned()
        }
        "lookup" => "write list[0] or map['key']".to_owned(),
        _ => format!("the helpers are {}", HELPERS.join(", ")),
    };
    let message = format!("`{name}` is not a helper");
    SyntaxError { kind: SyntaxErrorKind::UnknownName, message, span: head.span.clone(), help: Some(help) }
}
