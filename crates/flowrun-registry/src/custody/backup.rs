//! Records as they lie on disk, sealed: taken out without the key, and put back where there are none (R19).
//!
//! Whoever puts them back says so beside the key, where nobody writes who could only reach the database. So a copy that an
//! operator restored is told from one that was slipped in (N9), by the first session that opens it.

use std::collections::BTreeMap;

use super::disk::{Disk, make_folder};
use super::high_water::HighWater;
use super::lock;
use super::sled_store::SledStore;
use super::store::{Change, Session as _};
use crate::CustodyError;

/// What lies in a database, by key.
pub(crate) type Sealed = BTreeMap<String, Vec<u8>>;

/// The key under which it stands which installation the records are of.
const INSTALLATION: &str = "installation";

impl Disk {
    /// Everything there is; nothing where nothing was ever written.
    pub(super) fn sealed(&self) -> Result<Sealed, CustodyError> {
        if !self.is_there()? {
            return Ok(Sealed::new());
        }
        let _lock = lock::hold(self.data_dir())?;
        SledStore::open(&self.database(), self.data_dir())?.all()
    }

    /// Puts everything into a place where nothing was ever written.
    pub(super) fn put_back(&self, sealed: Sealed) -> Result<(), CustodyError> {
        let Some(installation) = sealed.get(INSTALLATION) else { return Ok(()) };
        let installation: String = installation.iter().map(|byte| format!("{byte:02x}")).collect();
        make_folder(self.data_dir())?;
        let _lock = lock::hold(self.data_dir())?;
        if self.is_there()? {
            return Err(CustodyError::NotEmpty { data_dir: self.data_dir().to_owned() });
        }
        if let Some(folder) = self.key_file().parent() {
            make_folder(folder)?;
        }
        HighWater::beside(self.key_file(), &installation).declare_restored()?;
        let store = SledStore::open(&self.database(), self.data_dir())?;
        let changes = sealed.into_iter().map(|(key, bytes)| Change::Put(key, bytes)).collect();
        store.apply(changes).map_err(CustodyError::Database)
    }
}
