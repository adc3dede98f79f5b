//! Integrations in a file: taken out sealed by a passphrase, taken in elsewhere, whole or not at all.
//!
//! Everything goes along: client, secrets, tokens, host rules, callback. What a file cannot carry is the right to be
//! the only copy: where each refresh replaces the refresh token, two copies would end the grant for both, so an
//! imported one waits until a person says that it is the one that goes on (N9).

mod envelope;
mod error;

use std::sync::Arc;

use flowrun_step::{IntegrationName, NeedsAttention};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::custody::Book;
use crate::id::Id;
use crate::inner::Inner;
use crate::lookup::find;
use crate::record::Record;
use crate::{CustodyError, Integration, LookupError};
pub use error::{ExportError, ImportError};

/// The fewest characters of a passphrase: the file may be attacked for as long as it exists.
const SHORTEST: usize = 12;

/// Integrations in the form of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Export {
    /// The file: two lines of text, the second of them sealed.
    pub file: Vec<u8>,
    /// What is in it, by name.
    pub names: Vec<IntegrationName>,
    /// Those of which only one copy can go on.
    pub rotating: Vec<IntegrationName>,
}

/// What becomes of an integration whose name an imported one has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It stays, and nothing is imported.
    Refuse,
    /// It is replaced, with its secrets.
    Replace,
}

/// An integration that was taken in.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Imported {
    /// The integration as it is now.
    pub integration: Integration,
    /// Whether it took the place of another.
    pub replaced: bool,
}

/// What is sealed in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    integrations: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Id,
    name: IntegrationName,
    record: Record,
}

impl Inner {
    pub(crate) async fn export(
        &self,
        names: Vec<IntegrationName>,
        passphrase: SecretString,
    ) -> Result<Export, ExportError> {
        if passphrase.expose_secret().chars().count() < SHORTEST {
            return Err(ExportError::ShortPassphrase { least: SHORTEST });
        }
        let read = move |book: &Book<'_>| Ok(entries(book, names));
        let integrations = self.custody.read(read).await.map_err(LookupError::from)?.0?;
        if integrations.is_empty() {
            return Err(ExportError::Nothing);
        }
        let name_of = |entry: &Entry| entry.name.clone();
        let rotating = integrations.iter().filter(|entry| entry.record.is_rotating()).map(name_of).collect();
        let names = integrations.iter().map(name_of).collect();
        let entropy = Arc::clone(&self.world.entropy);
        let sealed = away(move || envelope::close(&Contents { integrations }, &passphrase, &*entropy));
        let file = sealed.await.map_err(LookupError::from)?;
        Ok(Export { file, names, rotating })
    }

    pub(crate) async fn import(
        &self,
        file: Vec<u8>,
        passphrase: SecretString,
        taken: Taken,
    ) -> Result<Vec<Imported>, ImportError> {
        let contents = away(move || envelope::open::<Contents>(&file, &passphrase)).await?;
        let entropy = Arc::clone(&self.world.entropy);
        let write = move |book: &mut Book<'_>| {
            let is_taken = |entry: &&Entry| book.id_of(&entry.name).is_some();
            let names: Vec<_> =
                contents.integrations.iter().filter(is_taken).map(|it| it.name.clone()).collect();
            if !names.is_empty() && taken == Taken::Refuse {
                return Err(ImportError::NamesTaken(names));
            }
            contents.integrations.into_iter().map(|entry| Ok(take(book, entry, &*entropy)?)).collect()
        };
        self.custody.write(write).await.map(|(imported, _)| imported)
    }
}

/// Records to export: without what is under way, which belongs to this registry.
fn entries(book: &Book<'_>, names: Vec<IntegrationName>) -> Result<Vec<Entry>, LookupError> {
    let all = || book.names().into_iter().map(|(_, name)| name).collect();
    let mut names: Vec<IntegrationName> = if names.is_empty() { all() } else { names };
    names.sort_by(|one, other| one.key().cmp(other.key()));
    names.dedup();
    let entry = |name: &IntegrationName| {
        let (id, name, mut record) = find(book, name)?;
        record.pending = None;
        record.refreshing = None;
        Ok(Entry { id, name, record })
    };
    names.iter().map(entry).collect()
}

/// Puts one record where it belongs; its callback URL stays, unless an integration of another name has it here.
fn take(
    book: &mut Book<'_>,
    Entry { id, name, mut record }: Entry,
    entropy: &dyn flowrun_step::Entropy,
) -> Result<Imported, CustodyError> {
    let replaced = book.id_of(&name);
    let is_used = book.name_of(&id).is_some_and(|other| other != name);
    let id = if is_used { Id::random(entropy) } else { id };
    if let Some(old) = &replaced {
        // What another process still exchanges for the old record must not be written into the new one.
        let old_generation = book.record(old).ok().flatten().map(|old| old.generation);
        record.generation = record.generation.max(old_generation.unwrap_or_default());
        book.remove(old);
    }
    record.generation += 1;
    if record.attention.is_none() && record.is_rotating() {
        record.attention = Some(NeedsAttention::RestoredFromBackup);
        record.is_copy = true;
    }
    let integration = Integration::of(&id, name.clone(), &record);
    book.put(&id, name, record);
    Ok(Imported { integration, replaced: replaced.is_some() })
}

/// Does what takes a processor a while where it keeps no run waiting.
async fn away<T: Send + 'static, E: From<CustodyError> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
        Err(cancelled) => Err(CustodyError::Database(Box::new(cancelled)).into()),
    }
}
