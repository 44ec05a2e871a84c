use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};

/// The civil start of an occurrence, which is its identity within a series.
///
/// Slots are ordered by civil time; a date comes before every time of that day. The text form is
/// `2027-01-31` or `2027-01-31T09:00`, with seconds only if they are not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// A slot of a date-only series.
    Date(NaiveDate),
    /// A slot of a timed series, in the zone of the series.
    Timed(NaiveDateTime),
}

impl Slot {
    /// Returns the civil date.
    pub fn date(self) -> NaiveDate {
        match self {
            Self::Date(date) => date,
            Self::Timed(local) => local.date(),
        }
    }

    /// Returns the time of day, if the slot has one.
    pub fn time(self) -> Option<NaiveTime> {
        match self {
            Self::Date(_) => None,
            Self::Timed(local) => Some(local.time()),
        }
    }

    /// Returns the slot of the same date at the time of day of another slot.
    #[must_use]
    pub fn with_time_of(self, other: Self) -> Self {
        Self::on(self.date(), other.time())
    }

    pub(crate) fn on(date: NaiveDate, time: Option<NaiveTime>) -> Self {
        match time {
            None => Self::Date(date),
            Some(time) => Self::Timed(date.and_time(time)),
        }
    }
}

impl Ord for Slot {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.date(), self.time()).cmp(&(other.date(), other.time()))
    }
}

impl PartialOrd for Slot {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.date())?;
        match self.time() {
            None => Ok(()),
            Some(time) if time.second() == 0 && time.nanosecond() == 0 => {
                write!(f, "T{:02}:{:02}", time.hour(), time.minute())
            }
            Some(time) => write!(f, "T{time}"),
        }
    }
}

/// The text is not a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a slot is written 2027-01-31 or 2027-01-31T09:00, without an offset")]
pub struct InvalidSlot;

impl FromStr for Slot {
    type Err = InvalidSlot;

    fn from_str(text: &str) -> Result<Self, InvalidSlot> {
        let (date, time) = match text.split_once('T') {
            None => (text, None),
            Some((date, time)) => (date, Some(time)),
        };
        let date = NaiveDate::from_str(date).map_err(|_| InvalidSlot)?;
        let time = time
            .map(NaiveTime::from_str)
            .transpose()
            .map_err(|_| InvalidSlot)?;
        let slot = Self::on(date, time);
        // chrono also reads spaces and single digits, but an identity has one spelling; only the
        // seconds may be spelled out.
        let canonical = slot.to_string();
        let same = text == canonical || text.strip_suffix(":00") == Some(canonical.as_str());
        if same { Ok(slot) } else { Err(InvalidSlot) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_printed_without_needless_seconds_and_read_back() {
        let cases = [
            "2027-01-31",
            "2027-01-31T09:00",
            "2027-01-31T09:00:05",
            "0001-01-01T00:00",
        ];
        for text in cases {
            assert_eq!(text.parse::<Slot>().unwrap().to_string(), text);
        }
        assert_eq!(
            "2027-01-31T09:00:00".parse::<Slot>().unwrap().to_string(),
            "2027-01-31T09:00"
        );
    }

    #[test]
    fn anything_but_the_one_spelling_is_refused() {
        let cases = [
            "",
            "T",
            "2027-1-31",
            " 2027-01-31",
            "2027-02-30",
            "2027-01-31T9:00",
            "2027-01-31T",
            "2027-01-31T09:00Z",
            "2027-01-31T09:00+01:00",
            "2027-01-31 09:00",
            "2027-01-31:00",
            "2027-01-31T24:00",
        ];
        for text in cases {
            assert_eq!(text.parse::<Slot>(), Err(InvalidSlot), "{text}");
        }
    }

    #[test]
    fn slots_are_ordered_by_civil_time() {
        let ordered = [
            "2027-01-30T23:00",
            "2027-01-31",
            "2027-01-31T00:00",
            "2027-02-01",
        ];
        let slots = ordered.map(|text| text.parse::<Slot>().unwrap());
        assert!(slots.is_sorted());
    }
}
