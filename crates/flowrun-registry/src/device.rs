//! Authorizations without a browser of one's own (RFC 8628): begun, shown to a person, asked after (OA-67).
//!
//! The codes live in memory only: a process that ends before the person has decided begins again. Each question is
//! asked in the integration's turn, and what it brings is written down before anybody is told.

use std::sync::Arc;

use flowrun_oauth::{Device, Endpoint, Poll, TokenEndpoint};
use flowrun_step::IntegrationName;
use jiff::Timestamp;
use url::Url;

use crate::authorize::{Ticket, end, ticket};
use crate::custody::Book;
use crate::exchange::{Timed, TokenExchange};
use crate::inner::Inner;
use crate::record::Stage;
use crate::{AuthorizeError, Authorized, CustodyError};

/// An authorization that waits for a person to type a code. Dropping it gives it up.
#[derive(Debug)]
#[non_exhaustive]
pub struct WaitingDevice {
    /// What the person types.
    pub user_code: String,
    /// Where the person types it.
    pub verification_uri: Url,
    /// The same address with the code in it, where the provider has one.
    pub verification_uri_complete: Option<Url>,
    /// After this the code is void.
    pub expires_at: Timestamp,
    device: Device,
    ticket: Ticket,
}

impl Inner {
    pub(crate) async fn begin_device(&self, name: IntegrationName) -> Result<WaitingDevice, AuthorizeError> {
        let look = move |book: &Book<'_>| Ok(ticket(book, &name));
        let ticket = self.custody.read(look).await?.0?;
        let exchange = TokenExchange(Arc::clone(&self.world.client));
        let endpoint =
            TokenEndpoint { exchange: &exchange, provider: &ticket.provider, client: &ticket.client };
        let grant = endpoint.device_grant().ok_or_else(|| AuthorizeError::NoEndpoint {
            name: ticket.name.clone(),
            endpoint: Endpoint::Device,
        })?;
        let began = self.world.clock.now();
        let device = grant.begin(&ticket.scopes).await.map_err(|source| AuthorizeError::Token {
            name: ticket.name.clone(),
            source: Box::new(source),
        })?;
        Ok(WaitingDevice {
            user_code: device.user_code.clone(),
            verification_uri: device.verification_uri.clone(),
            verification_uri_complete: device.verification_uri_complete.clone(),
            expires_at: began.checked_add(device.lifetime).unwrap_or(Timestamp::MAX),
            device,
            ticket,
        })
    }

    pub(crate) async fn complete_device(
        self: &Arc<Self>,
        mut waiting: WaitingDevice,
    ) -> Result<Authorized, AuthorizeError> {
        loop {
            let next = self.world.clock.now().checked_add(waiting.device.pause());
            let next = next.unwrap_or(Timestamp::MAX);
            if next >= waiting.expires_at {
                return Err(AuthorizeError::CodeExpired(waiting.ticket.name));
            }
            self.world.clock.sleep_until(next).await;
            let inner = Arc::clone(self);
            // A question that has been asked is heard out, because its answer may be the grant.
            let asked = async move {
                let answer = inner.ask_for_decision(&mut waiting).await;
                (waiting, answer)
            };
            let (still_waiting, answer) = self.finish(asked).await;
            if let Some(authorized) = answer? {
                return Ok(authorized);
            }
            waiting = still_waiting;
        }
    }

    /// Asks once; none if the person has not decided.
    async fn ask_for_decision(
        &self,
        waiting: &mut WaitingDevice,
    ) -> Result<Option<Authorized>, AuthorizeError> {
        let ticket = waiting.ticket.clone();
        let busy = || AuthorizeError::Busy(ticket.name.clone());
        let _turn = self.turns.take(&self.custody, &ticket.id).await.map_err(|no| no.or_busy(busy))?;
        let exchange = Timed::begin(&self.world);
        let endpoint =
            TokenEndpoint { exchange: &exchange, provider: &ticket.provider, client: &ticket.client };
        let Some(grant) = endpoint.device_grant() else { return Ok(None) };
        let granted = match grant.poll(&mut waiting.device).await {
            Ok(Poll::Granted(grant)) => Ok(*grant),
            Ok(Poll::Denied { provider_words }) => {
                self.note(&ticket, "the authorization was denied").await?;
                return Err(AuthorizeError::Denied { name: ticket.name, provider_words });
            }
            Ok(Poll::Expired) => return Err(AuthorizeError::CodeExpired(ticket.name)),
            Ok(_) => return Ok(None),
            Err(error) => Err(error),
        };
        let exchanged = exchange.end(&self.world, granted);
        let (outcome, _) = self.custody.write(move |book| end(book, &ticket, exchanged)).await?;
        outcome.map(Some)
    }

    /// Writes down that it failed; what was authorised before stays so (OA-19).
    async fn note(&self, ticket: &Ticket, said: &'static str) -> Result<(), CustodyError> {
        let (id, at) = (ticket.id.clone(), self.world.clock.now());
        let write = move |book: &mut Book<'_>| {
            if let Some((name, mut record)) = book.name_of(&id).zip(book.record(&id)?) {
                record.fail(Stage::Authorize, said.to_owned(), at);
                book.put(&id, name, record);
            }
            Ok(())
        };
        self.custody.write(write).await.map(|((), _)| ())
    }
}
