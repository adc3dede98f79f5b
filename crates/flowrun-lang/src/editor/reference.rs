//! The reference of the language as one page: every word with what an editor says of it, and the settings of every kind.
//!
//! The words are those that completion and hover show, so the page cannot say anything else; what the words mean
//! together is for the book to tell.

use flowrun_template::Vocabulary;

use crate::catalog::Catalog;
use crate::code::Code;
use crate::document::{COMMON, KEYS};
use crate::editor::ground::{Atlas, about_setting, is_built_in};
use crate::editor::words::{self, Tongue, Word};

const HEAD: &str = "# Language reference

Every word of a flow and what it is for. This page is written by `flowrun schema --format markdown`, which lists the step
kinds of a house of your own too. How the words work together is told in [the tutorial](tutorial.md) and
[the cookbook](cookbook.md); what an editor needs is the [JSON Schema](flow.schema.json).
";

/// The reference as Markdown, with the step kinds of this catalogue.
///
/// # Example
/// ```
/// use flowrun_lang::{Catalog, editor};
/// use flowrun_step::StepSet;
///
/// let page = editor::reference(&Catalog::new(StepSet::new()));
/// assert!(page.contains("| `for_each` |"));
/// ```
#[must_use]
pub fn reference(catalog: &Catalog) -> String {
    let mut page = Page(HEAD.to_owned());
    page.flow();
    page.kinds(catalog);
    page.steps();
    page.names();
    page.expressions();
    page.codes();
    page.0
}

struct Page(String);

impl Page {
    fn heading(&mut self, level: usize, text: &str, about: &str) {
        let about = if about.is_empty() { String::new() } else { format!("\n{about}\n") };
        self.0.push_str(&format!("\n{} {text}\n{about}", "#".repeat(level)));
    }

