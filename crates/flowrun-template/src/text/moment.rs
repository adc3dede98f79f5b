//! Moments in texts: what `date` takes, and how it writes it.

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use serde_json::Value;

use super::fault::Fault;

/// Writes the moment in `value` by a strftime format, in a zone (UTC if none is named).
pub(crate) fn format(value: &Value, format: Option<&Value>, zone: Option<&Value>) -> Result<String, Fault> {
    let zone = match zone {
        None => TimeZone::UTC,
        Some(zone) => TimeZone::get(zone.as_str().unwrap_or_default())
            .map_err(|_| fault("this time zone is not known", "name it as in \"Europe/Brussels\""))?,
    };
    let moment = read(value, &zone)?;
    let format = format.and_then(Value::as_str).unwrap_or_default();
    strtime::format(format, &moment).map_err(|_| {
        fault(
            "this is no strftime format",
            "%d day, %m month, %Y year, %H:%M time, %A weekday, %B month's name",
        )
    })
}

fn read(value: &Value, zone: &TimeZone) -> Result<ZonedDateTime, Fault> {
    let not_a_moment =
        || fault("`date` needs a time", "a time is written 2026-01-31T12:00:00Z, or in seconds since 1970");
    match value {
        Value::Null => Err(Fault::null()),
        Value::Number(seconds) => {
            let seconds = seconds.as_i64().ok_or_else(not_a_moment)?;
            let moment = Timestamp::from_second(seconds).map_err(|_| not_a_moment())?;
            Ok(moment.to_zoned_datetime(zone.clone()))
        }
        Value::String(text) => {
            if let Ok(moment) = text.parse::<Timestamp>() {
                return Ok(moment.to_zoned_datetime(zone.clone()));
            }
            // A time without an offset is a time on the clocks of the zone.
            let civil: DateTime = text.parse().map_err(|_| not_a_moment())?;
            civil.to_zoned_datetime(zone.clone()).map_err(|_| not_a_moment())
        }
        _ => Err(not_a_moment()),
    }
}

fn fault(message: &str, help: &str) -> Fault {
    Fault::argument(message, help)
}
