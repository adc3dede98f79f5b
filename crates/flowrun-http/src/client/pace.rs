//! When a service takes the next call: what its replies say of its rate limit holds for every run of the process.
//!
//! After a reply that says "no more", no call of that account goes to that host before the moment it names. Those that
//! wait do so in a line, first come first served. When the time comes one goes ahead; each reply that is no refusal lets
//! one more go beside it, so that a hundred runs do not come back at once. A token endpoint is no step's and does not
//! wait here: the registry asks it rarely, and once for all.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flowrun_step::{Request, StepError, Tenant};
use http::{HeaderMap, StatusCode};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use url::Origin;

use crate::wait::Limit;

/// How long a step waits that has no time limit of its own: the longest window in common use.
const PATIENCE: Duration = Duration::from_secs(60 * 60);
/// A service that names a later moment is believed so far; a larger number could not be added to the time.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// So many at once need no care any longer.
const ENOUGH: u64 = 64;
/// With so many gates, those that know nothing are let go before another is made.
const MANY: usize = 256;

/// Who is limited: an account of a service. Without an integration that is whoever the tenant's requests say they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Account {
    tenant: Tenant,
    integration: Option<String>,
    origin: Origin,
}

/// What was learnt of every account; every clone knows the same.
#[derive(Clone, Default)]
pub(crate) struct Paces(Arc<Mutex<HashMap<Account, Arc<Gate>>>>);

impl fmt::Debug for Paces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paces").finish_non_exhaustive()
    }
}

impl Paces {
    /// Comes back when the request may be sent; at once for one that no step asks for.
    ///
    /// # Errors
    /// `Limited` when that is later than the step may wait.
    pub(crate) async fn turn(&self, request: &Request) -> Result<Option<Turn>, StepError> {
        if request.asker.step.is_empty() {
            return Ok(None);
        }
        self.gate(request).enter(request).await.map(Some)
    }

    fn gate(&self, request: &Request) -> Arc<Gate> {
        let asker = &request.asker;
        let integration = asker.integration.as_ref().map(|name| name.key().to_owned());
        let account = Account { tenant: asker.tenant.clone(), integration, origin: request.url.origin() };
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if gates.len() >= MANY && !gates.contains_key(&account) {
            let now = Instant::now();
            // Only the holder of this lock hands a gate out.
            gates.retain(|_, gate| Arc::strong_count(gate) > 1 || !gate.state().is_blank(now));
        }
        Arc::clone(gates.entry(account).or_default())
    }
}

/// Where the calls of one account pass.
#[derive(Default)]
struct Gate {
    /// The line: tokio's mutex serves in the order of arrival, and whoever gives up leaves it.
    line: tokio::sync::Mutex<()>,
    /// Wakes the first in the line when something was learnt.
    news: Notify,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Nobody passes before.
    shut_until: Option<Instant>,
    /// How many calls the window has left, and when it ends.
    window: Option<(u64, Instant)>,
    /// How many may be under way at once; as many as like, if nothing is said.
    room: Option<u64>,
    /// How many are under way.
    out: u64,
}

/// Whether the first in the line may pass.
enum Verdict {
    Pass,
    /// Not before.
    Shut(Instant),
    /// Not before a reply of those under way, or that moment.
    Full(Option<Instant>),
}

impl State {
    fn judge(&mut self, now: Instant) -> Verdict {
        self.shut_until = self.shut_until.filter(|until| now < *until);
        self.window = self.window.filter(|(_, until)| now < *until);
        match (self.shut_until, self.window) {
            (Some(until), _) => Verdict::Shut(until),
            (None, Some((0, until))) if self.out == 0 => Verdict::Shut(until),
            (None, Some((0, until))) => Verdict::Full(Some(until)),
            _ if self.room.is_some_and(|room| room <= self.out) => Verdict::Full(None),
            _ => Verdict::Pass,
        }
    }

    fn pass(&mut self) {
        self.out += 1;
        if let Some((left, _)) = &mut self.window {
            *left = left.saturating_sub(1);
        }
    }

