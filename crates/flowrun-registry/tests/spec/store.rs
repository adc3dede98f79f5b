//! A store that an embedding service brings (OA-58): the same promises, over somebody else's database.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use flowrun_registry::{Change, CustodyError, Registry, Session, Store};
use flowrun_step::{BoxError, Integrations, Tenant};
use secrecy::SecretBox;

use crate::world::{House, NAME, name, world};

/// A database that several registries share, as those of several machines would.
#[derive(Default)]
struct Shared {
    entries: Mutex<BTreeMap<String, Vec<u8>>>,
    writes: AtomicU64,
    locks: Arc<Mutex<BTreeSet<String>>>,
}

/// A lock by name, free when dropped.
struct Held(Arc<Mutex<BTreeSet<String>>>, String);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.lock().unwrap().remove(&self.1);
    }
}

struct Alone<'s>(Mutex<MutexGuard<'s, BTreeMap<String, Vec<u8>>>>, &'s AtomicU64);

impl Store for Shared {
    fn session(&self) -> Result<Box<dyn Session + '_>, BoxError> {
        Ok(Box::new(Alone(Mutex::new(self.entries.lock().unwrap()), &self.writes)))
    }

    fn try_exclusive(&self, name: &str) -> Result<Option<Box<dyn Send + Sync>>, BoxError> {
        let is_free = self.locks.lock().unwrap().insert(name.to_owned());
        Ok(is_free.then(|| Box::new(Held(Arc::clone(&self.locks), name.to_owned())) as Box<dyn Send + Sync>))
    }

    fn writes(&self) -> u64 {
        self.writes.load(Ordering::Acquire)
    }
}

impl Session for Alone<'_> {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, BoxError> {
        Ok(self.0.lock().unwrap().get(key).cloned())
    }

    fn is_empty(&self) -> Result<bool, BoxError> {
        Ok(self.0.lock().unwrap().is_empty())
    }

    fn apply(&self, changes: Vec<Change>) -> Result<(), BoxError> {
        let mut entries = self.0.lock().unwrap();
        for change in changes {
            match change {
                Change::Put(key, value) => drop(entries.insert(key, value)),
                Change::Remove(key) => drop(entries.remove(&key)),
            }
        }
        self.1.fetch_add(1, Ordering::Release);
        Ok(())
    }
}

fn open(house: &House, store: &Arc<Shared>, key: u8) -> Registry {
    let world = world(house.provider.address(), house.clock.clone());
    Registry::with_store(Arc::clone(store) as Arc<dyn Store>, &SecretBox::new(Box::new([key; 32])), world)
}

async fn authorized(house: &House, store: &Arc<Shared>) -> Registry {
    let registry = open(house, store, 1);
    registry.add(house.draft(house.settings())).await.unwrap();
    house.authorize(&registry).await;
    registry
}

#[tokio::test]
async fn registries_on_one_store_see_each_other_and_refresh_once_oa_38_oa_40_oa_58() {
    let (house, store) = (House::new().await, Arc::new(Shared::default()));
    authorized(&house, &store).await;
    house.provider.expire();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let registry = open(&house, &store, 1);
            let (way_out, request) =
                (registry.outbound(&Tenant::default(), &name(NAME)), house.request("/api"));
            tokio::spawn(async move { way_out.send(request).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().status, 200);
    }
    assert_eq!((house.provider.refreshes(), house.provider.is_revoked()), (1, false));
    assert!(store.locks.lock().unwrap().is_empty());
    assert_eq!(std::fs::read_dir(house.folder.path()).unwrap().count(), 0, "no file is made");
}

#[tokio::test]
async fn a_store_holds_nothing_in_clear_and_a_change_of_it_is_noticed_oa_54_t2() {
    let (house, store) = (House::new().await, Arc::new(Shared::default()));
    let registry = authorized(&house, &store).await;
    let wrong = open(&house, &store, 2).list().await;
    assert!(matches!(wrong, Err(CustodyError::KeyWrong)), "{wrong:?}");
    for (key, bytes) in store.entries.lock().unwrap().iter_mut() {
        for clear in ["canary", NAME, "127.0.0.1"] {
            assert!(!bytes.windows(clear.len()).any(|it| it == clear.as_bytes()), "{clear} under {key}");
        }
        if key.starts_with("record/") {
            *bytes.last_mut().unwrap() ^= 1;
        }
    }
    store.writes.fetch_add(1, Ordering::Release);
    let checkup = registry.check(&name(NAME)).await.unwrap();
    assert!(checkup.wrong().any(|it| it.said.contains("changed by another hand")), "{checkup:?}");
    assert!(house.call(&registry).await.is_err());
}

#[tokio::test]
async fn a_store_that_fails_is_an_error_with_its_own_words_oa_58() {
    struct Down;
    impl Store for Down {
        fn session(&self) -> Result<Box<dyn Session + '_>, BoxError> {
            Err("the database is down".into())
        }
        fn try_exclusive(&self, _: &str) -> Result<Option<Box<dyn Send + Sync>>, BoxError> {
            Err("the database is down".into())
        }
        fn writes(&self) -> u64 {
            0
        }
    }
    let house = House::new().await;
    let world = world(house.provider.address(), house.clock.clone());
    let registry = Registry::with_store(Arc::new(Down), &SecretBox::new(Box::new([1; 32])), world);
    let error = registry.list().await.unwrap_err();
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the database is down");
    assert!(!registry.check_all().await.is_open);
}
