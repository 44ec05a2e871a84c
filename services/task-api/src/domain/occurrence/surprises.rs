//! What a schedule does that its author may not expect.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use recurrence::{Fate, MonthOverflow, Occurrence, Schedule, Slot};

/// How many slots are looked at. More are never asked for at once, exceptions included.
const MOST_SLOTS: usize = 1_400;

/// Something that may surprise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surprise {
    /// Its stable name.
    pub code: &'static str,
    /// What will happen, for people.
    pub message: String,
}

/// What may surprise about the first occurrences of a schedule, each kind of it once.
pub fn surprises(
    schedule: &Schedule,
    occurrences: &[Occurrence],
    exceptions: &BTreeSet<Slot>,
    home: Tz,
) -> Vec<Surprise> {
    let mut found: Vec<Surprise> = [
        beginning(schedule, occurrences.first()),
        short_months(schedule),
        floating(schedule, home),
        unused(schedule, exceptions),
    ]
    .into_iter()
    .flatten()
    .collect();
    let last = occurrences.last().map(|last| last.slot);
    found.extend(clocks(schedule, last));
    found
}

fn beginning(schedule: &Schedule, first: Option<&Occurrence>) -> Option<Surprise> {
    let start = schedule.start();
    let Some(first) = first else {
        let message = "the rule ends before its first occurrence".to_owned();
        return Some(Surprise {
            code: "ended",
            message,
        });
    };
    let aligned = schedule.slots().next()?.slot;
    (aligned != start).then(|| Surprise {
        code: "start_aligned",
        message: format!("{start} is not on the rule: it begins with {}", first.slot),
    })
}

fn short_months(schedule: &Schedule) -> Option<Surprise> {
    let missing = schedule.missing_day()?;
    let day = missing.day;
    let (code, effect) = match schedule.month_overflow() {
        _ if missing.is_named => (
            "months_skipped",
            "have no occurrence, because BYMONTHDAY names the day; -1 is the last day of any month",
        ),
        MonthOverflow::Clamp => ("last_day_used", "have their last day instead"),
        MonthOverflow::Skip => ("months_skipped", "have no occurrence"),
    };
    Some(Surprise {
        code,
        message: format!("months without a day {day} {effect}"),
    })
}

fn floating(schedule: &Schedule, home: Tz) -> Option<Surprise> {
    let floats = schedule.start().time().is_some() && schedule.time_zone().is_none();
    floats.then(|| Surprise {
        code: "floating_time",
        message: format!(
            "a floating time follows the clocks around its reader: the instants are for {home}"
        ),
    })
}

fn unused(schedule: &Schedule, exceptions: &BTreeSet<Slot>) -> Option<Surprise> {
    let unused = exceptions.iter().find(|slot| !schedule.is_slot(**slot))?;
    Some(Surprise {
        code: "exception_unused",
        message: format!("{unused} is no slot of the rule, so the exception leaves out nothing"),
    })
}

/// What the clocks of the zone do to the slots up to the last, each kind told by its first slot.
fn clocks(schedule: &Schedule, last: Option<Slot>) -> Vec<Surprise> {
    let Some(zone) = schedule.time_zone() else {
        return Vec::new();
    };
    let mut found: Vec<Surprise> = Vec::new();
    let slots = schedule.slots().take(MOST_SLOTS);
    for next in slots.take_while(|next| last.is_none_or(|last| next.slot <= last)) {
        let surprise = clock(next.slot, schedule.fate(next), zone);
        let is_new = |surprise: &Surprise| found.iter().all(|known| known.code != surprise.code);
        found.extend(surprise.filter(is_new));
    }
    found
}

fn clock(slot: Slot, fate: Fate, zone: Tz) -> Option<Surprise> {
    let never = format!("the clocks of {zone} never show {slot}");
    let (code, message) = match fate {
        Fate::Happens | Fate::IsExcepted => return None,
        Fate::HappensFirst => {
            let message = format!("the clocks of {zone} show {slot} twice: the first is meant");
            ("ambiguous_time", message)
        }
        Fate::Shifts { to } => {
            let message = format!(
                "{never}: it will be {} then, and its own time again later",
                Slot::Timed(to)
            );
            ("gap_shifted", message)
        }
        Fate::FallsIntoGap => ("gap_skipped", format!("{never}: it is no occurrence")),
        Fate::Merges { into } => ("days_merged", format!("{never}: {into} stands for both")),
    };
    Some(Surprise { code, message })
}
