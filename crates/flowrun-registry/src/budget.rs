//! How often a token endpoint may be asked (OA-51): some providers lock out a client that asks too often.
//!
//! The times of the last requests are on record, so that the processes share one budget. It is the provider's rule, not
//! ours: a person's wish does not go over it either.

use std::time::Duration;

use flowrun_oauth::Budget;
use jiff::Timestamp;

use crate::record::Record;

impl Record {
    /// Until when nothing may be asked, if the budget is used up.
    pub(crate) fn spent_until(&self, now: Timestamp) -> Option<Timestamp> {
        spent_until(self.provider.settings().budget?, &self.asked_at, now)
    }

    /// Writes down that the token endpoint is asked now; only what the budget still looks at is kept.
    pub(crate) fn spend(&mut self, now: Timestamp) {
        let Some(budget) = self.provider.settings().budget else { return self.asked_at.clear() };
        self.asked_at.push(now);
        let most = usize::try_from(budget.requests).unwrap_or(usize::MAX);
        let surplus = self.asked_at.len().saturating_sub(most);
        self.asked_at.drain(..surplus);
    }
}

/// When the oldest of the last requests leaves the window, if as many as are allowed are in it.
pub(crate) fn spent_until(budget: Budget, asked_at: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
    let window = Duration::from_secs(budget.seconds);
    let end = |asked: &Timestamp| asked.checked_add(window).ok();
    // A clock that was set back shows requests of the future, which say nothing (OA-47).
    let counted: Vec<_> =
        asked_at.iter().filter(|at| **at <= now).filter_map(end).filter(|end| *end > now).collect();
    let surplus = counted.len().checked_sub(usize::try_from(budget.requests).ok()?)?;
    counted.get(surplus).copied()
}

/// Why nothing is asked, and when it may be again.
pub(crate) fn words(budget: Option<Budget>, until: Timestamp) -> String {
    let allowed = budget.map_or_else(String::new, |it| format!(" of {} in {} s", it.requests, it.seconds));
    format!("its token requests{allowed} are used up until {until}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn check(asked_at: &[i64], now: i64, until: Option<i64>) {
        let asked_at: Vec<_> = asked_at.iter().copied().map(at).collect();
        let budget = Budget { requests: 3, seconds: 100 };
        assert_eq!(spent_until(budget, &asked_at, at(now)), until.map(at), "{asked_at:?} at {now}");
    }

    #[test]
    fn the_window_slides_and_opens_when_the_oldest_request_leaves_it_oa_51() {
        check(&[], 0, None);
        check(&[0, 10], 20, None);
        check(&[0, 10, 20], 20, Some(100));
        check(&[0, 10, 20], 99, Some(100));
        check(&[0, 10, 20], 100, None);
        check(&[10, 20, 100], 105, Some(110));
    }

    #[test]
    fn requests_of_the_future_say_nothing_oa_47() {
        check(&[1000, 1001, 1002], 500, None);
        check(&[0, 10, 1000], 20, None);
    }
}
