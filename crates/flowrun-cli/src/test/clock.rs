//! Virtual time: it stands still while anything can go on, and jumps to the next moment somebody waits for.
//!
//! The runtime of a case has one thread and no network, so "nothing can go on" is what that thread knows when it is
//! about to go idle: [`VirtualClock::jump`] is called then, and nowhere else. No timer of the system is involved, so a
//! case that waits for a day takes no time, and the same case goes the same way every time.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use flowrun::step::{BoxFuture, Clock};
use jiff::Timestamp;

/// Why time goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The case's `advance` is over.
    Over,
    /// Everything waits, and nothing for a moment in time.
    Stuck,
}

/// The time of one case.
#[derive(Debug, Clone)]
pub(super) struct VirtualClock(Arc<Mutex<Time>>);

#[derive(Debug)]
struct Time {
    now: Timestamp,
    /// The last moment that the case looks at.
    end: Option<Timestamp>,
    /// Who waits for which moment, in the order they began to.
    waiting: BTreeMap<(Timestamp, u64), Waker>,
    next: u64,
    stop: Option<Stop>,
    watcher: Option<Waker>,
}

impl VirtualClock {
    /// A clock that begins at a moment and goes so far.
    pub(super) fn new(now: Timestamp, advance: Option<Duration>) -> Self {
        let end = advance.map(|advance| now.checked_add(advance).unwrap_or(Timestamp::MAX));
        let (waiting, next, stop, watcher) = (BTreeMap::new(), 0, None, None);
        Self(Arc::new(Mutex::new(Time { now, end, waiting, next, stop, watcher })))
    }

    /// Nothing can go on at this moment: goes to the next one.
    pub(super) fn jump(&self) {
        let woken = self.time().jump();
        woken.into_iter().for_each(Waker::wake);
    }

    /// Comes back when time goes no further.
    pub(super) async fn stopped(&self) -> Stop {
        poll_fn(|cx| {
            let mut time = self.time();
            match time.stop {
                Some(stop) => Poll::Ready(stop),
                None => {
                    time.watcher = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn time(&self) -> MutexGuard<'_, Time> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Time {
    /// Who goes on at the next moment; whoever watches, if there is none.
    fn jump(&mut self) -> Vec<Waker> {
        let next = self.waiting.first_key_value().map(|((at, _), _)| *at);
        match (next, self.end) {
            (Some(at), end) if end.is_none_or(|end| at <= end) => {
                self.now = self.now.max(at);
                let later = self.waiting.split_off(&(at, u64::MAX));
                return std::mem::replace(&mut self.waiting, later).into_values().collect();
            }
            (Some(_), Some(end)) => {
                self.now = end;
                self.stop = Some(Stop::Over);
            }
            _ => self.stop = Some(Stop::Stuck),
        }
        self.watcher.take().into_iter().collect()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.time().now
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let turn = {
            let mut time = self.time();
            time.next += 1;
            time.next
        };
        Box::pin(Sleep { clock: self.clone(), at, turn })
    }
}

/// Waits for a moment of virtual time.
struct Sleep {
    clock: VirtualClock,
    at: Timestamp,
    turn: u64,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut time = self.clock.time();
        if time.now >= self.at {
            return Poll::Ready(());
        }
        time.waiting.insert((self.at, self.turn), cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clock.time().waiting.remove(&(self.at, self.turn));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sleeps for so many seconds each, on a clock that goes so far; who came back when, and why time stopped.
    fn check(sleeps: &[i64], advance: Option<u64>, expected: &[i64], stop: Stop) {
        let clock = VirtualClock::new(Timestamp::UNIX_EPOCH, advance.map(Duration::from_secs));
        let idle = clock.clone();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.on_thread_park(move || idle.jump()).build().unwrap();
        let woken = Arc::new(Mutex::new(Vec::new()));
        let stopped = runtime.block_on(async {
            for seconds in sleeps {
                let (clock, woken) = (clock.clone(), Arc::clone(&woken));
                let at = Timestamp::from_second(*seconds).unwrap();
                tokio::spawn(async move {
                    clock.sleep_until(at).await;
                    // Being ready again and again is no reason for time to pass.
                    for _ in 0..200 {
                        tokio::task::yield_now().await;
                    }
                    woken.lock().unwrap().push(clock.now().as_second());
                });
            }
            tokio::spawn(async move { clock.stopped().await }).await.unwrap()
        });
        assert_eq!((woken.lock().unwrap().as_slice(), stopped), (expected, stop), "{sleeps:?}");
    }

    #[test]
    fn time_jumps_from_one_wait_to_the_next_and_passes_while_nothing_waits() {
        check(&[86_400, 5, 5, 1], None, &[1, 5, 5, 86_400], Stop::Stuck);
    }

    #[test]
    fn time_goes_no_further_than_the_case_says() {
        check(&[10, 30], Some(30), &[10, 30], Stop::Stuck);
        check(&[10, 31], Some(30), &[10], Stop::Over);
    }
}
