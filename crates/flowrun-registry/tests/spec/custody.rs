//! What lies on disk and who may touch it (OA-54 to OA-57, N9, T2, T22).

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use flowrun_registry::{CustodyError, LookupError, Registry};
use flowrun_step::{IntegrationState, Integrations, NeedsAttention, StepError, Tenant};
use tempfile::TempDir;

use crate::world::{House, NAME, name};

impl House {
    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("config/key")
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("data/database")
    }

    /// Changes the database behind the registry's back.
    pub(crate) fn tamper(&self, change: impl FnOnce(&sled::Db)) {
        let database = sled::open(self.database()).unwrap();
        change(&database);
        database.flush().unwrap();
    }

    /// The file beside the key that says how far the database has come.
    pub(crate) fn mark(&self) -> PathBuf {
        let entries = fs::read_dir(self.folder.path().join("config")).unwrap();
        let mut paths = entries.map(|entry| entry.unwrap().path());
        paths.find(|path| path.extension().is_some_and(|it| it == "generation")).unwrap()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub(crate) fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

async fn refusal(registry: &Registry) -> CustodyError {
    registry.list().await.unwrap_err()
}

#[tokio::test]
async fn no_secret_is_on_disk_in_clear_oa_54() {
    let house = House::new().await;
    let registry = house.authorized().await;
    registry.begin_authorization(&name(NAME), Default::default()).await.unwrap();
    let mut found = Vec::new();
    files(house.folder.path(), &mut found);
    assert!(found.len() > 4, "{found:?}");
    for path in found {
        let bytes = fs::read(&path).unwrap();
        for clear in ["canary", "teamleader", "127.0.0.1", "state", "verifier"] {
            assert!(!bytes.windows(clear.len()).any(|it| it == clear.as_bytes()), "{clear} in {path:?}");
        }
    }
}

#[tokio::test]
async fn everything_made_is_for_its_owner_alone_n9() {
    let house = House::new().await;
    house.authorized().await.force_refresh(&name(NAME)).await.unwrap();
    let data = house.folder.path().join("data");
    for folder in [data.clone(), data.join("locks"), house.folder.path().join("config")] {
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700, "{folder:?}");
    }
    for file in [house.key(), house.mark(), data.join("registry.lock")] {
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600, "{file:?}");
    }
    assert_eq!(fs::metadata(house.key()).unwrap().len(), 32);
}

