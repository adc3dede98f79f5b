//! Tenants: each has a number and a key of its own, under which its records are sealed (R1, R13).

use std::collections::HashMap;
use std::sync::PoisonError;

use flowrun_engine::journal::JournalError;
use flowrun_step::Tenant;
use rusqlite::{Connection, OptionalExtension, params};

use crate::SqliteJournal;
use crate::sealed::{Place, Sealer, damaged};

/// A tenant, as the database knows it.
#[derive(Clone)]
pub(crate) struct Tenancy {
    pub(crate) n: i64,
    pub(crate) sealer: Sealer,
}

/// A row: the number, and the sealed key, if the tenant has one of its own.
type Row = (i64, Option<Vec<u8>>);

fn row(connection: &Connection, tenant: &Tenant) -> rusqlite::Result<Option<Row>> {
    let mut found =
        connection.prepare_cached("SELECT n, key FROM tenant WHERE name = ?1 AND key IS NOT x''")?;
    found.query_row([tenant.as_str()], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

impl SqliteJournal {
    /// A tenant that something is to be kept for.
    pub(crate) async fn tenant(&self, tenant: &Tenant) -> Result<Tenancy, JournalError> {
        if let Some(known) = self.known_tenants(|known| known.get(tenant).cloned()) {
            return Ok(known);
        }
        let key = self.sealer.close_bytes(&Place::Tenant(tenant), &*self.sealer.new_key());
        let name = tenant.clone();
        let made = self.committer.commit(move |connection| {
            if let Some(row) = row(connection, &name)? {
                return Ok(Some(row));
            }
            let make = "INSERT OR IGNORE INTO tenant (name, key) VALUES (?1, ?2)";
            connection.execute(make, params![name.as_str(), key])?;
            row(connection, &name)
        });
        let made =
            made.await?.ok_or_else(|| JournalError::Unavailable("the tenant is being erased".to_owned()))?;
        self.entered(tenant, made)
    }

    /// A tenant, if anything was ever kept for it.
    pub(crate) async fn tenant_if_known(&self, tenant: &Tenant) -> Result<Option<Tenancy>, JournalError> {
        if let Some(known) = self.known_tenants(|known| known.get(tenant).cloned()) {
            return Ok(Some(known));
        }
        let name = tenant.clone();
        let found = self.committer.commit(move |connection| row(connection, &name)).await?;
        found.map(|found| self.entered(tenant, found)).transpose()
    }

    fn entered(&self, tenant: &Tenant, (n, sealed): Row) -> Result<Tenancy, JournalError> {
        let place = Place::Tenant(tenant);
        let sealer = match sealed {
            Some(sealed) => {
                let key = self.sealer.open_bytes(&place, &sealed);
                let key = key.as_deref().and_then(|key| key.try_into().ok());
                self.sealer.of_tenant(key.ok_or_else(|| damaged(&place, "was changed"))?)
            }
            None => self.sealer.clone(),
        };
        let tenancy = Tenancy { n, sealer };
        self.known_tenants(|known| known.insert(tenant.clone(), tenancy.clone()));
        Ok(tenancy)
    }

    pub(crate) fn known_tenants<T>(&self, look: impl FnOnce(&mut HashMap<Tenant, Tenancy>) -> T) -> T {
        look(&mut self.tenants.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
