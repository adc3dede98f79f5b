//! The control socket within a process: what a client gets from an owner, what it never gets, and where the socket
//! may be (N9, R17, T23). `socket_processes.rs` has real processes, `socket_strangers.rs` whoever means ill.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use flowrun_registry::socket::{BindError, Client, Owner, Place, PlaceError};
use flowrun_registry::{NewIntegration, Registry};
use flowrun_step::{IntegrationState, Integrations, NeedsAttention, StepError, Tenant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

use crate::provider::Next;
use crate::world::{House, LoopbackClient, NAME, name, until};

/// An owner that answers until it is told to end.
pub(crate) struct Serving {
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Serving {
    pub(crate) fn start(registry: &Registry, place: &Place) -> Self {
        let owner = Owner::bind(registry, place).unwrap();
        let (end, ended) = oneshot::channel();
        let task = tokio::spawn(async move { owner.serve(async { drop(ended.await) }).await.unwrap() });
        Self { end, task }
    }

    pub(crate) async fn end(self) {
        self.end.send(()).unwrap();
        self.task.await.unwrap();
    }
}

pub(crate) fn place(house: &House) -> Place {
    Place::of(&house.folder.path().join("data"), None)
}

/// A client that has no registry to fall back on.
pub(crate) fn client(house: &House) -> Client {
    Client::new(place(house), Arc::new(LoopbackClient(house.provider.address())))
}

async fn call(house: &House, client: &Client) -> Result<u16, StepError> {
    let way_out = client.outbound(&Tenant::default(), &name(NAME));
    Ok(way_out.send(house.request("/api")).await?.status.as_u16())
}

/// Says this frame to whoever answers, and gives the bytes that come back.
pub(crate) async fn said(place: &Place, frame: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(place.socket()).await.unwrap();
    let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
    // An owner that has heard enough may have closed already.
    drop(stream.write_all(&[&length[..], frame].concat()).await);
    let mut bytes = Vec::new();
    drop(stream.read_to_end(&mut bytes).await);
    bytes
}

#[tokio::test]
async fn a_client_without_any_registry_calls_through_its_owner_r17() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let serving = Serving::start(&registry, &place(&house));
    let client = client(&house);
    assert_eq!(call(&house, &client).await.unwrap(), 200);
    let head = &house.provider.calls()[0].head;
    assert!(head.contains("\r\nauthorization: Bearer canary-access-1"), "{head}");
    let listed = Integrations::list(&client, &Tenant::default()).await.unwrap();
    assert_eq!(listed, Integrations::list(&registry, &Tenant::default()).await.unwrap());
    assert_eq!(client.show(&name(NAME)).await.unwrap(), registry.show(&name(NAME)).await.unwrap());
    assert_eq!(client.list().await.unwrap(), registry.list().await.unwrap());
    serving.end().await;
    let error = call(&house, &client).await.unwrap_err();
    assert!(error.to_string().contains("no process answers at"), "{error}");
    assert_eq!(error.help(), Some("flowrun integrations serve"));
}

#[tokio::test]
async fn the_owner_refreshes_once_for_all_who_ask_oa_37() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let serving = Serving::start(&registry, &place(&house));
    house.provider.expire();
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let way_out = client(&house).outbound(&Tenant::default(), &name(NAME));
            let request = house.request("/api");
            tokio::spawn(async move { way_out.send(request).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().status, 200);
    }
    assert_eq!(house.provider.refreshes(), 1);
    let before = client(&house).refresh(&name(NAME)).await.unwrap();
    assert_eq!(house.provider.refreshes(), 1, "it is not due");
    house.clock.forward(1);
    let after = client(&house).force_refresh(&name(NAME)).await.unwrap();
    assert!(after.refreshed_at > before.refreshed_at);
    assert_eq!(house.provider.refreshes(), 2);
    serving.end().await;
}

#[tokio::test]
async fn an_owner_sees_with_the_next_question_what_another_process_changed_oa_40() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let serving = Serving::start(&registry, &place(&house));
    let (client, other) = (client(&house), house.open());
    let elsewhere =
        || flowrun_step::Request::new(http::Method::GET, "https://api.example.com/api".parse().unwrap());
    let way_out = client.outbound(&Tenant::default(), &name(NAME));
    assert!(way_out.send(elsewhere()).await.is_err());
    other.allow(&name(NAME), "api.example.com").await.unwrap();
    assert_eq!(way_out.send(elsewhere()).await.unwrap().status, 200);
    other.force_refresh(&name(NAME)).await.unwrap();
    assert_eq!(call(&house, &client).await.unwrap(), 200);
    assert_eq!(house.provider.refreshes(), 1, "the other process's token was used");
    other.remove(&name(NAME)).await.unwrap();
    let error = call(&house, &client).await.unwrap_err();
    assert!(error.to_string().contains("there is no integration"), "{error}");
    serving.end().await;
}

