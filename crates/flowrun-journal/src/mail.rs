//! What is on its way to runs: messages, events, calls, orders; routed and kept in one transaction (runs.md 9, 10).

use flowrun_engine::journal::{
    Address, Delivered, HandedOver, JournalError, KEPT, Letter, RunKey, SEEN, WAITING,
};
use flowrun_engine::{Conversation, Incoming, Message, Told};
use flowrun_step::{RunId, Tenant};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::SqliteJournal;
use crate::sealed::{Place, Sealer};
use crate::tenants::Tenancy;

/// A letter, as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Body {
    Message(Message),
    Other(Incoming),
}

/// A run that is meant, as the database knows it.
struct Meant {
    n: i64,
    key: RunKey,
    rest: bool,
}

impl Meant {
    fn address(self) -> Address {
        Address { run: self.key, is_at_rest: self.rest }
    }
}

/// So long before a moment, in milliseconds.
fn ago(at: Timestamp, length: SignedDuration) -> i64 {
    at.as_millisecond() - i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

/// Remembers an id; says whether it is new.
pub(crate) fn see(connection: &Connection, key: &[u8; 16], at: Timestamp) -> rusqlite::Result<bool> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO seen (key, at) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET at = ?2 WHERE at < ?3",
    )?;
    Ok(insert.execute(params![key, at.as_millisecond(), ago(at, SEEN)])? == 1)
}

fn is_seen(connection: &Connection, key: &[u8; 16], at: Timestamp) -> rusqlite::Result<bool> {
    let since = ago(at, SEEN);
    connection.prepare_cached("SELECT 1 FROM seen WHERE key = ?1 AND at >= ?2")?.exists(params![key, since])
}

/// Forgets ids that are remembered no more.
pub(crate) fn forget_seen(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM seen WHERE at < ?1", [ago(now, SEEN)]).map(drop)
}

fn post(
    connection: &Connection,
    tenant: i64,
    (run, conversation): (Option<i64>, Option<&[u8; 16]>),
    next: bool,
    (at, body): (i64, &[u8]),
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO inbox (tenant, run, conversation, next, at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    insert.execute(params![tenant, run, conversation, next, at, body]).map(drop)
}

fn meant(connection: &Connection, n: i64) -> rusqlite::Result<Option<Meant>> {
    let mut found = connection.prepare_cached(
        "SELECT name, id, rest FROM run CROSS JOIN tenant ON tenant.n = run.tenant WHERE run.n = ?1",
    )?;
    let row =
        found.query_row([n], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?)));
    let Some((tenant, id, rest)) = row.optional()? else { return Ok(None) };
    let (Ok(tenant), Ok(id)) = (Tenant::new(&tenant), RunId::new(&id)) else { return Ok(None) };
    Ok(Some(Meant { n, key: RunKey::new(tenant, id), rest }))
}

/// Gives a run the events that are kept for what it waits for from now on; says whether there are any.
pub(crate) fn remind(
    connection: &Connection,
    (sealer, tenant): (&Sealer, i64),
    (run, n, subjects): (&RunKey, i64, &[[u8; 16]]),
    at: Timestamp,
) -> rusqlite::Result<bool> {
    let mut has_mail = false;
    for subject in subjects {
        let began: i64 = connection.query_row("SELECT began FROM run WHERE n = ?1", [n], |row| row.get(0))?;
        let since = began.max(ago(at, KEPT));
        let mut kept = connection
            .prepare_cached("SELECT key, at, body FROM event WHERE subject = ?1 AND at >= ?2 ORDER BY seq")?;
        let rows =
            kept.query_map(params![subject, since], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        for (key, at, sealed) in rows.collect::<Result<Vec<([u8; 16], i64, Vec<u8>)>, _>>()? {
            let told = sealer.open::<Told>(&Place::Event(&key), &sealed);
            let body =
                told.and_then(|told| sealer.close(&Place::Letter(run), &Body::Other(Incoming::Event(told))));
            post(connection, tenant, (Some(n), None), false, (at, &body.map_err(unsealed)?))?;
            has_mail = true;
        }
    }
    Ok(has_mail)
}

fn unsealed(error: JournalError) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}

impl SqliteJournal {
    pub(crate) async fn mail_of(&self, run: &RunKey, heard: u64) -> Result<Vec<Letter>, JournalError> {
        let Some(tenancy) = self.tenant_if_known(&run.tenant).await? else { return Ok(Vec::new()) };
        let (id, tenant) = (run.id.clone(), tenancy.n);
        let rows = self.committer.commit(move |connection| {
            let mut mail = connection.prepare_cached(
                "SELECT number, at, body, conversation FROM inbox WHERE number > ?3 AND next = 0 AND (run = (SELECT n FROM run \
                 WHERE tenant = ?1 AND id = ?2) OR conversation = (SELECT talk FROM run WHERE tenant = ?1 AND id = ?2)) ORDER BY number",
            )?;
            let key = params![tenant, id.as_str(), heard];
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
            mail.query_map(key, row)?.collect::<Result<Vec<_>, _>>()
        });
        let letter = |(number, at, sealed, conversation): (u64, i64, Vec<u8>, Option<[u8; 16]>)| {
            let place = conversation.as_ref().map_or(Place::Letter(run), Place::Message);
            let incoming = match tenancy.sealer.open(&place, &sealed)? {
                Body::Message(message) => Incoming::Message(message.body()),
                Body::Other(incoming) => incoming,
            };
            Ok(Letter { number, at: Timestamp::from_millisecond(at).unwrap_or_default(), incoming })
        };
        rows.await?.into_iter().map(letter).collect()
    }

