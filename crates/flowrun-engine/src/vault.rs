//! The late parts of one call's settings, fetched just before it and forgotten just after (N2).

use std::collections::BTreeMap;

use flowrun_step::{IntegrationName, StepError, Tenant};
use flowrun_template::{LateName, Redactor, Rendered, Vault};
use secrecy::{ExposeSecret, SecretString};

use crate::services::Services;

/// Fewer bytes than this cannot be told from ordinary text when redacting (N2).
const SHORTEST_SECRET: usize = 8;

/// Everything late that one call mentions.
#[derive(Default)]
pub(crate) struct FilledVault {
    secrets: BTreeMap<String, SecretString>,
    kept: BTreeMap<(String, String), String>,
}

impl FilledVault {
    /// Fetches what the settings mention.
    ///
    /// # Errors
    /// When an integration whose kept field is mentioned cannot be used, or a secret is too short to be guarded.
    pub(crate) async fn gather(house: (&Services, &Tenant), settings: &Rendered) -> Result<Self, StepError> {
        let mut vault = Self::default();
        for name in settings.late() {
            match name {
                LateName::Secret(name) => vault.fetch_secret(house, name).await?,
                LateName::Kept { integration, field } => vault.fetch_kept(house, integration, field).await?,
            }
        }
        Ok(vault)
    }

    async fn fetch_secret(
        &mut self,
        (services, tenant): (&Services, &Tenant),
        name: String,
    ) -> Result<(), StepError> {
        let Some(secret) = services.secrets.secret(tenant, &name).await else {
            return Ok(());
        };
        if secret.expose_secret().len() < SHORTEST_SECRET {
            return Err(StepError::Refused {
                reason: format!("secret `{name}` is shorter than {SHORTEST_SECRET} bytes"),
                help: "use a longer secret: a short one cannot be kept out of logs".to_owned(),
            });
        }
        self.secrets.insert(name, secret);
        Ok(())
    }

    async fn fetch_kept(
        &mut self,
        (services, tenant): (&Services, &Tenant),
        integration: String,
        field: String,
    ) -> Result<(), StepError> {
        let name =
            IntegrationName::new(&integration).map_err(|e| StepError::Missing { what: e.to_string() })?;
        if let Some(value) = services.integrations.kept(tenant, &name, &field).await? {
            self.kept.insert((integration, field), value);
        }
        Ok(())
    }

    /// Whether any secret is filled in.
    pub(crate) fn holds_secrets(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// Knows the secrets of this call by value.
    pub(crate) fn redactor(&self) -> Redactor {
        let mut redactor = Redactor::new();
        self.secrets.values().for_each(|secret| redactor.add(secret));
        redactor
    }
}

impl Vault for FilledVault {
    fn secret(&self, name: &str) -> Option<&SecretString> {
        self.secrets.get(name)
    }

    fn kept(&self, integration: &str, field: &str) -> Option<&str> {
        self.kept.get(&(integration.to_owned(), field.to_owned())).map(String::as_str)
    }
}
