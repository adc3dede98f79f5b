//! Export and import (N9, OA-70): sealed by a passphrase, whole or not at all, and never two copies that both refresh.

use flowrun_oauth::Settings;
use flowrun_registry::{Edit, ExportError, ImportError, Registry, Taken};
use flowrun_step::{IntegrationState, NeedsAttention};
use secrecy::SecretString;

use crate::world::{House, NAME, name};

const COPY: IntegrationState = IntegrationState::NeedsAttention(NeedsAttention::RestoredFromBackup);

fn passphrase() -> SecretString {
    "four words nobody guesses".into()
}

async fn exported(registry: &Registry) -> Vec<u8> {
    registry.export(&[], &passphrase()).await.unwrap().file
}

/// A second house that talks to the first one's provider, as another machine would.
fn elsewhere(house: &House) -> (Registry, tempfile::TempDir) {
    let folder = tempfile::TempDir::new().unwrap();
    (crate::world::open(folder.path(), house.provider.address(), house.clock.clone()), folder)
}

/// An integration whose provider never replaces its refresh token.
async fn steady(house: &House) -> Registry {
    house.provider.keep_refresh_token();
    house.authorized_with(Settings { rotates: false, ..house.settings() }).await
}

#[tokio::test]
async fn what_is_imported_elsewhere_is_all_there_hosts_and_callback_too() {
    let house = House::new().await;
    let registry = steady(&house).await;
    let before = registry.allow(&name(NAME), "api.example.com").await.unwrap();
    let export = registry.export(&[name(NAME)], &passphrase()).await.unwrap();
    assert_eq!((export.names, export.rotating), (vec![name(NAME)], vec![]));
    let (other, _folder) = elsewhere(&house);
    let imported = other.import(&export.file, &passphrase(), Taken::Refuse).await.unwrap();
    assert!(!imported[0].replaced);
    assert_eq!(other.show(&name(NAME)).await.unwrap(), before);
    assert_eq!(house.call(&other).await.unwrap().status, 200);
    other.force_refresh(&name(NAME)).await.unwrap();
    registry.force_refresh(&name(NAME)).await.unwrap();
    assert!(!house.provider.is_revoked(), "two copies of a token that never rotates do each other no harm");
}

#[tokio::test]
async fn no_secret_is_in_an_export_in_clear_and_no_two_are_alike_oa_54() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let (one, other) = (exported(&registry).await, exported(&registry).await);
    let (head, body) = std::str::from_utf8(&one).unwrap().split_once('\n').unwrap();
    for clear in ["canary", "teamleader", "127.0.0.1"] {
        assert!(!head.contains(clear) && !body.contains(clear), "{clear}");
    }
    for told in [r#""key":"argon2id""#, r#""memory_kib":65536"#, r#""passes":3"#, r#""lanes":1"#] {
        assert!(head.contains(told), "{head}");
    }
    assert_ne!(one, other);
}

#[tokio::test]
async fn an_imported_copy_of_a_rotating_grant_sends_nothing_until_a_person_says_it_goes_on_n9() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let export = registry.export(&[], &passphrase()).await.unwrap();
    assert_eq!(export.rotating, [name(NAME)]);
    let (other, folder) = elsewhere(&house);
    let imported = other.import(&export.file, &passphrase(), Taken::Refuse).await.unwrap();
    assert_eq!(imported[0].integration.state, COPY);
    let sent = house.provider.token_requests().len();
    let error = other.refresh(&name(NAME)).await.unwrap_err();
    assert!(error.to_string().contains("flowrun integrations refresh teamleader --force"), "{error}");
    assert!(house.call(&other).await.is_err());
    assert_eq!((house.provider.token_requests().len(), house.provider.calls().len()), (sent, 0));
    // The original is not disturbed by having been copied.
    assert_eq!(house.call(&registry).await.unwrap().status, 200);

    registry.remove(&name(NAME)).await.unwrap();
    other.force_refresh(&name(NAME)).await.unwrap();
    assert_eq!(other.show(&name(NAME)).await.unwrap().state, IntegrationState::Authorized);
    let reopened = crate::world::open(folder.path(), house.provider.address(), house.clock.clone());
    assert_eq!(house.call(&reopened).await.unwrap().status, 200);
    assert!(!house.provider.is_revoked());
}

#[tokio::test]
async fn an_imported_copy_is_mended_by_authorising_it_and_one_that_came_too_late_says_so_n9() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let file = exported(&registry).await;
    registry.force_refresh(&name(NAME)).await.unwrap();
    let (other, _folder) = elsewhere(&house);
    other.import(&file, &passphrase(), Taken::Refuse).await.unwrap();
    assert!(other.force_refresh(&name(NAME)).await.is_err(), "its refresh token was replaced meanwhile");
    let refused = IntegrationState::NeedsAttention(NeedsAttention::RefreshRefused);
    assert_eq!(other.show(&name(NAME)).await.unwrap().state, refused);
    other.import(&file, &passphrase(), Taken::Replace).await.unwrap();
    assert_eq!(other.show(&name(NAME)).await.unwrap().state, COPY);
    house.authorize(&other).await;
    assert_eq!(house.call(&other).await.unwrap().status, 200);
}

