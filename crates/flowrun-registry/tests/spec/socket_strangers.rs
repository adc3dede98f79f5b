//! The control socket and whoever means ill: other users, frames that are none, connections that only sit there
//! (N9, T23).
//!
//! Another user is a child of this test program that gives up root; where there is no root to give up, those tests
//! say so and are skipped.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use flowrun_registry::socket::{BindError, Owner};
use flowrun_step::{Integrations, Tenant};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::socket::{Serving, client, place, said};
use crate::world::{House, NAME, name};

const JOB: &str = "FLOWRUN_STRANGER_TEST_JOB";
const NOBODY: u32 = 65534;

/// Whether this process can become another user; where it cannot, the test says so and is skipped, but not where
/// nothing may be missing, as in `.ci/run`.
fn is_root() -> bool {
    if rustix::process::geteuid().is_root() {
        return true;
    }
    assert!(std::env::var_os("FLOWRUN_REQUIRE_LAB").is_none(), "only root can be another user");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Past the capture of the test runner: a skipped test must be seen.
    drop(writeln!(io::stderr(), "skipped: {test}: only root can be another user"));
    false
}

/// A stranger: this program as another user, with something to do to a socket; none where that cannot be arranged.
fn stranger(job: &str, socket: &Path) -> Option<Child> {
    if !is_root() {
        return None;
    }
    // By this name it is found whatever folders lie above it.
    let mut command = Command::new("/proc/self/exe");
    command.args(["socket_strangers::a_stranger_does_its_job", "--exact", "--nocapture", "--test-threads=1"]);
    command.env(JOB, format!("{job} {}", socket.display())).uid(NOBODY).gid(NOBODY).current_dir("/");
    Some(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap())
}

/// Nothing unless this process is a stranger.
#[test]
fn a_stranger_does_its_job() {
    let Some(job) = std::env::var_os(JOB) else { return };
    let job = job.into_string().unwrap();
    let (job, socket) = job.split_once(' ').unwrap();
    let frame = br#"{"list":{"after":null}}"#;
    match job {
        // Asks, and tells how many bytes it was answered.
        "ask" => {
            let mut stream = UnixStream::connect(socket).unwrap();
            drop(stream.write_all(&[&23u32.to_be_bytes()[..], frame].concat()));
            let mut answer = Vec::new();
            drop(stream.read_to_end(&mut answer));
            println!("bytes {}", answer.len());
        }
        // Answers, and tells how many bytes it was asked.
        _ => {
            let listener = UnixListener::bind(socket).unwrap();
            fs::set_permissions(socket, fs::Permissions::from_mode(0o777)).unwrap();
            println!("listens");
            let mut question = Vec::new();
            drop(listener.accept().unwrap().0.read_to_end(&mut question));
            println!("bytes {}", question.len());
        }
    }
}

/// What a stranger says next that ends in this way.
fn line(from: &mut impl BufRead, holds: &str) -> String {
    let line = from.lines().map_while(Result::ok).find(|line| line.contains(holds)).unwrap();
    line[line.find(holds).unwrap()..].to_owned()
}

fn opened(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
}

#[tokio::test]
async fn socket_refuses_other_uid_and_foreign_server_t23() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let socket = place(&house).socket();
    let serving = Serving::start(&registry, &place(&house));
    // The folder alone would keep a stranger out; it is opened, so that only the look at the user is left.
    let folder = socket.parent().unwrap();
    for path in [house.folder.path(), folder.parent().unwrap(), folder, &socket] {
        opened(path);
    }
    let Some(asking) = stranger("ask", &socket) else { return serving.end().await };
    let said = tokio::task::spawn_blocking(move || asking.wait_with_output().unwrap()).await.unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("bytes 0\n"), "the owner answered a stranger: {said}");
    serving.end().await;

    // A stranger's server, put where the owner's socket should be, in a folder that is ours again.
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    let outside = TempDir::new().unwrap();
    opened(outside.path());
    let mut server = stranger("answer", &outside.path().join("socket")).unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap());
    line(&mut lines, "listens");
    fs::rename(outside.path().join("socket"), &socket).unwrap();
    let own = client(&house).or(house.open());
    let way_out = own.outbound(&Tenant::default(), &name(NAME));
    let error = way_out.send(house.request("/api")).await.unwrap_err();
    assert!(error.to_string().contains("belongs to user 65534"), "{error}");
    assert!(house.provider.calls().is_empty(), "a stranger is no reason to go on as if nothing were there");
    assert_eq!(line(&mut lines, "bytes"), "bytes 0", "the client spoke to a stranger");
    server.wait().unwrap();
}

