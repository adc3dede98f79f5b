//! When a schedule's next moment is: croner walks the calendar, jiff knows the zones.

use std::cmp::Ordering;

use croner::errors::CronError;
use croner::parser::{CronParser, Seconds};
use croner::{CivilDateTime, CronDateTime, Resolution, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, civil};

/// The first moment of a cron pattern after this one, in a zone; none if there is none.
pub(crate) fn next(cron: &str, zone: &str, after: Timestamp) -> Option<Timestamp> {
    let cron = CronParser::builder().seconds(Seconds::Disallowed).build().parse(cron).ok()?;
    let after = Local { at: after, zone: TimeZone::get(zone).ok()? };
    cron.find_next_occurrence(&after, false).ok().map(|next| next.at)
}

/// A moment as the clocks of a zone show it.
#[derive(Debug, Clone)]
struct Local {
    at: Timestamp,
    zone: TimeZone,
}

impl Local {
    fn shown(&self) -> civil::DateTime {
        self.zone.to_datetime(self.at)
    }
}

impl CronDateTime for Local {
    fn to_civil(&self) -> CivilDateTime {
        let shown = self.shown();
        let part = |part: i8| u32::from(part.unsigned_abs());
        let date = (i32::from(shown.year()), part(shown.month()), part(shown.day()));
        let time = (part(shown.hour()), part(shown.minute()), part(shown.second()));
        let shown = CivilDateTime::from_ymd_hms_opt(date.0, date.1, date.2, time.0, time.1, time.2);
        #[expect(clippy::expect_used, reason = "what a clock shows is a date and a time of day")]
        shown.expect("a legal date and time")
    }

    fn civil_weekday(&self) -> Weekday {
        const DAYS: [Weekday; 7] = [
            Weekday::Sunday,
            Weekday::Monday,
            Weekday::Tuesday,
            Weekday::Wednesday,
            Weekday::Thursday,
            Weekday::Friday,
            Weekday::Saturday,
        ];
        DAYS[usize::from(self.shown().weekday().to_sunday_zero_offset().unsigned_abs()) % 7]
    }

    fn resolve_civil(&self, shown: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let part = |part: u32| i8::try_from(part).unwrap_or(i8::MAX);
        let year = i16::try_from(shown.year()).map_err(|_| CronError::InvalidTime)?;
        let (month, day) = (part(shown.month()), part(shown.day()));
        let time = (part(shown.hour()), part(shown.minute()), part(shown.second()));
        let shown = civil::DateTime::new(year, month, day, time.0, time.1, time.2, 0);
        let shown = shown.map_err(|_| CronError::InvalidTime)?;
        let at = |offset: jiff::tz::Offset| {
            let at = offset.to_timestamp(shown).map_err(|_| CronError::InvalidTime);
            at.map(|at| Self { at, zone: self.zone.clone() })
        };
        Ok(match self.zone.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => Resolution::Single(at(offset)?),
            AmbiguousOffset::Fold { before, after } => Resolution::Ambiguous(at(before)?, at(after)?),
            AmbiguousOffset::Gap { .. } => Resolution::Gap,
        })
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        let at = self.at.checked_add(SignedDuration::from_secs(seconds)).ok()?;
        Some(Self { at, zone: self.zone.clone() })
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.at.cmp(&other.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A schedule names its zone (R18): nine is nine in winter and in summer, and what falls into the hour that is skipped is at its end.
    #[test]
    fn a_moment_is_what_the_clocks_of_the_zone_show() {
        for (cron, zone, after, next_one) in [
            ("0 9 * * 1-5", "Europe/Brussels", "2026-01-02T08:00:00Z", "2026-01-05T08:00:00Z"),
            ("0 9 * * 1-5", "Europe/Brussels", "2026-06-05T07:00:00Z", "2026-06-08T07:00:00Z"),
            ("*/15 * * * *", "UTC", "2026-06-05T07:01:00Z", "2026-06-05T07:15:00Z"),
            ("0 0 1 * *", "America/New_York", "2026-03-05T00:00:00Z", "2026-04-01T04:00:00Z"),
            // On that night the clocks go from two to three.
            ("30 2 * * *", "Europe/Brussels", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
            // On that night half past two comes twice; the first is meant.
            ("30 2 * * *", "Europe/Brussels", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
        ] {
            let found = next(cron, zone, after.parse().unwrap()).map(|at| at.to_string());
            assert_eq!(found.as_deref(), Some(next_one), "{cron} after {after}");
        }
        assert_eq!(next("0 0 30 2 *", "UTC", Timestamp::UNIX_EPOCH), None);
    }
}
