//! Whether a failed attempt is worth another, and how long to wait before it (L-10).

use std::time::Duration;

use flowrun_template::ErrorKind;

use crate::failure::Failure;
use crate::plan::{Retry, RetryOn};

/// Whether `retry` allows one more attempt after `attempt` attempts ended in `failure`.
pub(crate) fn is_worth_another(retry: &Retry, failure: &Failure, attempt: u32) -> bool {
    let chosen = || match retry.errors.as_slice() {
        [] => failure.retryable,
        errors => errors.iter().any(|error| is_of(failure, *error)),
    };
    attempt <= retry.times && chosen()
}

/// The wait after `attempt` attempts: it doubles each time up to `max_wait`, of which `scatter` takes off
/// up to a half so that runs which failed together do not come back together.
pub(crate) fn backoff(retry: &Retry, attempt: u32, scatter: u32) -> Duration {
    if retry.wait >= retry.max_wait {
        return retry.max_wait;
    }
    let doubled = retry.wait.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
    let full = doubled.min(retry.max_wait);
    full.mul_f64(1.0 - f64::from(scatter) / f64::from(u32::MAX) / 2.0)
}

fn is_of(failure: &Failure, error: RetryOn) -> bool {
    match error {
        RetryOn::Connect => failure.kind == ErrorKind::Connect,
        RetryOn::Timeout => failure.kind == ErrorKind::Timeout,
        RetryOn::Status(status) => failure.status == Some(status),
        RetryOn::ServerError => failure.status.is_some_and(|status| (500..600).contains(&status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(wait: u64, max_wait: u64, errors: &[RetryOn]) -> Retry {
        let [wait, max_wait] = [wait, max_wait].map(Duration::from_secs);
        Retry { times: 3, wait, max_wait, errors: errors.to_vec() }
    }

    fn failure(kind: ErrorKind, status: Option<u16>, retryable: bool) -> Failure {
        Failure { status, retryable, ..Failure::new(kind, "no") }
    }

    #[test]
    fn waits_double_up_to_the_longest_l_10() {
        let waits: Vec<_> = (1..=10).map(|n| backoff(&retry(1, 30, &[]), n, 0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30, 30, 30]);
    }

    #[test]
    fn scatter_takes_off_at_most_a_half_l_10() {
        assert_eq!(backoff(&retry(2, 30, &[]), 2, u32::MAX), Duration::from_secs(2));
        assert_eq!(backoff(&retry(2, 30, &[]), 2, 0), Duration::from_secs(4));
    }

    #[test]
    fn equal_waits_are_constant_l_10() {
        for scatter in [0, 7, u32::MAX] {
            assert_eq!(backoff(&retry(5, 5, &[]), 4, scatter), Duration::from_secs(5));
        }
    }

    #[test]
    fn without_a_list_the_call_says_what_is_worth_another_attempt_l_10() {
        for retryable in [true, false] {
            let failure = failure(ErrorKind::Http, Some(503), retryable);
            assert_eq!(is_worth_another(&retry(1, 1, &[]), &failure, 1), retryable);
        }
    }

    #[test]
    fn a_list_decides_alone_l_10() {
        let errors = [RetryOn::Connect, RetryOn::Status(404), RetryOn::ServerError];
        for (kind, status, worth) in [
            (ErrorKind::Connect, None, true),
            (ErrorKind::Timeout, None, false),
            (ErrorKind::Http, Some(404), true),
            (ErrorKind::Http, Some(429), false),
            (ErrorKind::Http, Some(500), true),
            (ErrorKind::Http, Some(599), true),
            (ErrorKind::Http, Some(600), false),
        ] {
            let failure = failure(kind, status, !worth);
            assert_eq!(is_worth_another(&retry(1, 1, &errors), &failure, 1), worth, "{kind:?} {status:?}");
        }
    }

    #[test]
    fn retry_counts_further_attempts_l_10() {
        let failure = failure(ErrorKind::Connect, None, true);
        assert!(is_worth_another(&retry(1, 1, &[]), &failure, 3));
        assert!(!is_worth_another(&retry(1, 1, &[]), &failure, 4));
    }
}
