//! From the definition of a series to the slots of its rule.

use chrono_tz::Tz;
use event_schema::{MonthOverflow, Series, SeriesId, TimeValue};
use recurrence::{Rule, RuleError, Schedule, Slot};

/// A series without a zone of its own names this one; its slots are read in UTC.
const FLOATING: &str = "floating";

/// Why a series has no slots.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The rule is not one that we accept.
    #[error("series {series_id} has no usable rule")]
    Rule {
        /// The series.
        series_id: SeriesId,
        /// What is wrong with it.
        source: RuleError,
    },
    /// The zone is not in the database of zones that this process was built with.
    #[error("series {series_id}: the time zone {name:?} is not known here")]
    UnknownZone {
        /// The series.
        series_id: SeriesId,
        /// The name of the zone.
        name: String,
    },
    /// The start is an instant, which has no civil time.
    #[error("series {0} starts at an instant, not at a date or a local time")]
    InstantStart(SeriesId),
}

/// The slots of a series.
pub fn schedule(series: &Series) -> Result<Schedule, ScheduleError> {
    let series_id = series.id;
    let (start, zone) = start(series)?;
    let overflow = match series.recurrence.month_overflow {
        MonthOverflow::Clamp => recurrence::MonthOverflow::Clamp,
        MonthOverflow::Skip => recurrence::MonthOverflow::Skip,
    };
    Rule::parse(&series.recurrence.rrule)
        .and_then(|rule| Schedule::new(rule, start, zone, overflow))
        .map_err(|source| ScheduleError::Rule { series_id, source })
}

fn start(series: &Series) -> Result<(Slot, Option<Tz>), ScheduleError> {
    match &series.start {
        TimeValue::Date { date } => Ok((Slot::Date(*date), None)),
        TimeValue::Local { local, time_zone } if time_zone == FLOATING => {
            Ok((Slot::Timed(*local), None))
        }
        TimeValue::Local { local, time_zone } => match time_zone.parse() {
            Ok(zone) => Ok((Slot::Timed(*local), Some(zone))),
            Err(_) => Err(ScheduleError::UnknownZone {
                series_id: series.id,
                name: time_zone.clone(),
            }),
        },
        TimeValue::Instant { .. } => Err(ScheduleError::InstantStart(series.id)),
    }
}

#[cfg(test)]
mod tests {
    use event_schema::Recurrence;

    use super::*;
    use crate::domain::progress::fixtures::series;

    fn first_slots(series: &Series) -> Vec<String> {
        let schedule = schedule(series).unwrap();
        let slots = schedule.occurrences().take(3);
        slots.map(|next| next.slot.to_string()).collect()
    }

    #[test]
    fn month_overflow_is_the_series_own() {
        let clamped = series();
        let mut skipped = series();
        skipped.recurrence.month_overflow = MonthOverflow::Skip;

        assert_eq!(
            first_slots(&clamped),
            ["2027-01-31T09:00", "2027-02-28T09:00", "2027-03-31T09:00"]
        );
        assert_eq!(
            first_slots(&skipped),
            ["2027-01-31T09:00", "2027-03-31T09:00", "2027-05-31T09:00"]
        );
    }

    #[test]
    fn dates_and_floating_times_have_no_zone() {
        let mut dates = series();
        dates.start = TimeValue::Date {
            date: "2027-01-31".parse().unwrap(),
        };
        let mut floating = series();
        floating.start = TimeValue::Local {
            local: "2027-01-31T09:00:00".parse().unwrap(),
            time_zone: FLOATING.to_owned(),
        };

        assert_eq!(first_slots(&dates)[1], "2027-02-28");
        assert_eq!(first_slots(&floating)[1], "2027-02-28T09:00");
        assert_eq!(schedule(&floating).unwrap().time_zone(), None);
    }

    #[test]
    fn a_series_without_slots_is_refused_with_the_reason() {
        let mut rule = series();
        rule.recurrence = Recurrence {
            rrule: "FREQ=SECONDLY".to_owned(),
            month_overflow: MonthOverflow::Clamp,
        };
        let mut zone = series();
        zone.start = TimeValue::Local {
            local: "2027-01-31T09:00:00".parse().unwrap(),
            time_zone: "Mars/Olympus".to_owned(),
        };
        let mut instant = series();
        instant.start = TimeValue::Instant {
            instant: "2027-01-31T09:00:00Z".parse().unwrap(),
        };

        assert!(matches!(schedule(&rule), Err(ScheduleError::Rule { .. })));
        assert!(matches!(
            schedule(&zone),
            Err(ScheduleError::UnknownZone { .. })
        ));
        assert!(matches!(
            schedule(&instant),
            Err(ScheduleError::InstantStart(_))
        ));
    }
}
