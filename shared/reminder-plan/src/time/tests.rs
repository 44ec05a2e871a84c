use chrono::{NaiveDate, NaiveTime};
use event_schema::{Actor, Anchor, TaskId, UserId};
use uuid::Uuid;

use super::*;

fn local(text: &str, time_zone: &str) -> TimeValue {
    TimeValue::Local {
        local: text.parse().unwrap(),
        time_zone: time_zone.to_owned(),
    }
}

fn date(text: &str) -> TimeValue {
    TimeValue::Date {
        date: text.parse().unwrap(),
    }
}

fn before_due(seconds: i64) -> Trigger {
    Trigger::Relative {
        to: Anchor::Due,
        offset_seconds: -seconds,
    }
}

fn at_nine(days_before: u16, time_zone: Option<&str>) -> Trigger {
    Trigger::TimeOfDay {
        to: Anchor::Due,
        days_before,
        at: NaiveTime::from_hms_opt(9, 0, 0).unwrap(),
        time_zone: time_zone.map(str::to_owned),
    }
}

fn time(due: Option<TimeValue>, trigger: &Trigger) -> Result<Option<String>, UnknownZone> {
    let owner = UserId(Uuid::from_u128(1));
    let now = DateTime::UNIX_EPOCH;
    let mut task = Task::new(
        TaskId(Uuid::from_u128(2)),
        owner,
        "",
        Actor::User(owner),
        now,
    );
    task.due = due;
    Ok(time_of(&task, trigger)?.map(|at| at.to_rfc3339()))
}

fn fires(due: TimeValue, trigger: &Trigger) -> String {
    time(Some(due), trigger).unwrap().unwrap()
}

#[test]
fn a_relative_reminder_counts_from_the_instant_of_its_anchor() {
    let due = local("2027-01-31T09:00:00", "Europe/Berlin");
    assert_eq!(fires(due, &before_due(900)), "2027-01-31T07:45:00+00:00");
}

#[test]
fn offsets_are_elapsed_time_over_a_change_of_the_clocks() {
    // The night before 2027-03-28 in Berlin is an hour short.
    let due = local("2027-03-28T09:00:00", "Europe/Berlin");
    let day = before_due(24 * 3600);
    assert_eq!(fires(due, &day), "2027-03-27T07:00:00+00:00");
}

#[test]
fn an_anchor_in_a_gap_moves_forward_and_one_that_happens_twice_is_the_first() {
    let gap = local("2027-03-28T02:30:00", "Europe/Berlin");
    let fold = local("2027-10-31T02:30:00", "Europe/Berlin");
    assert_eq!(fires(gap, &before_due(0)), "2027-03-28T01:30:00+00:00");
    assert_eq!(fires(fold, &before_due(0)), "2027-10-31T00:30:00+00:00");
}

#[test]
fn a_floating_time_is_read_in_utc() {
    let due = local("2027-01-31T09:00:00", "floating");
    assert_eq!(
        fires(due.clone(), &before_due(0)),
        "2027-01-31T09:00:00+00:00"
    );
    assert_eq!(fires(due, &at_nine(0, None)), "2027-01-31T09:00:00+00:00");
}

#[test]
fn what_floats_is_read_where_its_owner_is() {
    let owner = UserId(Uuid::from_u128(1));
    let by = Actor::User(owner);
    let mut task = Task::new(
        TaskId(Uuid::from_u128(2)),
        owner,
        "",
        by,
        DateTime::UNIX_EPOCH,
    );
    let fires =
        |task: &Task, trigger: &Trigger| time_of(task, trigger).unwrap().unwrap().to_rfc3339();
    for (home, expected) in [
        (None, "2027-01-31T09:00:00+00:00"),
        (Some("Asia/Tokyo"), "2027-01-31T00:00:00+00:00"),
    ] {
        task.home_zone = home.map(str::to_owned);
        task.due = Some(local("2027-01-31T09:00:00", "floating"));
        assert_eq!(fires(&task, &before_due(0)), expected);
        let wall = wall_of(&task, &before_due(0)).unwrap();
        assert_eq!(wall.map(|wall| wall.time_zone).as_deref(), home);
        task.due = Some(date("2027-01-31"));
        assert_eq!(fires(&task, &at_nine(0, None)), expected);
        assert_eq!(
            fires(&task, &at_nine(0, Some("Europe/Berlin"))),
            "2027-01-31T08:00:00+00:00"
        );
        let own = Trigger::Absolute {
            at: local("2027-01-31T09:00:00", "floating"),
        };
        assert_eq!(fires(&task, &own), expected);
    }
    task.home_zone = Some("Mars".to_owned());
    assert_eq!(
        time_of(&task, &at_nine(0, None)),
        Err(UnknownZone("Mars".to_owned()))
    );
}

