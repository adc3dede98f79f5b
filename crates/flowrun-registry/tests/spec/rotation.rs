//! Key rotation: everything is sealed anew, and a crash at any point costs nothing (OA-55, N9, T22).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use flowrun_registry::{CustodyError, Registry};
use flowrun_step::IntegrationState;

use crate::processes::{Job, killed, said, start};
use crate::world::{House, NAME, name};

impl House {
    /// Where a rotation keeps the new key until it takes the old one's place.
    fn successor(&self) -> PathBuf {
        self.key().with_file_name("key.next")
    }

    fn write_key(&self, path: PathBuf, bytes: &[u8]) {
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Whatever became of the key, the integration is as it was, and can be used.
    async fn is_sound(&self) {
        let registry = self.open();
        assert_eq!(registry.show(&name(NAME)).await.unwrap().state, IntegrationState::Authorized);
        assert_eq!(self.call(&registry).await.unwrap().status, 200);
    }
}

async fn two(house: &House) -> Registry {
    let registry = house.authorized().await;
    let mut other = house.draft(house.settings());
    other.name = name("other");
    registry.add(other).await.unwrap();
    registry
}

#[tokio::test]
async fn a_rotated_key_opens_everything_and_the_old_one_nothing_oa_55() {
    let house = House::new().await;
    let registry = two(&house).await;
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
    let old = fs::read(house.key()).unwrap();
    assert_eq!(registry.rotate_key().await.unwrap(), Some(2));
    let new = fs::read(house.key()).unwrap();
    assert_ne!(old, new);
    assert_eq!(fs::metadata(house.key()).unwrap().permissions().mode() & 0o777, 0o600);
    for entry in fs::read_dir(house.folder.path().join("config")).unwrap() {
        assert_ne!(fs::read(entry.unwrap().path()).unwrap(), old, "the old key is gone");
    }
    assert_eq!(house.call(&registry).await.unwrap().status, 200, "whoever was at work goes on");
    house.is_sound().await;
    house.write_key(house.key(), &old);
    assert!(matches!(house.open().list().await, Err(CustodyError::KeyWrong)));
}

#[tokio::test]
async fn a_rotation_that_made_its_key_and_no_more_leaves_the_old_one_in_force_oa_55() {
    let house = House::new().await;
    two(&house).await;
    // Torn by the crash, or whole: nothing was sealed with it yet.
    for left_behind in [&[][..], &[3; 5], &[3; 32]] {
        house.write_key(house.successor(), left_behind);
        let before = fs::read(house.key()).unwrap();
        house.is_sound().await;
        assert_eq!(fs::read(house.key()).unwrap(), before);
        assert_eq!(house.open().rotate_key().await.unwrap(), Some(2));
        assert!(!house.successor().exists());
        assert_ne!(fs::read(house.key()).unwrap(), left_behind);
        house.is_sound().await;
    }
}

#[tokio::test]
async fn a_rotation_that_ended_before_the_new_key_was_in_place_is_finished_by_whoever_comes_next_oa_55() {
    let house = House::new().await;
    let registry = two(&house).await;
    let old = fs::read(house.key()).unwrap();
    registry.rotate_key().await.unwrap();
    let new = fs::read(house.key()).unwrap();
    house.write_key(house.successor(), &new);
    house.write_key(house.key(), &old);
    house.is_sound().await;
    assert_eq!((fs::read(house.key()).unwrap(), house.successor().exists()), (new, false));
}

#[tokio::test]
async fn a_successor_that_others_could_have_put_there_is_refused_n9() {
    let house = House::new().await;
    let registry = two(&house).await;
    let old = fs::read(house.key()).unwrap();
    registry.rotate_key().await.unwrap();
    fs::rename(house.key(), house.successor()).unwrap();
    fs::set_permissions(house.successor(), fs::Permissions::from_mode(0o644)).unwrap();
    house.write_key(house.key(), &old);
    assert!(matches!(house.open().list().await, Err(CustodyError::KeyUnsafe { .. })));
}

#[tokio::test]
async fn a_damaged_record_stops_the_rotation_before_anything_has_changed_t2() {
    let house = House::new().await;
    let registry = two(&house).await;
    let old = fs::read(house.key()).unwrap();
    house.tamper(|database| {
        let records = database.scan_prefix("record/").map(Result::unwrap);
        let (key, value) = records.min_by_key(|(_, value)| value.len()).unwrap();
        let mut value = value.to_vec();
        *value.last_mut().unwrap() ^= 1;
        database.insert(key, value).unwrap();
    });
    let error = registry.rotate_key().await.unwrap_err();
    assert!(matches!(&error, CustodyError::Damaged(damaged) if damaged.as_str() == "other"), "{error:?}");
    assert_eq!((fs::read(house.key()).unwrap(), house.successor().exists()), (old, false));
    house.is_sound().await;
}

#[tokio::test]
async fn a_key_that_serves_another_registry_too_is_not_rotated_n9() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let second = Registry::open(flowrun_registry::Options {
        data_dir: house.folder.path().join("second"),
        key_file: house.key(),
        world: crate::world::world(house.provider.address(), house.clock.clone()),
    });
    second.add(house.draft(house.settings())).await.unwrap();
    let error = registry.rotate_key().await.unwrap_err();
    let CustodyError::KeyShared { mark, .. } = &error else { panic!("{error:?}") };
    assert!(error.help().contains(&mark.display().to_string()));
    assert_eq!(second.list().await.unwrap().len(), 1);
    fs::remove_file(mark).unwrap();
    assert_eq!(registry.rotate_key().await.unwrap(), Some(1));
}

#[tokio::test]
async fn where_nothing_was_sealed_there_is_no_key_to_rotate_and_none_is_made_n9() {
    let house = House::new().await;
    assert_eq!(house.open().rotate_key().await.unwrap(), None);
    assert!(!house.key().exists());
    assert_eq!(house.in_memory().rotate_key().await.unwrap(), None);
}

#[tokio::test]
async fn fifty_rotations_killed_at_any_point_lose_nothing_t22() {
    let house = House::new().await;
    two(&house).await;
    let (mut keys, mut left_over) = (vec![fs::read(house.key()).unwrap()], 0);
    for round in 0..50 {
        let mut child = start(&house, Job::Rotate);
        said(&mut child, "rotated", 1).await;
        // Not to wait for anything: each child is killed a little later in its rotation than the one before.
        std::thread::sleep(Duration::from_micros(round * 700));
        killed(child).await;
        left_over += u32::from(house.successor().exists());
        house.is_sound().await;
        keys.push(fs::read(house.key()).unwrap());
    }
    keys.dedup();
    assert_eq!(keys.len(), 51, "every child rotated once at least");
    assert!(left_over > 0, "some were killed in the middle");
    assert_eq!(house.open().rotate_key().await.unwrap(), Some(2));
    house.is_sound().await;
}
