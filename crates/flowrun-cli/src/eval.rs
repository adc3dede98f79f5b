//! `flowrun eval`: one path, template or expression, just as a flow would take it; JSON on stdout.

mod lines;

use std::path::Path as FilePath;

use flowrun::SystemClock;
use flowrun::lang::{Code, Diagnostic, SourceText};
use flowrun::step::Clock as _;
use flowrun::template::{Logic, Path, Picked, Place, Rendered, Scope, Slot, Slots, SyntaxError, Text};
use serde_json::{Map, Value};

use crate::args::{EvalArguments, MessageFormat, PlaceName};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::output::written;
use crate::report;
use crate::source;
use crate::world::World;

/// Evaluates what was asked for and prints the result.
pub(crate) fn eval(world: &World, arguments: &EvalArguments) -> Result<Exit, Complaint> {
    if arguments.jsonl {
        return lines::answer(&world.terminal);
    }
    let evaluated = match (&arguments.path, &arguments.template, &arguments.expr) {
        (Some(path), _, _) => pick(path, &document(world, arguments)?),
        (_, Some(template), _) => render(template, place(arguments.place), variables(world, arguments)?),
        (_, _, Some(expression)) => decide(expression, variables(world, arguments)?),
        (None, None, None) => {
            return Err(Complaint::new(Exit::Usage, "there is nothing to evaluate")
                .help("give --path, --template or --expr"));
        }
    };
    match evaluated {
        Ok(value) => written(world.terminal.json(&value)).map(|()| Exit::Done),
        Err((exit, diagnostics)) => {
            written(report::show(&world.terminal, MessageFormat::Human, &diagnostics))?;
            Ok(exit)
        }
    }
}

/// A value, or what is wrong and how to exit: 3 for what cannot be read, 1 for what has no result here.
type Evaluated = Result<Value, (Exit, Vec<Diagnostic>)>;

fn document(world: &World, arguments: &EvalArguments) -> Result<Value, Complaint> {
    source::read_json(world, arguments.doc.as_deref().unwrap_or(FilePath::new("-")))
}

fn variables(world: &World, arguments: &EvalArguments) -> Result<Map<String, Value>, Complaint> {
    arguments.vars.as_deref().map_or(Ok(Map::new()), |file| source::read_object(world, file))
}

fn pick(source: &str, document: &Value) -> Evaluated {
    let shown = Shown { name: "--path", source, code: Code::Path };
    let path = Path::compile(source).map_err(|error| shown.unreadable(vec![error]))?;
    match path.pick(document) {
        Ok(Picked::One(value)) => Ok(value.clone()),
        Ok(Picked::Many(values)) => Ok(values.into_iter().cloned().collect()),
        Ok(Picked::Missing) => {
            let missing = Diagnostic::error(Code::Missing, format!("`{source}` finds nothing"));
            Err((Exit::Failed, vec![missing.help("`--path '$'` shows the whole document")]))
        }
        Err(error) => Err(shown.without_result(&error.message, None, error.help)),
    }
}

fn render(source: &str, place: Place, variables: Map<String, Value>) -> Evaluated {
    let shown = Shown { name: "--template", source, code: Code::Template };
    let mut slots = Slots::new();
    let text = Text::compile(source, place, &mut slots).map_err(|errors| shown.unreadable(errors))?;
    match text.render(&Given::new(&slots, variables)) {
        Ok(Rendered::Value(value)) => Ok(value),
        Ok(_) => Err(shown.without_result(
            "secrets and fields of integrations have no value here",
            None,
            Some("run a flow to try them; `--dry-run` shows where they go".to_owned()),
        )),
        Err(error) => Err(shown.without_result(&error.message, Some(error.span), error.help)),
    }
}

fn decide(source: &str, variables: Map<String, Value>) -> Evaluated {
    let shown = Shown { name: "--expr", source, code: Code::Expression };
    let mut slots = Slots::new();
    let logic = Logic::compile(source, &mut slots).map_err(|error| shown.unreadable(vec![error]))?;
    logic
        .evaluate(&Given::new(&slots, variables), SystemClock.now())
        .map_err(|error| shown.without_result(&error.message, Some(error.span), error.help))
}