#[tokio::test]
async fn reading_where_nothing_is_makes_nothing() {
    let house = House::new().await;
    let registry = house.open();
    assert!(registry.list().await.unwrap().is_empty());
    assert!(registry.show(&name(NAME)).await.is_err());
    assert!(house.call(&registry).await.is_err());
    assert_eq!(fs::read_dir(house.folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn missing_key_with_data_creates_nothing_t22() {
    let house = House::new().await;
    house.authorized().await;
    fs::remove_file(house.key()).unwrap();
    let registry = house.open();
    assert!(matches!(refusal(&registry).await, CustodyError::KeyMissing { .. }));
    let mut draft = house.draft(house.settings());
    draft.name = name("another");
    assert!(registry.add(draft).await.is_err());
    assert!(!house.key().exists());
    let error = house.call(&registry).await.unwrap_err();
    let StepError::Integration { state, .. } = error else { panic!("{error:?}") };
    assert_eq!(state, Some(IntegrationState::NeedsAttention(NeedsAttention::KeyMissing)));
}

#[tokio::test]
async fn a_key_that_others_could_have_read_or_put_there_is_refused_n9() {
    let house = House::new().await;
    let registry = house.authorized().await;
    for mode in [0o640, 0o604, 0o660, 0o620] {
        fs::set_permissions(house.key(), fs::Permissions::from_mode(mode)).unwrap();
        let error = refusal(&registry).await;
        assert!(matches!(error, CustodyError::KeyUnsafe { .. }), "{mode:o}: {error}");
        assert!(error.help().starts_with("chmod 600 "));
    }
    fs::set_permissions(house.key(), fs::Permissions::from_mode(0o600)).unwrap();
    let elsewhere = house.folder.path().join("elsewhere");
    fs::rename(house.key(), &elsewhere).unwrap();
    symlink(&elsewhere, house.key()).unwrap();
    assert!(refusal(&registry).await.to_string().ends_with("is a symbolic link"));
    fs::remove_file(house.key()).unwrap();
    fs::write(&elsewhere, [1; 31]).unwrap();
    fs::rename(&elsewhere, house.key()).unwrap();
    assert!(refusal(&registry).await.to_string().ends_with("does not have 32 bytes"));
    fs::write(house.key(), [1; 32]).unwrap();
    assert!(matches!(refusal(&registry).await, CustodyError::KeyWrong));
}

/// Adds a second integration, so that records can be mistaken for one another.
async fn two(house: &House) -> Registry {
    let registry = house.authorized().await;
    let mut other = house.draft(house.settings());
    other.name = name("other");
    registry.add(other).await.unwrap();
    registry
}

type Entry = (sled::IVec, sled::IVec);

/// The longest record, which is the authorised one, and the shortest.
fn by_length(database: &sled::Db) -> (Entry, Entry) {
    let records = database.scan_prefix("record/").map(Result::unwrap);
    let mut records: Vec<_> = records.collect();
    records.sort_by_key(|(_, value)| value.len());
    (records.last().unwrap().clone(), records[0].clone())
}

/// T2: a change behind the registry's back, and what asking for the integration says.
async fn check_tampering(change: impl FnOnce(&sled::Db)) {
    let house = House::new().await;
    let registry = two(&house).await;
    house.tamper(change);
    let error = registry.show(&name(NAME)).await.unwrap_err();
    let LookupError::Custody(CustodyError::Damaged(damaged)) = &error else { panic!("{error:?}") };
    assert_eq!(damaged.as_str(), NAME);
    assert!(error.help().contains("flowrun integrations remove teamleader"));
    let way_out = registry.outbound(&Tenant::default(), &name(NAME));
    assert!(way_out.send(house.request("/api")).await.is_err());
    assert!(house.provider.calls().is_empty());
    registry.remove(&name(NAME)).await.unwrap();
    assert_eq!(registry.list().await.unwrap().len(), 1, "the other one is as it was");
}

/// An envelope begins with its format (1), its generation (8) and its nonce (24); URL, fields and tokens follow.
#[tokio::test]
async fn a_record_with_any_byte_changed_is_refused_t2() {
    let house = House::new().await;
    let registry = two(&house).await;
    let mut record = None;
    house.tamper(|database| record = Some(by_length(database).0));
    let (key, sealed) = record.unwrap();
    let spread = (33..sealed.len()).step_by(sealed.len() / 20);
    for at in [0, 1, 8, 9, 32].into_iter().chain(spread).chain([sealed.len() - 1]) {
        let mut changed = sealed.to_vec();
        changed[at] ^= 0x10;
        house.tamper(|database| drop(database.insert(&key, changed).unwrap()));
        let error = registry.show(&name(NAME)).await.unwrap_err();
        let LookupError::Custody(error) = error else { panic!("byte {at}: {error:?}") };
        let is_format = at == 0 && matches!(error, CustodyError::UnknownFormat { .. });
        assert!(is_format || matches!(error, CustodyError::Damaged(_)), "byte {at}: {error:?}");
        assert!(house.call(&registry).await.is_err(), "byte {at}");
    }
    for length in [0, 1, 33, sealed.len() - 1] {
        house.tamper(|database| drop(database.insert(&key, &sealed[..length]).unwrap()));
        assert!(registry.show(&name(NAME)).await.is_err(), "cut to {length}");
    }
    assert!(house.provider.calls().is_empty());
    house.tamper(|database| drop(database.insert(&key, sealed).unwrap()));
    assert_eq!(house.call(&registry).await.unwrap().status, 200, "what was put back is what it was");
}

#[tokio::test]
async fn a_list_with_any_byte_changed_opens_nothing_t2() {
    let house = House::new().await;
    let registry = house.authorized().await;
    for key in ["ledger", "installation"] {
        let mut before = None;
        house.tamper(|database| before = database.get(key).unwrap());
        let before = before.unwrap();
        for at in (0..before.len()).step_by(before.len() / 8) {
            let mut changed = before.to_vec();
            changed[at] ^= 0x10;
            house.tamper(|database| drop(database.insert(key, changed).unwrap()));
            let error = refusal(&registry).await;
            let is_known = matches!(error, CustodyError::KeyWrong | CustodyError::UnknownFormat { .. });
            assert!(is_known, "{key}, byte {at}: {error:?}");
        }
        house.tamper(|database| drop(database.insert(key, before).unwrap()));
    }
    assert_eq!(registry.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn tampered_swapped_or_older_record_is_refused_t2() {
    check_tampering(|database| {
        let (longest, _) = by_length(database);
        let mut value = longest.1.to_vec();
        *value.last_mut().unwrap() ^= 1;
        database.insert(longest.0, value).unwrap();
    })
    .await;
    check_tampering(|database| {
        let (longest, shortest) = by_length(database);
        database.insert(longest.0, shortest.1).unwrap();
    })
    .await;
    let house = House::new().await;
    let registry = two(&house).await;
    house.tamper(|database| {
        let (longest, shortest) = by_length(database);
        database.insert(longest.0, shortest.1).unwrap();
        database.insert(shortest.0, longest.1).unwrap();
    });
    for swapped in [NAME, "other"] {
        let error = registry.show(&name(swapped)).await.unwrap_err();
        assert!(matches!(error, LookupError::Custody(CustodyError::Damaged(_))), "{swapped}: {error:?}");
    }
    check_tampering(|database| drop(database.remove(by_length(database).0.0).unwrap())).await;
}

#[tokio::test]
async fn an_older_record_in_a_newer_database_is_refused_t2() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let mut older = None;
    house.tamper(|database| older = Some(by_length(database).0));
    registry.force_refresh(&name(NAME)).await.unwrap();
    let (key, value) = older.unwrap();
    house.tamper(|database| drop(database.insert(key, value).unwrap()));
    assert!(matches!(refusal(&registry).await, CustodyError::Damaged(_)));
}

#[tokio::test]
async fn a_list_that_does_not_open_is_not_taken_for_an_empty_one_t2() {
    let house = House::new().await;
    let registry = house.authorized().await;
    house.tamper(|database| drop(database.remove("ledger").unwrap()));
    assert!(matches!(refusal(&registry).await, CustodyError::KeyWrong));
    assert!(registry.add(house.draft(house.settings())).await.is_err());
}

/// What opens was sealed here, so it is not damaged, and nobody is told to remove it.
#[tokio::test]
async fn a_record_of_a_newer_version_is_refused_and_left_alone_oa_55() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let key = fs::read(house.key()).unwrap();
    let mut record = None;
    house.tamper(|database| {
        let (id, sealed) = by_length(database).0;
        let installation = database.get("installation").unwrap().unwrap();
        record = Some(crate::newer::with_one_more_field(&key, &installation, &id, &sealed));
        database.insert(id, record.clone().unwrap()).unwrap();
    });
    let error = registry.show(&name(NAME)).await.unwrap_err();
    assert_eq!(error.to_string(), "a newer flowrun wrote the record of integration `teamleader`");
    assert!(!error.help().contains("remove"));
    assert!(registry.force_refresh(&name(NAME)).await.is_err());
    assert_eq!(registry.rotate_key().await.unwrap(), Some(1), "its form is its own business");
    assert!(registry.show(&name(NAME)).await.unwrap_err().to_string().contains("a newer flowrun"));
}

#[tokio::test]
async fn a_newer_format_is_refused_and_left_alone_oa_55() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let mut before = None;
    house.tamper(|database| {
        let mut ledger = database.get("ledger").unwrap().unwrap().to_vec();
        ledger[0] = 2;
        before = Some(ledger.clone());
        database.insert("ledger", ledger).unwrap();
    });
    assert!(matches!(refusal(&registry).await, CustodyError::UnknownFormat { found: 2 }));
    house.tamper(|database| assert_eq!(database.get("ledger").unwrap().unwrap(), before.unwrap()));
}

/// N9: after a rollback no refresh token is sent, and a person must authorise again.
async fn check_restored(house: &House) {
    let registry = house.open();
    let shown = registry.show(&name(NAME)).await.unwrap();
    let restored = IntegrationState::NeedsAttention(NeedsAttention::RestoredFromBackup);
    assert_eq!(shown.state, restored);
    let sent = house.provider.token_requests().len();
    assert!(registry.force_refresh(&name(NAME)).await.is_err());
    assert!(house.call(&registry).await.is_err());
    assert_eq!(house.provider.token_requests().len(), sent);
    house.authorize(&registry).await;
    assert_eq!(house.call(&house.open()).await.unwrap().status, 200);
}

#[tokio::test]
async fn an_older_copy_of_the_whole_database_sends_no_refresh_t2_n9() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let backup = TempDir::new().unwrap();
    copy(&house.database(), backup.path());
    registry.force_refresh(&name(NAME)).await.unwrap();
    fs::remove_dir_all(house.database()).unwrap();
    copy(backup.path(), &house.database());
    check_restored(&house).await;
}

#[tokio::test]
async fn a_process_that_is_at_work_during_a_rollback_sends_no_refresh_either_n9() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let backup = TempDir::new().unwrap();
    copy(&house.database(), backup.path());
    registry.force_refresh(&name(NAME)).await.unwrap();
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
    fs::remove_dir_all(house.database()).unwrap();
    copy(backup.path(), &house.database());
    house.provider.expire();
    assert!(house.call(&registry).await.is_err(), "a 401, and nothing to refresh with");
    assert_eq!(house.provider.refreshes(), 1);
    check_restored(&house).await;
}

