//! `flowrun serve`: the real binary, killed and started again; its configuration, its tokens, its end.

use std::io::Read as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::loopback;
use crate::person::Person;
use crate::served::Served;

const ORDER: &str = "name: order\ntrigger: { message: { keywords: [order] } }\nsteps:\n  - id: which\n    ask: Which order?\n  \
                     - send: \"You said {{steps.which.output}}.\"\noutputs: { which: \"{{steps.which.output}}\" }\n";
const GREET: &str = "name: greet\ninputs: { who: { type: string } }\nsteps: [ { respond: { json: { hello: \"{{who}}\" } } } ]\n";

/// What the channel was sent: the key and the text of each message.
type Sent = Arc<Mutex<Vec<(String, String)>>>;

/// A house with two flows, a channel on loopback, and a token; what the channel was sent.
fn house() -> (Person, String, Sent) {
    let sent: Sent = Arc::default();
    let heard = Arc::clone(&sent);
    let channel = loopback::serve(move |request| {
        let body: Value = serde_json::from_str(&request.body).ok()?;
        let head = request.head.to_lowercase();
        let signed = request.is("POST /out") && head.contains("x-flowrun-signature: v1=");
        let key = head.lines().find_map(|line| line.strip_prefix("idempotency-key: ")).unwrap_or_default();
        let mut heard = heard.lock().expect("unpoisoned");
        // A message that goes out again has its key: who sends it may have died before it was told that it arrived.
        if !heard.iter().any(|(known, _)| known == key) {
            heard.push((
                key.to_owned(),
                format!("{} {}: {signed}", body["peer"].as_str()?, body["text"].as_str()?),
            ));
        }
        loopback::reply("200 OK", "", "{}")
    });
    let person = Person::new(&[("FLOWRUN_SECRET_CHAT", "a-secret-of-the-channel")]);
    std::fs::create_dir_all(person.home().join("flows")).expect("a folder");
    person.write("flows/order.flow.yaml", ORDER);
    person.write("flows/greet.flow.yaml", GREET);
    let address = channel.trim_start_matches("http://");
    let config = format!(
        "[server]\nlisten = '127.0.0.1:0'\n[network]\nallow = ['{address}']\n[channels.chat]\nurl = '{channel}/out'\nsecret = 'CHAT'\n"
    );
    person.write("flowrun.toml", &config);
    let scopes = ["start", "read", "operate"].map(|scope| ["--scope", scope]).concat();
    let created = person.flowrun(&[&["tokens", "create", "test"], &scopes[..]].concat());
    (person, created.stdout.trim().to_owned(), sent)
}

