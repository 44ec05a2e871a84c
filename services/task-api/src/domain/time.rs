//! Time values: reading them, and the instants they mean.

use chrono::{
    DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, SubsecRound, TimeDelta,
    Timelike, Utc,
};
use chrono_tz::Tz;
pub use event_schema::FLOATING;
use event_schema::{TimeValue, civil};
use recurrence::resolve;

/// A date of the years 1 to 9999, in its one spelling.
pub fn date(text: &str) -> Option<NaiveDate> {
    let date: NaiveDate = text.parse().ok()?;
    (date.to_string() == text && has_four_digits(date)).then_some(date)
}

/// A civil time of the years 1 to 9999, in minutes or seconds.
pub fn local(text: &str) -> Option<NaiveDateTime> {
    let local = civil::parse(text)?;
    let shown = civil::format(local);
    let same = text == shown || text.strip_suffix(":00") == Some(shown.as_str());
    (same && has_four_digits(local.date())).then_some(local)
}

/// An instant of the years 1 to 9999, cut to microseconds.
pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    let instant = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    // chrono reads a leap second as second 59 plus a long fraction; no database does.
    let is_plain = instant.nanosecond() < 1_000_000_000;
    (is_plain && has_four_digits(instant.date_naive())).then(|| instant.trunc_subsecs(6))
}

/// Whether a zone is an IANA name or `floating`.
pub fn is_zone(name: &str) -> bool {
    name == FLOATING || name.parse::<Tz>().is_ok()
}

/// The zone of a local time; floating ones have none.
pub fn zone_of(value: &TimeValue) -> Option<Tz> {
    match value {
        TimeValue::Local { time_zone, .. } => time_zone.parse().ok(),
        TimeValue::Date { .. } | TimeValue::Instant { .. } => None,
    }
}

/// Where an owner is, from what a task, a series or preferences say of it: UTC when nobody knows.
pub fn home(zone: Option<&str>) -> Tz {
    zone.and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC)
}

/// The instant of a time; a date has none, nor has what lies outside of the years 1 to 9999 in UTC.
/// A floating time is read where its owner is.
pub fn instant_of(value: &TimeValue, home: Tz) -> Option<DateTime<Utc>> {
    let instant = match value {
        TimeValue::Date { .. } => return None,
        TimeValue::Local { local, .. } => resolve(*local, zone_of(value).unwrap_or(home)),
        TimeValue::Instant { instant } => *instant,
    };
    has_four_digits(instant.date_naive()).then_some(instant)
}

/// Whether so many seconds after the time, or before it, is an instant of the years 1 to 9999. A
/// date has no seconds to count from.
pub fn reaches(value: &TimeValue, seconds: i64) -> bool {
    let delta = TimeDelta::try_seconds(seconds);
    let moved = instant_of(value, Tz::UTC)
        .zip(delta)
        .and_then(|(instant, delta)| instant.checked_add_signed(delta));
    moved.is_some_and(|instant| has_four_digits(instant.date_naive()))
}

/// Where a time stands among others: its instant, or the beginning of its day where its owner is.
pub fn sort_key(value: &TimeValue, home: Tz) -> DateTime<Utc> {
    match value {
        TimeValue::Date { date } => midnight(*date, home),
        TimeValue::Local { local, .. } => {
            instant_of(value, home).unwrap_or_else(|| local.and_utc())
        }
        TimeValue::Instant { instant } => *instant,
    }
}

/// Whether the time has passed: of a date, that its day has ended where its owner is.
pub fn is_past(value: &TimeValue, now: DateTime<Utc>, home: Tz) -> bool {
    match value {
        TimeValue::Date { date } => {
            let next = date.succ_opt();
            next.is_some_and(|next| midnight(next, home) <= now)
        }
        TimeValue::Local { .. } | TimeValue::Instant { .. } => sort_key(value, home) < now,
    }
}

/// The value so many days later, keeping its time of day and zone; `None` beyond the year 9999.
pub fn shifted(value: &TimeValue, days: i64) -> Option<TimeValue> {
    let moved = match value {
        TimeValue::Date { date } => add(*date, days).map(|date| TimeValue::Date { date }),
        TimeValue::Local { local, time_zone } => {
            add(local.date(), days).map(|date| TimeValue::Local {
                local: date.and_time(local.time()),
                time_zone: time_zone.clone(),
            })
        }
        TimeValue::Instant { .. } => Some(value.clone()),
    };
    moved.filter(is_representable)
}

