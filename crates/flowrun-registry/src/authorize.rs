//! Authorizations: begun, kept until the browser comes back, completed once (OA-10, OA-19, OA-23).

use std::sync::Arc;

use flowrun_oauth::{
    Arrival, AuthorizationRequest, Callback, CallbackError, Class, Client, Grant, Pending, Provider,
    TokenEndpoint, TokenError, begin, callback,
};
use flowrun_step::IntegrationName;
use jiff::Timestamp;

use crate::budget;
use crate::custody::Book;
use crate::exchange::{Exchanged, Timed};
use crate::id::Id;
use crate::inner::Inner;
use crate::lookup::{find, unknown};
use crate::record::{Record, Stage};
use crate::refresh::words;
use crate::view::redirect_uri;
use crate::{AuthorizeError, Authorized, Begin, Begun, CustodyError, Integration};

/// What one exchange needs, and by what it is known whether the record is still the same.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub(crate) id: Id,
    pub(crate) name: IntegrationName,
    pub(crate) provider: Provider,
    pub(crate) client: Client,
    pub(crate) scopes: Vec<String>,
}

/// A browser that came back with a code that may be exchanged.
struct Returned {
    ticket: Ticket,
    pending: Pending,
    callback: Callback,
}

/// An answer that may be an error, though what led to it is written down.
pub(crate) type Decided<T> = Result<Result<T, AuthorizeError>, CustodyError>;

impl Inner {
    pub(crate) async fn begin(&self, name: IntegrationName, how: Begin) -> Result<Begun, AuthorizeError> {
        let (entropy, now) = (Arc::clone(&self.world.entropy), self.world.clock.now());
        let write = move |book: &mut Book<'_>| {
            let (id, name, mut record) = find(book, &name)?;
            let client = finished(&record, &name)?;
            let redirect_uri = how.redirect_uri.unwrap_or_else(|| redirect_uri(&record, &id));
            let request = AuthorizationRequest {
                integration: id.as_str(),
                client_id: &client.id,
                redirect_uri: &redirect_uri,
                scopes: &record.scopes,
                force_consent: how.force_consent,
                session_binding: how.session_binding.as_deref(),
            };
            let mut random = |bytes: &mut [u8]| entropy.fill(bytes);
            let (url, pending) = begin(&record.provider, &request, &mut random, now)
                .map_err(|source| AuthorizeError::Begin { name: name.clone(), source })?;
            let begun = Begun { url, redirect_uri, expires_at: pending.expires_at };
            record.pending = Some(pending);
            book.put(&id, name, record);
            Ok(begun)
        };
        self.custody.write(write).await.map(|(begun, _)| begun)
    }

    pub(crate) async fn complete(
        self: &Arc<Self>,
        name: IntegrationName,
        address: String,
        session_binding: Option<String>,
    ) -> Result<Authorized, AuthorizeError> {
        let inner = Arc::clone(self);
        let now = self.world.clock.now();
        let work = async move {
            let read = move |book: &mut Book<'_>| {
                let arrival =
                    Arrival { address: &address, session_binding: session_binding.as_deref(), at: now };
                returned(book, &name, arrival)
            };
            let (returned, _) = inner.custody.write(read).await?;
            let Returned { ticket, pending, callback } = returned?;
            let redeem = async |endpoint: TokenEndpoint<'_>| endpoint.redeem(&pending, &callback).await;
            inner.exchange(ticket, redeem).await
        };
        self.finish(work).await
    }

    pub(crate) async fn authorize_client(
        self: &Arc<Self>,
        name: IntegrationName,
    ) -> Result<Authorized, AuthorizeError> {
        let inner = Arc::clone(self);
        let work = async move {
            let now = inner.world.clock.now();
            let (ticket, _) = inner.custody.write(move |book| counted(book, &name, now)).await?;
            let scopes = ticket.scopes.clone();
            let ask = async |endpoint: TokenEndpoint<'_>| endpoint.client_credentials(&scopes).await;
            inner.exchange(ticket, ask).await
        };
        self.finish(work).await
    }

    /// Makes the exchange in the integration's turn, and writes down what it brings before anybody is told.
    async fn exchange(
        &self,
        ticket: Ticket,
        ask: impl AsyncFnOnce(TokenEndpoint<'_>) -> Result<Grant, TokenError>,
    ) -> Result<Authorized, AuthorizeError> {
        let busy = || AuthorizeError::Busy(ticket.name.clone());
        let _turn = self.turns.take(&self.custody, &ticket.id).await.map_err(|no| no.or_busy(busy))?;
        let exchange = Timed::begin(&self.world);
        let endpoint =
            TokenEndpoint { exchange: &exchange, provider: &ticket.provider, client: &ticket.client };
        let granted = ask(endpoint).await;
        let exchanged = exchange.end(&self.world, granted);
        let (outcome, _) = self.custody.write(move |book| end(book, &ticket, exchanged)).await?;
        outcome
    }
}