    /// What a reply says, to a call that passed at that moment.
    fn learn(&mut self, (status, limit): (StatusCode, &Limit), passed: Instant, now: Instant) {
        let is_refusal = limit.is_refusal(status);
        if is_refusal || limit.is_used_up() {
            let wait = if is_refusal { limit.asked(status) } else { limit.reset };
            let until = wait.map(|wait| now + wait.min(LONGEST));
            (self.shut_until, self.window, self.room) = (self.shut_until.max(until), None, Some(1));
            return;
        }
        // What was under way when the service refused says nothing of the time after.
        if self.shut_until.is_none_or(|until| until <= passed) {
            self.room = self.room.map(|room| room + 1).filter(|room| *room < ENOUGH);
        }
        if let (Some(left), Some(reset)) = (limit.left, limit.reset) {
            // The service may not have counted the others that are under way.
            let left = left.saturating_sub(self.out.saturating_sub(1));
            self.window = Some((left, now + reset.min(LONGEST)));
        }
    }

    fn is_blank(&self, now: Instant) -> bool {
        let is_over = |until: &Instant| *until <= now;
        self.shut_until.as_ref().is_none_or(is_over)
            && self.window.as_ref().is_none_or(|(_, until)| is_over(until))
    }
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn enter(self: Arc<Self>, request: &Request) -> Result<Turn, StepError> {
        let until = Instant::now() + request.asker.left.unwrap_or(PATIENCE).min(LONGEST);
        // Who cannot wait so long does not stand in the line first.
        self.judge(request, until)?;
        let first = self.line.lock().await;
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            let Some(wake) = self.judge(request, until)? else { break };
            told(request, wake);
            let wake = wake.unwrap_or_else(|| Instant::now() + LONGEST);
            tokio::select! {
                () = news => {}
                () = sleep_until(wake) => {}
            }
        }
        self.state().pass();
        drop(first);
        Ok(Turn { gate: self, passed: Instant::now() })
    }

    /// Until when to wait, if at all.
    fn judge(&self, request: &Request, until: Instant) -> Result<Option<Option<Instant>>, StepError> {
        let now = Instant::now();
        match self.state().judge(now) {
            Verdict::Pass => Ok(None),
            Verdict::Full(wake) => Ok(Some(wake)),
            Verdict::Shut(open) if open <= until => Ok(Some(Some(open))),
            Verdict::Shut(open) => Err(StepError::Limited {
                host: request.host().to_owned(),
                wait: in_words(open - now),
                left: in_words(until.saturating_duration_since(now)),
            }),
        }
    }
}

/// Whole seconds are enough for a person, rounded up; what is shorter is left alone.
fn in_words(length: Duration) -> Duration {
    let seconds = length.as_secs() + u64::from(length.subsec_nanos() > 0);
    if length < Duration::from_secs(1) { length } else { Duration::from_secs(seconds) }
}

fn told(request: &Request, wake: Option<Instant>) {
    let ms = wake.map(|wake| wake.saturating_duration_since(Instant::now()).as_millis());
    tracing::debug!(
        step = request.asker.step,
        host = request.host(),
        integration = request.asker.integration.as_ref().map(ToString::to_string),
        ms = ms.and_then(|ms| u64::try_from(ms).ok()),
        "waits for the rate limit of the host"
    );
}

/// A call that passed; dropped, it is no longer under way.
pub(crate) struct Turn {
    gate: Arc<Gate>,
    passed: Instant,
}

