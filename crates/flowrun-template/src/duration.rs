//! Durations as authors write them (L-7): `500ms 30s 5m 1h30m 2d`.

use std::time::Duration;

use crate::error::{SyntaxError, SyntaxErrorKind};

/// The units, from the largest, with their milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads a duration: whole numbers with units, the largest unit first, each at most once.
///
/// ```
/// # use std::time::Duration;
/// assert_eq!(flowrun_template::duration::parse("1h30m"), Ok(Duration::from_secs(5400)));
/// ```
///
/// # Errors
/// When the text is no duration; a bare number gets the fix as help.
pub fn parse(text: &str) -> Result<Duration, SyntaxError> {
    let trimmed = text.trim();
    if !trimmed.is_empty() && trimmed.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(error(
            text,
            "this duration has no unit",
            format!("write {trimmed}s for seconds or {trimmed}ms for milliseconds"),
        ));
    }
    let unreadable = || error(text, "this is not a duration", "write 500ms, 30s, 5m, 1h30m or 2d".to_owned());
    let mut rest = trimmed;
    let mut units = UNITS.iter();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(unreadable)?;
        let (number, after) = rest.split_at(digits);
        let unit_length = after.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_length);
        // Looking on from the last unit makes `30m1h` and `1h1h` errors.
        let (_, millis) = units.find(|(name, _)| *name == unit).ok_or_else(unreadable)?;
        let count: u64 = number.parse().map_err(|_| unreadable())?;
        let part = count.checked_mul(*millis);
        total = part.and_then(|part| total.checked_add(part)).ok_or_else(unreadable)?;
        rest = after;
    }
    if trimmed.is_empty() { Err(unreadable()) } else { Ok(Duration::from_millis(total)) }
}

fn error(text: &str, message: &str, help: String) -> SyntaxError {
    SyntaxError {
        kind: SyntaxErrorKind::Grammar,
        message: message.to_owned(),
        span: 0..text.len(),
        help: Some(help),
    }
}

/// Writes a duration as an author would, to the millisecond: `1h30m`.
#[must_use]
pub fn format(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, millis) in UNITS {
        if rest >= millis {
            text.push_str(&format!("{}{unit}", rest / millis));
            rest %= millis;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<u64, Option<&str>>) {
        let parsed = parse(text).map(|duration| duration.as_millis()).map_err(|error| error.help);
        assert_eq!(parsed, expected.map(u128::from).map_err(|help| help.map(str::to_owned)), "{text:?}");
    }

    #[test]
    fn a_duration_is_numbers_with_units_the_largest_first() {
        check("500ms", Ok(500));
        check(" 30s ", Ok(30_000));
        check("1h30m", Ok(5_400_000));
        check("2d", Ok(172_800_000));
        check("0s", Ok(0));
    }

    #[test]
    fn a_bare_number_is_an_error_with_the_fix() {
        check("30", Err(Some("write 30s for seconds or 30ms for milliseconds")));
    }

    #[test]
    fn anything_else_is_an_error() {
        let help = Err(Some("write 500ms, 30s, 5m, 1h30m or 2d"));
        for text in [
            "",
            "1.5h",
            "30m1h",
            "1h1h",
            "-5s",
            "5 m",
            "5M",
            "s",
            "5s!",
            "99999999999999999999s",
            "999999999999999d",
        ] {
            check(text, help);
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for millis in [0, 1, 999, 1_000, 61_000, 5_400_000, 90_061_001] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse(&format(duration)), Ok(duration));
        }
    }
}
