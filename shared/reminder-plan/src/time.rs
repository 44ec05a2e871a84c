//! From a trigger to the instant that it means.

use chrono::{DateTime, Datelike, Days, NaiveDate, SubsecRound, TimeDelta, Utc};
use chrono_tz::Tz;
use event_schema::{FLOATING, Task, TimeValue, Trigger, WallClock};
use recurrence::resolve;

/// Where an owner is of whom nobody knows.
const NOWHERE: &str = "UTC";

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
    match meaning(task, trigger)? {
        None => Ok(None),
        Some(Meaning::Instant(at)) => Ok(in_range(at)),
        Some(Meaning::Wall(wall)) => instant_of(&wall),
    }
}

/// What the instant of a trigger follows from, when other rules of a zone would make another instant of
/// it; `None` in UTC, and when the trigger means no instant.
pub fn wall_of(task: &Task, trigger: &Trigger) -> Result<Option<WallClock>, UnknownZone> {
    let Some(Meaning::Wall(wall)) = meaning(task, trigger)? else {
        return Ok(None);
    };
    let has_rules = zone(&wall.time_zone)? != Tz::UTC;
    Ok(instant_of(&wall)?.filter(|_| has_rules).map(|_| wall))
}

/// The instant of a time on the wall by the rules of today, in whole microseconds; `None` when it falls out
/// of the years 1 to 9999.
pub fn instant_of(wall: &WallClock) -> Result<Option<DateTime<Utc>>, UnknownZone> {
    let at = resolve(wall.local, zone(&wall.time_zone)?);
    let offset = TimeDelta::try_seconds(wall.offset_seconds);
    let at = offset.and_then(|offset| at.checked_add_signed(offset));
    Ok(at.and_then(in_range))
}

/// What a trigger says.
enum Meaning {
    Instant(DateTime<Utc>),
    Wall(WallClock),
}

fn meaning(task: &Task, trigger: &Trigger) -> Result<Option<Meaning>, UnknownZone> {
    Ok(match trigger {
        Trigger::Absolute { at } => from(at, 0, home_of(task)),
        Trigger::Relative { to, offset_seconds } => {
            let anchor = task.anchor(*to);
            anchor.and_then(|anchor| from(anchor, *offset_seconds, home_of(task)))
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
            let zone = own.map_or_else(|| zone(zone_of(anchor, home_of(task))), Ok)?;
            let day = day_of(anchor, zone).checked_sub_days(Days::new(u64::from(*days_before)));
            day.map(|day| {
                Meaning::Wall(WallClock {
                    local: day.and_time(*at),
                    time_zone: zone.name().to_owned(),
                    offset_seconds: 0,
                })
            })
        }
    })
}

/// So many seconds from a time; a date has none to count from.
fn from(time: &TimeValue, offset_seconds: i64, home: &str) -> Option<Meaning> {
    match time {
        TimeValue::Date { .. } => None,
        TimeValue::Instant { instant } => {
            let offset = TimeDelta::try_seconds(offset_seconds)?;
            instant.checked_add_signed(offset).map(Meaning::Instant)
        }
        TimeValue::Local { local, .. } => Some(Meaning::Wall(WallClock {
            local: *local,
            time_zone: zone_of(time, home).to_owned(),
            offset_seconds,
        })),
    }
}

fn in_range(at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let at = at.trunc_subsecs(6);
    (1..=9999).contains(&at.year()).then_some(at)
}

/// The day that a time names: a wall-clock time names that of its own wall.
fn day_of(time: &TimeValue, zone: Tz) -> NaiveDate {
    match time {
        TimeValue::Date { date } => *date,
        TimeValue::Local { local, .. } => local.date(),
        TimeValue::Instant { instant } => instant.with_timezone(&zone).date_naive(),
    }
}

/// The zone in which a time is read.
fn zone_of<'a>(time: &'a TimeValue, home: &'a str) -> &'a str {
    match time {
        TimeValue::Local { time_zone, .. } if !time.floats() => time_zone,
        TimeValue::Local { .. } | TimeValue::Date { .. } | TimeValue::Instant { .. } => home,
    }
}

/// Where the owner of a task is.
fn home_of(task: &Task) -> &str {
    task.home_zone.as_deref().unwrap_or(NOWHERE)
}

fn zone(name: &str) -> Result<Tz, UnknownZone> {
    // Written before the zone of the owner was.
    if name == FLOATING {
        return Ok(Tz::UTC);
    }
    name.parse().map_err(|_| UnknownZone(name.to_owned()))
}

#[cfg(test)]
mod tests;
