//! What a reply says of its service's rate limit: `Retry-After`, how many calls are left, when there are more.
//!
//! A service that names a moment means its own clock, so the moment is measured against the `Date` of
//! the same reply (RFC 9110, 6.6.1); without one, only lengths of time are understood.

use std::time::Duration;

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// Pairs of headers that say how many calls are left and when there are more, in the order they are believed.
const PAIRS: [(&str, &str); 5] = [
    ("ratelimit-remaining", "ratelimit-reset"),
    ("x-ratelimit-remaining", "x-ratelimit-reset-after"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("x-rate-limit-remaining", "x-rate-limit-reset"),
    ("x-ratelimit-remaining", "x-rate-limit-reset"),
];

/// A number at least this large is a moment, not a length: two years in seconds.
const MOMENT: f64 = (2 * 365 * 24 * 3600) as f64;

/// What a reply says; nothing of it need be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Limit {
    /// `Retry-After`.
    pub(crate) after: Option<Duration>,
    /// How many calls are left.
    pub(crate) left: Option<u64>,
    /// How long until there are more.
    pub(crate) reset: Option<Duration>,
}

impl Limit {
    /// Reads the headers of a reply.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let now = text(headers, DATE.as_str()).and_then(moment);
        let after = text(headers, RETRY_AFTER.as_str()).and_then(|after| length(after, now));
        let said = draft(headers).or_else(|| pair(headers, now)).or_else(|| hubspot(headers));
        let (left, reset) = said.or_else(|| shopify(headers)).unwrap_or_default();
        Self { after, left, reset }
    }

    /// Whether the service takes no call of this account now. Some say so with a 403 (GitHub).
    pub(crate) fn is_refusal(&self, status: StatusCode) -> bool {
        let is_limit = self.left == Some(0) || self.after.is_some();
        status == StatusCode::TOO_MANY_REQUESTS || (status == StatusCode::FORBIDDEN && is_limit)
    }

    /// Whether no call is left until a moment that is known.
    pub(crate) fn is_used_up(&self) -> bool {
        self.left == Some(0) && self.reset.is_some_and(|reset| !reset.is_zero())
    }

    /// How long the service asks to wait. The end of a window is no reason to while calls are left in it.
    pub(crate) fn asked(&self, status: StatusCode) -> Option<Duration> {
        let counts = self.is_refusal(status) || self.left.is_none_or(|left| left == 0);
        self.after.or(self.reset.filter(|_| counts))
    }
}

/// How long the reply asks to wait, if it does.
pub(crate) fn asked(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    Limit::of(headers).asked(status)
}

type Said = (Option<u64>, Option<Duration>);

fn pair(headers: &HeaderMap, now: Option<Timestamp>) -> Option<Said> {
    let read = |(left, reset): (&str, &str)| {
        let reset = length(text(headers, reset)?, now)?;
        Some((text(headers, left).and_then(number), Some(reset)))
    };
    PAIRS.into_iter().find_map(read)
}

/// `RateLimit` of the IETF's draft: `"default";r=50;t=30`, once `limit=100, remaining=50, reset=30`. Of several limits
/// the one that is nearest to its end counts.
fn draft(headers: &HeaderMap) -> Option<Said> {
    let all = text(headers, "ratelimit")?;
    let value = |of: &str, names: [&str; 2]| {
        let named = |part: &str| {
            let (name, value) = part.split_once('=')?;
            names.contains(&name.trim()).then(|| value.trim().parse::<u64>().ok())?
        };
        of.split([';', ',']).find_map(named)
    };
    let limits: Vec<&str> = if all.contains(';') { all.split(',').collect() } else { vec![all] };
    let read = |limit: &str| Some((value(limit, ["r", "remaining"])?, value(limit, ["t", "reset"])));
    let nearest = limits.into_iter().filter_map(read);
    let (left, reset) = nearest.min_by_key(|(left, reset)| (*left, std::cmp::Reverse(*reset)))?;
    Some((Some(left), reset.map(Duration::from_secs)))
}

/// HubSpot says how long its window is, not how much of it is left.
fn hubspot(headers: &HeaderMap) -> Option<Said> {
    let left = number(text(headers, "x-hubspot-ratelimit-remaining")?)?;
    let window = number(text(headers, "x-hubspot-ratelimit-interval-milliseconds")?)?;
    Some((Some(left), Some(Duration::from_millis(window))))
}