fn finished(record: &Record, name: &IntegrationName) -> Result<Client, AuthorizeError> {
    record.client().map_err(|missing| AuthorizeError::Unfinished { name: name.clone(), missing })
}

pub(crate) fn ticket(book: &Book<'_>, name: &IntegrationName) -> Result<Ticket, AuthorizeError> {
    let (id, name, record) = find(book, name)?;
    let client = finished(&record, &name)?;
    Ok(Ticket { id, name, provider: record.provider, client, scopes: record.scopes })
}

/// A ticket for an exchange that begins at once, on the budget's account (OA-51).
fn counted(book: &mut Book<'_>, name: &IntegrationName, now: Timestamp) -> Result<Ticket, AuthorizeError> {
    let ticket = ticket(book, name)?;
    let (id, name, mut record) = find(book, name)?;
    spend(&mut record, &name, now)?;
    book.put(&id, name, record);
    Ok(ticket)
}

fn spend(record: &mut Record, name: &IntegrationName, now: Timestamp) -> Result<(), AuthorizeError> {
    if let Some(until) = record.spent_until(now) {
        let said = budget::words(record.provider.settings().budget, until);
        return Err(AuthorizeError::NotNow { name: name.clone(), said });
    }
    record.spend(now);
    Ok(())
}

/// Ties a browser to the pending authorization, which ends here: with a code, which is good for one exchange, or with
/// the provider's refusal. What cannot be tied to it leaves it waiting (OA-17).
fn returned(book: &mut Book<'_>, name: &IntegrationName, arrival: Arrival<'_>) -> Decided<Returned> {
    let ticket = match ticket(book, name) {
        Ok(ticket) => ticket,
        Err(error) => return Ok(Err(error)),
    };
    let Some(mut record) = book.record(&ticket.id)? else {
        return Ok(Err(AuthorizeError::NothingPending(ticket.name)));
    };
    let Some(pending) = record.pending.clone() else {
        return Ok(Err(AuthorizeError::NothingPending(ticket.name)));
    };
    let read = callback(arrival, &pending, &record.provider);
    match &read {
        Err(error @ CallbackError::Expired) => record.fail(Stage::Callback, error.to_string(), arrival.at),
        Err(CallbackError::Denied { .. } | CallbackError::Provider { .. }) => {
            record.fail(Stage::Authorize, refusal(&read), arrival.at);
        }
        _ => {}
    }
    if let (Ok(_), Err(spent)) = (&read, spend(&mut record, &ticket.name, arrival.at)) {
        // The code is not used up: the same callback may be shown again.
        return Ok(Err(spent));
    }
    let is_over = matches!(
        read,
        Ok(_) | Err(CallbackError::Denied { .. } | CallbackError::Provider { .. } | CallbackError::Expired)
    );
    if is_over {
        record.pending = None;
        book.put(&ticket.id, ticket.name.clone(), record);
    }
    Ok(match read {
        Ok(callback) => Ok(Returned { ticket, pending, callback }),
        Err(source) => Err(AuthorizeError::Callback { name: ticket.name, source }),
    })
}

fn refusal(read: &Result<Callback, CallbackError>) -> String {
    match read {
        Err(error @ CallbackError::Denied { provider_words: Some(said) })
        | Err(error @ CallbackError::Provider { provider_words: Some(said), .. }) => {
            format!("{error}; the provider says: {said}")
        }
        Err(error) => error.to_string(),
        Ok(_) => String::new(),
    }
}

/// Writes down what an exchange brought; a failure leaves an earlier authorization as it was (OA-19).
pub(crate) fn end(book: &mut Book<'_>, ticket: &Ticket, exchanged: Exchanged) -> Decided<Authorized> {
    let Some((name, mut record)) = book.name_of(&ticket.id).zip(book.record(&ticket.id)?) else {
        return Ok(Err(AuthorizeError::Lookup(unknown(book, &ticket.name).into())));
    };
    if record.provider != ticket.provider || record.client_id.as_ref() != Some(&ticket.client.id) {
        return Ok(Err(AuthorizeError::Changed(name)));
    }
    exchanged.compare_clocks(&mut record);
    let times = exchanged.times;
    let failure = match exchanged.granted {
        Ok(grant) => {
            record.authorized(grant, times);
            let has_callback = !record.uses_client_credentials();
            record.callback_then = has_callback.then(|| redirect_uri(&record, &ticket.id));
            None
        }
        Err(error) => {
            let is_client = error.class == Class::Client;
            let stage = if is_client { Stage::ExchangeClient } else { Stage::Exchange };
            record.fail(stage, words(&error), times.ended);
            Some(error)
        }
    };
    book.put(&ticket.id, name.clone(), record.clone());
    Ok(match failure {
        Some(error) => Err(AuthorizeError::Token { name, source: Box::new(error) }),
        None => Ok(Authorized {
            missing_scopes: record.missing_scopes(),
            integration: Integration::of(&ticket.id, name, &record),
        }),
    })
}
