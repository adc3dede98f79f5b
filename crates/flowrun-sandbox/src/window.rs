//! A limit on how often something may happen within a span of time that slides along.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

/// Counts what was admitted within the last span.
pub(crate) struct Window {
    limit: usize,
    span: Duration,
    admitted: VecDeque<Timestamp>,
}

/// What a window says to one more.
pub(crate) struct Admission {
    pub(crate) is_admitted: bool,
    pub(crate) remaining: usize,
    /// When the oldest that counts will count no more.
    pub(crate) reset: Timestamp,
}

impl Window {
    /// Admits this many within any span of this length.
    pub(crate) fn new(limit: usize, span: Duration) -> Self {
        Self { limit, span, admitted: VecDeque::new() }
    }

    /// How many are admitted at most.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Admits one more if there is room; one turned away does not count.
    pub(crate) fn admit(&mut self, now: Timestamp) -> Admission {
        while self.admitted.front().is_some_and(|oldest| after(*oldest, self.span) <= now) {
            self.admitted.pop_front();
        }
        let is_admitted = self.admitted.len() < self.limit;
        if is_admitted {
            self.admitted.push_back(now);
        }
        let oldest = self.admitted.front().copied().unwrap_or(now);
        Admission {
            is_admitted,
            remaining: self.limit - self.admitted.len(),
            reset: after(oldest, self.span),
        }
    }
}

/// The moment this long after another, or the last there is.
pub(crate) fn after(moment: Timestamp, span: Duration) -> Timestamp {
    moment.checked_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Teamleader: one may call again as soon as the oldest call counted is a minute old.
    #[test]
    fn room_comes_back_one_by_one_as_the_oldest_leave_the_window() {
        let mut window = Window::new(2, Duration::from_secs(60));
        let seen: Vec<(bool, usize, i64)> = [0, 10, 59, 60, 61, 70]
            .map(|second| window.admit(at(second)))
            .map(|it| (it.is_admitted, it.remaining, it.reset.as_second()))
            .into();
        let expected =
            [(true, 1, 60), (true, 0, 60), (false, 0, 60), (true, 0, 70), (false, 0, 70), (true, 0, 120)];
        assert_eq!(seen, expected);
    }
}
