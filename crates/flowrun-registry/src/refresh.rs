//! One refresh, ever: per integration and set of tokens, among all tasks and all processes (OA-37 to OA-49).
//!
//! With the integration's lock held: re-read; if the tokens have moved on, use them; otherwise write down that a
//! refresh begins, make one exchange, write what it granted, and only then use it. Whoever finds a refresh begun and
//! nobody making it knows that its reply was lost. The work goes on if whoever asked for it stops waiting, because a
//! reply that nobody writes down may cost the grant.

use std::sync::Arc;
use std::time::Duration;

use flowrun_oauth::{Class, Client, Exchange, Grant, Kept, Provider, TokenEndpoint, TokenError};
use flowrun_step::{IntegrationName, NeedsAttention};
use jiff::Timestamp;
use secrecy::SecretString;

use crate::budget;
use crate::custody::Book;
use crate::exchange::{Exchanged, Timed};
use crate::id::Id;
use crate::inner::Inner;
use crate::live::Live;
use crate::lookup::{find, unknown};
use crate::record::{LONGEST_COOLDOWN, Record, Refreshing, Stage};
use crate::{CustodyError, RefreshError};

/// How long after a failure that may pass no refresh is tried, unless the provider asks for longer (OA-44). It doubles
/// with every further failure: short at first, or one bad reply would outlast what is left of a short token.
const FIRST_COOLDOWN: Duration = Duration::from_secs(2);

/// The longest wait that nobody asked for.
const USUAL_COOLDOWN: Duration = Duration::from_secs(30);

/// Which tokens are to be left behind, and how urgently.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) id: Id,
    pub(crate) name: IntegrationName,
    /// A set of tokens later than this one will do.
    pub(crate) beyond: u64,
    pub(crate) urgency: Urgency,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// A request needs it; a cooldown is kept.
    Usual,
    /// A person asked for it.
    Asked,
}

/// What the first look under the lock decides.
enum Start {
    /// Somebody else has refreshed (OA-40, OA-49).
    Moved(Live),
    Go(Ticket),
}

/// All that one exchange needs.
struct Ticket {
    generation: u64,
    provider: Provider,
    client: Client,
    /// None for client credentials, which need none (OA-53).
    refresh_token: Option<SecretString>,
    scopes: Vec<String>,
    kept: Kept,
}

impl Inner {
    /// A person's wish for new tokens, whatever state the integration is in.
    pub(crate) async fn asked(&self, name: IntegrationName) -> Result<Wish, RefreshError> {
        let read = move |book: &Book<'_>| Ok(find(book, &name));
        let (id, name, record) = self.custody.read(read).await?.0?;
        Ok(Wish { id, name, beyond: record.generation, urgency: Urgency::Asked })
    }

    /// A set of tokens later than the wish's; refreshes if nobody else has.
    pub(crate) async fn renew(self: &Arc<Self>, wish: Wish) -> Result<Arc<Live>, RefreshError> {
        let inner = Arc::clone(self);
        self.finish(async move { inner.renew_in_turn(wish).await }).await
    }

    async fn renew_in_turn(self: Arc<Self>, wish: Wish) -> Result<Arc<Live>, RefreshError> {
        let busy = || RefreshError::Busy(wish.name.clone());
        let _turn = self.turns.take(&self.custody, &wish.id).await.map_err(|no| no.or_busy(busy))?;
        loop {
            let (looking, now) = (wish.clone(), self.world.clock.now());
            let (start, stamp) = self.custody.write(move |book| start(book, &looking, now)).await?;
            let ticket = match start? {
                Start::Moved(live) => return Ok(self.keep(live, stamp)),
                Start::Go(ticket) => ticket,
            };
            let exchange = Timed::begin(&self.world);
            let granted = ticket.exchange(&exchange).await;
            let exchanged = exchange.end(&self.world, granted);
            tracing::debug!(integration = %wish.name, granted = exchanged.granted.is_ok(), "refresh");
            if matches!(&exchanged.granted, Err(error) if error.class == Class::Ambiguous) {
                // The mark is left standing: the next look finds it, and decides as after a crash (OA-45).
                continue;
            }
            let wish = wish.clone();
            let ended = self.custody.write(move |book| end(book, &wish, &ticket, exchanged)).await;
            let (outcome, stamp) = ended.inspect_err(|error: &CustodyError| {
                tracing::error!(%error, "a refreshed token could not be written down");
            })?;
            return outcome.map(|live| self.keep(live, stamp));
        }
    }
}

impl Ticket {
    fn of(name: &IntegrationName, record: &Record) -> Result<Self, RefreshError> {
        let client = record.client().map_err(|missing| RefreshError::NotUsable {
            name: name.clone(),
            state: record.state(),
            said: Some(format!("it has no {missing}")),
        })?;
        let refresh_token = record.tokens.as_ref().and_then(|tokens| tokens.refresh.clone());
        if !record.is_refreshable() {
            return Err(RefreshError::NothingToRefreshWith(name.clone()));
        }
        Ok(Self {
            generation: record.generation,
            provider: record.provider.clone(),
            client,
            refresh_token: refresh_token.filter(|_| !record.uses_client_credentials()),
            scopes: record.scopes.clone(),
            kept: record.kept.clone(),
        })
    }

    async fn exchange(&self, exchange: &dyn Exchange) -> Result<Grant, TokenError> {
        let endpoint = TokenEndpoint { exchange, provider: &self.provider, client: &self.client };
        match &self.refresh_token {
            Some(token) => endpoint.refresh(token, &self.kept).await,
            None => endpoint.client_credentials(&self.scopes).await,
        }
    }
}

