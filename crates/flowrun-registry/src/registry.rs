//! The registry: named integrations, and every operation on them.
//!
//! Each operation stands in a file of its own; here is what they share a name with.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use flowrun_oauth::{DiscoveryError, Provider, Settings};
use flowrun_step::{Clock, Entropy, IntegrationName, Outbound};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use zeroize::Zeroizing;

use crate::custody::{Book, Custody};
use crate::id::Id;
use crate::inner::Inner;
use crate::lookup::find;
use crate::{
    AuthorizeError, Authorized, Begin, Begun, Checkup, CustodyError, Edit, EditError, Edited, Export,
    ExportError, ImportError, Imported, Integration, IntrospectError, LookupError, NewIntegration,
    RefreshError, RevokeError, Revoked, Standing, Store, Taken, UnknownIntegration, WaitingDevice,
};

/// Where a registry lives, and the world it works in.
#[derive(Debug, Clone)]
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
pub struct Registry {
    inner: Arc<Inner>,
}

impl Registry {
    /// A registry on disk. Nothing is opened, read or made before it is needed.
    #[must_use]
    pub fn open(options: Options) -> Self {
        let Options { data_dir, key_file, world } = options;
        let custody = Custody::on_disk(data_dir, key_file, Arc::clone(&world.entropy));
        Self { inner: Arc::new(Inner::new(custody, world)) }
    }

    /// A registry that ends with the process, as the sandbox has it (N10).
    #[must_use]
    pub fn in_memory(world: World) -> Self {
        let custody = Custody::in_memory(Arc::clone(&world.entropy));
        Self { inner: Arc::new(Inner::new(custody, world)) }
    }

    /// A registry in a database of the embedding service, sealed with a key that is the service's to keep (OA-58).
    ///
    /// What belongs to files is then the service's business: whether an older copy of the database was put back is not
    /// noticed, and [`Registry::rotate_key`] has no key to rotate.
    #[must_use]
    pub fn with_store(store: Arc<dyn Store>, key: &SecretBox<[u8; 32]>, world: World) -> Self {
        let custody = Custody::in_store(store, key.expose_secret(), Arc::clone(&world.entropy));
        Self { inner: Arc::new(Inner::new(custody, world)) }
    }

