//! Walks a program from one write to the next, and kills it there.
//!
//! strace delivers SIGSTOP after each system call that writes, syncs, renames or sends; the program is let go with
//! SIGCONT, or killed with SIGKILL. So "after the n-th write" is the same place every time, and no clock is involved.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};

use crate::operator::Operator;
use crate::tracer::WRITES;

/// What tokio writes to wake itself.
const WAKE: &str = r#""\1\0\0\0\0\0\0\0", 8)"#;

/// Longest time between two writes; what takes longer has ended, and strace has not seen it.
const LIMIT: Duration = Duration::from_secs(30);

/// A program that stands still after each of its writes.
pub(crate) struct Stepper {
    stops: Receiver<Event>,
    pid: Option<Pid>,
    strace: Option<Pid>,
}

enum Event {
    /// It has begun, under this id.
    Began(Pid),
    /// It stands still after this system call.
    Stopped(String),
}

/// Makes flowrun's command one that stands still after each write; `trace` is where strace speaks.
pub(crate) fn stepped(operator: &Operator, words: &[&str], trace: &Path) -> Command {
    mknodat(CWD, trace, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe with a name");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-s", "24", "-o"]).arg(trace);
    strace.args(["-e", &format!("trace=execve,{WRITES}"), "-e", &format!("inject={WRITES}:signal=SIGSTOP")]);
    strace.arg(env!("CARGO_BIN_EXE_flowrun")).args(words);
    operator.at_home(strace)
}

impl Stepper {
    /// Follows a command of [`stepped`] that was started as this program.
    pub(crate) fn follow(trace: &Path, strace: &Child) -> Self {
        let (hand_out, stops) = mpsc::channel();
        let trace = trace.to_owned();
        thread::spawn(move || {
            let pipe = File::open(&trace).expect("the pipe is there");
            std::fs::remove_file(&trace).expect("both ends are open");
            read(BufReader::new(pipe), &hand_out);
        });
        Self { stops, pid: None, strace: pid(strace.id()) }
    }

    /// Lets it go on until it has made so many further writes; the last of them, or nothing if it ended before.
    pub(crate) fn step(&mut self, writes: usize) -> Option<String> {
        let mut last = None;
        for _ in 0..writes {
            self.go_on();
            last = Some(self.next_stop()?);
        }
        last
    }

    /// Lets it run to its end, and says what it wrote.
    pub(crate) fn run(mut self) -> Vec<String> {
        std::iter::from_fn(|| self.step(1)).collect()
    }

    /// Kills it where it stands.
    pub(crate) fn kill(self) {
        self.end();
        // Until both are gone, nothing is over.
        self.stops.iter().for_each(drop);
    }

    /// First the program, then strace: once in some hundred times strace 6.1 does not see the end of a program with
    /// many threads. What it still holds dies with it.
    fn end(&self) {
        for pid in [self.pid, self.strace].into_iter().flatten() {
            // It may have ended; then there is nothing to kill.
            kill_process(pid, Signal::KILL).ok();
        }
    }

    fn next_stop(&mut self) -> Option<String> {
        loop {
            match self.stops.recv_timeout(LIMIT) {
                Ok(Event::Began(pid)) => self.pid = Some(pid),
                Ok(Event::Stopped(call)) if !leaves_a_trace(&call) => self.go_on(),
                Ok(Event::Stopped(call)) => return Some(call),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    self.end();
                    return None;
                }
            }
        }
    }

    fn go_on(&self) {
        if let Some(pid) = self.pid {
            kill_process(pid, Signal::CONT).ok();
        }
    }
}

/// Whether anything is different after this call: a wake-up is none, nor is opening what is there.
fn leaves_a_trace(call: &str) -> bool {
    let only_opens = call.starts_with("openat(") && !call.contains("O_CREAT");
    !call.contains(WAKE) && !only_opens && !call.contains(" = -1 E")
}

/// Passes on where the program stands, until it has ended.
fn read(trace: impl BufRead, hand_out: &Sender<Event>) {
    let (mut call, mut stopping) = (String::new(), String::new());
    for line in trace.lines().map_while(Result::ok) {
        let Some((thread, said)) = line.split_once(' ') else { continue };
        let said = said.trim_start();
        let event = if said.starts_with("execve(") {
            thread.parse().ok().and_then(pid).map(Event::Began)
        } else if said.starts_with("--- SIGSTOP {") {
            stopping = thread.to_owned();
            None
        } else if said.starts_with("--- stopped by") {
            (thread == stopping).then(|| Event::Stopped(call.clone()))
        } else {
            if !said.starts_with("---") {
                call = said.to_owned();
            }
            None
        };
        if event.is_some_and(|event| hand_out.send(event).is_err()) {
            return;
        }
    }
}

fn pid(number: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(number).ok()?)
}
