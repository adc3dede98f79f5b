//! The texts of a flow and of the flows it calls, as they were: kept with a run, they are checked again when the run is
//! taken up, whatever has become of the files (runs.md 2).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bundle::{Flows, Unread};
use crate::catalog::Catalog;
use crate::check::{Checked, check_with};
use crate::diagnostic::Diagnostic;
use crate::flow::Flow;
use crate::source::SourceText;

/// Every text of a flow.
///
/// # Example
/// ```
/// use flowrun_lang::{Catalog, SourceText, check};
/// use flowrun_step::StepSet;
///
/// let source = SourceText::new("f.yaml", b"steps:\n  - send: Hello.\n".to_vec()).expect("UTF-8");
/// let catalog = Catalog::new(StepSet::new());
/// let flow = check(&source, &catalog).flow.expect("a flow without errors");
/// let again = flow.texts().check(&catalog).expect("no larger than before").flow.expect("the same flow");
/// assert_eq!(again.plan().hash, flow.plan().hash);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    flow: Text,
    /// The flows that are called, by the path from the folder of the flow.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    called: BTreeMap<String, Text>,
}

/// One of them, and what messages call it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    name: String,
    text: String,
}

impl Text {
    fn of(source: &SourceText) -> Self {
        Self { name: source.name().to_owned(), text: source.text().to_owned() }
    }

    fn source(&self) -> Result<SourceText, Box<Diagnostic>> {
        SourceText::new(&self.name, self.text.clone().into_bytes()).map_err(Box::new)
    }
}

impl Texts {
    pub(crate) fn of<'f>(flow: &SourceText, called: impl Iterator<Item = (&'f str, &'f SourceText)>) -> Self {
        let called = called.map(|(path, source)| (path.to_owned(), Text::of(source))).collect();
        Self { flow: Text::of(flow), called }
    }

    /// Checks the flow as it was.
    ///
    /// # Errors
    /// When a text is larger than a flow may be by now.
    pub fn check(&self, catalog: &Catalog) -> Result<Checked, Box<Diagnostic>> {
        Ok(check_with(&self.flow.source()?, catalog, self))
    }
}

impl Flows for Texts {
    fn read(&self, path: &str) -> Result<SourceText, Unread> {
        let text = self.called.get(path).ok_or_else(|| Unread::Because("it was not kept".to_owned()))?;
        text.source().map_err(Unread::Unusable)
    }
}

impl Flow {
    /// Its text and those of the flows it calls, to be kept.
    #[must_use]
    pub fn texts(&self) -> Texts {
        Texts::of(&self.source, self.called())
    }
}
