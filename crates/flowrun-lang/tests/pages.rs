//! The pages of `docs/errors`: their examples are what they say they are.
//!
//! A page with two examples shows the mistake and then the flow put right; a page with one shows a flow that
//! has no mistake, because what it is about is found only when a flow runs.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod house;

use flowrun_lang::{Code, Flows, SourceText, Unread, check_with};

/// The YAML examples of a page.
fn examples(page: &str) -> Vec<&str> {
    let blocks = page.split("```yaml\n").skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap()).collect()
}

/// The one flow beside those of the pages.
struct Beside;

impl Flows for Beside {
    fn read(&self, path: &str) -> Result<SourceText, Unread> {
        let text = b"inputs:\n  id: { type: string }\nsteps:\n  - send: Contact {{id}}.\n";
        match path {
            "contact.flow.yaml" => Ok(SourceText::new(path, text.to_vec()).unwrap()),
            _ => Err(Unread::Because("there is no such file".to_owned())),
        }
    }
}

/// The code of everything said of a flow.
fn said_of(flow: &str) -> Vec<Code> {
    let source = SourceText::new("flow.yaml", flow.as_bytes().to_vec()).unwrap();
    check_with(&source, &house::catalog(), &Beside).diagnostics.iter().map(|problem| problem.code).collect()
}

#[test]
fn every_mistake_a_page_shows_is_its_own() {
    let mut wrong = Vec::new();
    for code in Code::ALL {
        if let [mistake, _] = examples(code.page()).as_slice() {
            let said = said_of(mistake);
            wrong.extend((said.is_empty() || said.iter().any(|other| other != code)).then_some((code, said)));
        }
    }
    assert_eq!(wrong, []);
}

#[test]
fn every_flow_a_page_shows_as_right_is_right() {
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let examples = examples(code.page());
        assert!(examples.len() <= 2, "{code} has {} examples", examples.len());
        let said = examples.last().map(|flow| said_of(flow)).unwrap_or_default();
        wrong.extend((!said.is_empty()).then_some((code, said)));
    }
    assert_eq!(wrong, []);
}

#[test]
fn every_page_begins_with_its_title_and_goes_on() {
    for code in Code::ALL {
        let page = code.page();
        assert!(page.starts_with(&format!("# {code}: {}\n", code.title())), "{code}");
        assert!(page.lines().count() >= 10, "{code} says too little");
    }
}
