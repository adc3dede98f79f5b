//! A text with variables in it, compiled for its place and rendered from a scope (L-4, N3).
//!
//! Handlebars parses; this module renders the tree itself, with every name resolved to a slot, so that a
//! rendering touches nothing but the values it writes. What only the moment of a call knows (secrets, kept
//! fields of an integration) stays a hole in the result.
//!
//! In `{{#each list}}` the item is `this` (or named: `{{#each list as |item index|}}`), and `@index`, `@key`,
//! `@first` and `@last` tell its position. A plain name is always the flow's variable, never the item's
//! member: data must not decide what a name means.

mod evaluate;
pub(crate) mod fault;
pub(crate) mod helper;
mod json_state;
mod lower;
mod moment;
mod program;
mod render;
mod resolve;
mod scan;
mod token;
mod url;

use serde_json::Value;

use self::evaluate::{Sight, Work, Worth};
use self::fault::Fault;
use self::program::{Base, Expression, Part};
use self::render::Writer;
use crate::error::{RenderError, RenderErrorKind, SyntaxError, SyntaxErrorKind};
use crate::limits;
use crate::mention::{Mention, Root, Segment};
use crate::place::Place;
use crate::rendered::{Late, LateName, LatePart, Piece, Rendered, url as route};
use crate::slot::{Scope, Slot, Slots};

/// A compiled text.
///
/// ```
/// use flowrun_template::{Place, Rendered, Scope, Slot, Slots, Text};
/// use serde_json::{Value, json};
///
/// struct Variables(Vec<Value>);
/// impl Scope for Variables {
///     fn value(&self, slot: Slot) -> Option<&Value> {
///         self.0.get(slot.index())
///     }
/// }
///
/// let mut slots = Slots::new();
/// let url = "https://api.example.com/contacts/{{id}}";
/// let text = Text::compile(url, Place::Url, &mut slots).expect("a good URL");
/// let rendered = text.render(&Variables(vec![json!("a/b")])).expect("`id` has a value");
/// assert_eq!(rendered, Rendered::Value(json!("https://api.example.com/contacts/a%2Fb")));
/// ```
#[derive(Clone, Debug)]
pub struct Text {
    source: String,
    place: Place,
    mentions: Vec<Mention>,
    parts: Vec<Part>,
}

impl Text {
    /// Compiles `source` for `place`, interning the names it reads.
    ///
    /// # Errors
    /// Every problem that can be found without values.
    pub fn compile(source: &str, place: Place, slots: &mut Slots) -> Result<Self, Vec<SyntaxError>> {
        if source.len() > limits::TEXT_SOURCE_BYTES {
            return Err(vec![too_long(source)]);
        }
        let scan = scan::scan(source, place, slots);
        let mut errors = scan.errors;
        errors.extend(literals(source, place, &scan.lexemes));
        if !errors.is_empty() {
            errors.sort_by_key(|error| error.span.start);
            return Err(errors);
        }
        let mut parts = lower::lower(&scan.rewritten, &scan.table, place)?;
        if place == Place::Url {
            url::normalise(&mut parts);
        }
        let text = Self { source: source.to_owned(), place, mentions: scan.mentions, parts };
        text.rehearse()?;
        Ok(text)
    }

    /// What the author wrote.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The place it was compiled for.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// What it reads, in order of appearance.
    #[must_use]
    pub fn mentions(&self) -> &[Mention] {
        &self.mentions
    }

