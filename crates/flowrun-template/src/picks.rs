//! The `variables:` of a request: which paths of a reply become which variables.
//!
//! A pick is required unless it has a `default` or says `required: false`; then it stays unset if its path
//! finds nothing. Null is a value like any other.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::error::{SyntaxError, SyntaxErrorKind};
use crate::name::{HELPERS, RESERVED, is_name};
use crate::path::{Path, PickError, PickErrorKind, Picked};
use crate::value_type::Type;

/// A compiled `variables:`.
#[derive(Clone, Debug)]
pub struct Picks {
    picks: Vec<Pick>,
}

#[derive(Clone, Debug)]
struct Pick {
    name: String,
    path: Path,
    kind: Type,
    default: Option<Value>,
    required: bool,
}

impl Picks {
    /// Compiles `name: path`, `name: {path, default, type, required}` or a list of names.
    ///
    /// ```
    /// # use flowrun_template::Picks;
    /// # use serde_json::json;
    /// let picks = Picks::compile(&json!({"last_name": "data.last_name"})).expect("good picks");
    /// let reply = json!({"data": {"last_name": "Doe"}});
    /// assert_eq!(picks.pick(&reply), Ok(vec![("last_name".to_owned(), json!("Doe"))]));
    /// ```
    ///
    /// # Errors
    /// Every problem, each with the JSON pointer (RFC 6901) of its place.
    pub fn compile(value: &Value) -> Result<Self, Vec<(String, SyntaxError)>> {
        let mut errors = Vec::new();
        let mut keep =
            |pick: Result<Pick, (String, SyntaxError)>| pick.map_err(|error| errors.push(error)).ok();
        let picks = match value {
            Value::Object(members) => {
                members.iter().filter_map(|(name, how)| keep(of_member(name, how))).collect()
            }
            Value::Array(items) => {
                let mut seen = HashSet::new();
                let items = items.iter().enumerate();
                items.filter_map(|(at, item)| keep(of_item(at, item, &mut seen))).collect()
            }
            _ => {
                return Err(vec![(
                    String::new(),
                    shape(
                        "`variables` is a map of names and paths, or a list of names",
                        "variables: { last_name: data.last_name }",
                    ),
                )]);
            }
        };
        if errors.is_empty() { Ok(Self { picks }) } else { Err(errors) }
    }

    /// The variables it writes, in the author's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.picks.iter().map(|pick| pick.name.as_str())
    }

    /// The variables with a `default`, with it: what they get when the step's failure was handled (L-11).
    pub fn defaults(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.picks.iter().filter_map(|pick| Some((pick.name.as_str(), pick.default.as_ref()?)))
    }

    /// The declared type of each variable, [`Type::Any`] where none is.
    pub fn types(&self) -> impl Iterator<Item = (&str, Type)> {
        self.picks.iter().map(|pick| (pick.name.as_str(), pick.kind))
    }

    /// Whether a reply without any body will do, because nothing is required.
    #[must_use]
    pub fn is_all_optional(&self) -> bool {
        self.picks.iter().all(|pick| !pick.required)
    }

    /// Whether a reply may leave this variable unset: its pick is optional and has no default.
    #[must_use]
    pub fn may_leave_unset(&self, name: &str) -> bool {
        self.picks.iter().any(|pick| pick.name == name && !pick.required && pick.default.is_none())
    }

    /// The variables' values from the `body` of a reply; what stays unset is not among them.
    ///
    /// # Errors
    /// When a required path finds nothing, a value is not of its type, or a search is too long.
    pub fn pick(&self, body: &Value) -> Result<Vec<(String, Value)>, PickError> {
        let mut variables = Vec::with_capacity(self.picks.len());
        for pick in &self.picks {
            let value =
                pick.value(body).map_err(|error| PickError { name: Some(pick.name.clone()), ..error })?;
            variables.extend(value.map(|value| (pick.name.clone(), value)));
        }
        Ok(variables)
    }
}

impl Pick {
    fn value(&self, body: &Value) -> Result<Option<Value>, PickError> {
        let found = match self.path.pick(body)? {
            Picked::One(value) => value.clone(),
            Picked::Many(values) => values.into_iter().cloned().collect(),
            Picked::Missing if self.required => return Err(self.missing(body)),
            Picked::Missing => return Ok(self.default.clone()),
        };
        self.kind.convert(found).map(Some).map_err(|error| PickError {
            kind: PickErrorKind::Type,
            name: None,
            message: format!("`{}`: {}", self.path.source(), error.message),
            help: Some("declare the type the service sends, or none".to_owned()),
        })
    }

