//! Adding, changing and removing integrations, and what a change destroys (N4, SEED-17).

use std::sync::Arc;

use flowrun_oauth::{AuthorizationRequest, Provider, ScopeError, begin};
use flowrun_step::{Entropy, IntegrationName};
use jiff::Timestamp;

use crate::custody::Book;
use crate::hosts::{HostRule, default_rules};
use crate::id::Id;
use crate::inner::Inner;
use crate::lookup::find;
use crate::record::Record;
use crate::view::redirect_uri;
use crate::{Edit, EditError, Edited, Integration, LookupError, NewIntegration};

impl Inner {
    pub(crate) async fn add(&self, new: NewIntegration) -> Result<Integration, EditError> {
        let (entropy, now) = (Arc::clone(&self.world.entropy), self.world.clock.now());
        let write = move |book: &mut Book<'_>| {
            let name = new.name.clone();
            if let Some(taken) = book.id_of(&name).and_then(|id| book.name_of(&id)) {
                return Err(EditError::NameTaken(taken));
            }
            let id = Id::random(&*entropy);
            let record = draft(new, port(&*entropy), now);
            check(&record, &id)?;
            let integration = Integration::of(&id, name.clone(), &record);
            book.put(&id, name, record);
            Ok(integration)
        };
        self.custody.write(write).await.map(|(integration, _)| integration)
    }

    pub(crate) async fn edit(&self, name: IntegrationName, edit: Edit) -> Result<Edited, EditError> {
        let write = move |book: &mut Book<'_>| {
            let (id, old_name, mut record) = find(book, &name)?;
            let name = edit.name.clone().unwrap_or(old_name);
            if book.id_of(&name).is_some_and(|other| other != id) {
                return Err(EditError::NameTaken(name));
            }
            let had = (record.tokens.is_some(), record.client_secret.is_some());
            apply(&mut record, edit);
            check(&record, &id)?;
            let edited = Edited {
                integration: Integration::of(&id, name.clone(), &record),
                tokens_destroyed: had.0 && record.tokens.is_none(),
                secret_destroyed: had.1 && record.client_secret.is_none(),
            };
            book.put(&id, name, record);
            Ok(edited)
        };
        self.custody.write(write).await.map(|(edited, _)| edited)
    }

    pub(crate) async fn allow(&self, name: IntegrationName, host: String) -> Result<Integration, EditError> {
        let rule = HostRule::parse(&host).map_err(|_| EditError::NotAHost(host))?;
        let write = move |book: &mut Book<'_>| {
            let (id, name, mut record) = find(book, &name)?;
            if !record.hosts.contains(&rule) {
                record.hosts.push(rule);
            }
            let integration = Integration::of(&id, name.clone(), &record);
            book.put(&id, name, record);
            Ok(integration)
        };
        self.custody.write(write).await.map(|(integration, _)| integration)
    }

    pub(crate) async fn remove(&self, name: IntegrationName) -> Result<(), LookupError> {
        let write = move |book: &mut Book<'_>| {
            // Not read, so that a damaged record can be removed too.
            let Some(id) = book.id_of(&name) else {
                return Err(crate::lookup::unknown(book, &name).into());
            };
            book.remove(&id);
            Ok(())
        };
        self.custody.write(write).await.map(|((), _)| ())
    }
}

fn draft(new: NewIntegration, port: u16, now: Timestamp) -> Record {
    Record {
        hosts: default_rules(&new.provider),
        provider: new.provider,
        preset: new.preset,
        client_id: new.client_id,
        client_secret: new.client_secret,
        scopes: new.scopes,
        port: new.port.unwrap_or(port),
        redirect_uri: new.redirect_uri,
        created_at: now,
        authorized_at: None,
        refreshed_at: None,
        last_failure: None,
        failures: 0,
        cooling_until: None,
        generation: 0,
        tokens: None,
        kept: flowrun_oauth::Kept::new(),
        attention: None,
        refreshing: None,
        pending: None,
        callback_then: None,
        asked_at: Vec::new(),
        is_copy: false,
        provider_ahead: None,
    }
}