/// Shopify's bucket leaks: `32/40` is what is in it, and a full one has room again within a second.
fn shopify(headers: &HeaderMap) -> Option<Said> {
    let (used, limit) = text(headers, "x-shopify-shop-api-call-limit")?.split_once('/')?;
    Some((Some(number(limit)?.saturating_sub(number(used)?)), Some(Duration::from_secs(1))))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// A whole number, of which some services write a fraction that means nothing.
fn number(text: &str) -> Option<u64> {
    text.split('.').next()?.parse().ok()
}

fn length(text: &str, now: Option<Timestamp>) -> Option<Duration> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let Some(number) = is_number.then(|| text.parse::<f64>().ok()).flatten() else {
        return Some(until(moment(text)?, now?));
    };
    if number < MOMENT {
        return Some(Duration::from_secs_f64(number));
    }
    let whole = text.split('.').next()?.parse().ok()?;
    // Some services count in milliseconds.
    let at = Timestamp::from_second(whole).or_else(|_| Timestamp::from_millisecond(whole)).ok()?;
    Some(until(at, now?))
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
        let asked = asked(StatusCode::TOO_MANY_REQUESTS, &headers);
        assert_eq!(asked, expected.map(Duration::from_secs), "{headers:?}");
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

    /// Headers → how many calls are left, and in how many milliseconds there are more.
    fn check_limit(headers: &[(&'static str, &str)], expected: (Option<u64>, Option<u64>)) {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        let headers: HeaderMap = headers.collect();
        let Limit { left, reset, .. } = Limit::of(&headers);
        assert_eq!((left, reset), (expected.0, expected.1.map(Duration::from_millis)), "{headers:?}");
    }

    #[test]
    fn services_say_in_many_ways_how_many_calls_are_left_l_10() {
        check_limit(&[("ratelimit", r#""default";r=50;t=30"#)], (Some(50), Some(30_000)));
        check_limit(&[("ratelimit", r#""hour";r=900;t=1800, "second";r=0;t=2"#)], (Some(0), Some(2_000)));
        check_limit(&[("ratelimit", "limit=100, remaining=0, reset=5")], (Some(0), Some(5_000)));
        check_limit(&[("ratelimit-remaining", "7"), ("ratelimit-reset", "9")], (Some(7), Some(9_000)));
        let github = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1795532460"), ("date", NOW)];
        check_limit(&github, (Some(0), Some(60_000)));
        let both = [("x-ratelimit-reset", "1795532460"), ("x-ratelimit-reset-after", "0.25")];
        check_limit(&both, (None, Some(250)));
        let twitter = [("x-rate-limit-remaining", "3.0"), ("x-rate-limit-reset", "12.5")];
        check_limit(&twitter, (Some(3), Some(12_500)));
        let hubspot =
            [("x-hubspot-ratelimit-remaining", "0"), ("x-hubspot-ratelimit-interval-milliseconds", "10000")];
        check_limit(&hubspot, (Some(0), Some(10_000)));
        check_limit(&[("x-shopify-shop-api-call-limit", "40/40")], (Some(0), Some(1_000)));
        check_limit(&[("x-shopify-shop-api-call-limit", "many")], (None, None));
        check_limit(&[("ratelimit", "\"default\""), ("retry-after", "2.0")], (None, None));
    }

    #[test]
    fn the_end_of_a_window_is_no_wait_while_calls_are_left_in_it_l_10() {
        let limit = Limit { after: None, left: Some(4_000), reset: Some(Duration::from_secs(3_600)) };
        assert_eq!(limit.asked(StatusCode::SERVICE_UNAVAILABLE), None);
        let secondary = limit.asked(StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(secondary, Some(Duration::from_secs(3_600)));
    }

    #[test]
    fn a_403_is_a_rate_limit_only_if_it_says_so() {
        let limit =
            |left, after: Option<u64>| Limit { after: after.map(Duration::from_secs), left, reset: None };
        for (limit, is_refusal) in
            [(limit(Some(0), None), true), (limit(None, Some(5)), true), (limit(Some(7), None), false)]
        {
            assert_eq!(limit.is_refusal(StatusCode::FORBIDDEN), is_refusal, "{limit:?}");
        }
    }
}
