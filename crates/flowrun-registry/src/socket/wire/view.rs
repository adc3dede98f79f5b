//! What may be seen of an integration, on the wire: the same as anywhere, and nothing in it is secret.

use std::collections::BTreeMap;

use flowrun_oauth::GrantKind;
use flowrun_step::{IntegrationName, IntegrationState};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Failure, Integration, Leg};

/// An [`Integration`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::socket) struct View {
    pub(in crate::socket) name: IntegrationName,
    state: IntegrationState,
    preset: Option<String>,
    grant: GrantKind,
    authorize_url: Option<String>,
    token_url: String,
    issuer: Option<String>,
    revoke_url: Option<String>,
    introspect_url: Option<String>,
    device_url: Option<String>,
    resources: Vec<String>,
    client_id: Option<String>,
    has_client_secret: bool,
    redirect_uri: String,
    callback_id: String,
    port: u16,
    scopes: Vec<String>,
    granted_scopes: Option<Vec<String>>,
    hosts: Vec<String>,
    kept: BTreeMap<String, String>,
    created_at: Timestamp,
    authorized_at: Option<Timestamp>,
    refreshed_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    refresh_expires_at: Option<Timestamp>,
    is_refreshable: bool,
    last_failure: Option<FailureView>,
    failures: u32,
    cooling_until: Option<Timestamp>,
}

/// A [`Failure`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FailureView {
    at: Timestamp,
    said: String,
    leg: Leg,
}

/// Both directions of a pair of types whose fields have the same names.
macro_rules! mirrored {
    ($one:ident, $other:ident { $($field:ident),* } $($converted:ident: $into:expr),*) => {
        impl From<$one> for $other {
            fn from(it: $one) -> Self {
                Self { $($field: it.$field,)* $($converted: $into(it.$converted),)* }
            }
        }
        impl From<$other> for $one {
            fn from(it: $other) -> Self {
                Self { $($field: it.$field,)* $($converted: $into(it.$converted),)* }
            }
        }
    };
}

mirrored!(Integration, View {
    name, state, preset, grant, authorize_url, token_url, issuer, revoke_url,
    introspect_url, device_url, resources, client_id, has_client_secret, redirect_uri, callback_id,
    port, scopes, granted_scopes, hosts, kept, created_at, authorized_at, refreshed_at, expires_at,
    refresh_expires_at, is_refreshable, failures, cooling_until
} last_failure: |failure: Option<_>| failure.map(Into::into));

mirrored!(Failure, FailureView { at, said, leg });