/// A loopback port below those that systems hand out by themselves, so that it is likely to stay free (OA-16).
fn port(entropy: &dyn Entropy) -> u16 {
    let mut bytes = [0; 2];
    entropy.fill(&mut bytes);
    20_000 + u16::from_be_bytes(bytes) % 10_000
}

/// Whether an authorization could begin once the draft is finished: scopes and callback URL, judged by the protocol.
fn check(record: &Record, id: &Id) -> Result<(), EditError> {
    let separator = record.provider.settings().scope_separator;
    separator.join(&record.scopes).map_err(|error: ScopeError| EditError::Scope(error))?;
    if record.uses_client_credentials() {
        return Ok(());
    }
    let redirect_uri = redirect_uri(record, id);
    let request = AuthorizationRequest {
        integration: id.as_str(),
        client_id: "",
        redirect_uri: &redirect_uri,
        scopes: &record.scopes,
        force_consent: false,
        session_binding: None,
    };
    // A trial: nothing of it is kept, so its state need not be secret.
    begin(&record.provider, &request, &mut |bytes| bytes.fill(0), record.created_at)?;
    Ok(())
}

/// Makes the change. Tokens and secret never reach an address or client they were not typed or granted for.
fn apply(record: &mut Record, edit: Edit) {
    let is_other_client = edit.client_id.as_ref().is_some_and(|id| record.client_id.as_ref() != Some(id));
    let is_retargeted = edit.provider.as_ref().is_some_and(|new| retargets(&record.provider, new));
    let asks_anew = edit.scopes.as_ref().is_some_and(|scopes| *scopes != record.scopes)
        || edit.provider.as_ref().is_some_and(|new| spreads(&record.provider, new));
    if is_other_client || is_retargeted {
        record.destroy_tokens();
        // A first client id belongs to the secret that came before it; another one does not.
        if is_retargeted || record.client_id.is_some() {
            record.client_secret = None;
        }
    }
    if is_other_client || is_retargeted || asks_anew {
        record.config_changed();
    }
    if let Some(provider) = edit.provider {
        if is_retargeted || spreads(&record.provider, &provider) {
            record.hosts = default_rules(&provider);
        }
        record.provider = provider;
    }
    record.client_id = edit.client_id.or_else(|| record.client_id.take());
    record.client_secret = edit.client_secret.or_else(|| record.client_secret.take());
    record.scopes = edit.scopes.unwrap_or_else(|| std::mem::take(&mut record.scopes));
    record.port = edit.port.unwrap_or(record.port);
    record.redirect_uri = edit.redirect_uri.or_else(|| record.redirect_uri.take());
}

/// Whether the secret or a code could reach somewhere else, or with something added (N4).
fn retargets(old: &Provider, new: &Provider) -> bool {
    let (before, after) = (old.settings(), new.settings());
    let adds = |old: &[(String, String)], new: &[(String, String)]| new.iter().any(|it| !old.contains(it));
    before.grant != after.grant
        || old.authorize_url() != new.authorize_url()
        || old.token_url() != new.token_url()
        || old.refresh_url() != new.refresh_url()
        || before.revoke_url != after.revoke_url
        || before.introspect_url != after.introspect_url
        || before.device_url != after.device_url
        || before.token_origin_from != after.token_origin_from
        || before.keep_from_callback != after.keep_from_callback
        || before.callback_hmac != after.callback_hmac
        || after.resources.iter().any(|it| !before.resources.contains(it))
        || adds(&before.authorize_params, &after.authorize_params)
        || adds(&before.token_params, &after.token_params)
        || adds(&before.refresh_params, &after.refresh_params)
}

/// Whether the token would go to other hosts or in another header (OA-4).
fn spreads(old: &Provider, new: &Provider) -> bool {
    let (before, after) = (old.settings(), new.settings());
    before.allowed_hosts != after.allowed_hosts || before.token_header != after.token_header
}
