//! The one thread that writes: it commits whatever waits, together, and waits for no more.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use flowrun_engine::journal::JournalError;
use rusqlite::Connection;
use tokio::sync::oneshot;

/// The most pieces of work in one commit.
const TOGETHER: usize = 256;

/// One piece of work: done within a transaction, it gives how to tell of it once that is on disk. Without a transaction, or
/// where it fails, it tells so itself.
type Job = Box<dyn FnOnce(Result<&Connection, JournalError>) -> Option<Tell> + Send>;
/// Tells whoever waits what became of the transaction.
type Tell = Box<dyn FnOnce(Result<(), JournalError>) + Send>;

/// Work that is done outside every transaction.
type Alone = Box<dyn FnOnce(&Connection) + Send>;

enum Work {
    Together(Job),
    Alone(Alone),
}

/// The way to the thread. It ends when this is dropped.
pub(crate) struct Committer(Sender<Work>);

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
            Ok(connection) => match within_savepoint(connection, work) {
                Ok(value) => Some(Box::new(move |committed: Result<(), JournalError>| {
                    drop(tell.send(committed.map(|()| value)))
                }) as Tell),
                Err(error) => {
                    drop(tell.send(Err(unavailable(&error))));
                    None
                }
            },
        });
        self.0.send(Work::Together(job)).map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }

    /// Does something that no transaction may hold, such as making the file smaller.
    pub(crate) async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, JournalError> {
        let (tell, told) = oneshot::channel();
        let work = move |connection: &Connection| drop(tell.send(work(connection)));
        self.0.send(Work::Alone(Box::new(work))).map_err(|_| gone())?;
        told.await.map_err(|_| gone())?.map_err(|error| unavailable(&error))
    }
}

fn gone() -> JournalError {
    JournalError::Unavailable("its thread has ended".to_owned())
}

fn serve(connection: Connection, work: &Receiver<Work>) {
    let mut jobs = Vec::new();
    while let Ok(first) = work.recv() {
        for work in std::iter::once(first).chain(work.try_iter().take(TOGETHER - 1)) {
            match work {
                Work::Together(job) => jobs.push(job),
                Work::Alone(alone) => {
                    together(&connection, std::mem::take(&mut jobs));
                    alone(&connection);
                }
            }
        }
        together(&connection, std::mem::take(&mut jobs));
    }
}

/// Commits jobs in one transaction; one that fails leaves the others as they are.
fn together(connection: &Connection, jobs: Vec<Job>) {
    if jobs.is_empty() {
        return;
    }
    if let Err(error) = execute(connection, "BEGIN IMMEDIATE") {
        return jobs.into_iter().for_each(|job| drop(job(Err(unavailable(&error)))));
    }
    // A full disk ends the transaction at once; what comes after that must not be kept on its own.
    let is_open = |connection: &Connection| match connection.is_autocommit() {
        true => Err(JournalError::Unavailable("the store gave up what was written with it".to_owned())),
        false => Ok(()),
    };
    let tells: Vec<Tell> =
        jobs.into_iter().filter_map(|job| job(is_open(connection).map(|()| connection))).collect();
    let failed = execute(connection, "COMMIT").err();
    if failed.is_some() && !connection.is_autocommit() {
        // What a failed commit leaves open must not swallow the next one; that it cannot be closed shows there.
        let _ = execute(connection, "ROLLBACK");
    }
    for tell in tells {
        tell(failed.as_ref().map_or(Ok(()), |error| Err(unavailable(error))));
    }
}

/// Does a piece of work, or nothing of it. Its statements are prepared once: rusqlite's own savepoints are not.
fn within_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
) -> Result<T, rusqlite::Error> {
    execute(connection, "SAVEPOINT job")?;
    let done = work(connection);
    if done.is_err() {
        execute(connection, "ROLLBACK TO job")?;
    }
    execute(connection, "RELEASE job")?;
    done
}

fn execute(connection: &Connection, statement: &str) -> Result<(), rusqlite::Error> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}

fn unavailable(error: &rusqlite::Error) -> JournalError {
    JournalError::Unavailable(error.to_string())
}
