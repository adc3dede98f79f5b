//! How long a service asks to wait: `Retry-After`, and the reset headers of rate limits.
//!
//! A service that names a moment means its own clock, so the moment is measured against the `Date` of
//! the same reply (RFC 9110, 6.6.1); without one, only lengths of time are understood.

use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// Headers that say when a rate limit ends, in the order they are believed.
const RESETS: [&str; 3] = ["x-ratelimit-reset", "ratelimit-reset", "x-rate-limit-reset"];

/// A number at least this large is a moment, not a length: two years in seconds.
const MOMENT: u64 = 2 * 365 * 24 * 3600;

/// How long the reply asks to wait, if it does.
pub(crate) fn asked(headers: &HeaderMap) -> Option<Duration> {
    let now = text(headers, DATE.as_str()).and_then(moment);
    let after = text(headers, RETRY_AFTER.as_str());
    let reset = || RESETS.into_iter().find_map(|name| length(text(headers, name)?, now));
    after.and_then(|after| length(after, now)).or_else(reset)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn length(text: &str, now: Option<Timestamp>) -> Option<Duration> {
    if let Ok(number) = text.parse::<u64>() {
        if number < MOMENT {
            return Some(Duration::from_secs(number));
        }
        let seconds = i64::try_from(number).ok()?;
        // Some services count in milliseconds.
        let at = Timestamp::from_second(seconds).or_else(|_| Timestamp::from_millisecond(seconds)).ok()?;
        return Some(until(at, now?));
    }
    Some(until(moment(text)?, now?))
}

fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default()
}

/// A moment as an HTTP date, or in ISO 8601 with any form of offset (`+0100` too).
fn moment(text: &str) -> Option<Timestamp> {
    let iso = || text.parse().or_else(|_| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text)).ok();
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok().or_else(iso)
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    const NOW: &str = "Tue, 24 Nov 2026 15:00:00 GMT";

    fn check(headers: &[(&str, &str)], expected: Option<u64>) {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::try_from(*name).unwrap(), value.parse().unwrap()));
        let headers: HeaderMap = headers.collect();
        assert_eq!(asked(&headers), expected.map(Duration::from_secs), "{headers:?}");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_l_10() {
        check(&[("retry-after", "7")], Some(7));
        check(&[("retry-after", "Tue, 24 Nov 2026 15:02:00 GMT"), ("date", NOW)], Some(120));
        check(&[("retry-after", "Tue, 24 Nov 2026 14:00:00 GMT"), ("date", NOW)], Some(0));
        check(&[("retry-after", "soon"), ("date", NOW)], None);
    }

    #[test]
    fn a_reset_is_seconds_an_epoch_or_a_timestamp_l_10() {
        check(&[("x-ratelimit-reset", "30")], Some(30));
        check(&[("x-ratelimit-reset", "1795532460"), ("date", NOW)], Some(60));
        check(&[("x-ratelimit-reset", "1795532460000"), ("date", NOW)], Some(60));
        check(&[("x-ratelimit-reset", "2026-11-24T16:04:05+0100"), ("date", NOW)], Some(245));
        check(&[("x-ratelimit-reset", "2026-11-24T15:00:05Z"), ("date", NOW)], Some(5));
        check(&[("ratelimit-reset", "9")], Some(9));
    }

    #[test]
    fn a_moment_without_the_services_clock_says_nothing() {
        check(&[("retry-after", NOW)], None);
        check(&[("x-ratelimit-reset", "1795532460")], None);
        check(&[], None);
    }

    #[test]
    fn retry_after_is_believed_before_a_reset() {
        check(&[("retry-after", "1"), ("x-ratelimit-reset", "30")], Some(1));
    }
}
