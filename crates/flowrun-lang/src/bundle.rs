//! The flows that a flow calls: each is read once, checked as a file of its own, and numbered for the machine.
//!
//! Names are resolved here, as text: relative to the file that calls, and never out of the folder of the flow that is
//! started (N3). Who gives the texts, and follows no link out of that folder, is the caller's [`Flows`].

use std::collections::HashMap;
use std::sync::Arc;

use flowrun_machine::Plan;
use sha2::{Digest, Sha256};

use crate::catalog::Catalog;
use crate::check::read;
use crate::diagnostic::Diagnostic;
use crate::input::Input;
use crate::node::Node;
use crate::permissions::{IntegrationUse, Visit};
use crate::problems::Problems;
use crate::source::SourceText;
use crate::trigger::Trigger;

/// How deep calls may be nested (L-3).
pub(crate) const DEPTH: usize = 16;

/// Gives the texts of flows that are called.
pub trait Flows {
    /// The flow at a path such as `lookups/contact.flow.yaml`: within the folder of the flow that is checked, with `/`
    /// between its parts, without `.` and `..`. A link that leads out of that folder is not to be followed (N3).
    ///
    /// # Errors
    /// When there is no such file, when it may not be used, or when it is no text.
    fn read(&self, path: &str) -> Result<SourceText, Unread>;
}

/// Why a flow that is called gave no text.
#[derive(Debug, Clone)]
pub enum Unread {
    /// It cannot be had, for this reason: a problem of the step that calls.
    Because(String),
    /// It was read, and is no text: a problem of its own.
    Unusable(Box<Diagnostic>),
}

/// One file of a bundle, checked.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) plan: Arc<Plan>,
    pub(crate) source: SourceText,
    /// Of a flow that is called, its path within the folder.
    pub(crate) path: String,
    pub(crate) root: Arc<Node>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) secrets: Vec<String>,
    pub(crate) integrations: Vec<IntegrationUse>,
    pub(crate) trigger: Option<Trigger>,
    /// How many calls are nested beneath it.
    pub(crate) depth: usize,
    pub(crate) visits: Vec<Visit>,
}

/// Why a call leads nowhere, in words for the step that calls.
pub(crate) struct NoFlow {
    pub(crate) message: String,
    pub(crate) cause: Option<String>,
    pub(crate) help: String,
}

/// The files of one check.
pub(crate) struct Bundle<'a> {
    pub(crate) catalog: &'a Catalog,
    flows: Option<&'a dyn Flows>,
    /// Those without mistakes; the machine counts them from 1.
    parts: Vec<Part>,
    /// Every file that is checked; none where it has mistakes.
    known: HashMap<String, Option<usize>>,
    /// The files that are being checked, from the first to the innermost.
    open: Vec<String>,
    /// What is wrong with the files that are called.
    found: Vec<Diagnostic>,
}

impl<'a> Bundle<'a> {
    /// A bundle that begins with the flow of this name.
    pub(crate) fn new(name: &str, catalog: &'a Catalog, flows: Option<&'a dyn Flows>) -> Self {
        let first = name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned();
        let (parts, found) = (Vec::new(), Vec::new());
        Self { catalog, flows, parts, known: HashMap::new(), open: vec![first], found }
    }

    /// The flow that `written` names in the file being checked; nothing where it has mistakes, which are said there.
    pub(crate) fn call(&mut self, written: &str) -> Result<Option<(usize, &Part)>, NoFlow> {
        let path = resolved(self.open.last().map_or("", String::as_str), written)?;
        if let Some(at) = self.open.iter().position(|open| *open == path) {
            return Err(circle(&self.open[at..], &path));
        }
        let number = match self.known.get(&path) {
            Some(known) => *known,
            None => {
                let number = self.load(&path)?;
                self.known.insert(path, number);
                number
            }
        };
        Ok(number.map(|number| (number, &self.parts[number - 1])))
    }

