//! From a trigger to the instant that it means.

use chrono::{DateTime, Datelike, Days, NaiveDate, SubsecRound, TimeDelta, Utc};
use chrono_tz::Tz;
use event_schema::{Task, TimeValue, Trigger};
use recurrence::resolve;

/// A local time without a zone of its own is read in this one.
const FLOATING: (&str, Tz) = ("floating", Tz::UTC);

/// A zone is not in the database of zones that this process was built with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the time zone {0:?} is not known here")]
pub struct UnknownZone(
    /// Its name.
    pub String,
);

/// The instant that a trigger means for a task, in whole microseconds.
///
/// `None` when it means none: its anchor is not set, or is a date to which seconds would be added, or
/// the instant falls out of the years 1 to 9999.
pub fn time_of(task: &Task, trigger: &Trigger) -> Result<Option<DateTime<Utc>>, UnknownZone> {
    let instant = match trigger {
        Trigger::Absolute { at } => instant(at)?,
        Trigger::Relative { to, offset_seconds } => {
            let anchor = task.anchor(*to).map(instant).transpose()?.flatten();
            let offset = TimeDelta::try_seconds(*offset_seconds);
            anchor
                .zip(offset)
                .and_then(|(anchor, offset)| anchor.checked_add_signed(offset))
        }
        Trigger::TimeOfDay {
            to,
            days_before,
            at,
            time_zone,
        } => {
            let Some(anchor) = task.anchor(*to) else {
                return Ok(None);
            };
            let own = time_zone.as_deref().map(zone).transpose()?;
            let zone = own.map_or_else(|| zone_of(anchor), Ok)?;
            let day = day_of(anchor, zone).checked_sub_days(Days::new(u64::from(*days_before)));
            day.map(|day| resolve(day.and_time(*at), zone))
        }
    };
    let in_range = |at: &DateTime<Utc>| (1..=9999).contains(&at.year());
    Ok(instant.map(|at| at.trunc_subsecs(6)).filter(in_range))
}

fn instant(time: &TimeValue) -> Result<Option<DateTime<Utc>>, UnknownZone> {
    match time {
        TimeValue::Date { .. } => Ok(None),
        TimeValue::Instant { instant } => Ok(Some(*instant)),
        TimeValue::Local { local, .. } => Ok(Some(resolve(*local, zone_of(time)?))),
    }
}

/// The day that a time names: a wall-clock time names that of its own wall.
fn day_of(time: &TimeValue, zone: Tz) -> NaiveDate {
    match time {
        TimeValue::Date { date } => *date,
        TimeValue::Local { local, .. } => local.date(),
        TimeValue::Instant { instant } => instant.with_timezone(&zone).date_naive(),
    }
}

fn zone_of(time: &TimeValue) -> Result<Tz, UnknownZone> {
    match time {
        TimeValue::Local { time_zone, .. } => zone(time_zone),
        TimeValue::Date { .. } | TimeValue::Instant { .. } => Ok(FLOATING.1),
    }
}

fn zone(name: &str) -> Result<Tz, UnknownZone> {
    if name == FLOATING.0 {
        return Ok(FLOATING.1);
    }
    name.parse().map_err(|_| UnknownZone(name.to_owned()))
}

#[cfg(test)]
mod tests;
