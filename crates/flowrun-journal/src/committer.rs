//! The one thread that writes: it commits whatever waits, together, and waits for no more.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use flowrun_engine::journal::JournalError;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

/// The most pieces of work in one commit.
const TOGETHER: usize = 256;

/// One piece of work: done within a transaction, it gives how to tell of it once that is on disk. Without a transaction, or
/// where it fails, it tells so itself.
type Job = Box<dyn FnOnce(Result<&mut Transaction<'_>, JournalError>) -> Option<Tell> + Send>;
/// Tells whoever waits what became of the transaction.
type Tell = Box<dyn FnOnce(Result<(), JournalError>) + Send>;

/// The way to the thread. It ends when this is dropped.
pub(crate) struct Committer(Sender<Job>);

impl Committer {
    pub(crate) fn start(connection: Connection) -> std::io::Result<Self> {
        let (send, jobs) = channel();
        let commit = move || serve(connection, &jobs);
        thread::Builder::new().name("journal".to_owned()).spawn(commit)?;
        Ok(Self(send))
    }

    /// Does something in a transaction; durable once it comes back.
    pub(crate) async fn commit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, JournalError> {
        let (tell, told) = oneshot::channel();
        // Whoever asked may have gone; what was committed stands.
        let job: Job = Box::new(move |connection| match connection {
            Err(error) => {
                drop(tell.send(Err(error)));
                None
            }
            Ok(transaction) => match within_savepoint(transaction, work) {
                Ok(value) => Some(Box::new(move |committed: Result<(), JournalError>| {
                    drop(tell.send(committed.map(|()| value)))
                }) as Tell),
                Err(error) => {
                    drop(tell.send(Err(unavailable(&error))));
                    None
                }
            },
        });
        self.0.send(job).map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }
}

fn gone() -> JournalError {
    JournalError::Unavailable("its thread has ended".to_owned())
}

fn serve(mut connection: Connection, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let jobs = std::iter::once(first).chain(jobs.try_iter().take(TOGETHER - 1)).collect();
        together(&mut connection, jobs);
    }
}

/// Commits jobs in one transaction; one that fails leaves the others as they are.
fn together(connection: &mut Connection, jobs: Vec<Job>) {
    let mut transaction = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => transaction,
        Err(error) => return jobs.into_iter().for_each(|job| drop(job(Err(unavailable(&error))))),
    };
    let tells: Vec<Tell> = jobs.into_iter().filter_map(|job| job(Ok(&mut transaction))).collect();
    let failed = transaction.commit().err();
    for tell in tells {
        tell(failed.as_ref().map_or(Ok(()), |error| Err(unavailable(error))));
    }
}

fn within_savepoint<T>(
    transaction: &mut Transaction<'_>,
    work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
) -> Result<T, rusqlite::Error> {
    let savepoint = transaction.savepoint()?;
    let value = work(&savepoint)?;
    savepoint.commit()?;
    Ok(value)
}

fn unavailable(error: &rusqlite::Error) -> JournalError {
    JournalError::Unavailable(error.to_string())
}
