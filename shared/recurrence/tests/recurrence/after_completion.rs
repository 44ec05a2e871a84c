//! Slots that are counted from completions.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use recurrence::{MonthOverflow, Rule, Schedule, Slot};

fn schedule(rule: &str, start: &str, zone: Option<Tz>) -> Schedule {
    let rule = Rule::parse(rule).unwrap();
    Schedule::new(rule, start.parse().unwrap(), zone, MonthOverflow::Clamp).unwrap()
}

fn next(schedule: &Schedule, slot: &str, index: u32, finished: &str) -> Option<String> {
    let slot: Slot = slot.parse().unwrap();
    let finished: DateTime<Utc> = finished.parse().unwrap();
    let next = schedule.next_after_completion(slot, index, finished);
    next.map(|slot| slot.to_string())
}

#[test]
fn the_interval_counts_from_the_local_day_of_completion_at_the_time_of_the_start() {
    let berlin = Some(chrono_tz::Europe::Berlin);
    for (rule, finished, expected) in [
        (
            "FREQ=DAILY;INTERVAL=3",
            "2027-02-10T12:00:00Z",
            "2027-02-13T09:00",
        ),
        // It is the eleventh in Berlin already.
        (
            "FREQ=DAILY;INTERVAL=3",
            "2027-02-10T23:30:00Z",
            "2027-02-14T09:00",
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2",
            "2027-02-10T12:00:00Z",
            "2027-02-24T09:00",
        ),
        ("FREQ=MONTHLY", "2027-02-10T12:00:00Z", "2027-03-10T09:00"),
        ("FREQ=YEARLY", "2028-02-29T12:00:00Z", "2029-02-28T09:00"),
    ] {
        let schedule = schedule(rule, "2027-01-31T09:00", berlin);
        let found = next(&schedule, "2027-01-31T09:00", 1, finished);
        assert_eq!(found.as_deref(), Some(expected), "{rule} {finished}");
    }
}

#[test]
fn each_completion_counts_afresh() {
    let schedule = schedule("FREQ=MONTHLY", "2027-01-31", None);
    let february = next(&schedule, "2027-01-31", 1, "2027-01-31T10:00:00Z").unwrap();
    assert_eq!(february, "2027-02-28");
    let march = next(&schedule, &february, 2, "2027-02-28T10:00:00Z");
    assert_eq!(march.as_deref(), Some("2027-03-28"));
}

#[test]
fn who_finishes_early_gets_the_first_later_slot_whole_intervals_away() {
    let daily = schedule("FREQ=DAILY", "2027-01-31", None);
    assert_eq!(
        next(&daily, "2027-01-31", 1, "2027-01-21T10:00:00Z").as_deref(),
        Some("2027-02-01")
    );
    let weekly = schedule("FREQ=WEEKLY", "2027-01-31", None);
    assert_eq!(
        next(&weekly, "2027-01-31", 1, "2027-01-21T10:00:00Z").as_deref(),
        Some("2027-02-04")
    );
    let far = schedule("FREQ=DAILY", "2027-01-31", None);
    assert_eq!(
        next(&far, "9999-12-30", 1, "2027-01-21T10:00:00Z").as_deref(),
        Some("9999-12-31")
    );
    assert_eq!(next(&far, "9999-12-31", 1, "2027-01-21T10:00:00Z"), None);
}

#[test]
fn a_rule_ends_by_count_and_by_until() {
    let count = schedule("FREQ=DAILY;COUNT=2", "2027-01-31", None);
    assert!(next(&count, "2027-01-31", 1, "2027-01-31T10:00:00Z").is_some());
    assert_eq!(next(&count, "2027-02-01", 2, "2027-02-01T10:00:00Z"), None);
    let until = schedule("FREQ=DAILY;INTERVAL=3;UNTIL=20270203", "2027-01-31", None);
    assert!(next(&until, "2027-01-31", 1, "2027-01-31T10:00:00Z").is_some());
    assert_eq!(next(&until, "2027-01-31", 1, "2027-02-01T10:00:00Z"), None);
    let local = "FREQ=DAILY;INTERVAL=3;UNTIL=20270203T090000";
    let floating = schedule(local, "2027-01-31T09:00", None);
    for reader in [None, Some(chrono_tz::Asia::Tokyo)] {
        let floating = floating.clone().read_in(reader);
        let after = |finished| next(&floating, "2027-01-31T09:00", 1, finished);
        assert_eq!(
            after("2027-01-31T10:00:00Z").as_deref(),
            Some("2027-02-03T09:00")
        );
        assert_eq!(after("2027-02-01T10:00:00Z"), None);
    }
}

#[test]
fn days_that_a_rule_names_are_no_interval() {
    let named = schedule("FREQ=WEEKLY;BYDAY=MO", "2027-01-31", None);
    let error = named.check_completion().unwrap_err();
    assert_eq!(error.part(), Some("BYDAY"));
    assert!(error.to_string().contains("leave it out"), "{error}");
    assert!(
        schedule("FREQ=WEEKLY;INTERVAL=2", "2027-01-31", None)
            .check_completion()
            .is_ok()
    );
}
