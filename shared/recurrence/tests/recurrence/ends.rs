use chrono_tz::Europe::Berlin;
use chrono_tz::{Pacific, Tz};
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
fn a_local_until_is_compared_in_civil_time_wherever_the_series_is_read() {
    let kiritimati = Some(Pacific::Kiritimati);
    for (until, read_in, expected) in [
        ("20270102T090000", None, "2027-01-01T09:00 2027-01-02T09:00"),
        ("20270102T085959", None, "2027-01-01T09:00"),
        (
            "20270102T090000",
            Some(Pacific::Pago_Pago),
            "2027-01-01T09:00 2027-01-02T09:00",
        ),
        ("20270102T085959", kiritimati, "2027-01-01T09:00"),
    ] {
        let floating = floating(until, "2027-01-01T09:00", read_in);
        assert_eq!(slots(&floating, 9), expected, "{until} in {read_in:?}");
        let all: Vec<_> = floating.occurrences().collect();
        let rest: Vec<_> = floating.resume(all[0]).collect();
        assert_eq!(rest, all[1..]);
    }
}

#[test]
fn a_local_until_ends_with_its_slot_also_where_the_clocks_leave_that_out() {
    // The clocks of Berlin show 03:30 then, which is after the end.
    let night = floating("20270328T023000", "2027-03-27T02:30", Some(Berlin));
    assert_eq!(slots(&night, 9), "2027-03-27T02:30 2027-03-28T02:30");

    // Apia had no 30 December 2011: its slot stands for itself when the next one is beyond the end.
    let apia = |until| floating(until, "2011-12-29T09:00", Some(Pacific::Apia));
    assert_eq!(
        slots(&apia("20111230T090000"), 9),
        "2011-12-29T09:00 2011-12-30T09:00"
    );
    assert_eq!(
        slots(&apia("20111231T090000"), 9),
        "2011-12-29T09:00 2011-12-31T09:00"
    );
}

fn floating(until: &str, start: &str, read_in: Option<Tz>) -> Schedule {
    schedule(&format!("FREQ=DAILY;UNTIL={until}"), start).read_in(read_in)
}

#[test]
fn a_zone_of_its_own_is_kept_wherever_a_series_is_read() {
    let rule = "FREQ=DAILY;UNTIL=20270102T080000Z";
    let start = "2027-01-01T09:00";
    let timed = build(rule, start, Some(Berlin), MonthOverflow::Clamp);
    let read = timed.read_in(Some(Pacific::Kiritimati));
    assert_eq!(read.time_zone(), Some(Berlin));
    assert_eq!(slots(&read, 9), "2027-01-01T09:00 2027-01-02T09:00");
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
fn an_until_of_the_wrong_kind_is_refused_with_the_right_one() {
    let (date, utc, local) = ("20270131", "20270131T080000Z", "20270131T090000");
    let berlin = Some(Berlin);
    for (until, start, zone, instead) in [
        (date, "2027-01-01T09:00", berlin, "must be in UTC such as"),
        (local, "2027-01-01T09:00", berlin, "must be in UTC: write"),
        (
            date,
            "2027-01-01T09:00",
            None,
            "must be a local time such as",
        ),
        (
            utc,
            "2027-01-01T09:00",
            None,
            "must be a local time such as",
        ),
        (utc, "2027-01-01", berlin, "must be a date such as"),
        (utc, "2027-01-01", None, "must be a date such as"),
        (local, "2027-01-01", berlin, "must be a date such as"),
        (local, "2027-01-01", None, "must be a date such as"),
    ] {
        let rule = Rule::parse(&format!("FREQ=DAILY;UNTIL={until}")).unwrap();
        let refused = Schedule::new(rule, slot(start), zone, MonthOverflow::Clamp).unwrap_err();
        assert_eq!(
            (refused.code(), refused.part()),
            ("recurrence-unsupported", Some("UNTIL"))
        );
        let message = refused.to_string();
        assert!(message.contains(instead), "{until} {start}: {message}");
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
