//! A flow and those it calls, checked as one (L-13, runs 2).

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod house;

use std::cell::RefCell;

use flowrun_lang::{Checked, Code, Diagnostic, Flows, Place, SourceText, Unread, check, check_with};

/// Flows by name, and which of them were asked for.
struct Beside<'a> {
    flows: &'a [(&'a str, &'a [u8])],
    asked: RefCell<Vec<String>>,
}

impl Flows for Beside<'_> {
    fn read(&self, path: &str) -> Result<SourceText, Unread> {
        self.asked.borrow_mut().push(path.to_owned());
        let found = self.flows.iter().find(|(name, _)| *name == path);
        let (_, text) = found.ok_or_else(|| Unread::Because("there is no such file".to_owned()))?;
        SourceText::new(path, text.to_vec()).map_err(|diagnostic| Unread::Unusable(Box::new(diagnostic)))
    }
}

fn checked(flow: &str, flows: &[(&str, &[u8])]) -> (Checked, Vec<String>) {
    let source = SourceText::new("some/folder/main.yaml", flow.as_bytes().to_vec()).unwrap();
    let beside = Beside { flows, asked: RefCell::default() };
    (check_with(&source, &house::catalog(), &beside), beside.asked.into_inner())
}

fn places(checked: &Checked) -> Vec<(Code, String, usize)> {
    let place = |problem: &Diagnostic| problem.place.clone().unwrap_or_else(|| Place::whole("nowhere"));
    let said = checked.diagnostics.iter().map(|problem| (problem.code, place(problem)));
    said.map(|(code, place)| (code, place.file, place.line)).collect()
}

const TWICE: &str = "steps:\n  - call: a.yaml\n  - call: b.yaml\n  - call: ./a.yaml\n";

#[test]
fn a_flow_that_is_called_often_is_read_and_checked_once() {
    let flows: &[(&str, &[u8])] =
        &[("a.yaml", b"steps:\n  - call: b.yaml\n"), ("b.yaml", b"steps:\n  - send: 1\n")];
    let (checked, asked) = checked(TWICE, flows);
    assert_eq!(asked, ["a.yaml", "b.yaml"]);
    assert_eq!(checked.flow.unwrap().plan().flows.len(), 2);
}

#[test]
fn every_mistake_of_every_file_is_said_once_in_its_own_and_nothing_at_the_call() {
    let flows: &[(&str, &[u8])] =
        &[("a.yaml", b"steps:\n  - sned: 1\n"), ("b.yaml", b"steps:\n  - send: \xff\n")];
    let (checked, _) = checked(&format!("{TWICE}  - semd: x\n"), flows);
    assert_eq!(
        places(&checked),
        [
            (Code::UnknownKind, "some/folder/main.yaml".to_owned(), 5),
            (Code::UnknownKind, "a.yaml".to_owned(), 2),
            (Code::NotUtf8, "b.yaml".to_owned(), 2),
        ]
    );
    assert!(checked.flow.is_none());
}

#[test]
fn a_warning_about_a_called_flow_is_shown_and_stops_nothing() {
    let flows: &[(&str, &[u8])] = &[("a.yaml", b"steps:\n  - set: { _price: 1.10 }\n")];
    let (checked, _) = checked("steps:\n  - call: a.yaml\n", flows);
    assert_eq!(places(&checked), [(Code::PrintsDifferently, "a.yaml".to_owned(), 2)]);
    assert!(checked.flow.is_some());
}

#[test]
fn the_hash_covers_the_whole_bundle_runs_2() {
    let hash = |called: &[u8]| {
        let (checked, _) = checked("steps:\n  - call: a.yaml\n", &[("a.yaml", called)]);
        checked.flow.unwrap().plan().hash.clone()
    };
    assert_eq!(hash(b"steps:\n  - send: 1\n"), hash(b"steps:\n  - send: 1\n"));
    assert_ne!(hash(b"steps:\n  - send: 1\n"), hash(b"steps:\n  - send: 2\n"));
}

#[test]
fn what_a_called_flow_uses_is_used_by_its_caller_each_once() {
    let called = br#"secrets: [KEY]
steps:
  - http_request:
      url: https://api.teamleader.eu/
      integration: teamleader
      json: { key: "{{secrets.KEY}}" }
"#;
    let flow = "secrets: [KEY, OTHER]\nsteps:\n  - call: a.yaml\n  - http_request: { url: https://api.teamleader.eu/, integration: Teamleader }\n";
    let (checked, _) = checked(flow, &[("a.yaml", called)]);
    let flow = checked.flow.unwrap();
    assert_eq!(flow.secrets(), ["KEY", "OTHER"]);
    assert_eq!(flow.integrations().len(), 1);
}

/// Sixteen calls may be nested, and the seventeenth is refused where it is made (L-3).
#[test]
fn calls_are_nested_sixteen_deep_and_no_deeper_l_3() {
    for (deep, is_good) in [(16, true), (17, false)] {
        let text = |next: usize| format!("steps:\n  - call: {next}.yaml\n").into_bytes();
        let mut texts: Vec<(String, Vec<u8>)> =
            (1..deep).map(|at| (format!("{at}.yaml"), text(at + 1))).collect();
        texts.push((format!("{deep}.yaml"), b"steps:\n  - send: deepest\n".to_vec()));
        let flows: Vec<(&str, &[u8])> =
            texts.iter().map(|(name, text)| (name.as_str(), text.as_slice())).collect();
        let (checked, _) = checked("steps:\n  - call: 1.yaml\n", &flows);
        let said = places(&checked);
        assert_eq!(checked.flow.is_some(), is_good, "{said:?}");
        let refused = (Code::CalledFlow, "16.yaml".to_owned(), 2);
        assert_eq!(said, if is_good { vec![] } else { vec![refused] });
    }
}

#[test]
fn without_the_files_beside_it_a_call_is_refused_with_the_way_to_check_it() {
    let source = SourceText::new("main.yaml", TWICE.as_bytes().to_vec()).unwrap();
    let said = check(&source, &house::catalog()).diagnostics;
    assert!(said.iter().all(|problem| problem.code == Code::CalledFlow), "{said:?}");
    assert!(said[0].help.as_ref().unwrap().contains("flowrun check"), "{said:?}");
}
