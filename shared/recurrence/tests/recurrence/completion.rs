use chrono::{DateTime, Utc};
use chrono_tz::{America, Europe, Pacific, Tz};
use recurrence::{MonthOverflow, NextSlot};

use crate::{build, slot};

const BERLIN: Option<Tz> = Some(Europe::Berlin);

fn finish(rule: &str, zone: Option<Tz>, finished: &str, at: &str) -> NextSlot {
    let schedule = build(rule, "2027-01-04T09:00", zone, MonthOverflow::Clamp);
    schedule
        .next_after_finish(slot(finished), instant(at))
        .unwrap()
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn next(text: &str, index: u32, missed_count: u32) -> NextSlot {
    NextSlot {
        slot: slot(text),
        index,
        missed_count,
    }
}

#[test]
fn early_completion_yields_the_slot_after_the_finished_one() {
    let weekly = finish(
        "FREQ=WEEKLY",
        BERLIN,
        "2027-01-11T09:00",
        "2027-01-09T10:00:00Z",
    );

    assert_eq!(weekly, next("2027-01-18T09:00", 3, 0));
}

#[test]
fn late_completion_yields_the_next_future_slot_and_counts_the_missed_ones() {
    let daily = finish(
        "FREQ=DAILY",
        BERLIN,
        "2027-01-04T09:00",
        "2027-01-10T12:00:00Z",
    );

    assert_eq!(daily, next("2027-01-11T09:00", 8, 6));
}

#[test]
fn completion_at_the_very_instant_of_a_slot_covers_that_slot() {
    let at = finish(
        "FREQ=DAILY",
        BERLIN,
        "2027-01-04T09:00",
        "2027-01-06T08:00:00Z",
    );
    assert_eq!(at, next("2027-01-07T09:00", 4, 2));

    let just_before = finish(
        "FREQ=DAILY",
        BERLIN,
        "2027-01-04T09:00",
        "2027-01-06T07:59:59Z",
    );
    assert_eq!(just_before, next("2027-01-06T09:00", 3, 1));
}

#[test]
fn completion_is_read_in_the_zone_of_the_series() {
    // 07:30 UTC on 5 January is 20:30 in Pago Pago, still on 4 January.
    let samoa = Some(Pacific::Pago_Pago);
    let timed = finish(
        "FREQ=DAILY",
        samoa,
        "2027-01-04T09:00",
        "2027-01-05T07:30:00Z",
    );
    assert_eq!(timed, next("2027-01-05T09:00", 2, 0));

    let date = build("FREQ=DAILY", "2027-01-04", samoa, MonthOverflow::Clamp);
    let after = date.next_after_finish(slot("2027-01-04"), instant("2027-01-05T07:30:00Z"));
    assert_eq!(after, Some(next("2027-01-05", 2, 0)));

    let without_zone = build("FREQ=DAILY", "2027-01-04", None, MonthOverflow::Clamp);
    let after = without_zone.next_after_finish(slot("2027-01-04"), instant("2027-01-05T07:30:00Z"));
    assert_eq!(after, Some(next("2027-01-06", 3, 1)));
}

#[test]
fn a_date_finished_late_on_its_day_is_followed_by_another_day() {
    let date = build("FREQ=DAILY", "2027-01-04", BERLIN, MonthOverflow::Clamp);

    let after = date.next_after_finish(slot("2027-01-04"), instant("2027-01-04T22:59:59Z"));

    assert_eq!(after, Some(next("2027-01-05", 2, 0)));
}

#[test]
fn a_moved_occurrence_is_followed_from_its_original_slot() {
    // The occurrence of the 11th was moved and finished on the 13th: the 18th follows.
    let weekly = finish(
        "FREQ=WEEKLY",
        BERLIN,
        "2027-01-11T09:00",
        "2027-01-13T10:00:00Z",
    );

    assert_eq!(weekly, next("2027-01-18T09:00", 3, 0));
}

#[test]
fn a_slot_that_is_not_on_the_rule_is_followed_and_counted_by_time() {
    let weekly = finish(
        "FREQ=WEEKLY",
        BERLIN,
        "2027-01-12T09:00",
        "2027-02-01T10:00:00Z",
    );

    assert_eq!(weekly, next("2027-02-08T09:00", 6, 3));
}

#[test]
fn month_ends_are_remembered_across_a_late_completion() {
    let monthly = build("FREQ=MONTHLY", "2027-01-31", None, MonthOverflow::Clamp);

    let after = monthly.next_after_finish(slot("2027-01-31"), instant("2027-02-28T10:00:00Z"));

    assert_eq!(after, Some(next("2027-03-31", 3, 1)));
}

#[test]
fn the_next_slot_lies_in_the_future_also_around_a_change_of_offset() {
    let daily = |at| {
        let night = build(
            "FREQ=DAILY",
            "2027-01-01T02:30",
            BERLIN,
            MonthOverflow::Clamp,
        );
        night
            .next_after_finish(slot("2027-01-01T02:30"), instant(at))
            .unwrap()
            .slot
    };

    // 28 March: 02:30 does not exist and is 03:30; at 03:10 it is still to come.
    assert_eq!(daily("2027-03-28T01:10:00Z"), slot("2027-03-28T02:30"));
    assert_eq!(daily("2027-03-28T01:30:00Z"), slot("2027-03-29T02:30"));
    // 31 October: 02:30 happens twice and means the first; at the second 02:10 it has passed.
    assert_eq!(daily("2027-10-31T00:10:00Z"), slot("2027-10-31T02:30"));
    assert_eq!(daily("2027-10-31T01:10:00Z"), slot("2027-11-01T02:30"));
}

#[test]
fn nothing_follows_the_last_slot() {
    let schedule = build(
        "FREQ=DAILY;COUNT=2",
        "2027-01-01",
        None,
        MonthOverflow::Clamp,
    );
    let last = slot("2027-01-02");

    assert_eq!(
        schedule.next_after_finish(last, instant("2027-01-01T00:00:00Z")),
        None
    );
    assert_eq!(
        schedule.next_after_finish(slot("2027-01-01"), instant("2027-06-01T00:00:00Z")),
        None
    );
}

#[test]
fn nothing_follows_the_last_slot_of_a_floating_series() {
    let last = slot("2027-01-05T09:00");
    for zone in [None, BERLIN, Some(Pacific::Pago_Pago)] {
        let floating = build(
            "FREQ=DAILY;UNTIL=20270105T090000",
            "2027-01-04T09:00",
            None,
            MonthOverflow::Clamp,
        );
        let floating = floating.read_in(zone);
        let early = instant("2027-01-04T00:00:00Z");
        let after = floating.next_after_finish(slot("2027-01-04T09:00"), early);
        assert_eq!(after, Some(next("2027-01-05T09:00", 2, 0)), "{zone:?}");
        assert_eq!(floating.next_after_finish(last, early), None, "{zone:?}");
    }
}

#[test]
fn the_ends_of_time_are_completions_too() {
    let zone = Some(America::New_York);
    for start in ["2027-01-01", "2027-01-01T09:00"] {
        let schedule = build("FREQ=DAILY", start, zone, MonthOverflow::Clamp);
        assert!(
            schedule
                .next_after_finish(slot(start), DateTime::<Utc>::MIN_UTC)
                .is_some()
        );
        assert_eq!(
            schedule.next_after_finish(slot(start), DateTime::<Utc>::MAX_UTC),
            None
        );
    }
}
