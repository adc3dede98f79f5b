//! A device without a browser is authorised by a person elsewhere (OA-67, RFC 8628).

use std::sync::{Arc, Mutex};

use flowrun_oauth::Settings;
use flowrun_registry::{AuthorizeError, Options, Registry, WaitingDevice, World};
use flowrun_step::{BoxFuture, Clock, IntegrationState};
use jiff::Timestamp;

use crate::provider::Next;
use crate::world::{House, NAME, TestClock, name, world};

/// A clock on which a sleep passes at once, and is noted.
struct Sleeper {
    clock: TestClock,
    slept: Arc<Mutex<Vec<i64>>>,
}

impl Clock for Sleeper {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let pause = at.as_second() - self.now().as_second();
        self.slept.lock().unwrap().push(pause);
        self.clock.forward(pause);
        Box::pin(std::future::ready(()))
    }
}

/// A registry on this house's disk whose sleeps pass at once, and the sleeps.
pub(crate) fn sleeping(house: &House) -> (Registry, Arc<Mutex<Vec<i64>>>) {
    let slept = Arc::default();
    let clock = Sleeper { clock: house.clock.clone(), slept: Arc::clone(&slept) };
    let world = World { clock: Arc::new(clock), ..world(house.provider.address(), house.clock.clone()) };
    let (data_dir, key_file) = (house.folder.path().join("data"), house.folder.path().join("config/key"));
    (Registry::open(Options { data_dir, key_file, world }), slept)
}

fn settings(house: &House) -> Settings {
    let origin = format!("http://{}", house.provider.address());
    Settings { device_url: Some(format!("{origin}/device")), ..house.settings() }
}

/// Begins on a device whose codes live so many seconds.
async fn begun(house: &House, registry: &Registry, seconds: u32) -> WaitingDevice {
    house.provider.next_call(codes(house, seconds));
    registry.begin_device(&name(NAME)).await.unwrap()
}

fn codes(house: &House, seconds: u32) -> Next {
    let address = house.provider.address();
    let codes = format!(
        r#"{{"device_code":"canary-device","user_code":"WDJB-MJHT","expires_in":{seconds},
            "verification_uri":"http://{address}/device","verification_uri_complete":"http://{address}/device?u=W"}}"#
    );
    Next::Say(200, "", codes)
}

fn refusal(code: &str) -> Next {
    Next::Say(400, "", format!(r#"{{"error":"{code}"}}"#))
}

#[tokio::test]
async fn a_device_shows_a_code_and_asks_until_the_person_has_decided_oa_67() {
    let house = House::new().await;
    let (registry, slept) = sleeping(&house);
    registry.add(house.draft(settings(&house))).await.unwrap();
    let waiting = begun(&house, &registry, 1800).await;
    assert_eq!(waiting.user_code, "WDJB-MJHT");
    assert!(waiting.verification_uri_complete.as_ref().unwrap().as_str().ends_with("/device?u=W"));
    assert!(!format!("{waiting:?}").contains("canary"), "neither device code nor client secret is printed");
    let asked = house.provider.calls().remove(0);
    assert!(asked.head.starts_with("POST /device"));
    assert_eq!((&*asked.form["scope"], &*asked.form["client_id"]), ("contacts", "client"));

    for next in [
        refusal("authorization_pending"),
        refusal("slow_down"),
        Next::Say(503, "", String::new()),
        Next::HangUp,
    ] {
        house.provider.next_token(next);
    }
    // The provider that hangs up has decided all the same; this one decides anew for each question.
    let done = registry.complete_device(waiting).await.unwrap();
    assert_eq!(done.integration.state, IntegrationState::Authorized);
    assert_eq!(*slept.lock().unwrap(), [5, 5, 10, 20, 40], "slow_down is for good, backing off doubles");
    let questions = house.provider.token_requests();
    assert!(questions.iter().all(|it| it.form["device_code"] == "canary-device"));

    // Stored as any other grant is: another process uses it, and refreshes it.
    assert_eq!(house.call(&house.open()).await.unwrap().status, 200);
    house.provider.expire();
    assert_eq!(house.call(&house.open()).await.unwrap().status, 200);
    assert_eq!(house.provider.refreshes(), 1);
}

#[tokio::test]
async fn a_code_that_nobody_types_ends_with_its_time_oa_67() {
    let house = House::new().await;
    let (registry, slept) = sleeping(&house);
    registry.add(house.draft(settings(&house))).await.unwrap();
    let waiting = begun(&house, &registry, 12).await;
    for _ in 0..9 {
        house.provider.next_token(refusal("authorization_pending"));
    }
    let error = registry.complete_device(waiting).await.unwrap_err();
    assert!(matches!(error, AuthorizeError::CodeExpired(_)), "{error:?}");
    assert_eq!(error.help(), "begin again: flowrun integrations authorize teamleader --device");
    assert_eq!(*slept.lock().unwrap(), [5, 5]);
    assert_eq!(house.provider.token_requests().len(), 2, "no question comes after the code's end");
}

/// OA-67, OA-19: what ends it is typed, and an earlier authorization stays.
async fn check_end(next: Next, is_expected: impl Fn(&AuthorizeError) -> bool) {
    let house = House::new().await;
    let (registry, _) = sleeping(&house);
    registry.add(house.draft(settings(&house))).await.unwrap();
    house.authorize(&registry).await;
    let waiting = begun(&house, &registry, 1800).await;
    house.provider.next_token(next);
    let error = registry.complete_device(waiting).await.unwrap_err();
    assert!(is_expected(&error), "{error:?}");
    assert!(error.help().contains("flowrun integrations "), "{}", error.help());
    assert_eq!(house.provider.token_requests().len(), 2, "nothing is asked after the end");
    assert_eq!(registry.show(&name(NAME)).await.unwrap().state, IntegrationState::Authorized);
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_device_that_is_denied_or_too_late_or_refused_ends_oa_67() {
    check_end(refusal("access_denied"), |error| matches!(error, AuthorizeError::Denied { .. })).await;
    check_end(refusal("expired_token"), |error| matches!(error, AuthorizeError::CodeExpired(_))).await;
    check_end(refusal("invalid_client"), |error| matches!(error, AuthorizeError::Token { .. })).await;
    check_end(refusal("invalid_grant"), |error| matches!(error, AuthorizeError::Token { .. })).await;
}

#[tokio::test]
async fn a_provider_that_is_not_known_to_have_devices_is_not_asked_oa_67() {
    let house = House::new().await;
    let registry = house.open();
    registry.add(house.draft(house.settings())).await.unwrap();
    let error = registry.begin_device(&name(NAME)).await.unwrap_err();
    assert_eq!(error.to_string(), "no device authorization endpoint is known for `teamleader`");
    assert!(error.help().ends_with("flowrun integrations edit teamleader --device-url URL"));
    assert!(house.provider.calls().is_empty());
}

/// A change while the person decides wins: what was asked for is not what would be stored.
#[tokio::test]
async fn a_change_while_the_person_decides_keeps_the_grant_out_n4() {
    let house = House::new().await;
    let (registry, _) = sleeping(&house);
    registry.add(house.draft(settings(&house))).await.unwrap();
    let waiting = begun(&house, &registry, 1800).await;
    let other = flowrun_registry::Edit { client_id: Some("other".to_owned()), ..Default::default() };
    registry.edit(&name(NAME), other).await.unwrap();
    let error = registry.complete_device(waiting).await.unwrap_err();
    assert!(matches!(error, AuthorizeError::Changed(_)), "{error:?}");
    assert_eq!(registry.show(&name(NAME)).await.unwrap().state, IntegrationState::Incomplete);
}
