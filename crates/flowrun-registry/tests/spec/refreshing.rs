//! One refresh, ever, within a process (OA-37 to OA-49); `processes.rs` has the same among processes.

use std::sync::Arc;

use flowrun_oauth::{ExpirySign, Settings};
use flowrun_registry::{Edit, RefreshError};
use flowrun_step::{IntegrationState, Integrations, NeedsAttention, StepError, Tenant};
use tokio::sync::Semaphore;

use crate::provider::Next;
use crate::world::{House, NAME, name, until};

fn attention(reason: NeedsAttention) -> IntegrationState {
    IntegrationState::NeedsAttention(reason)
}

async fn state(house: &House) -> IntegrationState {
    house.open().show(&name(NAME)).await.unwrap().state
}

#[tokio::test]
async fn a_hundred_requests_with_an_expired_token_make_one_refresh_oa_37_oa_49() {
    let house = House::new().await;
    let registry = house.authorized().await;
    house.provider.expire();
    let way_out = registry.outbound(&Tenant::default(), &name(NAME));
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (way_out, request) = (Arc::clone(&way_out), house.request("/api"));
            tokio::spawn(async move { way_out.send(request).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().status, 200);
    }
    assert_eq!(house.provider.refreshes(), 1);
    assert!(!house.provider.is_revoked());
}

#[tokio::test]
async fn a_refresh_by_another_registry_is_used_with_the_next_request_oa_40() {
    let house = House::new().await;
    let (one, other) = (house.authorized().await, house.open());
    assert_eq!(house.call(&one).await.unwrap().status, 200);
    other.force_refresh(&name(NAME)).await.unwrap();
    assert_eq!(house.call(&one).await.unwrap().status, 200);
    assert_eq!(house.provider.refreshes(), 1);
    assert_eq!(house.provider.calls().len(), 2, "the old token was not even tried");
}

#[tokio::test]
async fn a_refresh_goes_on_when_nobody_waits_for_it_any_more_oa_41() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let gate = Arc::new(Semaphore::new(0));
    house.provider.next_token(Next::Wait(Arc::clone(&gate)));
    let impatient = tokio::spawn({
        let registry = registry.clone();
        async move { registry.force_refresh(&name(NAME)).await }
    });
    until("the refresh is under way", || house.provider.refreshes() == 1).await;
    impatient.abort();
    gate.add_permits(1);
    registry.settle().await;
    assert_eq!(state(&house).await, IntegrationState::Authorized);
    house.open().force_refresh(&name(NAME)).await.unwrap();
    assert!(!house.provider.is_revoked());
}

#[tokio::test]
async fn a_reply_without_a_refresh_token_keeps_the_old_one_oa_43() {
    let house = House::new().await;
    house.provider.keep_refresh_token();
    let registry = house.authorized().await;
    for _ in 0..3 {
        registry.force_refresh(&name(NAME)).await.unwrap();
    }
    let sent = house.provider.token_requests();
    assert!(sent[1..].iter().all(|it| it.form["refresh_token"] == "canary-refresh-1"));
}

/// OA-44: a reply to a refresh, and the state it leads to.
async fn check_refusal(status: u16, body: &str, expected: IntegrationState) {
    let house = House::new().await;
    let registry = house.authorized().await;
    house.provider.next_token(Next::Say(status, "", body.to_owned()));
    let error = registry.force_refresh(&name(NAME)).await.unwrap_err();
    assert_eq!(state(&house).await, expected, "{status} {body}");
    assert_eq!(error.is_transient(), expected == IntegrationState::Authorized);
    let shown = registry.show(&name(NAME)).await.unwrap();
    assert_eq!(shown.failures, 1);
    assert_eq!(shown.cooling_until.is_some(), error.is_transient());
}