/// What the channel was sent, once it is so much.
fn sent(all: &Mutex<Vec<(String, String)>>, least: usize) -> Vec<String> {
    let began = Instant::now();
    loop {
        let now: Vec<String> = all.lock().expect("unpoisoned").iter().map(|(_, text)| text.clone()).collect();
        if now.len() >= least || began.elapsed() > Duration::from_secs(20) {
            return now;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// runs.md 8: a conversation whose server was killed is answered by the next one; what was taken is not taken twice.
#[test]
fn a_conversation_outlives_the_server_that_is_killed() {
    let (person, token, channel) = house();
    let mut served = Served::start(&person);
    let order = json!({ "channel": "chat", "peer": "+31", "id": "1", "text": "order" });
    assert_eq!(served.post("/api/messages", &token, &order)["became"], "started");
    assert_eq!(sent(&channel, 1), ["+31 Which order?: true"]);
    assert_eq!(served.signal(Signal::KILL), None);

    let mut served = Served::start(&person);
    assert_eq!(served.post("/api/messages", &token, &order)["became"], "duplicate");
    let answer = json!({ "channel": "chat", "peer": "+31", "id": "2", "text": "42" });
    let taken = served.post("/api/messages", &token, &answer);
    assert!(taken["became"] == "resumed" || taken["became"] == "queued", "{taken}");
    assert_eq!(sent(&channel, 2), ["+31 Which order?: true", "+31 You said 42.: true"]);
    let run = taken["run"].as_str().expect("a run");
    let shown = || served.ask(("GET", &format!("/api/runs/{run}")), &token, None).1;
    let began = Instant::now();
    while !shown().contains("\"which\":\"42\"") {
        assert!(began.elapsed() < Duration::from_secs(20), "{}", shown());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(served.signal(Signal::TERM), Some(0));
    let mut said = String::new();
    served.said.read_to_string(&mut said).expect("what it says");
    assert!(said.contains("closing"), "{said}");
}

/// What an operator does about messages whose process was killed three times while they went out (the poison guard of runs.md 8; on
/// a busy machine it takes long to send one): they go out again, with their keys.
fn made_again(served: &Served, token: &str) {
    let doubtful = served.ask(("GET", "/api/runs?status=in_doubt&limit=1000"), token, None).1;
    let doubtful: Value = serde_json::from_str(&doubtful).expect("JSON");
    for run in doubtful.as_array().expect("a list") {
        let path = format!("/api/runs/{}/resolve", run["id"].as_str().expect("an id"));
        assert_eq!(served.ask(("POST", &path), token, Some(&json!({ "how": "retry" }))).0, 202);
    }
}

/// runs.md 8: whenever the server is killed, every conversation comes to its end, and nobody is asked or answered twice.
#[test]
fn conversations_outlive_a_server_that_is_killed_again_and_again() {
    const PEOPLE: usize = 40;
    let (person, token, channel) = house();
    let (mut taken, mut kills) = (std::collections::BTreeSet::new(), 0);
    let message = |peer: usize, id: usize| {
        let text = if id == 1 { "order".to_owned() } else { peer.to_string() };
        json!({ "channel": "chat", "peer": format!("+{peer}"), "id": id.to_string(), "text": text })
    };
    let has_asked =
        |peer: usize| sent(&channel, 0).iter().any(|text| text.starts_with(&format!("+{peer} Which")));
    while kills < 50 || taken.len() < 2 * PEOPLE {
        let mut served = Served::start(&person);
        made_again(&served, &token);
        served.dies_in(Duration::from_millis(8 + (kills * 41) % 90));
        kills += 1;
        // Whoever was not told that a message was taken sends it again; nobody answers before the question.
        let mut is_alive = true;
        while is_alive {
            for (peer, id) in (0..PEOPLE).flat_map(|peer| [(peer, 1), (peer, 2)]) {
                if taken.contains(&(peer, id)) || id == 2 && !has_asked(peer) {
                    continue;
                }
                match served.try_ask(("POST", "/api/messages"), &token, Some(&message(peer, id))) {
                    Some((200, _)) => drop(taken.insert((peer, id))),
                    _ => is_alive = false,
                }
            }
            is_alive &= served.try_ask(("GET", "/healthz"), "", None).is_some();
        }
        served.child.wait().expect("it ends");
        assert!(kills < 200, "{taken:?}");
    }
    let mut served = Served::start(&person);
    made_again(&served, &token);
    let mut all = sent(&channel, 2 * PEOPLE);
    assert_eq!(served.signal(Signal::TERM), Some(0));
    all.sort();
    let both = |peer| [format!("+{peer} Which order?: true"), format!("+{peer} You said {peer}.: true")];
    let mut expected: Vec<String> = (0..PEOPLE).flat_map(both).collect();
    expected.sort();
    assert_eq!(all, expected, "after {kills} kills");
}

#[test]
fn a_run_is_started_and_answered_over_the_api_and_no_token_opens_nothing() {
    let (person, token, _) = house();
    let mut served = Served::start(&person);
    let start = json!({ "inputs": { "who": "Ann" }, "run_id": "one" });
    let run = served.post("/api/flows/greet/runs?wait=20s", &token, &start);
    assert_eq!((&run["status"], &run["answer"]["body"]["hello"]), (&json!("done"), &json!("Ann")), "{run}");
    assert_eq!(served.ask(("GET", "/api/runs"), "fr_no_token", None).0, 401);
    assert_eq!(served.ask(("GET", "/healthz"), "", None).0, 200);
    let listed = person.flowrun(&["tokens", "list"]).stdout;
    let id = listed.split(' ').next().expect("an id");
    person.flowrun(&["tokens", "revoke", id]);
    assert_eq!(served.ask(("GET", "/api/runs"), &token, None).0, 401);
    assert_eq!(served.signal(Signal::TERM), Some(0));
}

/// R15: what is said on the command line stands before the environment, and that before the file; `--check-config` makes nothing.
#[test]
fn a_flag_stands_before_the_environment_and_that_before_the_file_r15() {
    let environment =
        [("FLOWRUN_SERVER_LISTEN", "127.0.0.1:1"), ("FLOWRUN_SERVER_DATA_DIR", "of-environment")];
    let person = Person::new(&environment);
    std::fs::create_dir(person.home().join("flows")).expect("a folder");
    person.write("flows/greet.flow.yaml", GREET);
    person.write(
        "flowrun.toml",
        "[server]\nlisten = 'nowhere'\ndata_dir = 'of-file'\nkey_file = 'keys/of-file'\n",
    );
    assert_eq!(person.flowrun(&["serve", "--check-config"]).code, Some(0), "the environment says where");
    let wrong = person.flowrun(&["serve", "--check-config", "--listen", "0.0.0.0:80"]);
    assert!(wrong.code == Some(3) && wrong.stderr.contains("--listen:1:1"), "{wrong:?}");
    let made = |name: &str| person.home().join(name).exists();
    for name in ["of-environment", "of-file", "keys", ".local", ".config"] {
        assert!(!made(name), "a check makes nothing: {name}");
    }
    let mut served = Served::start_with(&person, &["--listen", "127.0.0.1:0", "--data-dir", "of-flag"]);
    assert_eq!(served.signal(Signal::TERM), Some(0));
    assert!(made("of-flag/runs") && made("keys/of-file") && !made("of-environment") && !made(".config"));
    let mut served = Served::start_with(&person, &["--listen", "127.0.0.1:0"]);
    assert_eq!(served.signal(Signal::TERM), Some(0));
    assert!(made("of-environment/runs") && !made("of-file"));
}

#[test]
fn a_mistake_in_the_configuration_or_a_flow_is_told_with_its_place_and_nothing_is_served() {
    let (person, ..) = house();
    assert_eq!(person.flowrun(&["serve", "--check-config"]).code, Some(0));
    person.write("flows/bad.flow.yaml", "name: bad\nsteps: [ { send: \"{{nobody}}\" } ]\n");
    let ended = person.flowrun(&["serve"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("bad.flow.yaml:2") && ended.stderr.contains("nobody"), "{ended:?}");
    person.write("flowrun.toml", "[server]\nlisten = '0.0.0.0:80'\n");
    let ended = person.flowrun(&["serve", "--check-config"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("flowrun.toml:2:10") && ended.stderr.contains("public_url"), "{ended:?}");
}
