//! A registry in a backup: taken out without the key, put back where there is none (R19).

use std::fs;

use flowrun_registry::CustodyError;
use flowrun_registry::Registry;
use flowrun_step::{IntegrationState, NeedsAttention};

use crate::world::{House, NAME, name};

const RESTORED: IntegrationState = IntegrationState::NeedsAttention(NeedsAttention::RestoredFromBackup);

/// Takes the records out while nobody can read the key, loses them, and puts them back.
async fn put_back(house: &House) -> Registry {
    let key = house.folder.path().join("config/key");
    let away = key.with_extension("away");
    fs::rename(&key, &away).unwrap();
    let sealed = house.open().sealed().await.unwrap();
    fs::remove_dir_all(house.folder.path().join("data/database")).unwrap();
    let back = house.open();
    back.put_back(sealed.clone()).await.unwrap();
    assert_eq!(back.sealed().await.unwrap(), sealed);
    let again = back.put_back(sealed).await;
    assert!(matches!(again, Err(CustodyError::NotEmpty { .. })), "{again:?}");
    let refused = back.list().await;
    assert!(matches!(refused, Err(CustodyError::KeyMissing { .. })), "without its key it opens for nobody");
    fs::rename(&away, &key).unwrap();
    house.open()
}

#[tokio::test]
async fn a_rotating_grant_that_was_put_back_waits_for_a_persons_word_r19() {
    let house = House::new().await;
    drop(house.authorized().await);
    let back = put_back(&house).await;
    assert_eq!(back.show(&name(NAME)).await.unwrap().state, RESTORED);
    assert!(house.call(&back).await.is_err(), "nothing is sent with it");
    assert_eq!(house.provider.refreshes(), 0);
    assert_eq!(house.open().show(&name(NAME)).await.unwrap().state, RESTORED, "for every process");
    back.force_refresh(&name(NAME)).await.unwrap();
    assert_eq!(house.call(&house.open()).await.unwrap().status, 200);
    assert_eq!(house.provider.refreshes(), 1);
}

/// N9: what was put back is known from what is slipped in afterwards.
#[tokio::test]
async fn a_restore_excuses_no_older_copy_that_comes_later_n9() {
    let house = House::new().await;
    drop(house.authorized().await);
    let back = put_back(&house).await;
    back.force_refresh(&name(NAME)).await.unwrap();
    let sealed = back.sealed().await.unwrap();
    back.force_refresh(&name(NAME)).await.unwrap();
    house.tamper(|database| {
        for (key, value) in &sealed {
            database.insert(key.as_bytes(), value.as_slice()).unwrap();
        }
    });
    assert_eq!(house.open().show(&name(NAME)).await.unwrap().state, RESTORED);
    let sent = house.provider.refreshes();
    assert!(house.open().force_refresh(&name(NAME)).await.is_err(), "nobody's word is enough here");
    assert_eq!(house.provider.refreshes(), sent);
}
