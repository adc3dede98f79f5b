//! A registry on disk: which files there are, and the order in which a session uses them.
//!
//! Under `registry.lock`: key, database, high-water mark, work, batch, flush and fsync, high-water mark, close. The
//! mark is written last, so it is never ahead of the database, and whoever sees a new mark finds what it stands for.

use std::fs::{DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use flowrun_step::Entropy;
use zeroize::Zeroizing;

use super::book::{Book, Sealed};
use super::high_water::{HighWater, Stamp};
use super::seal::of_records;
use super::sled_store::SledStore;
use super::store::Session;
use super::{Intent, key_file, lock};
use crate::CustodyError;
use crate::id::Id;

pub(super) struct Disk {
    data_dir: PathBuf,
    key_file: PathBuf,
    /// Known once a session has read which installation this is.
    high_water: OnceLock<HighWater>,
}

impl Disk {
    pub(super) fn new(data_dir: PathBuf, key_file: PathBuf) -> Self {
        Self { data_dir, key_file, high_water: OnceLock::new() }
    }

    pub(super) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    pub(super) fn key_file(&self) -> &Path {
        &self.key_file
    }

    /// Who has the right to an integration at this moment: nobody, or a process that may be known.
    pub(super) fn holder(&self, id: &Id) -> Result<Option<Option<u32>>, CustodyError> {
        let path = self.data_dir.join("locks").join(id.as_str());
        let is_held = path.exists() && lock::try_hold(&path)?.is_none();
        Ok(is_held.then(|| lock::holder(&path)))
    }

    pub(super) fn stamp(&self) -> Stamp {
        self.high_water.get().map(HighWater::stamp).unwrap_or_default()
    }

    pub(super) fn try_exclusive(&self, id: &Id) -> Result<Option<File>, CustodyError> {
        let folder = self.data_dir.join("locks");
        make_folder(&folder)?;
        lock::try_hold(&folder.join(id.as_str()))
    }

    pub(super) fn session<T, E: From<CustodyError>>(
        &self,
        intent: Intent,
        entropy: &dyn Entropy,
        work: impl FnOnce(&mut Book<'_>) -> Result<T, E>,
    ) -> Result<(T, Stamp), E> {
        let database = self.database();
        if intent == Intent::Read && !self.is_there()? {
            return Ok((work(&mut Book::empty())?, self.stamp()));
        }
        make_folder(&self.data_dir)?;
        let _lock = lock::hold(&self.data_dir)?;
        let store = SledStore::open(&database, &self.data_dir)?;
        let Some(sealed) = self.unlocked(store, intent, entropy)? else {
            return Ok((work(&mut Book::empty())?, self.stamp()));
        };
        let mut book = Book::open(&sealed, entropy)?;
        self.compare_with_mark(&mut book)?;
        let answer = work(&mut book)?;
        self.commit(book)?;
        Ok((answer, self.stamp()))
    }

    /// Seals everything with a new key, which then takes the place of the old one; none where nothing was ever sealed.
    ///
    /// The new key is on disk before anything is sealed with it, and everything is sealed with it in one batch. So at
    /// any point exactly one of the two opens the registry, and [`Disk::unlocked`] finds out which: whoever comes
    /// next after a crash goes on with the old key, or puts the new one in its place.
    pub(super) fn rotate_key(&self, entropy: &dyn Entropy) -> Result<Option<usize>, CustodyError> {
        if !self.is_there()? {
            return Ok(None);
        }
        let _lock = lock::hold(&self.data_dir)?;
        let store = SledStore::open(&self.database(), &self.data_dir)?;
        let Some(sealed) = self.unlocked(store, Intent::Read, entropy)? else { return Ok(None) };
        let (key, mut book) = (key_file::random(entropy), Book::open(&sealed, entropy)?);
        let installation = book.installation().unwrap_or_default();
        if let Some(mark) = HighWater::of_others(&self.key_file, &installation)? {
            return Err(CustodyError::KeyShared { path: self.key_file.clone(), mark });
        }
        self.compare_with_mark(&mut book)?;
        let seal = of_records(&key);
        let resealed = book.reseal(&seal)?;
        key_file::discard_successor(&self.key_file)?;
        key_file::write(&key_file::successor(&self.key_file), &key, entropy)?;
        self.commit(book)?;
        key_file::succeed(&self.key_file)?;
        Ok(Some(resealed))
    }

    /// The store with the seal that opens it; none where there is neither key nor anything sealed.
    fn unlocked(
        &self,
        store: SledStore,
        intent: Intent,
        entropy: &dyn Entropy,
    ) -> Result<Option<Sealed<SledStore>>, CustodyError> {
        let Some(key) = self.key(&store, intent, entropy)? else { return Ok(None) };
        let sealed = Sealed::new(store, of_records(&key));
        if !key_file::successor(&self.key_file).exists() || sealed.opens(entropy)? {
            return Ok(Some(sealed));
        }
        // A rotation ended between its batch and its rename.
        let next = key_file::read(&key_file::successor(&self.key_file))?;
        let sealed = sealed.with(of_records(&next.unwrap_or(key)));
        if !sealed.opens(entropy)? {
            return Err(CustodyError::KeyWrong);
        }
        key_file::succeed(&self.key_file)?;
        Ok(Some(sealed))
    }

    pub(super) fn database(&self) -> PathBuf {
        self.data_dir.join("database")
    }

    /// Whether anything was ever written here; a folder that cannot be entered is not taken for an empty one.
    pub(super) fn is_there(&self) -> Result<bool, CustodyError> {
        let database = self.database();
        database.try_exists().map_err(|source| CustodyError::File { what: "read", path: database, source })
    }

    /// The key; made only where there is nothing that another key could have sealed (N9).
    fn key(
        &self,
        store: &SledStore,
        intent: Intent,
        entropy: &dyn Entropy,
    ) -> Result<Option<Zeroizing<[u8; 32]>>, CustodyError> {
        match key_file::read(&self.key_file)? {
            Some(key) => Ok(Some(key)),
            None if !store.is_empty().map_err(CustodyError::Database)? => {
                Err(CustodyError::KeyMissing { path: self.key_file.clone() })
            }
            None if intent == Intent::Write => key_file::create(&self.key_file, entropy).map(Some),
            None => Ok(None),
        }
    }

    fn compare_with_mark(&self, book: &mut Book<'_>) -> Result<(), CustodyError> {
        let Some(installation) = book.installation().filter(|_| !book.is_new()) else { return Ok(()) };
        let (is_put_back, mark) = (self.mark(&installation).is_restored(), self.mark(&installation).read()?);
        if is_put_back {
            book.note_put_back(mark.unwrap_or_default());
            return Ok(());
        }
        // A mark is made before the first write: where it is missing, the database came here without it.
        if mark.is_none_or(|mark| book.generation() < mark) {
            tracing::warn!(
                "the registry was restored from a backup: its integrations must be authorised again"
            );
            book.note_restored(mark.unwrap_or_default());
        }
        Ok(())
    }

    fn commit(&self, book: Book<'_>) -> Result<(), CustodyError> {
        let (true, Some(installation)) = (book.is_changed(), book.installation()) else { return Ok(()) };
        let mark = self.mark(&installation);
        if book.is_new() {
            mark.write(0)?;
        }
        let generation = book.generation() + 1;
        book.commit()?;
        if let Err(error) = mark.write(generation) {
            // What was written stands, and saying otherwise would be worse: a mark that lags only sees less.
            tracing::warn!(%error, "the registry's high-water mark could not be replaced");
        }
        mark.accept_restored();
        Ok(())
    }

    fn mark(&self, installation: &str) -> &HighWater {
        self.high_water.get_or_init(|| HighWater::beside(&self.key_file, installation))
    }
}

/// Makes a folder, and those above it, for its owner alone; one that is there stays as it is. Its name is as durable
/// as what will be written in it.
pub(super) fn make_folder(folder: &Path) -> Result<(), CustodyError> {
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() {
        return Ok(());
    }
    if !above.is_dir() {
        make_folder(above)?;
    }
    let made = match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        // Where we may not look, we may not sync either; whoever made that folder has.
        Ok(()) => File::open(above).map_or(Ok(()), |above| above.sync_all()),
    };
    made.map_err(|source| CustodyError::File { what: "create", path: folder.to_owned(), source })
}