#[tokio::test]
async fn to_renew_tokens_that_are_gone_already_costs_no_refresh_oa_49() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let serving = Serving::start(&registry, &place(&house));
    for generation in [1, 1, 1, 7] {
        let question = format!(r#"{{"renew":{{"name":"{NAME}","generation":{generation}}}}}"#);
        let answer = said(&place(&house), question.as_bytes()).await;
        assert_eq!(&answer[4..], br#"{"renewed":{}}"#);
    }
    assert_eq!(house.provider.refreshes(), 1);
    serving.end().await;
}

/// What the owner cannot see of a request is judged by the process that sends it.
#[tokio::test]
async fn a_client_refuses_a_second_credential_by_itself_oa_59_oa_61() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let serving = Serving::start(&registry, &place(&house));
    let way_out = client(&house).outbound(&Tenant::default(), &name(NAME));
    let mut own_header = house.request("/api");
    own_header.headers.insert("authorization", http::HeaderValue::from_static("own"));
    let error = way_out.send(own_header).await.unwrap_err();
    assert!(error.to_string().contains("sets `Authorization` itself"), "{error}");
    let mut own_user = house.request("/api");
    own_user.url.set_username("user").unwrap();
    let error = way_out.send(own_user).await.unwrap_err();
    assert!(error.help().unwrap().contains("remove the user name"), "{error}");
    assert!(house.provider.calls().is_empty());
    serving.end().await;
}

#[tokio::test]
async fn a_second_401_ends_in_an_error_by_the_socket_as_well_oa_48() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let serving = Serving::start(&registry, &place(&house));
    for _ in 0..2 {
        house.provider.next_call(Next::Say(401, "", String::new()));
    }
    let error = call(&house, &client(&house)).await.unwrap_err();
    assert!(error.to_string().contains("answered 401 again"), "{error}");
    assert_eq!((house.provider.calls().len(), house.provider.refreshes()), (2, 1));
    serving.end().await;
}

/// The same question by the socket and to the registry itself must be refused in the same words.
async fn check_same_refusal(house: &House, registry: &Registry, typed: &str) {
    let request = || house.request("/api");
    let own = registry.outbound(&Tenant::default(), &name(typed)).send(request()).await.unwrap_err();
    let asked = client(house).outbound(&Tenant::default(), &name(typed)).send(request()).await.unwrap_err();
    assert_eq!(format!("{asked:?}"), format!("{own:?}"));
    let own = registry.kept(&Tenant::default(), &name(typed), "x").await.unwrap_err();
    let asked = client(house).kept(&Tenant::default(), &name(typed), "x").await.unwrap_err();
    assert_eq!(format!("{asked:?}"), format!("{own:?}"));
}

#[tokio::test]
async fn a_refusal_has_the_same_words_by_either_way_oa_1() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let draft = NewIntegration { name: name("draft"), ..house.draft(house.settings()) };
    registry.add(draft).await.unwrap();
    let serving = Serving::start(&registry, &place(&house));
    for typed in ["teamleade", "draft"] {
        check_same_refusal(&house, &registry, typed).await;
    }
    house.provider.next_token(Next::Say(400, "", r#"{"error":"invalid_grant"}"#.to_owned()));
    let error = client(&house).force_refresh(&name(NAME)).await.unwrap_err();
    assert!(!error.is_transient());
    let shown = registry.show(&name(NAME)).await.unwrap();
    assert_eq!(shown.state, IntegrationState::NeedsAttention(NeedsAttention::RefreshRefused));
    check_same_refusal(&house, &registry, NAME).await;
    fs::remove_file(house.folder.path().join("config/key")).unwrap();
    // The next read meets a registry without its key; a write by another hand makes the owner read.
    check_same_refusal(&house, &house.open(), "draft").await;
    serving.end().await;
}

#[tokio::test]
async fn a_transient_failure_stays_transient_by_the_socket_oa_44() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let serving = Serving::start(&registry, &place(&house));
    house.provider.next_token(Next::Say(503, "", String::new()));
    house.provider.expire();
    let error = call(&house, &client(&house)).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    serving.end().await;
}