    fn load(&mut self, path: &str) -> Result<Option<usize>, NoFlow> {
        if self.open.len() > DEPTH {
            return Err(too_deep(DEPTH));
        }
        let Some(flows) = self.flows else {
            return Err(NoFlow {
                message: format!("`{path}` cannot be read: this flow is checked without the files beside it"),
                cause: None,
                help: "check it as a file: flowrun check FILE".to_owned(),
            });
        };
        let source = match flows.read(path) {
            Ok(source) => source,
            Err(Unread::Unusable(diagnostic)) => {
                self.found.push(*diagnostic);
                return Ok(None);
            }
            Err(Unread::Because(why)) => {
                return Err(NoFlow {
                    message: format!("the flow `{path}` cannot be read"),
                    cause: Some(why),
                    help:
                        "write the name of a file beside this one, or beneath it: lookups/contact.flow.yaml"
                            .to_owned(),
                });
            }
        };
        self.open.push(path.to_owned());
        let mut problems = Problems::new(&source);
        let part = read(&source, self, &mut problems).filter(|_| !problems.has_errors());
        self.found.extend(problems.into_sorted());
        self.open.pop();
        let Some(part) = part else { return Ok(None) };
        self.parts.push(Part { path: path.to_owned(), ..part });
        Ok(Some(self.parts.len()))
    }

    /// Everything that is wrong with the files that are called, and those that are right.
    pub(crate) fn finish(self) -> (Vec<Part>, Vec<Diagnostic>) {
        (self.parts, self.found)
    }
}

/// SHA-256 of a flow and of every flow it calls, in hex.
pub(crate) fn hash(source: &SourceText, parts: &[Part]) -> String {
    let mut hash = Sha256::new_with_prefix(source.text());
    for part in parts {
        hash.update((part.source.text().len() as u64).to_be_bytes());
        hash.update(part.source.text());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Calls that are nested more deeply than is allowed.
pub(crate) fn too_deep(most: usize) -> NoFlow {
    NoFlow {
        message: format!("calls are nested more than {most} deep"),
        cause: None,
        help: "call fewer flows from one another, or raise `limits: { call_depth: … }` up to 16".to_owned(),
    }
}

fn circle(open: &[String], path: &str) -> NoFlow {
    let names: Vec<&str> = open.iter().map(String::as_str).chain([path]).collect();
    NoFlow {
        message: "flows call one another in a circle".to_owned(),
        cause: Some(names.join(" calls ")),
        help: "leave one of these calls out; `repeat` and `for_each` do a thing several times".to_owned(),
    }
}

/// The path of a flow within the folder, from what a file in it wrote.
fn resolved(from: &str, written: &str) -> Result<String, NoFlow> {
    let refused = |message: &str| NoFlow {
        message: message.to_owned(),
        cause: None,
        help: "write a file beside this one, or beneath it: lookups/contact.flow.yaml".to_owned(),
    };
    if written.contains("{{") {
        return Err(refused(
            "the name of a called flow is a literal: which flows run is known before one does",
        ));
    }
    let names_none = written.split('/').all(|part| part.trim().is_empty() || part == ".");
    if names_none || written.starts_with('/') || written.contains(['\\', ':', '\0']) {
        return Err(refused(&format!("`{written}` is no relative path of a flow")));
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in written.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_none() => {
                return Err(refused(&format!(
                    "`{written}` leads out of the folder of the flow that is started"
                )));
            }
            ".." => {}
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return Err(refused(&format!("`{written}` is a folder")));
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_called_flow_is_named_relative_to_its_caller_and_stays_in_the_folder_n3() {
        for (from, written, path) in [
            ("a.yaml", "b.yaml", Some("b.yaml")),
            ("a.yaml", "./sub//b.yaml", Some("sub/b.yaml")),
            ("sub/a.yaml", "b.yaml", Some("sub/b.yaml")),
            ("sub/a.yaml", "../b.yaml", Some("b.yaml")),
            ("sub/a.yaml", "../../b.yaml", None),
            ("a.yaml", "../b.yaml", None),
            ("a.yaml", "sub/../../b.yaml", None),
            ("a.yaml", "/etc/b.yaml", None),
            ("a.yaml", "c:b.yaml", None),
            ("a.yaml", "..\\b.yaml", None),
            ("a.yaml", "{{which}}.yaml", None),
            ("a.yaml", " ", None),
            ("a.yaml", "./", None),
            ("a.yaml", "sub/..", None),
        ] {
            assert_eq!(resolved(from, written).ok().as_deref(), path, "{from} calls {written}");
        }
    }

    proptest! {
        #[test]
        fn no_name_leads_out_of_the_folder_n3(
            from in "([a-z.]{1,3}/){0,3}[a-z]{1,3}", written in "([a-z.]{0,3}|\\.\\.|/|\\\\|:|\\PC){0,8}",
        ) {
            let Ok(first) = resolved("x", &from) else { return Ok(()) };
            if let Ok(path) = resolved(&first, &written) {
                let is_plain = |part: &str| !["", ".", ".."].contains(&part) && !part.contains('\\');
                prop_assert!(path.split('/').all(is_plain), "{path}");
            }
        }
    }
}