    fn missing(&self, body: &Value) -> PickError {
        let path = self.path.source();
        PickError {
            kind: PickErrorKind::Missing,
            name: None,
            message: format!("`{path}` found nothing: {}", self.path.whereabouts(body)),
            help: Some(format!(
                "{}: {{ path: {path}, default: ... }} or required: false, if it may be missing",
                self.name
            )),
        }
    }
}

fn of_member(name: &str, how: &Value) -> Result<Pick, (String, SyntaxError)> {
    let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    let at = |key: &str| format!("{pointer}{key}");
    check_name(name).map_err(|error| (at(""), error))?;
    match how {
        Value::String(path) => {
            let path = Path::compile(path).map_err(|error| (at(""), error))?;
            Ok(Pick { name: name.to_owned(), path, kind: Type::Any, default: None, required: true })
        }
        Value::Object(members) => of_long_form(name, members).map_err(|(key, error)| (at(&key), error)),
        _ => Err((at(""), shape("a variable has a path", &format!("{name}: data.{name}")))),
    }
}

fn of_long_form(name: &str, members: &Map<String, Value>) -> Result<Pick, (String, SyntaxError)> {
    const KEYS: [&str; 4] = ["path", "default", "type", "required"];
    if let Some(key) = members.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let message = format!("a variable has no `{key}`");
        return Err((format!("/{key}"), shape(&message, "its keys are path, default, type and required")));
    }
    let text = |key: &str| match members.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err((format!("/{key}"), shape(&format!("`{key}` is text"), ""))),
    };
    let path = text("path")?
        .ok_or_else(|| (String::new(), shape("a variable has a path", &format!("path: data.{name}"))))?;
    let path = Path::compile(path).map_err(|error| ("/path".to_owned(), error))?;
    let kind = text("type")?.map_or(Ok(Type::Any), str::parse::<Type>);
    let kind = kind.map_err(|error| {
        ("/type".to_owned(), shape(&error.message, error.help.as_deref().unwrap_or_default()))
    })?;
    // A text that reads as the type becomes it, as it does in a reply; null says that there is none.
    let default = members.get("default").cloned();
    let default = default.map(|default| if default.is_null() { Ok(default) } else { kind.convert(default) });
    let default = default.transpose().map_err(|error| {
        ("/default".to_owned(), shape(&error.message, error.help.as_deref().unwrap_or_default()))
    })?;
    let required = match members.get("required") {
        None => default.is_none(),
        Some(Value::Bool(true)) if default.is_some() => {
            return Err((
                "/required".to_owned(),
                shape("a variable with a default is not required", "remove one of the two"),
            ));
        }
        Some(Value::Bool(required)) => *required,
        Some(_) => {
            return Err(("/required".to_owned(), shape("`required` is true or false", "required: false")));
        }
    };
    Ok(Pick { name: name.to_owned(), path, kind, default, required })
}

fn of_item(at: usize, item: &Value, seen: &mut HashSet<String>) -> Result<Pick, (String, SyntaxError)> {
    let pointer = format!("/{at}");
    let Value::String(name) = item else {
        return Err((pointer, shape("a list of variables holds names", "variables: [id, last_name]")));
    };
    check_name(name).map_err(|error| (pointer.clone(), error))?;
    if !seen.insert(name.clone()) {
        return Err((pointer, shape(&format!("`{name}` stands here twice"), "remove one")));
    }
    Ok(Pick {
        name: name.clone(),
        path: Path::of_member(name),
        kind: Type::Any,
        default: None,
        required: true,
    })
}

fn check_name(name: &str) -> Result<(), SyntaxError> {
    let message = if !is_name(name) {
        format!("`{name}` is not a name: letters, digits and _, no digit first")
    } else if RESERVED.contains(&name) {
        format!("`{name}` is reserved")
    } else if HELPERS.contains(&name) {
        format!("`{name}` is a helper's name")
    } else {
        return Ok(());
    };
    Err(SyntaxError { kind: SyntaxErrorKind::Name, message, span: 0..0, help: None })
}

fn shape(message: &str, help: &str) -> SyntaxError {
    let help = (!help.is_empty()).then(|| help.to_owned());
    SyntaxError { kind: SyntaxErrorKind::Shape, message: message.to_owned(), span: 0..0, help }
}
