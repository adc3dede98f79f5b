//! Which addresses are dialled (N7): as URLs, as redirects, and behind names that change their mind.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flowrun_http::{Client, NetworkPolicy, Resolver};
use flowrun_step::{BoxError, BoxFuture, Outbound, Request, StepError};
use http::Method;
use tokio::net::TcpListener;

use crate::provider::{Answer, Provider};
use crate::unruly::redirect;

/// Refused for everybody, a command line included.
const NEVER: [&str; 38] = [
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254:80/",
    "http://169.254.169.254./",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0xA9.0xFE.0xA9.0xFE/",
    "http://0251.0376.0251.0376/",
    "http://025177524776/",
    "http://169.254.43518/",
    "http://169.16689662/",
    "http://0xa9.254.0251.254/",
    "http://%31%36%39.254.169.254/",
    "http://169%2e254%2e169%2e254/",
    "http://１６９.２５４.１６９.２５４/",
    "http://①⑥⑨.②⑤④.①⑥⑨.②⑤④/",
    "http://169。254。169。254/",
    "http:\\\\169.254.169.254\\",
    "http:///169.254.169.254/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[0:0:0:0:0:FFFF:A9FE:A9FE]/",
    "http://[::169.254.169.254]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[64:ff9b:1::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[2001:0:a9fe:a9fe::1]/",
    "http://[2001:0:808:808::5601:5601]/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
    "http://[ff02::1]/",
    "http://[::]/",
    "http://0/",
    "http://0.0.0.0:8080/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
];

/// Refused unless the operator listed them.
const PRIVATE: [&str; 30] = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.0.0.1./",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://0177.0.0.01/",
    "http://00000177.0.0.1/",
    "http://127.255.255.254/",
    "http://%31%32%37.0.0.1/",
    "http://１２７.０.０.１/",
    "http://ⓛocalhost/",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://127.0x0.0.1/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://[fc00::1]/",
    "http://[fd12:3456::1]/",
];

fn request(url: &str) -> Request {
    let url = url.parse().unwrap_or_else(|error| panic!("{url}: {error}"));
    Request { redirects: 5, ..Request::new(Method::GET, url) }
}

async fn refusal(client: &Client, url: &str) -> String {
    match client.send(request(url)).await {
        Err(StepError::Refused { reason, .. }) => reason,
        other => panic!("{url}: {other:?}"),
    }
}

#[tokio::test]
async fn no_spelling_of_a_closed_address_is_dialled_t15() {
    let service = Client::builder().policy(NetworkPolicy::public_only()).build();
    for url in NEVER.into_iter().chain(PRIVATE) {
        let reason = refusal(&service, url).await;
        assert!(reason.ends_with("is not at an address this house may call"), "{url}: {reason}");
    }
    let line = Client::builder().policy(NetworkPolicy::cli()).build();
    for url in NEVER {
        let reason = refusal(&line, url).await;
        assert!(reason.ends_with("is not at an address this house may call"), "{url}: {reason}");
    }
}

#[tokio::test]
async fn no_redirect_leads_to_a_closed_address_t15() {
    let provider = Provider::start(|request| {
        let index: usize = request["GET /".len()..].split(' ').next().unwrap().parse().unwrap();
        let target = NEVER.iter().chain(&PRIVATE).nth(index).unwrap();
        redirect(302, target)
    });
    let provider = provider.await;
    let policy = NetworkPolicy::public_only().allow(&provider.address.to_string()).unwrap();
    let client = Client::builder().policy(policy).build();
    for (index, url) in NEVER.iter().chain(&PRIVATE).enumerate() {
        let reason = refusal(&client, &provider.url(&format!("/{index}"))).await;
        assert!(reason.ends_with("is not at an address this house may call"), "{url}: {reason}");
    }
    assert_eq!(provider.seen().len(), NEVER.len() + PRIVATE.len());
}

/// Answers look-ups in turn, the last one for ever, and counts them.
struct Turncoat {
    answers: Vec<Vec<IpAddr>>,
    asked: Arc<AtomicUsize>,
}