/// A mark that cannot be understood, or that the database never reached, is as good as none.
#[tokio::test]
async fn a_mark_that_was_changed_asks_a_person_and_sends_nothing_n9() {
    for text in ["99", "", "x"] {
        let house = House::new().await;
        house.authorized().await;
        fs::write(house.mark(), text).unwrap();
        check_restored(&house).await;
    }
}

#[tokio::test]
async fn a_database_that_came_without_its_mark_was_restored_n9() {
    let house = House::new().await;
    house.authorized().await;
    fs::remove_file(house.mark()).unwrap();
    check_restored(&house).await;
}

#[tokio::test]
async fn a_mark_that_a_crash_left_behind_means_nothing_n9() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let before = fs::read(house.mark()).unwrap();
    registry.force_refresh(&name(NAME)).await.unwrap();
    fs::write(house.mark(), before).unwrap();
    assert_eq!(house.call(&house.open()).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_mark_that_cannot_be_replaced_does_not_undo_what_was_written_n9() {
    let house = House::new().await;
    let (one, other) = (house.authorized().await, house.open());
    assert_eq!(house.call(&other).await.unwrap().status, 200);
    fs::create_dir(house.mark().with_extension("new")).unwrap();
    one.force_refresh(&name(NAME)).await.unwrap();
    assert_eq!(house.call(&other).await.unwrap().status, 200, "the change is found after a 401");
    assert_eq!(house.provider.refreshes(), 1);
}

#[tokio::test]
async fn one_key_serves_two_data_folders() {
    let house = House::new().await;
    house.authorized().await;
    let options = flowrun_registry::Options {
        data_dir: house.folder.path().join("second"),
        key_file: house.key(),
        world: crate::world::world(house.provider.address(), house.clock.clone()),
    };
    let second = Registry::open(options);
    second.add(house.draft(house.settings())).await.unwrap();
    house.authorize(&second).await;
    second.force_refresh(&name(NAME)).await.unwrap();
    assert_eq!(house.open().show(&name(NAME)).await.unwrap().state, IntegrationState::Authorized);
}

#[tokio::test]
async fn a_database_that_somebody_holds_is_in_use_after_a_short_wait_oa_56() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let held = sled::open(house.database()).unwrap();
    let error = refusal(&registry).await;
    assert!(matches!(error, CustodyError::InUse { .. }), "{error}");
    drop(held);
    assert_eq!(registry.list().await.unwrap().len(), 1);
}
