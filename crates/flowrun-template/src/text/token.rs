//! Reads what stands between `{{` and `}}` (L-4, L-7): words, paths, constants, parentheses.
//!
//! Paths are read whole, so that `a.b[0].c` and `a['odd key']` mean here what they mean in expressions.
//! What the tokens mean together is [`super::scan`]'s business.

use std::ops::Range;

use serde_json::{Number, Value};

use crate::error::{SyntaxError, SyntaxErrorKind};
use crate::mention::Segment;

/// One token of a tag, with its bytes in the source.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Range<usize>,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A path, perhaps a single word: `a`, `a.b[0]`, `this.x`, `@index`.
    Path {
        root: String,
        path: Vec<Segment>,
    },
    /// A string, a number, `true`, `false` or `null`.
    Constant(Value),
    Open,
    Close,
    Bar,
}

impl Token {
    /// The word, if the token is a path of nothing but one.
    pub(crate) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Path { root, path } if path.is_empty() => Some(root),
            _ => None,
        }
    }
}

/// Reads the tokens of `source[range]`.
///
/// # Errors
/// At the first character that starts no token.
pub(crate) fn tokens(source: &str, range: Range<usize>) -> Result<Vec<Token>, SyntaxError> {
    let mut reader = Reader { source, at: range.start, end: range.end };
    let mut tokens = Vec::new();
    while let Some(token) = reader.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Reader<'s> {
    source: &'s str,
    at: usize,
    end: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.source[self.at..self.end]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        if found {
            self.at += expected.len_utf8();
        }
        found
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> String {
        let taken: String = self.rest().chars().take_while(|c| keep(*c)).collect();
        self.at += taken.len();
        taken
    }

    fn error(&self, start: usize, message: impl Into<String>, help: Option<String>) -> SyntaxError {
        let next = self.peek().map_or(0, char::len_utf8);
        let end = (self.at + next).min(self.end).max(start);
        SyntaxError { kind: SyntaxErrorKind::Grammar, message: message.into(), span: start..end, help }
    }

    fn next(&mut self) -> Result<Option<Token>, SyntaxError> {
        self.take_while(char::is_whitespace);
        let start = self.at;
        let Some(first) = self.peek() else { return Ok(None) };
        let kind = match first {
            '(' | ')' | '|' => {
                self.at += 1;
                match first {
                    '(' => Kind::Open,
                    ')' => Kind::Close,
                    _ => Kind::Bar,
                }
            }
            '"' | '\'' => Kind::Constant(Value::String(self.string(first)?)),
            '-' | '0'..='9' => Kind::Constant(Value::Number(self.number()?)),
            '@' | '_' | 'a'..='z' | 'A'..='Z' => self.path()?,
            _ => return Err(self.stray(first)),
        };
        Ok(Some(Token { kind, span: start..self.at }))
    }

    fn stray(&self, found: char) -> SyntaxError {
        let rest = self.rest();
        let (message, help) = if rest.starts_with("../") {
            ("`../` is not needed", Some("a plain name always means the flow's variable: drop `../`"))
        } else if "=<>&!+*/%?~^".contains(found) {
            (
                "a text has no operators",
                Some("calculate in `compute:` or decide in `if:`, and write the result here"),
            )
        } else if found == '[' || found == '{' {
            (
                "a text has no lists or maps of its own",
                Some("make the value with `set:` and write its name here"),
            )
        } else {
            ("", None)
        };
        let message =
            if message.is_empty() { format!("`{found}` cannot stand here") } else { message.into() };
        self.error(self.at, message, help.map(Into::into))
    }

    fn string(&mut self, quote: char) -> Result<String, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(next) = self.peek() else {
                return Err(self.error(
                    start,
                    "this string has no end",
                    Some(format!("close it with {quote}")),
                ));
            };
            self.at += next.len_utf8();
            match next {
                '\\' => text.push(self.escape()?),
                _ if next == quote => return Ok(text),
                _ => text.push(next),
            }
        }
    }

    fn escape(&mut self) -> Result<char, SyntaxError> {
        let start = self.at - 1;
        let Some(next) = self.peek() else { return Err(self.error(start, "this string has no end", None)) };
        self.at += next.len_utf8();
        Ok(match next {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '\\' | '/' | '"' | '\'' => next,
            _ => {
                let message = format!("`\\{next}` is no escape");
                return Err(self.error(start, message, Some("escapes are \\n \\r \\t \\\\ \\\" \\'".into())));
            }
        })
    }

    fn number(&mut self) -> Result<Number, SyntaxError> {
        let start = self.at;
        let text = self.take_while(|c| c.is_ascii_alphanumeric() || "-+.".contains(c));
        serde_json::from_str(&text).map_err(|_| self.error(start, format!("`{text}` is not a number"), None))
    }

    fn path(&mut self) -> Result<Kind, SyntaxError> {
        let start = self.at;
        let at_sign = self.eat('@');
        let name = self.take_while(is_name_char);
        let root = if at_sign { format!("@{name}") } else { name };
        let mut path = Vec::new();
        loop {
            if self.eat('.') {
                path.push(self.member(start)?);
            } else if self.peek() == Some('[') {
                path.push(self.bracket(start)?);
            } else {
                break;
            }
        }
        if self.peek().is_some_and(|c| c == '-' || c == '/') {
            return Err(self.odd_name(start));
        }
        Ok(match root.as_str() {
            "true" if path.is_empty() => Kind::Constant(Value::Bool(true)),
            "false" if path.is_empty() => Kind::Constant(Value::Bool(false)),
            "null" if path.is_empty() => Kind::Constant(Value::Null),
            _ => Kind::Path { root, path },
        })
    }

    /// A name that goes on with `-` or `/`: shows how to write it.
    fn odd_name(&mut self, start: usize) -> SyntaxError {
        let begun = self.source[start..self.at].to_owned();
        let separator = self.peek().unwrap_or('-');
        let tail = self.take_while(|c| is_name_char(c) || c == separator);
        let help = match begun.rsplit_once('.') {
            _ if separator == '/' => format!("write {}{}", begun, tail.replace('/', ".")),
            Some((parent, last)) => format!("write {parent}['{last}{tail}']"),
            None => format!("names have letters, digits and _: write {begun}{}", tail.replace('-', "_")),
        };
        let message = format!("`{separator}` cannot stand in a name");
        SyntaxError { kind: SyntaxErrorKind::Grammar, message, span: start..self.at, help: Some(help) }
    }

    fn member(&mut self, start: usize) -> Result<Segment, SyntaxError> {
        if self.peek() == Some('[') {
            return self.bracket(start);
        }
        let name = self.take_while(is_name_char);
        if name.is_empty() {
            return Err(self.error(start, "a name is missing after `.`", None));
        }
        Ok(index(&name).unwrap_or(Segment::Key(name)))
    }

    fn bracket(&mut self, start: usize) -> Result<Segment, SyntaxError> {
        self.at += 1;
        let segment = match self.peek() {
            Some(quote @ ('"' | '\'')) => Segment::Key(self.string(quote)?),
            _ => {
                let inner = self.take_while(|c| c != ']' && c != '}');
                let help = format!("write [0] for an element, ['{inner}'] for a member");
                index(&inner).ok_or_else(|| {
                    self.error(start, "this is neither a number nor a name in quotes", Some(help))
                })?
            }
        };
        if self.eat(']') { Ok(segment) } else { Err(self.error(start, "`]` is missing", None)) }
    }
}

fn index(digits: &str) -> Option<Segment> {
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().ok().map(Segment::Index)).flatten()
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
