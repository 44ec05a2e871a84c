//! Snoozing by a word instead of a time: what it means now, where the user is.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;
use event_schema::{Reminder, Task, TimeValue, Trigger};
use recurrence::resolve;

use super::time;

/// A word for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// In three hours, but today.
    LaterToday,
    /// Today at 18:00.
    ThisEvening,
    /// Tomorrow at 09:00.
    TomorrowMorning,
    /// Next Saturday at 09:00; on a weekend, that of the next.
    ThisWeekend,
    /// Next Monday at 09:00.
    NextWeek,
}

impl Preset {
    /// Every preset, by its name.
    pub const ALL: [(&str, Self); 5] = [
        ("later_today", Self::LaterToday),
        ("this_evening", Self::ThisEvening),
        ("tomorrow_morning", Self::TomorrowMorning),
        ("this_weekend", Self::ThisWeekend),
        ("next_week", Self::NextWeek),
    ];

    /// What it means now in a zone; `None` when that has passed, or the day does not have it any more.
    pub fn time(self, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let today = now.with_timezone(&zone).date_naive();
        let at = match self {
            Self::LaterToday => {
                let later = now.checked_add_signed(TimeDelta::hours(3))?;
                let is_today = later.with_timezone(&zone).date_naive() == today;
                is_today.then_some(later)?
            }
            Self::ThisEvening => on(today, 18, zone)?,
            Self::TomorrowMorning => on(after(today, 1)?, 9, zone)?,
            Self::ThisWeekend => {
                let saturday = match today.weekday() {
                    Weekday::Sun => 6,
                    day => 5_u64.saturating_sub(u64::from(day.num_days_from_monday())),
                };
                let days = if saturday == 0 { 7 } else { saturday };
                on(after(today, days)?, 9, zone)?
            }
            Self::NextWeek => {
                let days = 7 - u64::from(today.weekday().num_days_from_monday());
                on(after(today, days)?, 9, zone)?
            }
        };
        (at > now).then_some(at)
    }
}

/// Where the user of a reminder is, as far as the reminder or its task says; else where they say they are.
pub fn zone_of(task: &Task, reminder: &Reminder, home: Tz) -> Tz {
    let own = match &reminder.trigger {
        Trigger::TimeOfDay { time_zone, .. } => {
            time_zone.as_deref().and_then(|zone| zone.parse().ok())
        }
        Trigger::Absolute { at } => time::zone_of(at),
        Trigger::Relative { to, .. } => task.anchor(*to).and_then(time::zone_of),
    };
    let of_task = || {
        let times: [&Option<TimeValue>; 3] = [&task.due, &task.start, &task.deadline];
        times.into_iter().flatten().find_map(time::zone_of)
    };
    own.or_else(of_task).unwrap_or(home)
}

fn after(day: NaiveDate, days: u64) -> Option<NaiveDate> {
    day.checked_add_days(Days::new(days))
}

fn on(day: NaiveDate, hour: u32, zone: Tz) -> Option<DateTime<Utc>> {
    let time = NaiveTime::from_hms_opt(hour, 0, 0)?;
    Some(resolve(day.and_time(time), zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, now: &str, zone: Tz) -> Option<String> {
        let (_, preset) = Preset::ALL
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap();
        let at = preset.time(now.parse().unwrap(), zone)?;
        Some(at.with_timezone(&zone).format("%a %d %H:%M").to_string())
    }

    #[test]
    fn a_preset_is_told_by_the_walls_of_the_zone() {
        let berlin = Tz::Europe__Berlin;
        // Sunday 22 November 2026, 23:30 in Berlin and Monday in Tokyo.
        let now = "2026-11-22T22:30:00Z";
        for (preset, zone, expected) in [
            ("tomorrow_morning", berlin, Some("Mon 23 09:00")),
            ("tomorrow_morning", Tz::Asia__Tokyo, Some("Tue 24 09:00")),
            ("next_week", berlin, Some("Mon 23 09:00")),
            ("next_week", Tz::Asia__Tokyo, Some("Mon 30 09:00")),
            ("this_weekend", berlin, Some("Sat 28 09:00")),
            ("this_weekend", Tz::Asia__Tokyo, Some("Sat 28 09:00")),
            ("this_evening", berlin, None),
            ("this_evening", Tz::Asia__Tokyo, Some("Mon 23 18:00")),
            ("later_today", berlin, None),
            ("later_today", Tz::Asia__Tokyo, Some("Mon 23 10:30")),
        ] {
            assert_eq!(
                shown(preset, now, zone).as_deref(),
                expected,
                "{preset} {zone}"
            );
        }
    }

    #[test]
    fn the_weekend_begins_on_a_saturday_that_is_still_to_come() {
        for (now, expected) in [
            ("2026-11-27T08:00:00Z", "Sat 28 09:00"),
            ("2026-11-28T08:00:00Z", "Sat 05 09:00"),
            ("2026-11-29T08:00:00Z", "Sat 05 09:00"),
        ] {
            assert_eq!(
                shown("this_weekend", now, Tz::UTC).as_deref(),
                Some(expected)
            );
        }
    }

    #[test]
    fn morning_is_at_nine_also_when_the_clocks_change_in_the_night() {
        let (now, berlin) = ("2027-03-27T20:00:00Z", Tz::Europe__Berlin);
        assert_eq!(
            shown("tomorrow_morning", now, berlin).as_deref(),
            Some("Sun 28 09:00")
        );
    }
}