#[tokio::test]
async fn refusals_are_told_apart_oa_44() {
    let refused = attention(NeedsAttention::RefreshRefused);
    let client = attention(NeedsAttention::ClientRejected);
    check_refusal(400, r#"{"error":"invalid_grant"}"#, refused).await;
    check_refusal(200, r#"{"error":"invalid_code"}"#, refused).await;
    check_refusal(401, r#"{"error":"invalid_client"}"#, client).await;
    check_refusal(400, r#"{"error":"unauthorized_client"}"#, client).await;
    check_refusal(500, "", IntegrationState::Authorized).await;
    check_refusal(503, "<html>down</html>", IntegrationState::Authorized).await;
    check_refusal(429, "", IntegrationState::Authorized).await;
    check_refusal(400, "<html>proxy</html>", IntegrationState::Authorized).await;
    check_refusal(200, "<html>what?</html>", attention(NeedsAttention::ReplyLost)).await;
}

#[tokio::test]
async fn a_passing_failure_cools_down_as_long_as_asked_and_the_old_token_is_used_meanwhile_oa_44() {
    let house = House::new().await;
    let registry = house.authorized().await;
    house.clock.forward(3600 - 30);
    house.provider.next_token(Next::Say(503, "retry-after: 120\r\n", String::new()));
    assert_eq!(house.call(&registry).await.unwrap().status, 200, "due, but still good");
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
    assert_eq!(house.provider.refreshes(), 1, "cooling");
    house.clock.forward(31);
    let error = house.call(&registry).await.unwrap_err();
    assert!(error.is_retryable(), "expired, and cooling: {error}");
    assert_eq!(house.provider.refreshes(), 1);
    house.clock.forward(90);
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
    assert_eq!(house.provider.refreshes(), 2);
}

/// A minute's token is due for its last nine seconds.
#[tokio::test]
async fn one_bad_reply_does_not_outlast_a_short_token_oa_44() {
    let house = House::new().await;
    house.provider.add(r#""expires_in":60"#);
    let registry = house.authorized().await;
    house.clock.forward(52);
    house.provider.next_token(Next::Say(500, "", String::new()));
    for _ in 0..7 {
        assert_eq!(house.call(&registry).await.unwrap().status, 200);
        house.clock.forward(1);
    }
    assert_eq!(house.provider.refreshes(), 2, "asked again while the old token was still good");
}

#[tokio::test]
async fn a_provider_that_keeps_failing_is_asked_less_and_less_often_oa_44() {
    let house = House::new().await;
    let registry = house.authorized().await;
    house.clock.forward(3600);
    let mut asked = Vec::new();
    for second in 0..120 {
        house.provider.next_token(Next::Say(503, "", String::new()));
        let before = house.provider.refreshes();
        assert!(house.call(&registry).await.is_err());
        asked.extend((house.provider.refreshes() > before).then_some(second));
        house.clock.forward(1);
    }
    assert_eq!(asked, [0, 2, 6, 14, 30, 60, 90]);
}

#[tokio::test]
async fn an_unreachable_token_endpoint_costs_nothing_oa_44() {
    let mut house = House::new().await;
    house.authorized().await;
    let gone = std::mem::replace(&mut house.provider, crate::provider::Provider::start().await);
    let address = gone.address();
    drop(gone);
    let registry = crate::world::open(house.folder.path(), address, house.clock.clone());
    let error = registry.force_refresh(&name(NAME)).await.unwrap_err();
    assert!(matches!(error, RefreshError::NotNow { .. }), "{error}");
    assert_eq!(state(&house).await, IntegrationState::Authorized);
}

#[tokio::test]
async fn a_lost_reply_of_a_rotating_provider_is_reported_and_nothing_is_sent_again_oa_45() {
    let house = House::new().await;
    let registry = house.authorized().await;
    house.provider.next_token(Next::HangUp);
    let error = registry.force_refresh(&name(NAME)).await.unwrap_err();
    assert!(error.to_string().contains("its reply lost"), "{error}");
    assert_eq!(error.help(), "flowrun integrations authorize teamleader");
    assert_eq!(state(&house).await, attention(NeedsAttention::ReplyLost));
    assert_eq!(house.provider.refreshes(), 1);
    assert!(!house.provider.is_revoked());
}

#[tokio::test]
async fn a_lost_reply_is_asked_for_once_more_within_a_stated_grace_oa_45() {
    let house = House::new().await;
    let settings = Settings { grace: Some(600), ..house.settings() };
    let registry = house.authorized_with(settings).await;
    house.provider.keep_refresh_token();
    house.provider.next_token(Next::HangUp);
    registry.force_refresh(&name(NAME)).await.unwrap();
    assert_eq!(house.provider.refreshes(), 2);
    house.provider.next_token(Next::HangUp);
    house.provider.next_token(Next::HangUp);
    assert!(registry.force_refresh(&name(NAME)).await.is_err());
    assert_eq!(house.provider.refreshes(), 4, "once more, and no more");
    assert_eq!(state(&house).await, attention(NeedsAttention::ReplyLost));
}

#[tokio::test]
async fn a_lost_reply_of_a_provider_that_never_rotates_may_pass_oa_45() {
    let house = House::new().await;
    let settings = Settings { rotates: false, ..house.settings() };
    let registry = house.authorized_with(settings).await;
    house.provider.keep_refresh_token();
    house.provider.next_token(Next::HangUp);
    assert!(registry.force_refresh(&name(NAME)).await.unwrap_err().is_transient());
    registry.force_refresh(&name(NAME)).await.unwrap();
}

/// OA-46: refreshes over a number of calls, one every so many seconds.
async fn check_margin(lifetime: i64, every: i64, calls: i64, most: usize) {
    let house = House::new().await;
    house.provider.add(&format!(r#""expires_in":{lifetime}"#));
    let registry = house.authorized().await;
    for _ in 0..calls {
        house.clock.forward(every);
        assert_eq!(house.call(&registry).await.unwrap().status, 200);
    }
    let calls = usize::try_from(calls).unwrap();
    assert_eq!(house.provider.calls().len(), calls, "no call met an expired token");
    let refreshes = house.provider.refreshes();
    assert!((1..=most).contains(&refreshes), "{refreshes} refreshes for {lifetime} s");
}

#[tokio::test]
async fn tokens_are_refreshed_before_their_end_and_short_ones_not_for_each_call_oa_46() {
    check_margin(2, 1, 10, 5).await;
    check_margin(60, 10, 24, 5).await;
    check_margin(3600, 1200, 6, 3).await;
    check_margin(86_400, 43_200, 4, 2).await;
}

#[tokio::test]
async fn a_clock_that_jumps_a_day_costs_one_refresh_at_most_oa_47() {
    let house = House::new().await;
    let registry = house.authorized().await;
    house.clock.forward(-86_400);
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
    assert_eq!(house.provider.refreshes(), 0, "a clock set back says nothing about the token");
    let check = registry.check(&name(NAME)).await.unwrap();
    assert!(check.wrong().any(|it| it.said.contains("was obtained at")), "{check:?}");
    house.clock.forward(2 * 86_400);
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
    house.clock.forward(-86_400);
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
    assert_eq!(house.provider.refreshes(), 1);
    house.provider.expire();
    assert_eq!(house.call(&registry).await.unwrap().status, 200, "a 401 still refreshes");
    assert_eq!(house.provider.refreshes(), 2);
}

/// Whether the clock jumped or a day passed, nobody can tell; the token is not given up before it has been tried.
#[tokio::test]
async fn a_token_far_beyond_its_end_is_used_where_no_refresh_can_be_had_oa_47() {
    let house = House::new().await;
    let registry = house.authorized().await;
    house.clock.forward(86_400);
    house.provider.next_token(Next::Say(503, "", String::new()));
    assert_eq!(house.call(&registry).await.unwrap().status, 200, "it was the clock");
    assert_eq!(house.call(&registry).await.unwrap().status, 200, "cooling, and still the clock");
    assert_eq!(house.provider.refreshes(), 1);
    house.provider.expire();
    let error = house.call(&registry).await.unwrap_err();
    assert!(error.is_retryable(), "it was a day: {error}");
    house.clock.forward(31);
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
    assert_eq!(house.provider.refreshes(), 2);
}

#[tokio::test]
async fn a_token_far_beyond_its_end_without_a_refresh_token_ends_with_a_401_and_not_before_oa_47() {
    let house = House::new().await;
    house.provider.add(r#""expires_in":3600,"refresh_token":null"#);
    let registry = house.authorized().await;
    house.clock.forward(3600);
    assert!(house.call(&registry).await.is_err(), "an hour is over, and nothing speaks against the clock");
    assert!(house.provider.calls().is_empty());
    house.clock.forward(86_400);
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
    house.provider.expire();
    let error = house.call(&registry).await.unwrap_err();
    assert!(error.to_string().contains("no refresh token"), "{error}");
}

#[tokio::test]
async fn an_unsafe_call_after_a_day_refreshes_first_and_is_made_once_oa_47_oa_48() {
    let house = House::new().await;
    let registry = house.authorized().await;
    house.clock.forward(86_400);
    house.provider.expire();
    let way_out = registry.outbound(&Tenant::default(), &name(NAME));
    assert_eq!(way_out.send(house.unsafe_request("/api")).await.unwrap().status, 200);
    assert_eq!((house.provider.calls().len(), house.provider.refreshes()), (1, 1));
}

#[tokio::test]
async fn a_cooldown_from_before_the_clock_was_set_back_is_over_oa_47() {
    let house = House::new().await;
    let registry = house.authorized().await;
    house.provider.next_token(Next::Say(503, "", String::new()));
    assert!(registry.force_refresh(&name(NAME)).await.is_err());
    house.clock.forward(-86_400);
    house.provider.expire();
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_lifetime_counts_from_the_start_of_the_request_oa_47() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let gate = Arc::new(Semaphore::new(0));
    house.provider.next_token(Next::Wait(Arc::clone(&gate)));
    let refresh = tokio::spawn({
        let registry = registry.clone();
        async move { registry.force_refresh(&name(NAME)).await }
    });
    until("the refresh is under way", || house.provider.refreshes() == 1).await;
    house.clock.forward(15);
    gate.add_permits(1);
    let shown = refresh.await.unwrap().unwrap();
    assert_eq!(shown.expires_at.unwrap().as_second(), crate::world::START + 3600);
}

#[tokio::test]
async fn a_second_401_ends_in_an_error_after_one_refresh_and_two_calls_oa_48() {
    let house = House::new().await;
    let registry = house.authorized().await;
    for _ in 0..2 {
        house.provider.next_call(Next::Say(401, "", String::new()));
    }
    let error = house.call(&registry).await.unwrap_err();
    assert!(error.to_string().contains("answered 401 again"), "{error}");
    assert!(!error.is_retryable());
    assert_eq!((house.provider.calls().len(), house.provider.refreshes()), (2, 1));
}

/// OA-48: another sign of expiry, met by a call that may or may not be repeated.
async fn check_sign(is_safe: bool, status: u16, calls: usize) {
    let house = House::new().await;
    let sign =
        ExpirySign { status: 403, path: Some("/error".to_owned()), one_of: vec!["expired".to_owned()] };
    let registry = house.authorized_with(Settings { expired_when: vec![sign], ..house.settings() }).await;
    house.provider.next_call(Next::Say(403, "", r#"{"error":"expired"}"#.to_owned()));
    let request = if is_safe { house.request("/api") } else { house.unsafe_request("/api") };
    let reply = registry.outbound(&Tenant::default(), &name(NAME)).send(request).await.unwrap();
    assert_eq!((reply.status.as_u16(), house.provider.calls().len()), (status, calls));
    assert_eq!(house.provider.refreshes(), 1);
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
}

#[tokio::test]
async fn another_sign_of_expiry_replays_only_what_may_be_repeated_oa_48() {
    check_sign(true, 200, 2).await;
    check_sign(false, 403, 1).await;
}

#[tokio::test]
async fn after_a_401_an_unsafe_call_is_repeated_too_because_nothing_was_done_oa_48() {
    let house = House::new().await;
    let registry = house.authorized().await;
    house.provider.expire();
    let way_out = registry.outbound(&Tenant::default(), &name(NAME));
    assert_eq!(way_out.send(house.unsafe_request("/api")).await.unwrap().status, 200);
    assert_eq!(house.provider.calls().len(), 2);
}

#[tokio::test]
async fn a_token_without_end_and_without_refresh_is_used_until_it_is_refused_oa_31() {
    let house = House::new().await;
    house.provider.add(r#""expires_in":0,"refresh_token":null"#);
    let registry = house.authorized().await;
    house.clock.forward(10 * 365 * 86_400);
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
    house.provider.expire();
    let error = house.call(&registry).await.unwrap_err();
    let StepError::Integration { said, help, .. } = error else { panic!("{error:?}") };
    assert_eq!(said, "the provider gave `teamleader` no refresh token");
    assert_eq!(help, "flowrun integrations authorize teamleader");
}

/// A change made while a refresh is under way, and the state both together lead to.
async fn check_change_during_refresh(edit: Edit, is_destroyed: bool) {
    let house = House::new().await;
    let registry = house.authorized().await;
    let gate = Arc::new(Semaphore::new(0));
    house.provider.next_token(Next::Wait(Arc::clone(&gate)));
    let refresh = tokio::spawn({
        let registry = registry.clone();
        async move { registry.force_refresh(&name(NAME)).await }
    });
    until("the refresh is under way", || house.provider.refreshes() == 1).await;
    let edited = registry.edit(&name(NAME), edit).await.unwrap();
    assert_eq!(edited.tokens_destroyed, is_destroyed);
    gate.add_permits(1);
    assert!(refresh.await.unwrap().is_err());
    let shown = house.open().show(&name(NAME)).await.unwrap();
    assert_eq!(shown.state, attention(NeedsAttention::ConfigChanged));
    assert_eq!(shown.refreshed_at.is_none(), is_destroyed, "destroyed tokens do not come back");
}

#[tokio::test]
async fn a_change_during_a_refresh_is_not_undone_by_it_oa_42() {
    let scopes = Some(vec!["deals".to_owned()]);
    check_change_during_refresh(Edit { scopes, ..Edit::default() }, false).await;
    let client_id = Some("other".to_owned());
    check_change_during_refresh(Edit { client_id, ..Edit::default() }, true).await;
}

#[tokio::test]
async fn a_refused_grant_keeps_its_record_and_is_mended_by_a_new_authorization_oa_42() {
    let house = House::new().await;
    let registry = house.authorized().await;
    house.provider.next_token(Next::Say(400, "", r#"{"error":"invalid_grant"}"#.to_owned()));
    assert!(registry.force_refresh(&name(NAME)).await.is_err());
    let refused = house.open().show(&name(NAME)).await.unwrap();
    assert!(refused.is_refreshable, "the record is kept");
    house.authorize(&registry).await;
    assert_eq!(state(&house).await, IntegrationState::Authorized);
    assert_eq!(house.call(&registry).await.unwrap().status, 200);
}
