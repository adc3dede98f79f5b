//! What a flow's calls look like before they are made: which step they belong to, what of their URL may be shown,
//! what of their reply the flow wants.

use std::collections::HashMap;

use flowrun::lang::Flow;
use flowrun::machine::{Op, OutputUse, Plan};
use flowrun::template::Tree;

/// One call of a flow.
#[derive(Debug, Clone, Default)]
pub(super) struct Planned {
    /// The path of the URL as the author wrote it: no value stands in it, so none is shown.
    pub(super) path: String,
    /// What the flow takes from the reply, in words; none if it takes nothing.
    pub(super) wants: Option<String>,
}

/// Every call of a flow and of those it calls, by the name its step has in reports.
pub(super) fn planned(flow: &Flow) -> HashMap<String, Planned> {
    let mut calls = HashMap::new();
    for number in 0..=flow.plan().flows.len() {
        let plan = flow.plan().flow(number);
        for (op, owner) in plan.ops.iter().zip(&plan.owners) {
            let (Op::Call { call }, Some(owner)) = (op, owner) else { continue };
            calls.insert(flow.plan().step_name(number, *owner), planned_call(plan, *call));
        }
    }
    calls
}

fn planned_call(plan: &Plan, call: usize) -> Planned {
    let call = &plan.calls[call];
    let names: Vec<&str> = call.writes.iter().map(|slot| plan.slots.name(*slot)).collect();
    let wants = match (names.as_slice(), call.output) {
        ([], OutputUse::Nobody) => None,
        ([], _) => Some("its reply".to_owned()),
        (names, _) => Some(format!("`{}` from its reply", names.join("`, `"))),
    };
    Planned { path: path(&call.settings.part), wants }
}

/// The path of the `url` setting's text: what follows the authority, without the query.
fn path(settings: &Tree) -> String {
    let mut source = None;
    settings.visit_texts(&mut |at, text| {
        if at == "/url" {
            source = Some(text.source().to_owned());
        }
    });
    let source = source.unwrap_or_default();
    let without_query = source.split(['?', '#']).next().unwrap_or_default();
    path_of(without_query).to_owned()
}

/// `/contacts/{{id}}` of `https://api.example.com/contacts/{{id}}` and of `{{base}}/contacts/{{id}}`.
fn path_of(url: &str) -> &str {
    let (after, mark) = match (url.find("://"), url.find("}}")) {
        (Some(at), _) => (at + 3, "/"),
        (None, Some(at)) if url.starts_with("{{") => (at + 2, "/"),
        _ => return "",
    };
    url[after..].find(mark).map_or("", |at| &url[after + at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authors_path_is_shown_and_no_value() {
        for (url, path) in [
            ("https://api.example.com/contacts/{{id}}", "/contacts/{{id}}"),
            ("{{base}}/contacts", "/contacts"),
            ("{{integrations.zoho.api_domain}}/crm/v8/org", "/crm/v8/org"),
            ("https://api.example.com", ""),
        ] {
            assert_eq!(path_of(url), path, "{url}");
        }
    }
}