/// The same of a time that may be an instant: it keeps its time of day in a zone, or in UTC.
pub fn shifted_in(value: &TimeValue, days: i64, zone: Option<Tz>) -> Option<TimeValue> {
    let TimeValue::Instant { instant } = value else {
        return shifted(value, days);
    };
    let zone = zone.unwrap_or(Tz::UTC);
    let local = TimeValue::Local {
        local: instant.with_timezone(&zone).naive_local(),
        time_zone: zone.name().to_owned(),
    };
    let instant = instant_of(&shifted(&local, days)?, zone)?;
    Some(TimeValue::Instant { instant })
}

/// Whether the time can be told in UTC with a year of four digits.
pub fn is_representable(value: &TimeValue) -> bool {
    matches!(value, TimeValue::Date { .. }) || instant_of(value, Tz::UTC).is_some()
}

/// The date in a zone.
pub fn date_in(zone: Tz, now: DateTime<Utc>) -> NaiveDate {
    now.with_timezone(&zone).date_naive()
}

/// The beginning of a day in a zone.
pub fn midnight(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    resolve(date.and_time(NaiveTime::MIN), zone)
}

fn add(date: NaiveDate, days: i64) -> Option<NaiveDate> {
    let distance = Days::new(days.unsigned_abs());
    let moved = if days < 0 {
        date.checked_sub_days(distance)
    } else {
        date.checked_add_days(distance)
    };
    moved.filter(|date| has_four_digits(*date))
}

fn has_four_digits(date: NaiveDate) -> bool {
    (1..=9999).contains(&date.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zoned(text: &str, time_zone: &str) -> TimeValue {
        TimeValue::Local {
            local: local(text).unwrap(),
            time_zone: time_zone.to_owned(),
        }
    }

    fn berlin(text: &str) -> TimeValue {
        zoned(text, "Europe/Berlin")
    }

    #[test]
    fn an_instant_has_a_year_of_four_digits() {
        for (text, zone, is) in [
            ("9999-12-31T23:59", "America/Los_Angeles", false),
            ("9999-12-31T23:59", "Asia/Tokyo", true),
            ("0001-01-01T00:00", "Asia/Tokyo", false),
            ("0001-01-01T00:00", "America/Los_Angeles", true),
            ("0001-01-01T00:00", FLOATING, true),
            ("9999-12-31T23:59:59", FLOATING, true),
        ] {
            assert_eq!(
                instant_of(&zoned(text, zone), Tz::UTC).is_some(),
                is,
                "{text} {zone}"
            );
        }
        let last = zoned("9999-12-31T23:59", FLOATING);
        assert!(reaches(&last, 59) && !reaches(&last, 60));
        assert!(!reaches(&last, i64::MIN) && !reaches(&last, i64::MAX));
    }

    #[test]
    fn a_time_has_one_spelling() {
        assert!(date("2027-01-31").is_some());
        assert!(local("2027-01-31T09:00").is_some());
        assert!(local("2027-01-31T09:00:00").is_some());
        assert!(instant("2027-01-31T09:00:00+01:00").is_some());
        for text in [
            "2027-1-31",
            "2027-02-30",
            "+12027-01-31",
            "0000-01-01",
            "",
            "x",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
        for text in ["2027-01-31 09:00", "2027-1-031T09:00", "2027-01-31T09:00Z"] {
            assert_eq!(local(text), None, "{text}");
        }
        for text in ["2027-01-31T09:00", "2027-01-31", "-0001-01-01T00:00:00Z"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_that_does_not_exist_moves_forward() {
        let gap = instant_of(&berlin("2027-03-28T02:30"), Tz::UTC).unwrap();
        assert_eq!(gap.to_rfc3339(), "2027-03-28T01:30:00+00:00");
    }

    #[test]
    fn a_date_is_past_when_its_day_has_ended() {
        let due = TimeValue::Date {
            date: date("2027-01-31").unwrap(),
        };
        for (zone, last) in [
            (Tz::UTC, "2027-01-31T23:59:59Z"),
            (Tz::Asia__Tokyo, "2027-01-31T14:59:59Z"),
            (Tz::America__Los_Angeles, "2027-02-01T07:59:59Z"),
        ] {
            let last = instant(last).unwrap();
            assert!(!is_past(&due, last, zone));
            assert!(is_past(&due, last + TimeDelta::seconds(1), zone));
        }
    }

    #[test]
    fn shifting_keeps_the_time_of_day_over_a_change_of_clocks() {
        assert_eq!(
            shifted(&berlin("2027-03-27T09:00"), 2),
            Some(berlin("2027-03-29T09:00"))
        );
        let last = TimeValue::Date {
            date: date("9999-12-31").unwrap(),
        };
        assert_eq!(shifted(&last, 1), None);
        assert_eq!(shifted(&last, i64::MIN), None);
        let (west, day) = (zoned("9999-12-30T23:59", "America/Los_Angeles"), 1);
        assert_eq!(shifted(&west, day), None);
    }
}
