use chrono::offset::Offset;
use chrono::{DateTime, LocalResult, NaiveDateTime, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

/// Returns the instant of a civil time in a zone.
///
/// A time inside a gap takes the offset before the gap, so it moves forward by the gap's length; a
/// time that happens twice means its first occurrence. Never fails: what lies beyond the range of
/// instants becomes the nearest one.
pub fn resolve(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let offset = match zone.offset_from_local_datetime(&local) {
        LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => offset.fix(),
        LocalResult::None => match GapInfo::new(&local, &zone).and_then(|gap| gap.begin) {
            Some((_, before)) => before.fix(),
            // No gap of the database lacks a beginning; the bare offset is a safe answer.
            None => zone.offset_from_utc_datetime(&local).fix(),
        },
    };
    match local.checked_sub_offset(offset) {
        Some(utc) => utc.and_utc(),
        None if offset.local_minus_utc() > 0 => DateTime::<Utc>::MIN_UTC,
        None => DateTime::<Utc>::MAX_UTC,
    }
}

/// How often the clocks of a zone show a civil time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WallTime {
    /// Once, as nearly always.
    Once,
    /// Not at all: the clocks are put forward over it.
    Never {
        /// What is shown at the instant that [`resolve`] gives instead.
        shown: NaiveDateTime,
    },
    /// Twice: the clocks are put back over it.
    Twice,
}

/// Returns how often the clocks of a zone show a civil time.
pub fn wall_time(civil: NaiveDateTime, zone: Tz) -> WallTime {
    match zone.offset_from_local_datetime(&civil) {
        LocalResult::Single(_) => WallTime::Once,
        LocalResult::Ambiguous(..) => WallTime::Twice,
        LocalResult::None => WallTime::Never {
            shown: local(resolve(civil, zone), Some(zone)),
        },
    }
}

/// Returns the civil time of an instant in a zone, or in UTC when there is none.
pub(crate) fn local(instant: DateTime<Utc>, zone: Option<Tz>) -> NaiveDateTime {
    let utc = instant.naive_utc();
    let offset = zone.map_or_else(
        || Utc.fix(),
        |zone| zone.offset_from_utc_datetime(&utc).fix(),
    );
    utc.checked_add_offset(offset).unwrap_or(utc)
}

/// Returns the version of the IANA time zone database in use, such as `2025b`.
pub fn tzdb_version() -> &'static str {
    chrono_tz::IANA_TZDB_VERSION
}

#[cfg(test)]
mod tests {
    use chrono_tz::{America, Asia, Europe, Pacific};

    use super::*;

    fn instant(local: &str, zone: Tz) -> String {
        let local = local.parse().unwrap();
        resolve(local, zone)
            .format("%Y-%m-%dT%H:%M:%SZ")
            .to_string()
    }

    #[test]
    fn a_time_in_a_gap_moves_forward_by_the_gap() {
        let cases = [
            (
                Europe::Berlin,
                "2027-03-28T02:30:00",
                "2027-03-28T01:30:00Z",
            ),
            (
                Europe::Berlin,
                "2027-03-28T02:00:00",
                "2027-03-28T01:00:00Z",
            ),
            (
                America::New_York,
                "2027-03-14T02:30:00",
                "2027-03-14T07:30:00Z",
            ),
            (
                America::Sao_Paulo,
                "2018-11-04T00:00:00",
                "2018-11-04T03:00:00Z",
            ),
            (Asia::Beirut, "2026-03-29T00:15:00", "2026-03-28T22:15:00Z"),
            (Pacific::Apia, "2011-12-30T09:00:00", "2011-12-30T19:00:00Z"),
        ];
        for (zone, local, expected) in cases {
            assert_eq!(instant(local, zone), expected, "{zone} {local}");
        }
    }

    #[test]
    fn a_time_that_happens_twice_means_the_first() {
        let cases = [
            (
                Europe::Berlin,
                "2027-10-31T02:30:00",
                "2027-10-31T00:30:00Z",
            ),
            (
                America::New_York,
                "2027-11-07T01:30:00",
                "2027-11-07T05:30:00Z",
            ),
        ];
        for (zone, local, expected) in cases {
            assert_eq!(instant(local, zone), expected, "{zone} {local}");
        }
    }

    #[test]
    fn a_wall_shows_a_time_once_twice_or_never() {
        let wall = |text: &str| wall_time(text.parse().unwrap(), Europe::Berlin);
        let shown = "2027-03-28T03:30:00".parse().unwrap();
        assert_eq!(wall("2027-03-28T02:30:00"), WallTime::Never { shown });
        assert_eq!(wall("2027-10-31T02:30:00"), WallTime::Twice);
        assert_eq!(wall("2027-10-31T03:00:00"), WallTime::Once);
    }

    #[test]
    fn the_ends_of_time_resolve_too() {
        for zone in [Europe::Berlin, America::New_York, Pacific::Apia] {
            resolve(NaiveDateTime::MIN, zone);
            resolve(NaiveDateTime::MAX, zone);
            local(DateTime::<Utc>::MIN_UTC, Some(zone));
            local(DateTime::<Utc>::MAX_UTC, Some(zone));
        }
    }

    #[test]
    fn the_database_version_is_known() {
        assert_eq!(tzdb_version().len(), 5);
    }
}