impl Turn {
    /// Learns from the reply.
    pub(crate) fn learn(&self, status: StatusCode, headers: &HeaderMap) {
        let limit = Limit::of(headers);
        self.gate.state().learn((status, &limit), self.passed, Instant::now());
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.gate.state().out -= 1;
        self.gate.news.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use flowrun_step::Asker;
    use http::Method;
    use tokio::task::yield_now;
    use tokio::time::advance;

    use super::*;

    fn request() -> Request {
        let mut request = Request::new(Method::GET, "https://api.example.com/x".parse().unwrap());
        request.asker = Asker { step: "get".to_owned(), ..Asker::default() };
        request
    }

    async fn refused(paces: &Paces, seconds: u64) {
        let turn = paces.turn(&request()).await.unwrap().unwrap();
        let headers = [(http::header::RETRY_AFTER, seconds.to_string().parse().unwrap())];
        turn.learn(StatusCode::TOO_MANY_REQUESTS, &headers.into_iter().collect());
    }

    /// Lets whoever can go on do so.
    async fn settle() {
        for _ in 0..100 {
            yield_now().await;
        }
    }

    type Passed = Arc<Mutex<Vec<(usize, Turn)>>>;

    /// So many calls arrive, in order; each that passes is kept with its number.
    async fn arrive(paces: &Paces, calls: usize) -> (Passed, Vec<tokio::task::JoinHandle<()>>) {
        let passed = Passed::default();
        let mut tasks = Vec::new();
        for number in 0..calls {
            let (paces, passed) = (paces.clone(), Arc::clone(&passed));
            tasks.push(tokio::spawn(async move {
                let turn = paces.turn(&request()).await.unwrap().unwrap();
                passed.lock().unwrap().push((number, turn));
            }));
            settle().await;
        }
        (passed, tasks)
    }

    /// Who is under way; then each is answered well.
    async fn answered(passed: &Passed) -> Vec<usize> {
        settle().await;
        let turns = std::mem::take(&mut *passed.lock().unwrap());
        turns.iter().for_each(|(_, turn)| turn.learn(StatusCode::OK, &HeaderMap::new()));
        turns.iter().map(|(number, _)| *number).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_goes_in_order_first_one_then_twice_as_many_each_time() {
        let paces = Paces::default();
        refused(&paces, 10).await;
        let (passed, _tasks) = arrive(&paces, 12).await;
        assert_eq!(answered(&passed).await, [] as [usize; 0]);
        advance(Duration::from_secs(10)).await;
        for expected in [&[0][..], &[1, 2], &[3, 4, 5, 6], &[7, 8, 9, 10, 11]] {
            assert_eq!(answered(&passed).await, expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_refusal_shuts_the_gate_again_for_one_call_not_for_all() {
        let paces = Paces::default();
        refused(&paces, 10).await;
        let (passed, _tasks) = arrive(&paces, 5).await;
        advance(Duration::from_secs(10)).await;
        settle().await;
        let (number, turn) = passed.lock().unwrap().pop().unwrap();
        let headers = [(http::header::RETRY_AFTER, "3".parse().unwrap())].into_iter().collect();
        turn.learn(StatusCode::TOO_MANY_REQUESTS, &headers);
        drop(turn);
        assert_eq!((number, answered(&passed).await), (0, vec![]));
        advance(Duration::from_secs(3)).await;
        assert_eq!(answered(&passed).await, [1]);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_leaves_the_line() {
        let paces = Paces::default();
        refused(&paces, 10).await;
        let (passed, tasks) = arrive(&paces, 3).await;
        tasks[0].abort();
        advance(Duration::from_secs(10)).await;
        assert_eq!(answered(&passed).await, [1]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_calls_go_than_the_window_has_left() {
        let paces = Paces::default();
        let turn = paces.turn(&request()).await.unwrap().unwrap();
        let headers = HeaderMap::from_iter([
            (http::HeaderName::from_static("ratelimit-remaining"), "2".parse().unwrap()),
            (http::HeaderName::from_static("ratelimit-reset"), "30".parse().unwrap()),
        ]);
        turn.learn(StatusCode::OK, &headers);
        drop(turn);
        let (passed, _tasks) = arrive(&paces, 4).await;
        assert_eq!(answered(&passed).await, [0, 1]);
        assert_eq!(answered(&passed).await, [] as [usize; 0]);
        advance(Duration::from_secs(30)).await;
        assert_eq!(answered(&passed).await, [2, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_of_no_step_does_not_wait() {
        let paces = Paces::default();
        refused(&paces, 10).await;
        let request = Request { asker: Asker::default(), ..request() };
        assert!(paces.turn(&request).await.unwrap().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn gates_that_know_nothing_are_let_go() {
        let paces = Paces::default();
        refused(&paces, 100_000).await;
        for number in 0..3 * MANY {
            let url = format!("https://h{number}.example.com/").parse().unwrap();
            paces.turn(&Request { url, ..request() }).await.unwrap();
        }
        assert!(paces.0.lock().unwrap().len() <= MANY);
        assert!(matches!(paces.turn(&request()).await, Err(StepError::Limited { .. })));
    }
}
