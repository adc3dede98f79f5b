//! A text with holes, and how they are filled.

use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Escape, FillError, FillErrorKind, LateName, Vault, escape, url};
use crate::place::Place;
use crate::text::helper::Helper;

/// A text with holes for secrets and kept fields; everything else in it is already rendered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Late {
    pub(crate) place: Place,
    pub(crate) parts: Vec<LatePart>,
}

/// One part of a [`Late`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LatePart {
    /// The author's own text.
    Literal(String),
    /// A rendered value, escaped.
    Value(String),
    /// What is filled late.
    Hole { expression: LateExpression, escape: Escape },
}

impl LatePart {
    /// The part as a finished one, if it is.
    pub(crate) fn piece(&self) -> Option<Piece<'_>> {
        match self {
            Self::Literal(text) => Some(Piece::Literal(text)),
            Self::Value(text) => Some(Piece::Value(text)),
            Self::Hole { .. } => None,
        }
    }
}

/// What fills a hole: the parts of an expression that were known are values already.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LateExpression {
    Known(String),
    Name(LateName),
    Call { helper: Helper, arguments: Vec<LateExpression> },
}

/// A finished part: the author's, or a value's.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece<'p> {
    Literal(&'p str),
    Value(&'p str),
}

impl<'p> Piece<'p> {
    pub(crate) fn text(&self) -> &'p str {
        match self {
            Self::Literal(text) | Self::Value(text) => text,
        }
    }
}

impl Late {
    /// Every name that fills a hole, in order of appearance, without repeats.
    pub(super) fn collect(&self, names: &mut Vec<LateName>) {
        for part in &self.parts {
            if let LatePart::Hole { expression, .. } = part {
                expression.collect(names);
            }
        }
    }

    pub(super) fn fill(&self, vault: &dyn Vault) -> Result<String, FillError> {
        let mut filled = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            if let LatePart::Hole { expression, escape } = part {
                filled.push(expression.write(*escape, vault)?);
            }
        }
        let mut holes = filled.iter();
        let pieces = self.parts.iter().map(|part| match part {
            LatePart::Literal(text) => Piece::Literal(text),
            LatePart::Value(text) => Piece::Value(text),
            LatePart::Hole { .. } => Piece::Literal(holes.next().map_or("", |text| text)),
        });
        self.join(&pieces.collect::<Vec<_>>())
    }

    /// Joins finished pieces under the rules of the place.
    fn join(&self, pieces: &[Piece<'_>]) -> Result<String, FillError> {
        if self.place == Place::Url {
            return url::assemble(pieces).map_err(|refusal| refused(refusal.to_owned(), None));
        }
        let joined: String = pieces.iter().map(Piece::text).collect();
        if self.place == Place::Json && serde_json::from_str::<Value>(&joined).is_err() {
            return Err(refused("the text with its secrets is not JSON".into(), None));
        }
        Ok(joined)
    }
}

impl LateExpression {
    fn collect(&self, names: &mut Vec<LateName>) {
        match self {
            Self::Known(_) => {}
            Self::Name(name) if names.contains(name) => {}
            Self::Name(name) => names.push(name.clone()),
            Self::Call { arguments, .. } => arguments.iter().for_each(|argument| argument.collect(names)),
        }
    }

    /// Bytes of the values it holds.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Known(text) => text.len(),
            Self::Name(_) => 0,
            Self::Call { arguments, .. } => arguments.iter().map(Self::weight).sum(),
        }
    }

    fn write(&self, how: Escape, vault: &dyn Vault) -> Result<String, FillError> {
        let value = self.value(vault)?;
        let mut out = String::with_capacity(value.len());
        if escape::push(&mut out, &value, how).is_some() {
            return Ok(out);
        }
        let mut names = Vec::new();
        self.collect(&mut names);
        let message = match how {
            Escape::Origin => url::origin(&value).err().unwrap_or("the base of a URL is not one"),
            _ => "a header cannot hold the characters of this value",
        };
        Err(refused(message.into(), names.into_iter().next()))
    }

    fn value(&self, vault: &dyn Vault) -> Result<String, FillError> {
        match self {
            Self::Known(text) => Ok(text.clone()),
            Self::Name(name) => read(name, vault),
            Self::Call { helper, arguments } => {
                let values: Result<Vec<_>, _> =
                    arguments.iter().map(|argument| argument.value(vault)).collect();
                let values = values?;
                let texts: Vec<&str> = values.iter().map(String::as_str).collect();
                helper.apply_text(&texts).map_err(|fault| refused(fault.message, None))
            }
        }
    }
}

fn read(name: &LateName, vault: &dyn Vault) -> Result<String, FillError> {
    let (value, kind, message) = match name {
        LateName::Secret(secret) => {
            let value = vault.secret(secret).map(|value| value.expose_secret().to_owned());
            (value, FillErrorKind::NoSecret, format!("there is no secret `{secret}`"))
        }
        LateName::Kept { integration, field } => {
            let value = vault.kept(integration, field).map(str::to_owned);
            (value, FillErrorKind::NoField, format!("integration `{integration}` kept no field `{field}`"))
        }
    };
    value.ok_or_else(|| FillError { kind, message, name: Some(name.clone()) })
}

fn refused(message: String, name: Option<LateName>) -> FillError {
    FillError { kind: FillErrorKind::Refused, message, name }
}