    /// The secrets and kept fields it reads, without repeats.
    #[must_use]
    pub fn late(&self) -> Vec<LateName> {
        let mut names: Vec<LateName> = Vec::new();
        for name in self.mentions.iter().filter_map(late_name) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The variable's slot when the text is exactly one bare `{{x}}`.
    #[must_use]
    pub fn as_slot(&self) -> Option<Slot> {
        match self.parts.as_slice() {
            [Part::Write { expression: Expression::Read(reference), .. }] if reference.path.is_empty() => {
                match reference.root {
                    Base::Slot(slot) => Some(slot),
                    Base::Loop { .. } => None,
                }
            }
            _ => None,
        }
    }

    /// The text itself, when nothing in it has to be rendered.
    #[must_use]
    pub fn as_constant(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Renders the text.
    ///
    /// # Errors
    /// When a value is missing, null, of a kind that cannot stand there, or would change a route (L-4, N3).
    pub fn render(&self, scope: &dyn Scope) -> Result<Rendered, RenderError> {
        let sight = Sight { scope, frames: Vec::new(), source: &self.source, work: Work::default() };
        if let (Place::Value, [Part::Write { expression, .. }]) = (self.place, self.parts.as_slice()) {
            // L-4: what is exactly one value keeps its type.
            if let Worth::Value(value) = sight.worth(expression)? {
                return Ok(Rendered::Value(value.into_owned()));
            }
        }
        let mut writer = Writer::new(sight, self.place == Place::Url, self.source.len() + 16);
        writer.parts(&self.parts)?;
        if writer.done.is_empty() {
            return self.finish(writer.out).map(|text| Rendered::Value(Value::String(text)));
        }
        self.pieces(writer.finish())
    }

    fn finish(&self, text: String) -> Result<String, RenderError> {
        match self.place {
            Place::Url => self.route(&[Piece::Literal(&text)]),
            Place::Json if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err() => {
                Err(self.not_json())
            }
            _ => Ok(text),
        }
    }

    fn pieces(&self, parts: Vec<LatePart>) -> Result<Rendered, RenderError> {
        let pieces: Option<Vec<Piece<'_>>> = parts.iter().map(LatePart::piece).collect();
        match pieces {
            Some(pieces) => self.route(&pieces).map(|url| Rendered::Value(Value::String(url))),
            None => Ok(Rendered::Late(Late { place: self.place, parts })),
        }
    }

    fn route(&self, pieces: &[Piece<'_>]) -> Result<String, RenderError> {
        let whole = 0..self.source.len();
        route::assemble(pieces).map_err(|refusal| Fault::new(RenderErrorKind::Route, refusal, "").at(whole))
    }

    fn not_json(&self) -> RenderError {
        let help = "write {{json value}} for a whole value, \"{{value}}\" for text; or use `json:` with YAML";
        Fault::new(RenderErrorKind::NotJson, "the text is not JSON once its values are in it", help)
            .at(0..self.source.len())
    }

    /// Renders literals alone, with a harmless value for each expression: what fails then, always would.
    fn rehearse(&self) -> Result<(), Vec<SyntaxError>> {
        let (Place::Json | Place::Url) = self.place else { return Ok(()) };
        let Some(parts) = self.parts.iter().map(Part::rehearsed).collect::<Option<Vec<_>>>() else {
            return Ok(());
        };
        let pieces: Vec<Piece<'_>> = parts.iter().map(|text| Piece::Literal(text)).collect();
        let (kind, failure) = match self.place {
            Place::Url => (SyntaxErrorKind::Url, self.route(&pieces).err()),
            _ => (SyntaxErrorKind::Grammar, self.finish(parts.concat()).err()),
        };
        match failure {
            None => Ok(()),
            Some(error) => {
                Err(vec![SyntaxError { kind, message: error.message, span: error.span, help: error.help }])
            }
        }
    }
}

fn late_name(mention: &Mention) -> Option<LateName> {
    match (mention.root, mention.path.as_slice()) {
        (Root::Secrets, [Segment::Key(name)]) => Some(LateName::Secret(name.clone())),
        (Root::Integrations, [Segment::Key(integration), Segment::Key(field)]) => {
            Some(LateName::Kept { integration: integration.clone(), field: field.clone() })
        }
        _ => None,
    }
}

fn too_long(source: &str) -> SyntaxError {
    let message = format!("this text is longer than {} bytes", limits::TEXT_SOURCE_BYTES);
    let help = Some("put it in a variable or a file".to_owned());
    SyntaxError { kind: SyntaxErrorKind::TooLong, message, span: 0..source.len(), help }
}

/// Problems of the author's own text.
fn literals(source: &str, place: Place, lexemes: &[scan::Lexeme]) -> Vec<SyntaxError> {
    match place {
        Place::Url => url::check(source, lexemes),
        Place::Header => lexemes.iter().filter_map(|lexeme| header_literal(source, lexeme)).collect(),
        _ => Vec::new(),
    }
}

fn header_literal(source: &str, lexeme: &scan::Lexeme) -> Option<SyntaxError> {
    let scan::Lexeme::Literal(range) = lexeme else { return None };
    let is_fit = |c: char| crate::rendered::escape::is_header_text(c.encode_utf8(&mut [0; 4]));
    let (at, found) = source[range.clone()].char_indices().find(|(_, c)| !is_fit(*c))?;
    let span = range.start + at..range.start + at + found.len_utf8();
    let message = "a header can only hold visible ASCII characters, spaces and tabs".to_owned();
    Some(SyntaxError {
        kind: SyntaxErrorKind::Grammar,
        message,
        span,
        help: Some("remove this character".to_owned()),
    })
}