fn place(name: PlaceName) -> Place {
    match name {
        PlaceName::Text => Place::Text,
        PlaceName::Json => Place::Json,
        PlaceName::Url => Place::Url,
        PlaceName::Header => Place::Header,
        PlaceName::Form => Place::Form,
    }
}

/// What is evaluated, as its mistakes show it.
struct Shown<'a> {
    name: &'static str,
    source: &'a str,
    code: Code,
}

impl Shown<'_> {
    fn unreadable(&self, errors: Vec<SyntaxError>) -> (Exit, Vec<Diagnostic>) {
        let diagnostics = errors
            .into_iter()
            .map(|error| self.diagnostic(&error.message, Some(error.span), error.help))
            .collect();
        (Exit::Invalid, diagnostics)
    }

    fn without_result(
        &self,
        message: &str,
        span: Option<std::ops::Range<usize>>,
        help: Option<String>,
    ) -> (Exit, Vec<Diagnostic>) {
        (Exit::Failed, vec![self.diagnostic(message, span, help)])
    }

    fn diagnostic(
        &self,
        message: &str,
        span: Option<std::ops::Range<usize>>,
        help: Option<String>,
    ) -> Diagnostic {
        let diagnostic = Diagnostic { help, ..Diagnostic::error(self.code, message) };
        let source = SourceText::new(self.name, self.source.as_bytes().to_vec());
        match (source, span) {
            (Ok(source), Some(span)) => diagnostic.at(source.place("", span)),
            _ => diagnostic,
        }
    }
}

/// The variables that were given, by slot.
struct Given(Vec<Option<Value>>);

impl Given {
    fn new(slots: &Slots, mut variables: Map<String, Value>) -> Self {
        Self(slots.iter().map(|(_, name)| variables.remove(name)).collect())
    }
}

impl Scope for Given {
    fn value(&self, slot: Slot) -> Option<&Value> {
        self.0.get(slot.index())?.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn variables() -> Map<String, Value> {
        json!({"id": "a/b", "price": 2.5, "quantity": 4}).as_object().cloned().unwrap()
    }

    fn check(evaluated: Evaluated, expected: Result<Value, Exit>) {
        assert_eq!(evaluated.map_err(|(exit, _)| exit), expected);
    }

    #[test]
    fn a_path_gives_a_value_or_a_list_as_in_a_flow_l_5() {
        let document = json!({"data": [{"name": "Ada"}, {"name": "Grace"}]});
        check(pick("data[0].name", &document), Ok(json!("Ada")));
        check(pick("$..name", &document), Ok(json!(["Ada", "Grace"])));
        check(pick("data[7].name", &document), Err(Exit::Failed));
        check(pick("data.[", &document), Err(Exit::Invalid));
    }

    #[test]
    fn a_template_escapes_for_its_place_l_4() {
        check(render("contact {{id}}", Place::Text, variables()), Ok(json!("contact a/b")));
        let url = render("https://h.example/{{id}}", Place::Url, variables());
        check(url, Ok(json!("https://h.example/a%2Fb")));
        check(render("{{nobody}}", Place::Text, variables()), Err(Exit::Failed));
        check(render("{{#if}}", Place::Text, variables()), Err(Exit::Invalid));
    }

    /// N2: trying a template must not bring a secret to light.
    #[test]
    fn a_secret_has_no_value_here() {
        check(render("Bearer {{secrets.KEY}}", Place::Header, variables()), Err(Exit::Failed));
    }

    #[test]
    fn an_expression_gives_its_value_l_6() {
        check(decide("price * quantity", variables()), Ok(json!(10.0)));
        check(decide("price && quantity", variables()), Err(Exit::Invalid));
        check(decide("nobody", variables()), Err(Exit::Failed));
    }
}
