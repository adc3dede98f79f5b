//! Moments that a person names by their distance from now: `7d`, `12h`.

use flowrun::SystemClock;
use flowrun::step::Clock as _;
use flowrun::template::duration;
use jiff::Timestamp;

use crate::complaint::Complaint;
use crate::exit::Exit;

/// The moment so long ago.
pub(crate) fn ago(text: &str) -> Result<Timestamp, Complaint> {
    let length = duration::parse(text).map_err(|_| unreadable(text))?;
    SystemClock.now().checked_sub(length).map_err(|_| unreadable(text))
}

/// The moment in so long.
pub(crate) fn ahead(text: &str) -> Result<Timestamp, Complaint> {
    let length = duration::parse(text).map_err(|_| unreadable(text))?;
    SystemClock.now().checked_add(length).map_err(|_| unreadable(text))
}

fn unreadable(text: &str) -> Complaint {
    Complaint::new(Exit::Usage, format!("`{text}` is no duration")).help("write 12h, 7d or 1h30m")
}
