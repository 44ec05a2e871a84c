use chrono::NaiveDate;
use event_schema::{Anchor, Reminder};

use super::*;
use crate::domain::reminders::fixtures::{reminder_id, task};

fn local(text: &str, time_zone: &str) -> TimeValue {
    TimeValue::Local {
        local: text.parse().unwrap(),
        time_zone: time_zone.to_owned(),
    }
}

fn before_due(seconds: i64) -> Trigger {
    Trigger::Relative {
        to: Anchor::Due,
        offset_seconds: -seconds,
    }
}

fn times(due: Option<TimeValue>, trigger: Trigger) -> Vec<String> {
    let id = reminder_id(1);
    let task = Task {
        due,
        reminders: vec![Reminder { id, trigger }],
        ..task()
    };
    let plan = plan(&task).unwrap();
    plan.iter()
        .map(|planned| planned.fire_at.to_rfc3339())
        .collect()
}

#[test]
fn a_relative_reminder_counts_from_the_instant_of_its_anchor() {
    let due = local("2027-01-31T09:00:00", "Europe/Berlin");

    assert_eq!(
        times(Some(due), before_due(900)),
        ["2027-01-31T07:45:00+00:00"]
    );
}

#[test]
fn offsets_are_elapsed_time_over_a_change_of_the_clocks() {
    // The night before 2027-03-28 in Berlin is an hour short.
    let due = local("2027-03-28T09:00:00", "Europe/Berlin");

    assert_eq!(
        times(Some(due), before_due(24 * 3600)),
        ["2027-03-27T07:00:00+00:00"]
    );
}

#[test]
fn an_anchor_in_a_gap_moves_forward_and_one_that_happens_twice_is_the_first() {
    let gap = local("2027-03-28T02:30:00", "Europe/Berlin");
    let fold = local("2027-10-31T02:30:00", "Europe/Berlin");

    assert_eq!(
        times(Some(gap), before_due(0)),
        ["2027-03-28T01:30:00+00:00"]
    );
    assert_eq!(
        times(Some(fold), before_due(0)),
        ["2027-10-31T00:30:00+00:00"]
    );
}

#[test]
fn a_floating_time_is_read_in_utc() {
    let due = local("2027-01-31T09:00:00", "floating");

    assert_eq!(
        times(Some(due), before_due(0)),
        ["2027-01-31T09:00:00+00:00"]
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

    assert_eq!(times(None, civil), ["2027-01-31T00:00:00+00:00"]);
    assert_eq!(times(None, instant), ["2027-01-31T09:00:00.123456+00:00"]);
}

#[test]
fn a_reminder_without_an_instant_is_not_planned() {
    let date = TimeValue::Date {
        date: NaiveDate::from_ymd_opt(2027, 1, 31).unwrap(),
    };
    let due = local("2027-01-31T09:00:00", "UTC");

    assert!(times(None, before_due(0)).is_empty());
    assert!(times(Some(date), before_due(0)).is_empty());
    for seconds in [i64::MIN + 1, -300_000_000_000, 300_000_000_000, i64::MAX] {
        assert!(times(Some(due.clone()), before_due(seconds)).is_empty());
    }
}

#[test]
fn a_reminder_that_is_named_twice_is_planned_once() {
    let one = Reminder {
        id: reminder_id(1),
        trigger: before_due(0),
    };
    let task = Task {
        due: Some(local("2027-01-31T09:00:00", "UTC")),
        reminders: vec![one.clone(), one],
        ..task()
    };

    assert_eq!(plan(&task).unwrap().len(), 1);
}

#[test]
fn an_unknown_zone_is_refused_rather_than_forgotten() {
    let task = Task {
        due: Some(local("2027-01-31T09:00:00", "Mars/Olympus")),
        reminders: vec![Reminder {
            id: reminder_id(1),
            trigger: before_due(0),
        }],
        ..task()
    };

    let refused = plan(&task);

    assert_eq!(
        refused,
        Err(PlanError::UnknownZone("Mars/Olympus".to_owned()))
    );
}
