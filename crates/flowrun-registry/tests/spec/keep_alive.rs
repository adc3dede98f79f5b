//! Refresh tokens that die of not being used are used in time (OA-52).

use flowrun_oauth::Settings;
use flowrun_registry::Registry;
use flowrun_step::{IntegrationState, NeedsAttention};
use tokio::task::JoinHandle;

use crate::provider::Next;
use crate::world::{House, NAME, name, until};

const DAY: i64 = 86_400;

/// A registry whose refresh token dies after sixty days without use.
async fn idle(house: &House) -> Registry {
    let refresh_idle = Some(60 * 86_400);
    house.authorized_with(Settings { refresh_idle, ..house.settings() }).await
}

/// An owner that keeps alive what is in its registry; it ends with the test.
struct Owner(JoinHandle<()>);

impl Owner {
    async fn start(house: &House) -> Self {
        let registry = house.open();
        let owner = Self(tokio::spawn(async move { registry.keep_alive().await }));
        owner.sleeps(house).await;
        owner
    }

    /// Waits until it has done what was to be done.
    async fn sleeps(&self, house: &House) {
        until("the owner sleeps", || house.clock.sleepers() == 1).await;
    }

    /// Lets hours pass, and the owner do what it does in each.
    async fn live(&self, house: &House, hours: i64) {
        for _ in 0..hours {
            house.clock.forward(3600);
            // Whoever was woken has to be seen awake before its next sleep is waited for.
            tokio::task::yield_now().await;
            self.sleeps(house).await;
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[tokio::test]
async fn a_refresh_token_that_nobody_uses_is_used_well_before_its_end_oa_52() {
    let house = House::new().await;
    let registry = idle(&house).await;
    let shown = registry.show(&name(NAME)).await.unwrap();
    assert_eq!(shown.refresh_expires_at.unwrap().as_second(), crate::world::START + 60 * DAY);
    let owner = Owner::start(&house).await;
    owner.live(&house, 38 * 24).await;
    assert_eq!(house.provider.refreshes(), 0, "not before it is due");
    owner.live(&house, 8 * 24).await;
    assert_eq!(house.provider.refreshes(), 1, "between 65 % and 75 % of its life, and once");
    owner.live(&house, 46 * 24).await;
    assert_eq!(house.provider.refreshes(), 2);
    assert!(!house.provider.is_revoked());
}

#[tokio::test]
async fn what_fails_is_tried_again_and_what_needs_a_person_is_left_to_them_oa_52() {
    let house = House::new().await;
    let registry = idle(&house).await;
    let owner = Owner::start(&house).await;
    for _ in 0..3 {
        house.provider.next_token(Next::Say(503, "", String::new()));
    }
    owner.live(&house, 46 * 24).await;
    assert_eq!(house.provider.refreshes(), 4, "three times in vain");
    assert_eq!(registry.show(&name(NAME)).await.unwrap().failures, 0);

    house.provider.next_token(Next::Say(400, "", r#"{"error":"invalid_grant"}"#.to_owned()));
    owner.live(&house, 60 * 24).await;
    assert_eq!(house.provider.refreshes(), 5, "a refused one is not sent again");
    let refused = IntegrationState::NeedsAttention(NeedsAttention::RefreshRefused);
    assert_eq!(registry.show(&name(NAME)).await.unwrap().state, refused);
}

#[tokio::test]
async fn two_owners_make_one_refresh_and_one_without_an_end_is_left_alone_oa_52() {
    let house = House::new().await;
    let registry = idle(&house).await;
    let mut endless = house.draft(house.settings());
    endless.name = name("endless");
    registry.add(endless).await.unwrap();
    house.clock.forward(50 * DAY);
    let (one, other) = (house.open(), house.open());
    let owners = [one, other].map(|registry| tokio::spawn(async move { registry.keep_alive().await }));
    until("both sleep", || house.clock.sleepers() == 2).await;
    assert_eq!(house.provider.refreshes(), 1);
    owners.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn an_end_that_no_refresh_moves_is_not_refreshed_without_end_oa_52() {
    let house = House::new().await;
    house.provider.keep_refresh_token();
    house.provider.add(r#""refresh_token_expires_in":8640000"#);
    house.authorized().await;
    // From here on the provider says nothing of the end, which therefore stays where it was.
    house.provider.add(r#""expires_in":3600"#);
    let owner = Owner::start(&house).await;
    owner.live(&house, 99 * 24).await;
    let refreshes = house.provider.refreshes();
    assert!((1..=8).contains(&refreshes), "{refreshes}");
}
