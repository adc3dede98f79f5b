//! Streaming benchmark: items that come in pages, gone through by a `for_each` with `concurrency: 64`.
//!
//! ```text
//! cargo bench -p flowrun-cli --bench stream -- --items 1000000
//! ```
//! A server in this process gives pages of 1,000 items; the real binary goes through them. What it keeps in memory is
//! looked at ten times a second: memory is flat if the most of the last half is that of the first tenth, give or take.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops when a part is missing"
)]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PAGE: u64 = 1_000;

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    // `cargo test --benches` starts benchmarks too, without this word.
    if !words.iter().any(|word| word == "--bench") {
        return;
    }
    let given = words.windows(2).find(|pair| pair[0] == "--items").map(|pair| pair[1].as_str());
    let items: u64 = given.map_or(1_000_000, |items| items.parse().expect("a number of items"));
    let base = serve(items / PAGE);
    let home = tempfile::tempdir().expect("a temporary folder");
    let flow = home.path().join("stream.flow.yaml");
    fs::write(&flow, text(&base, items)).expect("the folder is writable");
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_flowrun"))
        .args([flow.to_str().expect("UTF-8"), "-q", "--output", "json"])
        .env_clear()
        .env("HOME", home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("flowrun starts");
    let mut memory = Vec::new();
    while child.try_wait().expect("flowrun is a child").is_none() {
        memory.extend(resident_kib(child.id()));
        thread::sleep(Duration::from_millis(100));
    }
    let took = began.elapsed();
    let ended = child.wait_with_output().expect("flowrun ends");
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && said.contains(&format!("\"last\":{}", items - 1)), "{said}");
    report(items, took, &memory);
}

fn text(base: &str, items: u64) -> String {
    format!(
        "limits: {{ steps: {}, items: {items} }}\nsteps:\n  - id: list\n    fetch_variables:\n      url: {base}/items\n      \
         paginate: {{ items: data, next: {{ page: query.page }}, max_pages: {} }}\n  - id: all\n    for_each: {{ in: \
         steps.list.output.items, as: contact, concurrency: 64 }}\n    do:\n      - set: {{ greeting: \"Dear {{{{contact.name}}}}\" }}\n      \
         - if: contact.id == {}\n        then: [ {{ emit: {{ event: last, data: {{ id: \"{{{{contact.id}}}}\", greeting: \
         \"{{{{greeting}}}}\" }} }} }} ]\n  - wait: {{ event: last }}\n    into: last\noutputs: {{ last: \"{{{{last.id}}}}\" }}\n",
        items * 4 + 100,
        items / PAGE + 1,
        items - 1,
    )
}

/// Gives pages until the process ends.
fn serve(pages: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("bound"));
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || answer(&stream, pages));
        }
    });
    base
}

fn answer(stream: &TcpStream, pages: u64) {
    let mut lines = BufReader::new(stream).lines();
    let mut page = 0;
    while let Some(Ok(line)) = lines.next() {
        if let Some((_, number)) = line.split_once("page=") {
            page = number.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default();
        }
        if line.is_empty() {
            let body = if (1..=pages).contains(&page) { items(page) } else { "{\"data\":[]}".to_owned() };
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length:";
            if write!(&mut &*stream, "{head} {}\r\n\r\n{body}", body.len()).is_err() {
                return;
            }
        }
    }
}

fn items(page: u64) -> String {
    let mut body = String::from("{\"data\":[");
    for id in (page - 1) * PAGE..page * PAGE {
        let comma = if id % PAGE == 0 { "" } else { "," };
        // Writing into a String cannot fail.
        let _ = write!(
            body,
            "{comma}{{\"id\":{id},\"name\":\"Contact {id}\",\"email\":\"contact-{id}@example.com\"}}"
        );
    }
    body + "]}"
}

/// What the process keeps in memory, as long as it is there.
fn resident_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

fn report(items: u64, took: Duration, memory: &[u64]) {
    let mib = |part: &[u64]| part.iter().max().copied().unwrap_or_default() as f64 / 1024.0;
    let (tenth, half) = (memory.len().div_ceil(10), memory.len() / 2);
    println!(
        "{items} items in {:.1} s: {:.0} items/s",
        took.as_secs_f64(),
        items as f64 / took.as_secs_f64()
    );
    println!(
        "most memory: {:.1} MiB in the first tenth, {:.1} MiB in the second half",
        mib(&memory[..tenth.min(memory.len())]),
        mib(&memory[half..])
    );
}