#[tokio::test]
async fn an_imported_copy_that_was_changed_wants_a_new_authorization_and_no_refresh_oa_4() {
    let house = House::new().await;
    let file = exported(&house.authorized().await).await;
    let (other, _folder) = elsewhere(&house);
    other.import(&file, &passphrase(), Taken::Refuse).await.unwrap();
    let scopes = Some(vec!["deals".to_owned()]);
    other.edit(&name(NAME), Edit { scopes, ..Edit::default() }).await.unwrap();
    let sent = house.provider.token_requests().len();
    let error = other.force_refresh(&name(NAME)).await.unwrap_err();
    assert!(error.to_string().contains("config_changed"), "{error}");
    assert_eq!(house.provider.token_requests().len(), sent);
}

#[tokio::test]
async fn a_restored_database_is_no_import_and_stays_for_a_person_to_authorise_n9() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let file = exported(&registry).await;
    registry.import(&file, &passphrase(), Taken::Replace).await.unwrap();
    std::fs::remove_file(house.mark()).unwrap();
    let registry = house.open();
    let sent = house.provider.token_requests().len();
    assert!(registry.force_refresh(&name(NAME)).await.is_err());
    assert_eq!(house.provider.token_requests().len(), sent);
}

#[tokio::test]
async fn a_taken_name_refuses_the_whole_import_unless_it_is_to_be_replaced() {
    let house = House::new().await;
    let registry = steady(&house).await;
    let mut other = house.draft(house.settings());
    other.name = name("other");
    registry.add(other).await.unwrap();
    let file = exported(&registry).await;
    let (target, _folder) = elsewhere(&house);
    let mut own = house.draft(house.settings());
    own.name = name("Other");
    let own = target.add(own).await.unwrap();
    let refused = target.import(&file, &passphrase(), Taken::Refuse).await.unwrap_err();
    assert_eq!(refused.to_string(), "there is an integration `other` already");
    assert_eq!(target.list().await.unwrap(), [own]);
    let imported = target.import(&file, &passphrase(), Taken::Replace).await.unwrap();
    let replaced: Vec<_> = imported.iter().map(|it| (it.integration.name.as_str(), it.replaced)).collect();
    assert_eq!(replaced, [("other", true), (NAME, false)]);
    assert_eq!(target.list().await.unwrap(), registry.list().await.unwrap());
}

#[tokio::test]
async fn an_import_under_a_name_that_was_changed_here_hurts_nobody_elses_callback() {
    let house = House::new().await;
    let registry = steady(&house).await;
    let file = exported(&registry).await;
    let edit = Edit { name: Some(name("renamed")), ..Edit::default() };
    let renamed = registry.edit(&name(NAME), edit).await.unwrap().integration;
    let imported = registry.import(&file, &passphrase(), Taken::Refuse).await.unwrap();
    assert_ne!(imported[0].integration.callback_id, renamed.callback_id);
    assert_eq!(registry.show(&name("renamed")).await.unwrap(), renamed);
}

/// A file that was changed, and why it is refused; nothing is taken in.
async fn check_refused(change: impl Fn(String) -> String, with: &str, expected: &str) {
    let house = House::new().await;
    let file = String::from_utf8(exported(&house.authorized().await).await).unwrap();
    let (other, _folder) = elsewhere(&house);
    let file = change(file);
    let refused = other.import(file.as_bytes(), &with.into(), Taken::Replace).await.unwrap_err();
    assert!(refused.to_string().contains(expected), "{refused}");
    assert!(!refused.help().is_empty());
    assert!(other.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_export_that_was_changed_or_is_not_understood_is_refused_and_costs_nothing_oa_55() {
    let right = "four words nobody guesses";
    check_refused(|file| file, "four words somebody guesses", "the passphrase does not open").await;
    check_refused(|file| file.replace("passes\":3", "passes\":2"), right, "does not open").await;
    let newer = |file: String| file.replace("flowrun_export\":1", "flowrun_export\":2");
    check_refused(newer, right, "format 2").await;
    let huge = |file: String| file.replace("memory_kib\":65536", "memory_kib\":4000000000");
    check_refused(huge, right, "asks for a key that this version does not make").await;
    check_refused(|file| file[..file.len() - 61].to_owned(), right, "does not open").await;
    check_refused(|_| "steps: []\n".to_owned(), right, "no export of integrations").await;
    check_refused(|_| String::new(), right, "no export of integrations").await;
}

#[tokio::test]
async fn what_cannot_be_exported_is_said() {
    let house = House::new().await;
    let registry = house.open();
    assert!(matches!(registry.export(&[], &passphrase()).await, Err(ExportError::Nothing)));
    let short = registry.export(&[], &"hunter2".into()).await.unwrap_err();
    assert_eq!(short.to_string(), "the passphrase has fewer than 12 characters");
    let unknown = registry.export(&[name("nobody")], &passphrase()).await;
    assert!(matches!(unknown, Err(ExportError::Lookup(_))));
    let import = registry.import(b"", &passphrase(), Taken::Refuse).await;
    assert!(matches!(import, Err(ImportError::NotAnExport)));
}
