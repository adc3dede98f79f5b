//! The registry: named integrations, and every operation on them.

use std::path::PathBuf;
use std::sync::Arc;

use flowrun_step::{Clock, Entropy, IntegrationName, Outbound};

use crate::{
    AuthorizeError, Authorized, Begin, Begun, CustodyError, Edit, EditError, Edited, Finding, Integration,
    LookupError, NewIntegration, RefreshError,
};

/// Where a registry lives, and the world it works in.
#[derive(Clone)]
pub struct Options {
    /// The folder of the database and its locks; made (0700) when something is first written.
    pub data_dir: PathBuf,
    /// The key file, which should not lie in the data folder; made (0600) with the first integration (N9).
    pub key_file: PathBuf,
    /// Time, network and randomness.
    pub world: World,
}

/// The time, the network and the randomness a registry works with.
#[derive(Clone)]
pub struct World {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The plain way out, without a credential.
    pub client: Arc<dyn Outbound>,
}

/// Named integrations, sealed on disk, refreshed once and never lost.
#[derive(Clone)]
pub struct Registry {}

impl Registry {
    /// A registry on disk. Nothing is opened, read or made before it is needed.
    #[must_use]
    pub fn open(_options: Options) -> Self {
        todo!()
    }

    /// A registry that ends with the process, as the sandbox has it (N10).
    #[must_use]
    pub fn in_memory(_world: World) -> Self {
        todo!()
    }

    /// Every integration, by name.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub async fn list(&self) -> Result<Vec<Integration>, CustodyError> {
        todo!()
    }

    /// One integration.
    ///
    /// # Errors
    /// When there is none of this name, or the registry cannot be read.
    pub async fn show(&self, _name: &IntegrationName) -> Result<Integration, LookupError> {
        todo!()
    }

    /// Adds an integration or the draft of one; its callback URL is known from here on (SEED-8).
    ///
    /// # Errors
    /// When the name is taken, the scopes or the callback URL cannot be used, or the registry cannot be written.
    pub async fn add(&self, _new: NewIntegration) -> Result<Integration, EditError> {
        todo!()
    }

    /// Changes an integration.
    ///
    /// # Errors
    /// As [`Registry::add`], and when there is none of this name.
    pub async fn edit(&self, _name: &IntegrationName, _edit: Edit) -> Result<Edited, EditError> {
        todo!()
    }

    /// Lets the token go to one more host (N4): `api.example.com`, `.example.com`, `127.0.0.1:8080`.
    ///
    /// # Errors
    /// When the text is no host, there is no such integration, or the registry cannot be written.
    pub async fn allow(&self, _name: &IntegrationName, _host: &str) -> Result<Integration, EditError> {
        todo!()
    }

    /// Removes an integration with its secrets; the grant at the provider is not revoked.
    ///
    /// # Errors
    /// When there is none of this name, or the registry cannot be written.
    pub async fn remove(&self, _name: &IntegrationName) -> Result<(), LookupError> {
        todo!()
    }

    /// Begins an authorization: the URL to open. It survives a restart until it expires (OA-23).
    ///
    /// # Errors
    /// When the draft is unfinished or does not suit the provider, or the registry cannot be written.
    pub async fn begin_authorization(
        &self,
        _name: &IntegrationName,
        _begin: Begin,
    ) -> Result<Begun, AuthorizeError> {
        todo!()
    }

    /// The integration whose callback this address is: a whole URL, or its path and query (N5).
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub async fn integration_at(&self, _address: &str) -> Result<Option<IntegrationName>, CustodyError> {
        todo!()
    }

    /// Completes an authorization with the address the browser came back to. What it grants is on disk when this
    /// returns; the tokens of an earlier authorization stay until then.
    ///
    /// # Errors
    /// When nothing is pending, the callback is not its, or the provider grants nothing.
    pub async fn complete_authorization(
        &self,
        _name: &IntegrationName,
        _address: &str,
        _session_binding: Option<&str>,
    ) -> Result<Authorized, AuthorizeError> {
        todo!()
    }

    /// Authorises an integration that uses client credentials (RFC 6749 4.4): no person, no browser.
    ///
    /// # Errors
    /// When the draft is unfinished, or the provider grants nothing.
    pub async fn authorize_client(&self, _name: &IntegrationName) -> Result<Authorized, AuthorizeError> {
        todo!()
    }

    /// Makes sure there is a token that will do for now; refreshes it if it is due.
    ///
    /// # Errors
    /// When there is no usable token and none can be had.
    pub async fn refresh(&self, _name: &IntegrationName) -> Result<Integration, RefreshError> {
        todo!()
    }

    /// Refreshes the token now, due or not, without regard to a cooldown.
    ///
    /// # Errors
    /// When it cannot be refreshed.
    pub async fn force_refresh(&self, _name: &IntegrationName) -> Result<Integration, RefreshError> {
        todo!()
    }

    /// Looks at everything the integration stands on.
    ///
    /// # Errors
    /// When there is none of this name, or the registry cannot be read at all.
    pub async fn check(&self, _name: &IntegrationName) -> Result<Vec<Finding>, LookupError> {
        todo!()
    }

    /// Ends when no refresh and no exchange of a code is under way, so that a process may end without losing one.
    pub async fn settle(&self) {
        todo!()
    }
}

impl flowrun_step::Integrations for Registry {
    fn list<'a>(
        &'a self,
        _tenant: &'a flowrun_step::Tenant,
    ) -> flowrun_step::BoxFuture<'a, Result<Vec<flowrun_step::IntegrationStatus>, flowrun_step::StepError>>
    {
        todo!()
    }

    fn outbound(&self, _tenant: &flowrun_step::Tenant, _name: &IntegrationName) -> Arc<dyn Outbound> {
        todo!()
    }

    fn kept<'a>(
        &'a self,
        _tenant: &'a flowrun_step::Tenant,
        _name: &'a IntegrationName,
        _field: &'a str,
    ) -> flowrun_step::BoxFuture<'a, Result<Option<String>, flowrun_step::StepError>> {
        todo!()
    }
}
