//! An owner and its clients as real processes, and the death of the owner (N9, OA-38, OA-39, OA-45).
//!
//! A child is this test program again, told by its environment what to do.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use flowrun_oauth::Settings;
use flowrun_registry::socket::{Client, Owner, Place};
use flowrun_step::{IntegrationState, Integrations, NeedsAttention, Request, Tenant};
use http::Method;
use tokio::sync::Semaphore;

use crate::provider::Next;
use crate::socket::{Serving, client, place};
use crate::world::{House, LoopbackClient, NAME, START, TestClock, name, open, until};

const JOB: &str = "FLOWRUN_SOCKET_TEST_JOB";

/// A child that owns the registry of a house, once it has said so.
async fn owner(house: &House) -> Child {
    let mut child = start(house, "own 0");
    let output = child.stdout.take().unwrap();
    let says_so =
        move || BufReader::new(output).lines().map_while(Result::ok).any(|line| line.ends_with("owns"));
    assert!(tokio::task::spawn_blocking(says_so).await.unwrap());
    child
}

fn start(house: &House, job: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["socket_processes::a_child_does_its_job", "--exact", "--nocapture", "--test-threads=1"])
        .env(JOB, format!("{job} {} {}", house.provider.address(), house.folder.path().display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Nothing unless this process is a child.
#[tokio::test]
async fn a_child_does_its_job() {
    let Some(job) = std::env::var_os(JOB) else { return };
    let job = job.into_string().unwrap();
    let parts: Vec<_> = job.splitn(4, ' ').collect();
    let (address, folder): (SocketAddr, _) = (parts[2].parse().unwrap(), Path::new(parts[3]));
    let place = Place::of(&folder.join("data"), None);
    if parts[0] == "own" {
        let owner = Owner::bind(&open(folder, address, TestClock::at(START)), &place).unwrap();
        println!("owns");
        owner.serve(std::future::pending()).await.unwrap();
    }
    let client = Client::new(place, Arc::new(LoopbackClient(address)));
    let way_out = client.outbound(&Tenant::default(), &name(NAME));
    for _ in 0..parts[1].parse().unwrap() {
        let request = Request::new(Method::GET, format!("http://{address}/api").parse().unwrap());
        assert_eq!(way_out.send(request).await.unwrap().status, 200);
    }
}

async fn killed(mut child: Child) {
    child.kill().unwrap();
    tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
}

async fn ended(children: Vec<Child>) {
    for mut child in children {
        let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
        assert!(status.success(), "{status}");
    }
}

#[tokio::test]
async fn eight_client_processes_of_one_owner_cost_one_refresh_for_each_expiry_oa_38() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let serving = Serving::start(&registry, &place(&house));
    for expiries in 1..=3 {
        house.provider.expire();
        ended((0..8).map(|_| start(&house, "call 25")).collect()).await;
        assert_eq!(house.provider.refreshes(), expiries);
    }
    assert!(!house.provider.is_revoked());
    serving.end().await;
}

#[tokio::test]
async fn an_owner_and_a_process_that_does_not_ask_it_never_refresh_one_token_oa_38() {
    let house = House::new().await;
    house.authorized().await;
    let owner = owner(&house).await;
    for expiries in 1..=3 {
        house.provider.expire();
        let asking: Vec<_> = (0..4).map(|_| start(&house, "call 10")).collect();
        let own = house.open();
        for _ in 0..10 {
            assert_eq!(house.call(&own).await.unwrap().status, 200);
        }
        ended(asking).await;
        assert_eq!(house.provider.refreshes(), expiries);
    }
    assert!(!house.provider.is_revoked());
    killed(owner).await;
}

/// Kills the owner while it refreshes for a client, whose call goes on by the client's own registry.
async fn kill_while_refreshing(house: &House) -> Result<u16, flowrun_step::StepError> {
    let owner = owner(house).await;
    house.provider.next_token(Next::Wait(Arc::new(Semaphore::new(0))));
    house.provider.expire();
    let asking = tokio::spawn({
        let way_out = client(house).or(house.open()).outbound(&Tenant::default(), &name(NAME));
        let request = house.request("/api");
        async move { way_out.send(request).await }
    });
    until("the owner refreshes", || house.provider.refreshes() == 1).await;
    killed(owner).await;
    asking.await.unwrap().map(|reply| reply.status.as_u16())
}

#[tokio::test]
async fn a_refresh_whose_owner_was_killed_is_a_lost_reply_and_its_client_says_so_oa_45() {
    let house = House::new().await;
    house.authorized().await;
    let error = kill_while_refreshing(&house).await.unwrap_err();
    assert!(error.to_string().contains("its reply lost"), "{error}");
    assert_eq!(error.help(), Some("flowrun integrations authorize teamleader"));
    let shown = house.open().show(&name(NAME)).await.unwrap();
    assert_eq!(shown.state, IntegrationState::NeedsAttention(NeedsAttention::ReplyLost));
    assert_eq!(house.provider.refreshes(), 1, "the refresh token was not sent again");
    assert!(!house.provider.is_revoked());
}

#[tokio::test]
async fn within_a_stated_grace_the_client_of_a_killed_owner_asks_once_more_oa_45() {
    let house = House::new().await;
    house.authorized_with(Settings { grace: Some(600), ..house.settings() }).await;
    assert_eq!(kill_while_refreshing(&house).await.unwrap(), 200);
    assert_eq!(house.provider.refreshes(), 2);
}

#[tokio::test]
async fn the_socket_of_a_killed_owner_is_in_nobodys_way_n9() {
    let house = House::new().await;
    house.authorized().await;
    killed(owner(&house).await).await;
    assert!(place(&house).socket().exists(), "it could not tidy up");
    let asking = client(&house).or(house.open());
    assert_eq!(asking.list().await.unwrap().len(), 1);
    let next = owner(&house).await;
    assert_eq!(client(&house).list().await.unwrap().len(), 1);
    killed(next).await;
}
