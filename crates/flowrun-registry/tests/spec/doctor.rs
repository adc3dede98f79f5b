//! `check` names the leg that fails, of ten, and what to type; each of them fails here once.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

use flowrun_oauth::{KeepRule, Settings};
use flowrun_registry::{Begin, Edit, Leg, Registry};
use tokio::sync::Semaphore;

use crate::processes::{Job, killed, start};
use crate::provider::Next;
use crate::world::{House, NAME, name, until};

/// What is wrong: the leg, what was seen, what to do.
async fn wrong(registry: &Registry) -> Vec<(Leg, String, String)> {
    let checkup = registry.check(&name(NAME)).await.unwrap();
    let told = checkup.wrong().map(|it| (it.leg, it.said.clone(), it.help.clone().unwrap()));
    told.collect()
}

/// One leg fails, and no other; what was seen and what to do have these words in them.
async fn check(registry: &Registry, leg: Leg, said: &str, help: &str) {
    let wrong = wrong(registry).await;
    let [(found, seen, to_do)] = wrong.as_slice() else { panic!("{leg}: {wrong:?}") };
    assert_eq!(*found, leg, "{wrong:?}");
    assert!(seen.contains(said), "{leg}: `{seen}` has no `{said}`");
    assert!(to_do.contains(help), "{leg}: `{to_do}` has no `{help}`");
}

async fn drafted(house: &House) -> Registry {
    let registry = house.open();
    registry.add(house.draft(house.settings())).await.unwrap();
    registry
}

/// A callback whose text has been changed.
async fn came_back(house: &House, registry: &Registry, change: impl Fn(String) -> String) {
    let begun = registry.begin_authorization(&name(NAME), Begin::default()).await.unwrap();
    let address = change(house.provider.consent(&begun.url));
    assert!(registry.complete_authorization(&name(NAME), &address, None).await.is_err());
}

const AUTHORIZE: &str = "flowrun integrations authorize teamleader";

#[tokio::test]
async fn ten_legs_are_looked_at_and_a_sound_integration_stands_on_all_of_them() {
    let house = House::new().await;
    let checkup = house.authorized().await.check(&name(NAME)).await.unwrap();
    assert!(checkup.is_usable() && checkup.wrong().next().is_none(), "{checkup:?}");
    let mut legs: Vec<_> = checkup.registry.iter().chain(&checkup.integrations[0].findings).collect();
    legs.sort_by_key(|finding| finding.leg);
    legs.dedup_by_key(|finding| finding.leg);
    let legs: Vec<_> = legs.iter().map(|finding| finding.leg.to_string()).collect();
    let ten = "authorize callback exchange refresh scope host clock key permissions lock";
    assert_eq!(legs.join(" "), ten);
}

#[tokio::test]
async fn authorize_fails_before_a_persons_yes_and_after_their_no() {
    let house = House::new().await;
    let registry = drafted(&house).await;
    check(&registry, Leg::Authorize, "never authorised", AUTHORIZE).await;
    let denied = |address: String| address.replace("code=canary-code", "error=access_denied");
    came_back(&house, &registry, denied).await;
    check(&registry, Leg::Authorize, "the authorization was denied", AUTHORIZE).await;

    house.authorize(&registry).await;
    came_back(&house, &registry, denied).await;
    assert_eq!(wrong(&registry).await, [], "the earlier authorization stands");
    let scopes = Some(vec!["deals".to_owned()]);
    registry.edit(&name(NAME), Edit { scopes, ..Edit::default() }).await.unwrap();
    check(&registry, Leg::Authorize, "config_changed", AUTHORIZE).await;
}

#[tokio::test]
async fn authorize_fails_for_a_draft_without_a_client_and_says_how_to_give_one() {
    let house = House::new().await;
    let registry = house.open();
    let mut draft = house.draft(house.settings());
    draft.client_id = None;
    registry.add(draft).await.unwrap();
    let edit = "flowrun integrations edit teamleader --client-id … --client-secret-prompt";
    check(&registry, Leg::Authorize, "no client id yet", edit).await;
}

#[tokio::test]
async fn callback_fails_when_the_browser_came_too_late_or_the_url_has_changed_since() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let late = |address| {
        house.clock.forward(601);
        address
    };
    came_back(&house, &registry, late).await;
    check(&registry, Leg::Callback, "took too long", AUTHORIZE).await;
    house.authorize(&registry).await;
    registry.edit(&name(NAME), Edit { port: Some(20_001), ..Edit::default() }).await.unwrap();
    check(&registry, Leg::Callback, "changed since", "register http://127.0.0.1:20001/").await;
    house.authorize(&registry).await;
    assert_eq!(wrong(&registry).await, []);
}