#[tokio::test]
async fn a_token_is_given_for_an_allowed_host_only_and_nothing_is_refreshed_for_another_n9() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let serving = Serving::start(&registry, &place(&house));
    house.clock.forward(4000);
    let address = house.provider.address();
    for origin in [
        "https://evil.test".to_owned(),
        "http://evil.test".to_owned(),
        format!("https://{address}@evil.test"),
        format!("http://{address}/api"),
        format!("http://user@{address}"),
        "http://127.0.0.1:1".to_owned(),
        "null".to_owned(),
        String::new(),
    ] {
        let question = format!(r#"{{"resolve":{{"name":"{NAME}","origin":"{origin}"}}}}"#);
        let answer = said(&place(&house), question.as_bytes()).await;
        assert_eq!(&answer[4..], br#"{"refused":{"host_not_covered":{}}}"#, "{origin}");
    }
    let error = client(&house)
        .outbound(&Tenant::default(), &name(NAME))
        .send(flowrun_step::Request::new(http::Method::GET, "https://evil.test/x?secret=1".parse().unwrap()))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the token of integration `teamleader` may not be sent to `evil.test`");
    assert_eq!((house.provider.refreshes(), house.provider.calls().len()), (0, 0));
    serving.end().await;
}

/// Every verb, with every answer it can give in a house that works; none of these bytes may be a kept secret.
#[tokio::test]
async fn no_frame_ever_holds_a_refresh_token_or_a_client_secret_n9() {
    let house = House::new().await;
    house.provider.add(r#""api_domain":"https://www.zohoapis.eu""#);
    let registry = house.authorized().await;
    let serving = Serving::start(&registry, &place(&house));
    let origin = format!("http://{}", house.provider.address());
    let mut tokens_given = 0;
    for question in [
        r#"{"hello":{}}"#.to_owned(),
        r#"{"list":{"after":null}}"#.to_owned(),
        format!(r#"{{"show":{{"name":"{NAME}"}}}}"#),
        format!(r#"{{"resolve":{{"name":"{NAME}","origin":"{origin}"}}}}"#),
        format!(r#"{{"renew":{{"name":"{NAME}","generation":1}}}}"#),
        format!(r#"{{"kept":{{"name":"{NAME}","field":"refresh_token"}}}}"#),
        format!(r#"{{"kept":{{"name":"{NAME}","field":"client_secret"}}}}"#),
        format!(r#"{{"refresh":{{"name":"{NAME}","force":true}}}}"#),
        format!(r#"{{"export":{{"name":"{NAME}"}}}}"#),
        format!(r#"{{"resolve":{{"name":"{NAME}","origin":"https://evil.test"}}}}"#),
    ] {
        let answer = String::from_utf8_lossy(&said(&place(&house), question.as_bytes()).await).into_owned();
        assert!(answer.len() > 4, "{question} has an answer");
        for canary in ["canary-refresh", "canary-client-secret", "canary-code"] {
            assert!(!answer.contains(canary), "{question} gave {canary}");
        }
        tokens_given += usize::from(answer.contains("canary-access"));
    }
    assert_eq!(tokens_given, 1, "an access token is in the answer to `resolve` and in no other");
    serving.end().await;
}

#[tokio::test]
async fn a_list_longer_than_a_frame_comes_whole() {
    let house = House::new().await;
    let registry = house.in_memory();
    for number in 0..60 {
        let draft = NewIntegration {
            name: name(&format!("integration {number:02}")),
            scopes: (0..100).map(|scope| format!("a-rather-long-scope-{scope:03}")).collect(),
            ..house.draft(house.settings())
        };
        registry.add(draft).await.unwrap();
    }
    let serving = Serving::start(&registry, &place(&house));
    assert_eq!(client(&house).list().await.unwrap(), registry.list().await.unwrap());
    serving.end().await;
}

#[tokio::test]
async fn a_client_with_a_registry_of_its_own_uses_it_while_no_owner_answers_r17() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let client = client(&house).or(house.open());
    assert_eq!(call(&house, &client).await.unwrap(), 200);
    for _ in 0..2 {
        let serving = Serving::start(&registry, &place(&house));
        assert_eq!(call(&house, &client).await.unwrap(), 200);
        serving.end().await;
        assert!(!place(&house).socket().exists());
        house.provider.expire();
        assert_eq!(call(&house, &client).await.unwrap(), 200, "without an owner it refreshes itself");
        assert_eq!(client.list().await.unwrap(), registry.list().await.unwrap());
    }
    assert_eq!(house.provider.refreshes(), 2);
    assert!(!house.provider.is_revoked());
}

#[tokio::test]
async fn an_owner_that_is_told_to_end_finishes_what_it_was_asked_oa_41() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let serving = Serving::start(&registry, &place(&house));
    let gate = Arc::new(Semaphore::new(0));
    house.provider.next_token(Next::Wait(Arc::clone(&gate)));
    let asked = tokio::spawn({
        let client = client(&house);
        async move { client.force_refresh(&name(NAME)).await }
    });
    until("the owner refreshes", || house.provider.refreshes() == 1).await;
    let ending = tokio::spawn(serving.end());
    until("the owner takes no more questions", || !place(&house).socket().exists()).await;
    gate.add_permits(1);
    assert!(asked.await.unwrap().unwrap().refreshed_at.is_some());
    ending.await.unwrap();
}

#[tokio::test]
async fn a_live_owners_socket_is_never_taken_from_it_and_a_dead_ones_is_n9() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let serving = Serving::start(&registry, &place(&house));
    let error = Owner::bind(&house.open(), &place(&house)).unwrap_err();
    assert!(matches!(error, BindError::Owned(_)), "{error}");
    assert_eq!(call(&house, &client(&house)).await.unwrap(), 200, "the first still answers");
    serving.end().await;
    // As a dead owner leaves it: the file is there, and nobody behind it.
    drop(std::os::unix::net::UnixListener::bind(place(&house).socket()).unwrap());
    let error = call(&house, &client(&house)).await.unwrap_err();
    assert!(error.to_string().contains("no process answers at"), "{error}");
    let serving = Serving::start(&registry, &place(&house));
    assert_eq!(call(&house, &client(&house)).await.unwrap(), 200);
    let mode = fs::metadata(place(&house).socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    serving.end().await;
    // A program that answers there without being an owner is not pushed aside either.
    let _answers = std::os::unix::net::UnixListener::bind(place(&house).socket()).unwrap();
    assert!(matches!(Owner::bind(&registry, &place(&house)), Err(BindError::Owned(_))));
}

/// N9: what a folder is made into, and the complaint of either end about it.
async fn check_folder(spoil: impl FnOnce(&Path), said: &str, fix: &str) {
    let house = House::new().await;
    let registry = house.authorized().await;
    let serving = Serving::start(&registry, &place(&house));
    let folder = place(&house).socket().parent().unwrap().to_owned();
    spoil(&folder);
    // A registry of its own is no way around a folder that cannot be trusted.
    let error = call(&house, &client(&house).or(house.open())).await.unwrap_err();
    assert!(error.to_string().contains(said), "{error}");
    assert!(error.help().unwrap().contains(fix), "{:?}", error.help());
    assert!(house.provider.calls().is_empty());
    serving.end().await;
    let error = Owner::bind(&registry, &place(&house)).unwrap_err();
    let BindError::Place(PlaceError::Unsafe { .. }) = error else { panic!("{error}") };
    assert!(error.to_string().contains(said), "{error}");
    assert!(error.help().contains(fix), "{}", error.help());
}

#[tokio::test]
async fn a_folder_that_others_can_enter_is_refused_by_both_ends_t23_n9() {
    for mode in [0o755, 0o710, 0o702] {
        let open = |folder: &Path| fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
        check_folder(open, "can be entered by others", "chmod 700 ").await;
    }
}

#[tokio::test]
async fn a_folder_that_is_a_symbolic_link_is_refused_by_both_ends_t23_n9() {
    let link = |folder: &Path| {
        let elsewhere = folder.with_file_name("elsewhere");
        fs::rename(folder, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, folder).unwrap();
    };
    check_folder(link, "is a symbolic link", "remove ").await;
}

#[tokio::test]
async fn a_data_folder_with_a_long_path_has_its_socket_in_the_runtime_folder_n9() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let (long, runtime) = (house.folder.path().join("d".repeat(100)), house.folder.path().join("run"));
    let place = Place::of(&long, Some(&runtime));
    let serving = Serving::start(&registry, &place);
    let client = Client::new(place.clone(), Arc::new(LoopbackClient(house.provider.address())));
    assert_eq!(call(&house, &client).await.unwrap(), 200);
    let mode = fs::metadata(place.socket().parent().unwrap()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    serving.end().await;
}

#[tokio::test]
async fn another_tenant_has_no_integrations_at_the_socket_either() {
    let house = House::new().await;
    let registry = house.authorized().await;
    let serving = Serving::start(&registry, &place(&house));
    let (client, other) = (client(&house), Tenant::new("other").unwrap());
    assert!(Integrations::list(&client, &other).await.unwrap().is_empty());
    assert!(client.outbound(&other, &name(NAME)).send(house.request("/api")).await.is_err());
    assert!(client.kept(&other, &name(NAME), "x").await.is_err());
    assert!(house.provider.calls().is_empty());
    serving.end().await;
}