#[tokio::test]
async fn a_folder_of_another_user_is_refused_by_both_ends_t23_n9() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let serving = Serving::start(&registry, &place(&house));
    let folder = place(&house).socket().parent().unwrap().to_owned();
    if !is_root() {
        return serving.end().await;
    }
    std::os::unix::fs::chown(&folder, Some(NOBODY), None).unwrap();
    let error = client(&house).or(house.open()).list().await.unwrap_err();
    assert!(error.to_string().contains("belongs to another user"), "{error}");
    serving.end().await;
    let error = Owner::bind(&registry, &place(&house)).unwrap_err();
    assert!(matches!(error, BindError::Place(_)), "{error}");
}

#[tokio::test]
async fn what_is_no_question_is_refused_by_its_fault_and_the_connection_closed_n9() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let serving = Serving::start(&registry, &place(&house));
    let long = format!(r#"{{"show":{{"name":"{}"}}}}"#, "x".repeat(70_000));
    for (frame, fault) in [
        (r#"{"export":{"name":"canary"}}"#, "unknown_verb"),
        (r#"{"hello":{"canary":true}}"#, "unknown_verb"),
        ("canary", "not_json"),
        ("", "not_json"),
        (&long, "too_large"),
    ] {
        let answer = said(&place(&house), frame.as_bytes()).await;
        let expected = format!(r#"{{"refused":{{"not_understood":{{"fault":"{fault}"}}}}}}"#);
        assert_eq!(String::from_utf8_lossy(&answer[4..]), expected);
    }
    serving.end().await;
}

#[tokio::test]
async fn connections_that_say_nothing_are_bounded_in_number_and_time_n9() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let serving = Serving::start(&registry, &place(&house));
    let connect = async || tokio::net::UnixStream::connect(place(&house).socket()).await.unwrap();
    let mut silent = Vec::new();
    for _ in 0..128 {
        silent.push(connect().await);
    }
    let mut asking = connect().await;
    asking.write_all(&[&12u32.to_be_bytes()[..], br#"{"hello":{}}"#].concat()).await.unwrap();
    let mut answer = [0; 4];
    let too_soon = tokio::time::timeout(Duration::from_millis(300), asking.read_exact(&mut answer)).await;
    assert!(too_soon.is_err(), "more are answered at a time than may be");
    drop(silent.pop());
    asking.read_exact(&mut answer).await.unwrap();
    // The others are not waited for longer than a frame may take, and are told so.
    let mut told = Vec::new();
    let limit = Duration::from_secs(20);
    tokio::time::timeout(limit, silent[0].read_to_end(&mut told)).await.unwrap().unwrap();
    assert!(told.ends_with(br#"{"refused":{"not_understood":{"fault":"late"}}}"#));
    serving.end().await;
}

/// As [`said`], in a thread of its own.
fn blurted(socket: &Path, frame: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(socket).unwrap();
    let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
    drop(stream.write_all(&[&length[..], frame].concat()));
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    answer
}

/// Bytes that are no question, and things almost like one.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let verb = prop_oneof!["hello|list|show|resolve|renew|kept|refresh|check|export", "[a-z]{1,8}"];
    let almost = (verb, "[^\"\\\\]{0,20}", any::<i64>()).prop_map(|(verb, text, number)| {
        format!(r#"{{"{verb}":{{"name":"canary {text}","origin":"{text}","generation":{number}}}}}"#)
            .into_bytes()
    });
    let bytes = proptest::collection::vec(any::<u8>(), 0..300);
    prop_oneof![almost, bytes.prop_map(|bytes| [&b"canary "[..], &bytes].concat())]
}

#[tokio::test]
async fn any_bytes_are_answered_or_dropped_and_never_repeated_n9_fuzz() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let serving = Serving::start(&registry, &place(&house));
    let socket = place(&house).socket();
    let ran = tokio::task::spawn_blocking(move || {
        TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(300) }).run(
            &frames(),
            |frame| {
                let answer = blurted(&socket, &frame);
                let shown = String::from_utf8_lossy(&answer).into_owned();
                // A name that is legal is repeated as a name; what is no question is not.
                let is_refused = shown.contains("not_understood") || shown.contains("host_not_covered");
                prop_assert!(
                    is_refused || shown.contains("unknown") || shown.contains("\"hello\""),
                    "{shown}"
                );
                prop_assert!(!shown.contains("not_understood") || !shown.contains("canary"), "{shown}");
                prop_assert!(!shown.contains("canary-"), "{shown}");
                Ok(())
            },
        )
    });
    ran.await.unwrap().unwrap();
    assert_eq!(client(&house).list().await.unwrap().len(), 1, "the owner is none the worse");
    serving.end().await;
}

/// Something of this user that answers at the place with these bytes, each time it is asked; it never ends by itself.
fn impostor(house: &House, answer: Vec<u8>) {
    let socket = place(house).socket();
    fs::create_dir_all(socket.parent().unwrap()).unwrap();
    fs::set_permissions(socket.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
    drop(fs::remove_file(&socket));
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            drop(stream.read(&mut [0; 1024]));
            drop(stream.write_all(&answer));
        }
    });
}

fn framed(answer: &str) -> Vec<u8> {
    [&u32::try_from(answer.len()).unwrap().to_be_bytes()[..], answer.as_bytes()].concat()
}

/// An answer that a client cannot use: without a registry it says so and repeats nothing, with one it goes on.
async fn check_unusable(answer: Vec<u8>) {
    let house = House::new().await;
    let registry = house.authorized().await;
    impostor(&house, answer.clone());
    let shown = String::from_utf8_lossy(&answer).into_owned();
    let error = client(&house).list().await.unwrap_err();
    let said = format!("{error} {error:?} {}", error.help());
    assert!(!said.contains("canary"), "{shown}: {said}");
    assert!(said.contains("process that owns the registry"), "{shown}: {said}");
    let way_out = client(&house).outbound(&Tenant::default(), &name(NAME));
    assert!(way_out.send(house.request("/api")).await.is_err(), "{shown}");
    assert!(house.provider.calls().is_empty(), "{shown}: nothing is sent without a token");
    let way_out = client(&house).or(registry).outbound(&Tenant::default(), &name(NAME));
    assert_eq!(way_out.send(house.request("/api")).await.unwrap().status, 200, "{shown}");
}

#[tokio::test]
async fn an_owner_of_another_version_is_left_alone_and_the_locks_are_used() {
    check_unusable(framed(r#"{"hello":{"protocol":2,"installation":null}}"#)).await;
    check_unusable(framed(r#"{"hello":{"protocol":1,"installation":null,"canary":1}}"#)).await;
    check_unusable(framed(r#"{"refused":{"not_understood":{"fault":"unknown_verb"}}}"#)).await;
}

#[tokio::test]
async fn an_answer_that_is_none_is_not_repeated_n9() {
    for answer in [
        framed(r#"{"pass":{"name":"canary-access","generation":1}}"#),
        framed(r#"{"kept":{"value":"canary-access"}}"#),
        framed(r#""canary-access""#),
        framed("canary-access"),
        framed(""),
        b"\xff\xff\xff\xffcanary-access".to_vec(),
        b"\0\0\0\x20canary-access".to_vec(),
        b"\0".to_vec(),
        Vec::new(),
    ] {
        check_unusable(answer).await;
    }
}

#[tokio::test]
async fn an_owner_that_hangs_holds_nobody_up_for_long() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let socket = place(&house).socket();
    fs::create_dir_all(socket.parent().unwrap()).unwrap();
    fs::set_permissions(socket.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
    // It takes connections, as the system does for it, and no question.
    let _hangs = UnixListener::bind(&socket).unwrap();
    let own = client(&house).or(registry);
    // The first question waits for it, five seconds; those after it do not.
    for limit in [20, 4, 4] {
        let listed = tokio::time::timeout(Duration::from_secs(limit), own.list()).await;
        assert_eq!(listed.unwrap().unwrap().len(), 1);
    }
}