/// What a look at the records decided. An inner error is an answer too: what led to it is written down.
type Decided<T> = Result<Result<T, RefreshError>, CustodyError>;

/// Re-reads under the lock, and writes down that a refresh begins if one is still wanted.
fn start(book: &mut Book<'_>, wish: &Wish, now: Timestamp) -> Decided<Start> {
    let Some((name, mut record)) = load(book, wish)? else { return Ok(Err(gone(book, wish))) };
    if record.is_waiting_copy() && wish.urgency == Urgency::Asked {
        // Whoever asks for it vouches that no other copy goes on with this refresh token.
        (record.attention, record.is_copy) = (None, false);
    }
    if record.generation > wish.beyond || record.attention.is_some() || record.tokens.is_none() {
        return Ok(Live::of(&wish.id, name, record).map(Start::Moved));
    }
    let is_retry = record.refreshing.is_some();
    if record.refreshing.as_ref().is_some_and(|mark| is_lost(&record, mark, now)) {
        record.attention = Some(NeedsAttention::ReplyLost);
        record.refreshing = None;
        record.fail(Stage::Refresh, LOST.to_owned(), now);
        book.put(&wish.id, name.clone(), record.clone());
        return Ok(Live::of(&wish.id, name, record).map(Start::Moved));
    }
    if let (Urgency::Usual, Some(said)) = (wish.urgency, record.cooling_words(now)) {
        return Ok(Err(RefreshError::NotNow { name, said }));
    }
    let ticket = match Ticket::of(&name, &record) {
        Ok(ticket) => ticket,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(until) = record.spent_until(now) {
        let said = budget::words(record.provider.settings().budget, until);
        return Ok(Err(RefreshError::NotNow { name, said }));
    }
    record.spend(now);
    let since = record.refreshing.as_ref().map_or(now, |mark| mark.since);
    record.refreshing = Some(Refreshing { generation: record.generation, since, is_retry });
    book.put(&wish.id, name, record);
    Ok(Ok(Start::Go(ticket)))
}

/// What became of a refresh whose reply nobody has (OA-45).
const LOST: &str =
    "a refresh was sent and its reply lost, so the provider may have replaced the refresh token";

fn is_lost(record: &Record, mark: &Refreshing, now: Timestamp) -> bool {
    let settings = record.provider.settings();
    // A refresh token that is never replaced can be sent again, and so can client credentials.
    if !settings.rotates || record.uses_client_credentials() {
        return false;
    }
    let passed = Duration::try_from(now.duration_since(mark.since)).unwrap_or_default();
    mark.is_retry || settings.grace().is_none_or(|grace| passed >= grace)
}

/// Writes down what an exchange brought, if the tokens it was made for are still the ones on record (OA-42).
fn end(book: &mut Book<'_>, wish: &Wish, ticket: &Ticket, exchanged: Exchanged) -> Decided<Live> {
    let Some((name, mut record)) = load(book, wish)? else { return Ok(Err(gone(book, wish))) };
    if record.generation != ticket.generation {
        return Ok(Live::of(&wish.id, name, record));
    }
    record.refreshing = None;
    exchanged.compare_clocks(&mut record);
    let times = exchanged.times;
    let failure = match exchanged.granted {
        Ok(grant) => {
            record.refreshed(grant, times);
            None
        }
        Err(error) => Some(refused(&mut record, &error, times.ended)),
    };
    book.put(&wish.id, name.clone(), record.clone());
    match failure {
        Some(said) if record.attention.is_none() => Ok(Err(RefreshError::NotNow { name, said })),
        _ => Ok(Live::of(&wish.id, name, record)),
    }
}

/// What an error means for the record (OA-44); returns it in words.
fn refused(record: &mut Record, error: &TokenError, now: Timestamp) -> String {
    let may_have_rotated = record.provider.settings().rotates && error.status.is_some_and(|it| it < 300);
    let said = words(error);
    record.fail(Stage::Refresh, said.clone(), now);
    let own = cooldown(record.failures);
    let pause = match error.class {
        Class::Grant => return attend(record, NeedsAttention::RefreshRefused, said),
        Class::Client => return attend(record, NeedsAttention::ClientRejected, said),
        Class::Malformed if may_have_rotated => return attend(record, NeedsAttention::ReplyLost, said),
        Class::Transient { retry_after: Some(asked) } => asked.max(own).min(LONGEST_COOLDOWN),
        _ => own,
    };
    record.cooling_until = now.checked_add(pause).ok();
    said
}

fn cooldown(failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    FIRST_COOLDOWN.saturating_mul(doubled).min(USUAL_COOLDOWN)
}

fn attend(record: &mut Record, reason: NeedsAttention, said: String) -> String {
    record.attention.get_or_insert(reason);
    said
}

/// A token error in one line, the provider's own words labelled (OA-35).
pub(crate) fn words(error: &TokenError) -> String {
    let parts = [error.provider_code.as_deref(), error.provider_words.as_deref()];
    let provider: Vec<_> = parts.into_iter().flatten().collect();
    match (&error.source, provider.is_empty()) {
        (Some(source), _) => format!("{error}: {source}"),
        (None, true) => error.to_string(),
        (None, false) => format!("{error}; the provider says: {}", provider.join(": ")),
    }
}

fn load(book: &Book<'_>, wish: &Wish) -> Result<Option<(IntegrationName, Record)>, CustodyError> {
    Ok(book.name_of(&wish.id).zip(book.record(&wish.id)?))
}

fn gone(book: &Book<'_>, wish: &Wish) -> RefreshError {
    RefreshError::Lookup(unknown(book, &wish.name).into())
}
