//! Several processes on one registry, and the death of some of them (OA-38, 39, 41, 45, 57).
//!
//! A child is this test program again, told by its environment what to do.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use flowrun_oauth::Settings;
use flowrun_step::{IntegrationState, Integrations, NeedsAttention, Request, Tenant};
use http::Method;
use tokio::sync::Semaphore;

use crate::provider::Next;
use crate::world::{House, NAME, START, TestClock, name, open, until};

const JOB: &str = "FLOWRUN_REGISTRY_TEST_JOB";

/// What a child does.
#[derive(Clone, Copy)]
pub(crate) enum Job {
    /// Calls the API so many times, and fails if one call does.
    Call(u32),
    /// Refreshes again and again, saying so each time.
    Refresh,
    /// Rotates the key again and again, saying so each time.
    Rotate,
    /// Says what it finds, and what it may add.
    Look,
}

pub(crate) fn start(house: &House, job: Job) -> Child {
    command(house, &std::env::current_exe().unwrap(), job).spawn().unwrap()
}

/// The command that does a job with a program like this one.
pub(crate) fn command(house: &House, program: &Path, job: Job) -> Command {
    let job = match job {
        Job::Call(times) => format!("call {times}"),
        Job::Refresh => "refresh 0".to_owned(),
        Job::Rotate => "rotate 0".to_owned(),
        Job::Look => "look 0".to_owned(),
    };
    let folder = house.folder.path().display();
    let mut command = Command::new(program);
    command
        .args(["processes::a_child_does_its_job", "--exact", "--nocapture", "--test-threads=1"])
        .env(JOB, format!("{job} {} {folder}", house.provider.address()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// Nothing unless this process is a child.
#[tokio::test]
async fn a_child_does_its_job() {
    let Some(job) = std::env::var_os(JOB) else { return };
    let job = job.into_string().unwrap();
    let parts: Vec<_> = job.splitn(4, ' ').collect();
    let address: SocketAddr = parts[2].parse().unwrap();
    let registry = open(Path::new(parts[3]), address, TestClock::at(START));
    if parts[0] == "refresh" {
        loop {
            registry.force_refresh(&name(NAME)).await.unwrap();
            println!("refreshed");
        }
    }
    if parts[0] == "rotate" {
        loop {
            registry.rotate_key().await.unwrap();
            println!("rotated");
        }
    }
    if parts[0] == "look" {
        return println!("{}", crate::owners::look(&registry).await);
    }
    let way_out = registry.outbound(&Tenant::default(), &name(NAME));
    for _ in 0..parts[1].parse().unwrap() {
        let request = Request::new(Method::GET, format!("http://{address}/api").parse().unwrap());
        assert_eq!(way_out.send(request).await.unwrap().status, 200);
    }
}

async fn ended(children: Vec<Child>) {
    for mut child in children {
        let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
        assert!(status.success(), "{status}");
    }
}

pub(crate) async fn killed(mut child: Child) {
    child.kill().unwrap();
    tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
}

/// Waits until a child has said that it refreshed.
async fn refreshed(child: &mut Child, times: usize) {
    said(child, "refreshed", times).await;
}

/// Waits until a child has said a word so many times.
pub(crate) async fn said(child: &mut Child, word: &'static str, times: usize) {
    let output = child.stdout.take().unwrap();
    let said = move || {
        BufReader::new(output)
            .lines()
            .map_while(Result::ok)
            .filter(|line| line.ends_with(word))
            .take(times)
            .count()
    };
    assert_eq!(tokio::task::spawn_blocking(said).await.unwrap(), times);
}

#[tokio::test]
async fn eight_processes_make_one_refresh_for_each_expiry_oa_38() {
    let house = House::new().await;
    house.authorized().await;
    for expiries in 1..=3 {
        house.provider.expire();
        ended((0..8).map(|_| start(&house, Job::Call(25))).collect()).await;
        assert_eq!(house.provider.refreshes(), expiries);
    }
    assert!(!house.provider.is_revoked());
}

#[tokio::test]
async fn whoever_comes_second_waits_for_the_first_and_uses_its_token_oa_39() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let gate = Arc::new(Semaphore::new(0));
    house.provider.next_token(Next::Wait(Arc::clone(&gate)));
    house.provider.expire();
    let child = start(&house, Job::Call(1));
    until("the child refreshes", || house.provider.refreshes() == 1).await;
    let second = tokio::spawn({
        let (way_out, request) = (registry.outbound(&Tenant::default(), &name(NAME)), house.request("/api"));
        async move { way_out.send(request).await }
    });
    until("the second has met the expired token", || house.provider.calls().len() == 2).await;
    gate.add_permits(1);
    assert_eq!(second.await.unwrap().unwrap().status, 200);
    ended(vec![child]).await;
    assert_eq!(house.provider.refreshes(), 1);
}

/// Kills a process whose refresh is under way: the provider has been asked, and nobody will read what it says.
async fn kill_while_refreshing(house: &House) {
    let gate = Arc::new(Semaphore::new(0));
    house.provider.next_token(Next::Wait(gate));
    let before = house.provider.refreshes();
    let child = start(house, Job::Refresh);
    until("the child refreshes", || house.provider.refreshes() > before).await;
    killed(child).await;
}

#[tokio::test]
async fn a_refresh_whose_process_was_killed_is_a_lost_reply_and_blocks_nobody_oa_39_oa_45() {
    let house = House::new().await;
    let registry = house.authorized().await;
    kill_while_refreshing(&house).await;
    assert_eq!(house.call(&registry).await.unwrap().status, 200, "the old token is still good");
    let error = registry.force_refresh(&name(NAME)).await.unwrap_err();
    assert!(error.to_string().contains("its reply lost"), "{error}");
    let shown = registry.show(&name(NAME)).await.unwrap();
    assert_eq!(shown.state, IntegrationState::NeedsAttention(NeedsAttention::ReplyLost));
    assert_eq!(house.provider.refreshes(), 1);
}

#[tokio::test]
async fn within_a_stated_grace_the_next_process_asks_once_more_oa_45() {
    let house = House::new().await;
    let registry = house.authorized_with(Settings { grace: Some(600), ..house.settings() }).await;
    kill_while_refreshing(&house).await;
    registry.force_refresh(&name(NAME)).await.unwrap();
    assert_eq!(house.provider.refreshes(), 2);
}

#[tokio::test]
async fn what_was_refreshed_is_there_after_kill_9_oa_57() {
    let house = House::new().await;
    let registry = house.authorized().await;
    for round in 1..=5 {
        let mut child = start(&house, Job::Refresh);
        refreshed(&mut child, 1).await;
        killed(child).await;
        let shown = house.open().show(&name(NAME)).await.unwrap();
        assert!(shown.refreshed_at.is_some());
        // The child may have been killed in its next refresh; then the registry says so, and loses nothing else.
        match registry.force_refresh(&name(NAME)).await {
            Ok(_) => {}
            Err(error) => {
                assert!(error.to_string().contains("its reply lost"), "round {round}: {error}");
                house.authorize(&registry).await;
            }
        }
        assert!(!house.provider.is_revoked(), "round {round}");
    }
}

/// sled writes a snapshot when it opens, under such a name until it is whole.
#[tokio::test]
async fn a_snapshot_that_a_killed_process_left_half_written_locks_nobody_out_oa_57() {
    let house = House::new().await;
    house.authorized().await;
    let unfinished = house.folder.path().join("data/database/snap.0000000000000001.generating");
    std::fs::write(&unfinished, "half").unwrap();
    let shown = house.open().show(&name(NAME)).await.unwrap();
    assert_eq!(shown.state, IntegrationState::Authorized);
    assert!(!unfinished.exists());
}

/// sled writes its settings before anything else, in two pieces.
#[tokio::test]
async fn a_first_use_that_was_killed_locks_nobody_out_oa_57() {
    let house = House::new().await;
    let database = house.folder.path().join("data/database");
    std::fs::create_dir_all(database.join("blobs")).unwrap();
    std::fs::write(database.join("conf"), "segment_size: 524288").unwrap();
    assert!(house.open().list().await.unwrap().is_empty());
    house.authorized().await;
}