/// Intercom and Intuit accept https only: nothing listens there, and the leg says how the browser's address gets here.
#[tokio::test]
async fn callback_holds_where_the_provider_wants_https_and_says_that_its_address_is_pasted() {
    let house = House::new().await;
    let https = Settings { redirect: flowrun_oauth::RedirectRule::HttpsRequired, ..house.settings() };
    let checkup = house.authorized_with(https).await.check(&name(NAME)).await.unwrap();
    let callback = checkup.integrations[0].findings.iter().find(|it| it.leg == Leg::Callback).unwrap();
    assert!(callback.ok && callback.said.starts_with("https://localhost/oauth/callback/"), "{callback:?}");
    assert!(callback.said.ends_with("is pasted: the provider wants https"), "{callback:?}");
}

#[tokio::test]
async fn exchange_fails_with_the_providers_words_and_a_refused_client_is_typed_again_oa_35() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let refused = r#"{"error":"invalid_grant","error_description":"code was used"}"#;
    house.provider.next_token(Next::Say(400, "", refused.to_owned()));
    came_back(&house, &registry, |address| address).await;
    check(&registry, Leg::Exchange, "the provider says: invalid_grant: code was used", AUTHORIZE).await;
    house.provider.next_token(Next::Say(401, "", r#"{"error":"invalid_client"}"#.to_owned()));
    came_back(&house, &registry, |address| address).await;
    check(&registry, Leg::Exchange, "invalid_client", "--client-secret-prompt, then").await;
}

/// A refresh that is answered like this.
async fn check_refresh(status: u16, body: &str, said: &str, help: &str) {
    let house = House::new().await;
    let registry = house.authorized().await;
    house.provider.next_token(Next::Say(status, "", body.to_owned()));
    assert!(registry.force_refresh(&name(NAME)).await.is_err());
    check(&registry, Leg::Refresh, said, help).await;
    house.clock.forward(31);
    check(&house.open(), Leg::Refresh, said, help).await;
}

#[tokio::test]
async fn refresh_fails_with_what_the_last_one_met_and_what_mends_it_oa_44() {
    let again = "flowrun integrations refresh teamleader --force";
    check_refresh(503, "", "cannot answer now", again).await;
    check_refresh(400, r#"{"error":"invalid_grant"}"#, "refresh_refused", AUTHORIZE).await;
    check_refresh(401, r#"{"error":"invalid_client"}"#, "client_rejected", "--client-secret-prompt").await;
    check_refresh(200, "<html>", "reply_lost", AUTHORIZE).await;
}

#[tokio::test]
async fn refresh_fails_when_the_refresh_token_has_ended_and_shows_the_end_before_oa_52() {
    let house = House::new().await;
    house.provider.add(r#""refresh_token_expires_in":7200"#);
    let registry = house.authorized().await;
    let checkup = registry.check(&name(NAME)).await.unwrap();
    let refresh = checkup.integrations[0].findings.iter().find(|it| it.leg == Leg::Refresh).unwrap();
    assert!(
        refresh.ok && refresh.said.ends_with("its refresh token until 2027-01-15T10:00:00Z"),
        "{refresh:?}"
    );
    house.clock.forward(7200);
    check(&registry, Leg::Refresh, "the refresh token has expired", AUTHORIZE).await;
}

#[tokio::test]
async fn host_fails_when_the_providers_own_api_is_not_among_the_hosts_and_never_suggests_a_strangers_n4() {
    for (listed, is_suggested) in [("https://api.elsewhere.example", true), ("https://other.example", false)]
    {
        let house = House::new().await;
        house.provider.add(r#""api_domain":"https://api.elsewhere.example""#);
        let rule = KeepRule { name: "api_domain".to_owned(), one_of: vec![listed.to_owned()], pattern: None };
        let settings = Settings { keep_from_token: vec![rule], ..house.settings() };
        let registry = house.open();
        registry.add(house.draft(settings)).await.unwrap();
        let begun = registry.begin_authorization(&name(NAME), Begin::default()).await.unwrap();
        let address = house.provider.consent(&begun.url);
        let done = registry.complete_authorization(&name(NAME), &address, None).await;
        if !is_suggested {
            assert!(!format!("{:?} {done:?}", wrong(&registry).await).contains("integrations allow"));
            continue;
        }
        let allow = "flowrun integrations allow teamleader api.elsewhere.example";
        check(&registry, Leg::Host, "its API is at api.elsewhere.example", allow).await;
        registry.allow(&name(NAME), "api.elsewhere.example").await.unwrap();
        assert_eq!(wrong(&registry).await, []);
    }
}

#[tokio::test]
async fn clock_fails_when_it_is_behind_the_records_or_apart_from_the_providers_oa_47() {
    let house = House::new().await;
    house.provider.date("Fri, 15 Jan 2027 08:00:30 GMT");
    let registry = house.authorized().await;
    assert_eq!(wrong(&registry).await, [], "half a minute is nothing");
    house.clock.forward(-60);
    check(&registry, Leg::Clock, "the token was obtained at 2027-01-15T08:00:00Z", "set the clock").await;
    house.clock.forward(60);
    for (date, said) in [("08:10:00", "600 s slow"), ("07:50:00", "600 s fast")] {
        house.provider.date(&format!("Fri, 15 Jan 2027 {date} GMT"));
        registry.force_refresh(&name(NAME)).await.unwrap();
        check(&registry, Leg::Clock, said, "flowrun integrations refresh teamleader --force").await;
    }
}

/// A registry that cannot be opened: the leg that fails is named all the same.
async fn check_closed(break_it: impl Fn(&Path, &Path), leg: Leg, said: &str, help: &str) {
    let house = House::new().await;
    house.authorized().await;
    break_it(&house.folder.path().join("data"), &house.key());
    let checkup = house.open().check(&name(NAME)).await.unwrap();
    assert!(!checkup.is_open && !checkup.is_usable() && checkup.integrations.is_empty(), "{checkup:?}");
    check(&house.open(), leg, said, help).await;
    assert_eq!(house.open().check_all().await, checkup);
}

#[tokio::test]
async fn key_fails_when_it_is_missing_wrong_or_a_link_though_the_registry_does_not_open_t22() {
    let missing = |_: &Path, key: &Path| fs::remove_file(key).unwrap();
    check_closed(missing, Leg::Key, "is not there", "put the key back at").await;
    let wrong = |_: &Path, key: &Path| fs::write(key, [7; 32]).unwrap();
    check_closed(wrong, Leg::Key, "does not open", "use the key file").await;
    let link = |_: &Path, key: &Path| {
        fs::rename(key, key.with_extension("real")).unwrap();
        symlink(key.with_extension("real"), key).unwrap();
    };
    check_closed(link, Leg::Key, "is a symbolic link", "name the file itself").await;
}

#[tokio::test]
async fn permissions_fail_for_folders_and_keys_that_others_can_enter_or_replace_n9() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let chmod = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let data = house.folder.path().join("data");
    chmod(&data, 0o755);
    check(&registry, Leg::Permissions, "can be entered by others", "chmod 700 ").await;
    chmod(&data, 0o700);
    let config = house.folder.path().join("config");
    chmod(&config, 0o720);
    check(&registry, Leg::Permissions, "can be written to by others", "chmod go-w ").await;
    chmod(&config, 0o755);
    chmod(&house.key(), 0o640);
    let told = wrong(&registry).await;
    let legs: Vec<_> = told.iter().map(|(leg, ..)| *leg).collect();
    assert_eq!(legs, [Leg::Key, Leg::Permissions], "{told:?}");
    assert!(told.iter().all(|(.., help)| help.starts_with("chmod 600 ")), "{told:?}");
}

#[tokio::test]
async fn lock_fails_and_names_the_process_that_holds_the_registry_oa_56() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let lock = fs::File::open(house.folder.path().join("data/registry.lock")).unwrap();
    lock.try_lock().unwrap();
    let me = std::process::id();
    check(&registry, Leg::Lock, &format!("in use by process {me}"), &format!("kill {me}")).await;
    drop(lock);
    assert_eq!(wrong(&registry).await, []);
}

#[tokio::test]
async fn lock_fails_and_names_the_process_that_refreshes_the_integration_oa_39() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let gate = Arc::new(Semaphore::new(0));
    house.provider.next_token(Next::Wait(gate));
    let child = start(&house, Job::Refresh);
    until("the child refreshes", || house.provider.refreshes() == 1).await;
    let (id, help) = (child.id(), "look again in 45 s");
    check(&registry, Leg::Lock, &format!("process {id} refreshes or authorises"), help).await;
    killed(child).await;
    assert_eq!(wrong(&registry).await, []);
}

#[tokio::test]
async fn all_integrations_are_looked_at_at_once_and_a_damaged_one_hides_no_other() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let mut other = house.draft(house.settings());
    other.name = name("other");
    registry.add(other).await.unwrap();
    house.tamper(|database| {
        let records = database.scan_prefix("record/").map(Result::unwrap);
        let shortest = records.min_by_key(|(_, value)| value.len()).unwrap();
        database.remove(shortest.0).unwrap();
    });
    let checkup = registry.check_all().await;
    let names: Vec<_> = checkup.integrations.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["other", NAME]);
    let wrong: Vec<_> = checkup.wrong().map(|it| (it.leg, it.help.clone().unwrap())).collect();
    assert_eq!(wrong, [(Leg::Key, "`flowrun integrations remove other`, then add it again".to_owned())]);
    assert!(registry.check(&name("nobody")).await.is_err());
}
