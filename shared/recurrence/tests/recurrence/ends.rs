use chrono_tz::Europe::Berlin;
use recurrence::{MonthOverflow, Rule, Schedule};

use crate::{build, schedule, slot, slots};

#[test]
fn a_series_ends_before_its_instants_leave_the_year_9999() {
    for (zone, last) in [
        ("America/Los_Angeles", "9999-12-30T23:59"),
        ("Asia/Tokyo", "9999-12-31T23:59"),
    ] {
        let (start, zone) = ("9999-12-29T23:59", zone.parse().unwrap());
        let schedule = build("FREQ=DAILY", start, Some(zone), MonthOverflow::Clamp);
        assert_eq!(schedule.occurrences().last().unwrap().slot, slot(last));
    }
}

#[test]
fn count_counts_from_the_first_slot_on_the_rule() {
    let schedule = schedule("FREQ=WEEKLY;BYDAY=MO;COUNT=3", "2027-01-05");

    assert_eq!(slots(&schedule, 9), "2027-01-11 2027-01-18 2027-01-25");
    let last = schedule.next_after(slot("2027-01-18")).unwrap();
    assert_eq!((last.slot, last.index), (slot("2027-01-25"), 3));
    assert_eq!(schedule.next_after(slot("2027-01-25")), None);
}

#[test]
fn slots_that_were_skipped_count_too() {
    let schedule = schedule("FREQ=DAILY;COUNT=5", "2027-01-01");

    let next = schedule.next_after(slot("2027-01-04")).unwrap();

    assert_eq!((next.slot, next.index), (slot("2027-01-05"), 5));
}

#[test]
fn until_is_inclusive() {
    let dates = schedule("FREQ=DAILY;UNTIL=20270103", "2027-01-01");
    assert_eq!(slots(&dates, 9), "2027-01-01 2027-01-02 2027-01-03");

    // 09:00 in Berlin is 08:00 UTC in winter.
    let inclusive = "FREQ=DAILY;UNTIL=20270102T080000Z";
    let timed = build(
        inclusive,
        "2027-01-01T09:00",
        Some(Berlin),
        MonthOverflow::Clamp,
    );
    assert_eq!(slots(&timed, 9), "2027-01-01T09:00 2027-01-02T09:00");

    let before = "FREQ=DAILY;UNTIL=20270102T075959Z";
    let timed = build(
        before,
        "2027-01-01T09:00",
        Some(Berlin),
        MonthOverflow::Clamp,
    );
    assert_eq!(slots(&timed, 9), "2027-01-01T09:00");
}

#[test]
fn a_series_whose_end_lies_before_its_first_slot_has_ended() {
    let schedule = schedule("FREQ=WEEKLY;BYDAY=MO;UNTIL=20270106", "2027-01-05");

    assert_eq!(schedule.first(), None);
    assert_eq!(
        schedule.next_after_finish(slot("2027-01-05"), "2027-01-05T12:00:00Z".parse().unwrap()),
        None
    );
}

#[test]
fn an_until_of_the_wrong_kind_is_refused() {
    let cases = [
        (
            "FREQ=DAILY;UNTIL=20270131",
            "2027-01-01T09:00",
            Some(Berlin),
        ),
        ("FREQ=DAILY;UNTIL=20270131", "2027-01-01T09:00", None),
        (
            "FREQ=DAILY;UNTIL=20270131T080000Z",
            "2027-01-01",
            Some(Berlin),
        ),
        (
            "FREQ=DAILY;UNTIL=20270131T080000Z",
            "2027-01-01T09:00",
            None,
        ),
    ];
    for (rule, start, zone) in cases {
        let rule = Rule::parse(rule).unwrap();
        let refused = Schedule::new(rule, slot(start), zone, MonthOverflow::Clamp).unwrap_err();
        assert_eq!(
            (refused.code(), refused.part()),
            ("recurrence-unsupported", Some("UNTIL"))
        );
    }
}

#[test]
fn the_index_is_the_place_among_all_slots_however_far_away() {
    let cases = [
        ("FREQ=DAILY", "1977-01-01", "2027-01-01", 18_264),
        ("FREQ=DAILY;INTERVAL=7", "1977-01-01", "2027-01-01", 2_610),
        ("FREQ=MONTHLY", "1977-01-31", "2027-01-30", 601),
        ("FREQ=YEARLY;INTERVAL=4", "1976-02-29", "2027-01-01", 14),
    ];
    for (rule, start, after, index) in cases {
        let next = schedule(rule, start).next_after(slot(after)).unwrap();
        assert_eq!(next.index, index, "{rule}");
    }
}

#[test]
fn the_phase_of_the_interval_comes_from_the_start() {
    let schedule = schedule("FREQ=DAILY;INTERVAL=999", "1900-01-01");

    let next = schedule.next_after(slot("2027-01-01")).unwrap();

    let elapsed = next.slot.date() - slot("1900-01-01").date();
    assert_eq!(elapsed.num_days(), 999 * i64::from(next.index - 1));
    assert!((next.slot.date() - slot("2027-01-01").date()).num_days() <= 999);
}

#[test]
fn dates_and_times_compare_by_civil_time() {
    let timed = schedule("FREQ=DAILY", "2027-01-01T09:00");
    assert_eq!(
        timed.next_after(slot("2027-01-03")).unwrap().slot,
        slot("2027-01-03T09:00")
    );
    assert_eq!(
        timed.next_after(slot("2027-01-03T08:59")).unwrap().slot,
        slot("2027-01-03T09:00")
    );
    assert_eq!(
        timed.next_after(slot("2027-01-03T09:00")).unwrap().slot,
        slot("2027-01-04T09:00")
    );

    let dates = schedule("FREQ=DAILY", "2027-01-01");
    assert_eq!(
        dates.next_after(slot("2027-01-03T00:00")).unwrap().slot,
        slot("2027-01-04")
    );
}