    /// A table of names and words.
    fn table<'r>(&mut self, what: &str, rows: impl IntoIterator<Item = (&'r str, String)>) {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return;
        }
        self.0.push_str(&format!("\n| {what} | |\n| --- | --- |\n"));
        for (name, about) in rows {
            let about = about.replace('|', "\\|").replace("\n\n", " ");
            self.0.push_str(&format!("| `{name}` | {about} |\n"));
        }
    }

    fn words(&mut self, what: &str, words: &[Word], known: Option<&[&str]>) {
        let is_known = |word: &&Word| known.is_none_or(|known| known.contains(&word.0));
        self.table(what, words.iter().filter(is_known).map(|word| (word.0, about_word(word))));
    }

    /// What may stand beneath a word of the language.
    fn beneath(&mut self, level: usize, name: &str) {
        if let Some((_, words)) = words::BENEATH.iter().find(|(word, _)| *word == name) {
            self.heading(level, &format!("`{name}`"), "");
            self.words("key", words, None);
        }
    }

    fn flow(&mut self) {
        self.heading(2, "A flow", "A flow is a map with these keys. Only `steps` must be there.");
        self.words("key", words::FLOW, Some(KEYS));
        self.heading(3, "An input", "`inputs` is a map of names, each with these keys.");
        self.words("key", words::INPUT, Some(crate::input::KEYS));
        self.heading(
            3,
            "An integration",
            "`integrations` is a map of names, each with nothing or with this key.",
        );
        self.words("key", words::INTEGRATION, None);
        self.beneath(3, "trigger");
        for (kind, words) in words::TRIGGERS {
            self.heading(4, &format!("`{kind}`"), "");
            self.words("key", words, None);
        }
        self.beneath(3, "limits");
    }

    fn kinds(&mut self, catalog: &Catalog) {
        let atlas = Atlas::of(catalog);
        self.heading(2, "The kinds of step", "A step has exactly one of these keys.");
        let built_in = words::KINDS.iter().filter(|(kind, ..)| is_built_in(kind));
        let built_in = built_in.map(|(kind, _, about)| (*kind, (*about).to_owned()));
        let calling = atlas.kinds().map(|kind| {
            let shape = atlas.shape(kind).and_then(|shape| shape.description().map(str::to_owned));
            let word = words::word(words::KINDS, kind).map(|word| word.2.to_owned());
            (kind, word.or(shape).unwrap_or_default())
        });
        self.table("kind", calling.chain(built_in));
        for kind in atlas.kinds() {
            self.heading(3, &format!("`{kind}`"), "");
            let Some(shape) = atlas.shape(kind) else { continue };
            let required: Vec<&str> = shape.required().collect();
            self.table(
                "setting",
                shape.property_names().into_iter().map(|name| {
                    let about = shape.property(name).map(|field| about_setting(&field)).unwrap_or_default();
                    let needed = if required.contains(&name) { "Required. " } else { "" };
                    (name, format!("{needed}{about}"))
                }),
            );
        }
        for (kind, ..) in words::KINDS.iter().filter(|(kind, ..)| is_built_in(kind)) {
            self.beneath(3, kind);
        }
        self.heading(3, "Beside a kind", "These keys belong to one kind and stand beside it, not beneath.");
        let beside = words::BESIDE.iter().map(|(kind, word)| (word.0, format!("Of `{kind}`. {}", word.2)));
        self.table("key", beside);
    }

    fn steps(&mut self) {
        self.heading(2, "The keys of every step", "");
        self.words("key", words::COMMON, Some(COMMON));
        self.beneath(3, "retry");
    }

    fn names(&mut self) {
        self.heading(2, "Names that are always there", "They cannot be the names of variables.");
        self.provided(words::PROVIDED);
        self.heading(3, "`steps.<id>`", "");
        self.provided(words::STEP_FIELDS);
        self.heading(
            3,
            "`error`",
            "Seen by the steps of `on_error`, and of `finally`, where it may be null.",
        );
        self.provided(words::ERROR_FIELDS);
        self.heading(2, "Texts", "A text is a Handlebars template: `{{name}}`, `{{#if}}`, `{{#unless}}`, `{{#each}}`, and these helpers.");
        self.provided(words::HELPERS);
    }

    fn provided(&mut self, words: &[(&'static str, &'static str)]) {
        self.table("name", words.iter().map(|(name, about)| (*name, (*about).to_owned())));
    }

    fn expressions(&mut self) {
        let Vocabulary { filters, functions, tests, .. } = Vocabulary::whole();
        self.heading(
            2,
            "Expressions",
            "An expression is Jinja's. The lists are closed: nothing else can be called.",
        );
        self.heading(3, "Functions", "");
        self.list(functions.into_iter().map(|usage| format!("`{usage}`")));
        self.heading(3, "Filters", "`list|join(\", \")`. What stands between brackets are its parameters, all of which may be left out or named.");
        self.list(filters.into_iter().map(|(names, parameters)| match parameters {
            [] => either(names),
            _ => format!("{} ({})", either(names), parameters.join(", ")),
        }));
        self.heading(3, "Also filters", "`select`, `reject`, `selectattr`, `rejectattr` and `map` take the name of a test or a filter: `deals|selectattr(\"status\", \"eq\", \"won\")|list`.");
        self.heading(3, "Tests", "`x is defined`, `x is divisibleby(3)`.");
        self.list(tests.into_iter().map(either));
    }

    fn list(&mut self, items: impl Iterator<Item = String>) {
        self.0.push('\n');
        items.for_each(|item| self.0.push_str(&format!("- {item}\n")));
    }

    fn codes(&mut self) {
        self.heading(2, "Error codes", "Each has a page: `flowrun explain F014`.");
        self.list(Code::ALL.iter().map(|code| format!("[{code}](errors/{code}.md): {}", code.title())));
    }
}

/// What a word is for, and what it may be.
fn about_word((_, tongue, about): &Word) -> String {
    match tongue {
        Tongue::Choice(choices) => format!("{about} One of: {}.", choices.join(", ")),
        _ => (*about).to_owned(),
    }
}

/// A name and its other names.
fn either(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}