#[test]
fn an_absolute_reminder_needs_no_anchor() {
    let civil = Trigger::Absolute {
        at: local("2027-01-31T09:00:00", "Asia/Tokyo"),
    };
    let instant = Trigger::Absolute {
        at: TimeValue::Instant {
            instant: "2027-01-31T09:00:00.123456789Z".parse().unwrap(),
        },
    };
    let shown = |trigger| time(None, &trigger).unwrap().unwrap();
    assert_eq!(shown(civil), "2027-01-31T00:00:00+00:00");
    assert_eq!(shown(instant), "2027-01-31T09:00:00.123456+00:00");
}

#[test]
fn what_has_no_instant_does_not_fire() {
    let due = local("2027-01-31T09:00:00", "UTC");
    assert_eq!(time(None, &before_due(0)), Ok(None));
    assert_eq!(time(None, &at_nine(0, Some("Europe/Berlin"))), Ok(None));
    assert_eq!(time(Some(date("2027-01-31")), &before_due(0)), Ok(None));
    for seconds in [i64::MIN + 1, -300_000_000_000, 300_000_000_000, i64::MAX] {
        assert_eq!(time(Some(due.clone()), &before_due(seconds)), Ok(None));
    }
    let first = date("0001-01-01");
    assert_eq!(time(Some(first.clone()), &at_nine(1, None)), Ok(None));
    let east = Trigger::Absolute {
        at: local("0001-01-01T00:00:00", "Asia/Tokyo"),
    };
    assert_eq!(time(Some(first), &east), Ok(None));
}

#[test]
fn a_time_of_day_counts_calendar_days_in_its_zone() {
    let day = || date("2027-03-29");
    let berlin = Some("Europe/Berlin");
    for (due, trigger, expected) in [
        (day(), at_nine(0, None), "2027-03-29T09:00:00+00:00"),
        // The clocks change on the 28th: nine is nine on either side.
        (day(), at_nine(1, berlin), "2027-03-28T07:00:00+00:00"),
        (day(), at_nine(2, berlin), "2027-03-27T08:00:00+00:00"),
        // Of an anchor with an hour only the day matters, and its zone unless there is another.
        (
            local("2027-03-29T23:30:00", "Asia/Tokyo"),
            at_nine(1, None),
            "2027-03-28T00:00:00+00:00",
        ),
        (
            local("2027-03-29T23:30:00", "Asia/Tokyo"),
            at_nine(1, berlin),
            "2027-03-28T07:00:00+00:00",
        ),
        (
            day(),
            at_nine(366, Some("America/New_York")),
            "2026-03-28T13:00:00+00:00",
        ),
    ] {
        assert_eq!(
            fires(due.clone(), &trigger),
            expected,
            "{due:?} {trigger:?}"
        );
    }
}

#[test]
fn a_time_of_day_that_the_clocks_skip_moves_forward() {
    let trigger = Trigger::TimeOfDay {
        to: Anchor::Due,
        days_before: 0,
        at: NaiveTime::from_hms_opt(2, 30, 0).unwrap(),
        time_zone: Some("Europe/Berlin".to_owned()),
    };
    assert_eq!(
        fires(date("2027-03-28"), &trigger),
        "2027-03-28T01:30:00+00:00"
    );
    assert_eq!(
        fires(date("2027-10-31"), &trigger),
        "2027-10-31T00:30:00+00:00"
    );
    // Samoa had no 30 December 2011.
    let skipped = TimeValue::Date {
        date: NaiveDate::from_ymd_opt(2011, 12, 30).unwrap(),
    };
    let there = at_nine(0, Some("Pacific/Apia"));
    assert_eq!(fires(skipped, &there), "2011-12-30T19:00:00+00:00");
}

#[test]
fn an_unknown_zone_is_refused_rather_than_forgotten() {
    let mars = || Some("Mars/Olympus");
    let refused = Err(UnknownZone("Mars/Olympus".to_owned()));
    let due = local("2027-01-31T09:00:00", "Mars/Olympus");
    assert_eq!(time(Some(due), &before_due(0)), refused);
    assert_eq!(time(Some(date("2027-01-31")), &at_nine(0, mars())), refused);
}