impl Resolver for Turncoat {
    fn resolve(&self, _host: &str) -> BoxFuture<'static, Result<Vec<IpAddr>, BoxError>> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len() - 1);
        let answer = self.answers[turn].clone();
        Box::pin(async move { Ok(answer) })
    }
}

/// A client whose every name is answered so; it may call loopback's first address at the port alone.
fn turncoat(answers: &[&[&str]], allowed: SocketAddr) -> (Client, Arc<AtomicUsize>) {
    let parse = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
    let asked = Arc::<AtomicUsize>::default();
    let resolver = Turncoat { answers: answers.iter().map(parse).collect(), asked: Arc::clone(&asked) };
    let policy = NetworkPolicy::public_only().allow(&allowed.to_string()).unwrap();
    (Client::builder().policy(policy).resolver(resolver).build(), asked)
}

/// A service at the same port of another loopback address, which nobody is allowed to call.
async fn at_second_loopback(port: u16) -> Provider {
    let listener = TcpListener::bind(("127.0.0.2", port)).await.unwrap();
    Provider::start_on(listener, |_| Answer::json(200, "2"))
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_dialled_only_where_it_was_judged_t16() {
    let good = Provider::start(|_| Answer::json(200, "1")).await;
    let port = good.address.port();
    let evil = at_second_loopback(port).await;
    let (client, asked) = turncoat(&[&["127.0.0.1"], &["127.0.0.2"]], good.address);
    let url = format!("http://rebind.example:{port}/");
    assert_eq!(client.send(request(&url)).await.unwrap().body, "1");
    assert_eq!(asked.load(Ordering::SeqCst), 1, "what is dialled is what was judged: one look-up");
    assert_eq!(refusal(&client, &url).await, "rebind.example is not at an address this house may call");
    assert!(evil.seen().is_empty());
}

#[tokio::test]
async fn of_many_answers_only_the_permitted_are_dialled_t16() {
    let good = Provider::start(|_| Answer::json(200, "1")).await;
    let port = good.address.port();
    let evil = at_second_loopback(port).await;
    let (client, _) = turncoat(&[&["169.254.169.254", "127.0.0.2", "::1", "127.0.0.1"]], good.address);
    assert_eq!(client.send(request(&format!("http://many.example:{port}/"))).await.unwrap().body, "1");
    assert!(evil.seen().is_empty());
}

#[tokio::test]
async fn a_listed_address_is_listed_for_its_port_alone_even_behind_a_name_n7() {
    let good = Provider::start(|_| Answer::json(200, "1")).await;
    let other = Provider::start(|_| Answer::json(200, "2")).await;
    let (client, _) = turncoat(&[&["127.0.0.1"]], good.address);
    assert!(client.send(request(&format!("http://name.example:{}/", good.address.port()))).await.is_ok());
    let url = format!("http://name.example:{}/", other.address.port());
    assert_eq!(refusal(&client, &url).await, "name.example is not at an address this house may call");
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_from_one_name_to_another_is_judged_again_n7() {
    let provider = Provider::start(|_| redirect(302, "http://second.example/")).await;
    let (client, _) = turncoat(&[&["127.0.0.1"], &["10.0.0.1"]], provider.address);
    let url = format!("http://first.example:{}/", provider.address.port());
    assert_eq!(refusal(&client, &url).await, "second.example is not at an address this house may call");
}

#[tokio::test]
async fn pinned_names_are_the_only_ones_n10() {
    let provider = Provider::start(|_| Answer::json(200, "1")).await;
    let client = Client::builder().names([("api.teamleader.eu", provider.address)]).build();
    for url in ["http://api.teamleader.eu/me", "http://API.teamleader.eu./me"] {
        assert_eq!(client.send(request(url)).await.unwrap().body, "1", "{url}");
    }
    assert!(provider.seen()[0].contains("host: api.teamleader.eu\r\n"), "{:?}", provider.seen());
    let literal = format!("http://{}/", provider.address);
    for url in ["http://example.com/", "http://localhost/", "http://8.8.8.8/", "http://[::1]/", &literal] {
        let reason = refusal(&client, url).await;
        assert!(reason.ends_with("is not one of the sandbox's hosts"), "{url}: {reason}");
    }
}