    pub(crate) async fn receive_message(
        &self,
        message: Message,
        at: Timestamp,
        interrupts: bool,
    ) -> Result<Delivered, JournalError> {
        let Tenancy { n: tenant, sealer } = self.tenant(&message.tenant).await?;
        let key = sealer.conversation(&message.tenant, &message.conversation);
        let id = sealer.message(&key, &message.id);
        let body = sealer.close(&Place::Message(&key), &Body::Message(message))?;
        let delivered = self.committer.commit(move |connection| {
            if is_seen(connection, &id, at)? {
                return Ok(Delivered::Duplicate);
            }
            let talk = "SELECT run, busy, asks, handed FROM conversation WHERE key = ?1";
            let talk = connection.query_row(talk, [&key[..]], |row| {
                Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?))
            });
            let (n, busy, asks) = match talk.optional()? {
                Some((_, _, _, true)) => {
                    see(connection, &id, at)?;
                    return Ok(Delivered::HandedOver);
                }
                Some((Some(n), busy, asks, false)) => (n, busy, asks),
                _ => return Ok(Delivered::Nobody),
            };
            let Some(run) = meant(connection, n)? else { return Ok(Delivered::Nobody) };
            see(connection, &id, at)?;
            let is_awaited = asks && !interrupts;
            if !interrupts && !is_awaited && !makes_room(connection, &key, &busy)? {
                return Ok(Delivered::Dropped(run.key.id));
            }
            post(connection, tenant, (None, Some(&key)), interrupts, (at.as_millisecond(), &body))?;
            if interrupts {
                order(connection, (&sealer, tenant), &run, (Incoming::interruption(), at))?;
            }
            Ok(Delivered::Kept { address: run.address(), is_awaited })
        });
        delivered.await
    }

    pub(crate) async fn deliver_to(
        &self,
        run: &RunKey,
        incoming: Incoming,
        at: Timestamp,
    ) -> Result<Delivered, JournalError> {
        let Some(Tenancy { n: tenant, sealer }) = self.tenant_if_known(&run.tenant).await? else {
            return Ok(Delivered::Nobody);
        };
        let key = run.clone();
        let delivered = self.committer.commit(move |connection| {
            let n = "SELECT n FROM run WHERE tenant = ?1 AND id = ?2 AND over = 0";
            let n = connection.query_row(n, params![tenant, key.id.as_str()], |row| row.get(0)).optional()?;
            let Some(run) = n.map(|n| meant(connection, n)).transpose()?.flatten() else {
                return Ok(Delivered::Nobody);
            };
            if let Incoming::Call { callback, .. } = &incoming
                && !see(connection, &sealer.callback(&key, callback), at)?
            {
                return Ok(Delivered::Duplicate);
            }
            order(connection, (&sealer, tenant), &run, (incoming, at))?;
            Ok(Delivered::Kept { address: run.address(), is_awaited: true })
        });
        delivered.await
    }

    pub(crate) async fn tell_all(
        &self,
        tenant: &Tenant,
        told: Told,
        at: Timestamp,
    ) -> Result<Option<Vec<Address>>, JournalError> {
        let Tenancy { n, sealer } = self.tenant(tenant).await?;
        let id = sealer.event(tenant, &told.id);
        let subject = sealer.subject(tenant, &told.event, told.key.as_deref());
        let body = sealer.close(&Place::Event(&id), &told)?;
        let heard = self.committer.commit(move |connection| {
            connection.execute("DELETE FROM event WHERE at < ?1", [ago(at, KEPT)])?;
            let insert =
                "INSERT OR IGNORE INTO event (tenant, key, subject, at, body) VALUES (?1, ?2, ?3, ?4, ?5)";
            let now = at.as_millisecond();
            if connection.execute(insert, params![n, &id[..], &subject[..], now, body])? == 0 {
                return Ok(None);
            }
            let mut waiting = connection.prepare_cached(
                "SELECT run.n FROM waiter CROSS JOIN run ON run.n = waiter.run WHERE subject = ?1 ORDER BY id",
            )?;
            let waiting: Vec<i64> =
                waiting.query_map([&subject[..]], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let mut heard = Vec::new();
            for run in waiting {
                let Some(run) = meant(connection, run)? else { continue };
                order(connection, (&sealer, n), &run, (Incoming::Event(told.clone()), at))?;
                heard.push(run.address());
            }
            Ok(Some(heard))
        });
        heard.await
    }

    pub(crate) async fn remember_message(&self, message: Message, at: Timestamp) -> Result<(), JournalError> {
        let key = self.sealer.conversation(&message.tenant, &message.conversation);
        let id = self.sealer.message(&key, &message.id);
        self.committer.commit(move |connection| see(connection, &id, at).map(drop)).await
    }

    pub(crate) async fn strays(&self) -> Result<Vec<(u64, Message)>, JournalError> {
        let rows = self.committer.commit(move |connection| {
            let mut strays = connection.prepare_cached(
                "SELECT number, name, conversation, body FROM inbox CROSS JOIN tenant ON tenant.n = inbox.tenant \
                 WHERE conversation IS NOT NULL AND NOT EXISTS (SELECT 1 FROM conversation WHERE key = inbox.conversation \
                 AND run IS NOT NULL) ORDER BY number LIMIT 100",
            )?;
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
            strays.query_map([], row)?.collect::<Result<Vec<(u64, String, [u8; 16], Vec<u8>)>, _>>()
        });
        let mut strays = Vec::new();
        for (number, tenant, conversation, sealed) in rows.await? {
            let Ok(tenant) = Tenant::new(&tenant) else { continue };
            let Some(tenancy) = self.tenant_if_known(&tenant).await? else { continue };
            if let Body::Message(message) = tenancy.sealer.open(&Place::Message(&conversation), &sealed)? {
                strays.push((number, message));
            }
        }
        Ok(strays)
    }

    pub(crate) async fn give(
        &self,
        tenant: &Tenant,
        conversation: &Conversation,
    ) -> Result<HandedOver, JournalError> {
        let Tenancy { n: owner, sealer } = self.tenant(tenant).await?;
        let key = sealer.conversation(tenant, conversation);
        let given = self.committer.commit(move |connection| {
            let hand = "INSERT INTO conversation (key, tenant, busy, handed) VALUES (?1, ?2, 'queue', 1) \
                        ON CONFLICT (key) DO UPDATE SET handed = 1";
            connection.execute(hand, params![&key[..], owner])?;
            let run = "SELECT id FROM run WHERE n = (SELECT run FROM conversation WHERE key = ?1)";
            let run = connection.query_row(run, [&key[..]], |row| row.get::<_, String>(0)).optional()?;
            let mut queued =
                connection.prepare("DELETE FROM inbox WHERE conversation = ?1 RETURNING number, body")?;
            let queued =
                queued.query_map([&key[..]], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
            let mut queued = queued.collect::<Result<Vec<_>, _>>()?;
            queued.sort_unstable_by_key(|(number, _)| *number);
            Ok((run, queued))
        });
        let (run, queued) = given.await?;
        let message = |(_, sealed): &(u64, Vec<u8>)| match sealer.open(&Place::Message(&key), sealed)? {
            Body::Message(message) => Ok(Some(message)),
            Body::Other(_) => Ok(None),
        };
        let queued =
            queued.iter().filter_map(|row| message(row).transpose()).collect::<Result<_, JournalError>>()?;
        Ok(HandedOver { run: run.and_then(|id| RunId::new(&id).ok()), queued })
    }

    pub(crate) async fn give_back(
        &self,
        tenant: &Tenant,
        conversation: &Conversation,
    ) -> Result<(), JournalError> {
        let key = self.sealer.conversation(tenant, conversation);
        let given = self.committer.commit(move |connection| {
            connection.execute("DELETE FROM conversation WHERE key = ?1 AND run IS NULL", [&key[..]])?;
            connection.execute("UPDATE conversation SET handed = 0 WHERE key = ?1", [&key[..]])
        });
        given.await.map(drop)
    }
}

/// Whose a message on its way is.
pub(crate) fn peer_of(
    sealer: &Sealer,
    conversation: &[u8; 16],
    sealed: &[u8],
) -> Result<Option<String>, JournalError> {
    Ok(match sealer.open(&Place::Message(conversation), sealed)? {
        Body::Message(message) => Some(message.conversation.peer),
        Body::Other(_) => None,
    })
}

/// Keeps something for one run.
fn order(
    connection: &Connection,
    (sealer, tenant): (&Sealer, i64),
    run: &Meant,
    (incoming, at): (Incoming, Timestamp),
) -> rusqlite::Result<()> {
    let body = sealer.close(&Place::Letter(&run.key), &Body::Other(incoming)).map_err(unsealed)?;
    post(connection, tenant, (Some(run.n), None), false, (at.as_millisecond(), &body))
}

/// Whether one more message may wait for a run that works.
fn makes_room(connection: &Connection, conversation: &[u8; 16], busy: &str) -> rusqlite::Result<bool> {
    match busy {
        "drop" => Ok(false),
        "replace" => {
            connection.execute("DELETE FROM inbox WHERE conversation = ?1", [&conversation[..]])?;
            Ok(true)
        }
        _ => {
            let count = "SELECT count(*) FROM inbox WHERE conversation = ?1";
            Ok(connection.query_row(count, [&conversation[..]], |row| row.get::<_, usize>(0))? < WAITING)
        }
    }
}
