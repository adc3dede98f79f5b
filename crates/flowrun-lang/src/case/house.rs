//! The integrations a tested flow finds: `teamleader: authorized`, or with what its authorization kept and granted.

use std::collections::BTreeMap;

use flowrun_step::{IntegrationName, IntegrationState, IntegrationStatus, NeedsAttention};

use super::read;
use crate::code::Code;
use crate::document::Keys;
use crate::node::{Key, Node};
use crate::problems::Problems;

type Kept = BTreeMap<(String, String), String>;

const STATES: [(&str, IntegrationState); 6] = [
    ("authorized", IntegrationState::Authorized),
    ("incomplete", IntegrationState::Incomplete),
    ("revoked", IntegrationState::NeedsAttention(NeedsAttention::Revoked)),
    ("refresh_refused", IntegrationState::NeedsAttention(NeedsAttention::RefreshRefused)),
    ("client_rejected", IntegrationState::NeedsAttention(NeedsAttention::ClientRejected)),
    ("reply_lost", IntegrationState::NeedsAttention(NeedsAttention::ReplyLost)),
];

/// Reads `integrations`.
pub(super) fn integrations(
    keys: &mut Keys<'_>,
    problems: &mut Problems<'_>,
) -> (Vec<IntegrationStatus>, Kept) {
    let mut kept = Kept::new();
    let found = keys.map("integrations", problems).iter();
    let found = found.filter_map(|(key, node)| integration(key, node, &mut kept, problems)).collect();
    (found, kept)
}

fn integration(
    key: &Key,
    node: &Node,
    kept: &mut Kept,
    problems: &mut Problems<'_>,
) -> Option<IntegrationStatus> {
    let path = format!("integrations.{}", key.text);
    let name = match IntegrationName::new(&key.text) {
        Ok(name) => name,
        Err(error) => {
            let problem = problems.error(Code::IllegalName, (&path, key.bytes.clone()), error.to_string());
            problem.set_help("write the name that the flow's steps use");
            return None;
        }
    };
    if node.entries().is_none() {
        let state = read::word(node, &path, &STATES, problems)?;
        return Some(IntegrationStatus::new(name, state));
    }
    let mut keys = Keys::of(node, &path, problems)?;
    let state_path = keys.path_of("state");
    let state = keys.take("state").map(|node| read::word(node, &state_path, &STATES, problems));
    let fields = read::texts_by_name(&mut keys, "kept", problems);
    let scopes_path = keys.path_of("scopes");
    let granted = keys.take("scopes").map(|node| read::list(node, &scopes_path, problems));
    let granted = granted.map(|scopes| {
        scopes.iter().filter_map(|(path, node)| read::text(node, path, problems)).collect::<Vec<_>>()
    });
    keys.refuse_rest(&["state", "kept", "scopes"], problems);
    let names = fields.iter().map(|(field, _)| field.is.clone()).collect();
    kept.extend(fields.into_iter().map(|(field, value)| ((name.key().to_owned(), field.is), value)));
    let state = state.unwrap_or(Some(IntegrationState::Authorized))?;
    let scopes = granted.clone().unwrap_or_default();
    Some(IntegrationStatus { kept: names, scopes, granted, ..IntegrationStatus::new(name, state) })
}
