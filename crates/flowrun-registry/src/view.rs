//! What may be seen of a record: everything but its secrets (OA-3, OA-5).

use flowrun_oauth::RedirectRule;
use flowrun_step::IntegrationName;

use crate::id::Id;
use crate::record::Record;
use crate::{Failure, Integration};

/// The callback URL of a record: its own, or the one its port and id make.
pub(crate) fn redirect_uri(record: &Record, id: &Id) -> String {
    match (&record.redirect_uri, record.provider.settings().redirect) {
        (Some(own), _) => own.clone(),
        // Nothing answers there: the person pastes the address on which the browser ends.
        (None, RedirectRule::HttpsRequired) => format!("https://localhost/oauth/callback/{id}"),
        (None, _) => format!("http://127.0.0.1:{}/oauth/callback/{id}", record.port),
    }
}

impl Integration {
    pub(crate) fn of(id: &Id, name: IntegrationName, record: &Record) -> Self {
        let tokens = record.tokens.as_ref();
        let settings = record.provider.settings();
        Self {
            name,
            state: record.state(),
            preset: record.preset.clone(),
            grant: settings.grant,
            authorize_url: settings.authorize_url.clone(),
            token_url: settings.token_url.clone(),
            issuer: settings.issuer.clone(),
            revoke_url: settings.revoke_url.clone(),
            introspect_url: settings.introspect_url.clone(),
            device_url: settings.device_url.clone(),
            resources: settings.resources.clone(),
            client_id: record.client_id.clone(),
            has_client_secret: record.client_secret.is_some(),
            redirect_uri: redirect_uri(record, id),
            callback_id: id.to_string(),
            port: record.port,
            scopes: record.scopes.clone(),
            granted_scopes: tokens.and_then(|tokens| tokens.scope.clone()),
            hosts: record.hosts.iter().map(ToString::to_string).collect(),
            kept: record.kept.clone(),
            created_at: record.created_at,
            authorized_at: record.authorized_at,
            refreshed_at: record.refreshed_at,
            expires_at: tokens.and_then(crate::record::Tokens::expires_at),
            refresh_expires_at: record.refresh_ends_at(),
            is_refreshable: record.is_refreshable(),
            last_failure: record.last_failure.as_ref().map(|failure| Failure {
                at: failure.at,
                leg: failure.stage.into(),
                said: failure.said.clone(),
            }),
            failures: record.failures,
            cooling_until: record.cooling_until,
        }
    }
}
