//! A registry in a backup: its records as they are sealed, without the key that opens them (R19).

use std::collections::BTreeMap;

use crate::{CustodyError, Registry};

impl Registry {
    /// Every record as it lies on disk, sealed, by the key it stands under; the key file is not looked at. Other processes may use
    /// the registry meanwhile. A registry that is not on disk gives nothing: its database has backups of its own.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn sealed(&self) -> Result<BTreeMap<String, Vec<u8>>, CustodyError> {
        self.inner().custody.sealed().await
    }

    /// Puts back what [`Registry::sealed`] gave, where there is no registry yet. The key is to be put back by whoever kept it.
    ///
    /// An integration whose refresh token is replaced by each refresh waits then, as [`NeedsAttention::RestoredFromBackup`]: its
    /// token may have been replaced after the backup was made. [`Registry::force_refresh`] tries it, at a person's word.
    ///
    /// # Errors
    /// When there is a registry, or the database cannot be written.
    ///
    /// [`NeedsAttention::RestoredFromBackup`]: flowrun_step::NeedsAttention::RestoredFromBackup
    pub async fn put_back(&self, sealed: BTreeMap<String, Vec<u8>>) -> Result<(), CustodyError> {
        self.inner().custody.put_back(sealed).await
    }
}