    /// Every integration, by name.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub async fn list(&self) -> Result<Vec<Integration>, CustodyError> {
        let read = |book: &Book<'_>| {
            let all = book.names().into_iter().map(|(id, name)| match book.record(&id)? {
                Some(record) => Ok(Integration::of(&id, name, &record)),
                None => Err(CustodyError::Damaged(name)),
            });
            all.collect()
        };
        self.inner.custody.read(read).await.map(|(all, _)| all)
    }

    /// One integration.
    ///
    /// # Errors
    /// When there is none of this name, or the registry cannot be read.
    pub async fn show(&self, name: &IntegrationName) -> Result<Integration, LookupError> {
        let name = name.clone();
        let read = move |book: &Book<'_>| Ok(find(book, &name));
        let (id, name, record) = self.inner.custody.read(read).await?.0?;
        Ok(Integration::of(&id, name, &record))
    }

    /// Adds an integration or the draft of one; its callback URL is known from here on (SEED-8).
    ///
    /// # Errors
    /// When the name is taken, the scopes or the callback URL cannot be used, or the registry cannot be written.
    pub async fn add(&self, new: NewIntegration) -> Result<Integration, EditError> {
        self.inner.add(new).await
    }

    /// Changes an integration.
    ///
    /// # Errors
    /// As [`Registry::add`], and when there is none of this name.
    pub async fn edit(&self, name: &IntegrationName, edit: Edit) -> Result<Edited, EditError> {
        self.inner.edit(name.clone(), edit).await
    }

    /// Lets the token go to one more host (N4): `api.example.com`, `.example.com`, `127.0.0.1:8080`.
    ///
    /// # Errors
    /// When the text is no host, there is no such integration, or the registry cannot be written.
    pub async fn allow(&self, name: &IntegrationName, host: &str) -> Result<Integration, EditError> {
        self.inner.allow(name.clone(), host.to_owned()).await
    }

    /// Removes an integration with its secrets; the grant at the provider is not revoked.
    ///
    /// # Errors
    /// When there is none of this name, or the registry cannot be written.
    pub async fn remove(&self, name: &IntegrationName) -> Result<(), LookupError> {
        self.inner.remove(name.clone()).await
    }

    /// Begins an authorization: the URL to open. It survives a restart until it expires (OA-23).
    ///
    /// # Errors
    /// When the draft is unfinished or does not suit the provider, or the registry cannot be written.
    pub async fn begin_authorization(
        &self,
        name: &IntegrationName,
        begin: Begin,
    ) -> Result<Begun, AuthorizeError> {
        self.inner.begin(name.clone(), begin).await
    }

    /// The integration whose callback this address is: a whole URL, or its path and query (N5).
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub async fn integration_at(&self, address: &str) -> Result<Option<IntegrationName>, CustodyError> {
        let Some(id) = Id::in_address(address) else { return Ok(None) };
        let read = move |book: &Book<'_>| Ok(book.name_of(&id));
        self.inner.custody.read(read).await.map(|(name, _)| name)
    }

    /// Completes an authorization with the address the browser came back to. What it grants is on disk when this
    /// returns; the tokens of an earlier authorization stay until then.
    ///
    /// # Errors
    /// When nothing is pending, the callback is not its, or the provider grants nothing.
    pub async fn complete_authorization(
        &self,
        name: &IntegrationName,
        address: &str,
        session_binding: Option<&str>,
    ) -> Result<Authorized, AuthorizeError> {
        let session_binding = session_binding.map(str::to_owned);
        self.inner.complete(name.clone(), address.to_owned(), session_binding).await
    }

    /// Authorises an integration that uses client credentials (RFC 6749 4.4): no person, no browser.
    ///
    /// # Errors
    /// When the draft is unfinished, or the provider grants nothing.
    pub async fn authorize_client(&self, name: &IntegrationName) -> Result<Authorized, AuthorizeError> {
        self.inner.authorize_client(name.clone()).await
    }

    /// Begins an authorization on a device without a browser (RFC 8628): what to show to a person (OA-67).
    ///
    /// # Errors
    /// When the draft is unfinished, the provider knows no devices or gives no codes.
    pub async fn begin_device(&self, name: &IntegrationName) -> Result<WaitingDevice, AuthorizeError> {
        self.inner.begin_device(name.clone()).await
    }

    /// Asks until the person has decided or the code has expired. What is granted is on disk when this returns, as
    /// after [`Registry::complete_authorization`].
    ///
    /// # Errors
    /// When the person says no or nothing, or the provider grants nothing; an earlier authorization stays.
    pub async fn complete_device(&self, waiting: WaitingDevice) -> Result<Authorized, AuthorizeError> {
        self.inner.complete_device(waiting).await
    }

    /// Gives the tokens back to the provider and destroys them here, whatever it answers (RFC 7009, OA-65).
    ///
    /// # Errors
    /// When there is none of this name, or the registry cannot be written.
    pub async fn revoke(&self, name: &IntegrationName) -> Result<Revoked, RevokeError> {
        self.inner.revoke(name.clone()).await
    }

    /// Asks the provider whether it still takes the access token (RFC 7662); one that it does not take counts as
    /// expired from then on (OA-66).
    ///
    /// # Errors
    /// When there is no token, the provider cannot be asked, or it does not answer.
    pub async fn introspect(&self, name: &IntegrationName) -> Result<Standing, IntrospectError> {
        self.inner.introspect(name.clone()).await
    }

    /// Reads what an issuer publishes about itself (RFC 8414), to be shown and added (OA-68). Nothing is kept of it.
    ///
    /// # Errors
    /// When there is nothing to read, or nothing that may be believed.
    pub async fn discover(&self, issuer: &str) -> Result<Settings, DiscoveryError> {
        self.inner.discover(issuer).await
    }

    /// The provider of an integration, as it was described.
    ///
    /// # Errors
    /// When there is none of this name, or the registry cannot be read.
    pub async fn provider(&self, name: &IntegrationName) -> Result<Provider, LookupError> {
        let name = name.clone();
        let read = move |book: &Book<'_>| Ok(find(book, &name));
        let (_, _, record) = self.inner.custody.read(read).await?.0?;
        Ok(record.provider)
    }

    /// Makes sure there is a token that will do for now; refreshes it if it is due.
    ///
    /// # Errors
    /// When there is no usable token and none can be had.
    pub async fn refresh(&self, name: &IntegrationName) -> Result<Integration, RefreshError> {
        let live = self.inner.live(name).await?;
        self.inner.fresh(live).await?;
        self.show(name).await.map_err(RefreshError::Lookup)
    }

    /// Refreshes the token now, due or not, without regard to a cooldown. For an imported copy this says that no other
    /// copy goes on.
    ///
    /// # Errors
    /// When it cannot be refreshed.
    pub async fn force_refresh(&self, name: &IntegrationName) -> Result<Integration, RefreshError> {
        let wish = self.inner.asked(name.clone()).await?;
        self.inner.renew(wish).await?;
        self.show(name).await.map_err(RefreshError::Lookup)
    }

    /// Uses refresh tokens that would die of not being used, well before they do (OA-52); never ends.
    ///
    /// It is for processes that live long: a server, an embedding service. Several of them do each other no harm.
    ///
    /// # Example
    /// ```
    /// # fn serve(registry: flowrun_registry::Registry) -> tokio::task::JoinHandle<()> {
    /// tokio::spawn(async move { registry.keep_alive().await })
    /// # }
    /// ```
    pub async fn keep_alive(&self) {
        self.inner.keep_alive().await;
    }

    /// Integrations with their secrets, sealed by a passphrase, to be kept or taken elsewhere; all of them if none is
    /// named.
    ///
    /// # Errors
    /// When the passphrase is too short, there is nothing of these names, or the registry cannot be read.
    pub async fn export(
        &self,
        names: &[IntegrationName],
        passphrase: &SecretString,
    ) -> Result<Export, ExportError> {
        self.inner.export(names.to_vec(), passphrase.clone()).await
    }

    /// Takes in what was exported: all of it or nothing.
    ///
    /// A copy whose refresh token is replaced by each refresh waits, as [`NeedsAttention::RestoredFromBackup`]: of two
    /// copies of one such grant only one can go on (N9). [`Registry::force_refresh`] says that it is this one.
    ///
    /// # Errors
    /// When it is no export, the passphrase does not open it, a name is taken, or the registry cannot be written.
    ///
    /// [`NeedsAttention::RestoredFromBackup`]: flowrun_step::NeedsAttention::RestoredFromBackup
    pub async fn import(
        &self,
        export: &[u8],
        passphrase: &SecretString,
        taken: Taken,
    ) -> Result<Vec<Imported>, ImportError> {
        self.inner.import(export.to_vec(), passphrase.clone(), taken).await
    }

    /// Seals everything with a new key, which takes the place of the key file; tells how many integrations that were,
    /// or none where there is no key yet (OA-55).
    ///
    /// It may be interrupted at any point: whoever uses the registry next goes on where it ended. What an old key
    /// sealed may stay in the database's files for a while, so after a leak of the key, grants are to be revoked too.
    ///
    /// # Errors
    /// When the registry cannot be read or written, a record is damaged, or the key serves another registry too;
    /// then nothing has changed.
    pub async fn rotate_key(&self) -> Result<Option<usize>, CustodyError> {
        self.inner.custody.rotate_key().await
    }

    /// The key with which something else of this installation is sealed, such as its journal: made when it is first asked
    /// for, kept with the integrations, and the same after [`Registry::rotate_key`].
    ///
    /// # Errors
    /// When the registry cannot be read or written.
    pub async fn data_key(&self, purpose: &str) -> Result<Zeroizing<[u8; 32]>, CustodyError> {
        let purpose = purpose.to_owned();
        let key =
            self.inner.custody.write(move |book| Ok::<_, CustodyError>(book.data_key(&purpose))).await?.0;
        key.ok_or(CustodyError::KeyWrong)
    }

    /// Looks at everything the integration stands on, the registry itself included: one that cannot be opened is a
    /// finding too.
    ///
    /// # Errors
    /// When there is none of this name.
    pub async fn check(&self, name: &IntegrationName) -> Result<Checkup, UnknownIntegration> {
        self.inner.check(name.clone()).await
    }

    /// Looks at everything that every integration stands on.
    pub async fn check_all(&self) -> Checkup {
        self.inner.check_all().await
    }

    /// Ends when no refresh and no exchange of a code is under way, so that a process may end without losing one.
    pub async fn settle(&self) {
        self.inner.settle().await;
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }
}

/// Shows nothing: what it holds is made of secrets and of the caller's own parts.
impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}
