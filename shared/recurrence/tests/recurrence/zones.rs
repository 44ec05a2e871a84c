use chrono::SecondsFormat;
use chrono_tz::{America, Asia, Europe, Pacific, Tz};
use recurrence::{DstGap, Fate, MonthOverflow, Schedule, Slot, resolve};

use crate::{build, slot, slots};

fn daily(start: &str, zone: Tz) -> Schedule {
    build("FREQ=DAILY", start, Some(zone), MonthOverflow::Clamp)
}

/// Returns the instants of the first slots, separated by spaces.
fn instants(schedule: &Schedule, limit: usize) -> String {
    let zone = schedule.time_zone().unwrap();
    let instants: Vec<String> = schedule
        .occurrences()
        .take(limit)
        .map(|next| match next.slot {
            Slot::Timed(civil) => resolve(civil, zone).to_rfc3339_opts(SecondsFormat::Secs, true),
            Slot::Date(_) => unreachable!("the series is timed"),
        })
        .collect();
    instants.join(" ")
}

#[test]
fn the_wall_time_returns_on_the_day_after_a_gap() {
    let cases = [
        (
            Europe::Berlin,
            "2027-03-27T02:30",
            "2027-03-27T01:30:00Z 2027-03-28T01:30:00Z 2027-03-29T00:30:00Z",
        ),
        (
            America::New_York,
            "2027-03-13T02:30",
            "2027-03-13T07:30:00Z 2027-03-14T07:30:00Z 2027-03-15T06:30:00Z",
        ),
        (
            America::Sao_Paulo,
            "2018-11-03T00:00",
            "2018-11-03T03:00:00Z 2018-11-04T03:00:00Z 2018-11-05T02:00:00Z",
        ),
        (
            Asia::Beirut,
            "2026-03-28T00:30",
            "2026-03-27T22:30:00Z 2026-03-28T22:30:00Z 2026-03-29T21:30:00Z",
        ),
    ];
    for (zone, start, expected) in cases {
        assert_eq!(instants(&daily(start, zone), 3), expected, "{zone}");
    }
}

#[test]
fn a_gap_at_midnight_does_not_lose_its_day() {
    let schedule = daily("2018-11-03T00:00", America::Sao_Paulo);

    assert_eq!(
        slots(&schedule, 3),
        "2018-11-03T00:00 2018-11-04T00:00 2018-11-05T00:00"
    );
}

#[test]
fn a_start_inside_a_gap_moves_only_its_own_occurrence() {
    let schedule = daily("2027-03-28T02:30", Europe::Berlin);

    assert_eq!(slots(&schedule, 2), "2027-03-28T02:30 2027-03-29T02:30");
    assert_eq!(
        instants(&schedule, 2),
        "2027-03-28T01:30:00Z 2027-03-29T00:30:00Z"
    );
}

#[test]
fn a_time_that_happens_twice_occurs_once_and_first() {
    let cases = [
        (
            Europe::Berlin,
            "2027-10-31T02:30",
            "2027-10-31T00:30:00Z 2027-11-01T01:30:00Z",
        ),
        (
            America::New_York,
            "2027-11-07T01:30",
            "2027-11-07T05:30:00Z 2027-11-08T06:30:00Z",
        ),
    ];
    for (zone, start, expected) in cases {
        assert_eq!(instants(&daily(start, zone), 2), expected, "{zone}");
    }
}

#[test]
fn of_two_slots_with_one_instant_the_one_that_exists_occurs() {
    // Samoa had no 30 December 2011.
    let schedule = daily("2011-12-29T09:00", Pacific::Apia);

    assert_eq!(
        slots(&schedule, 3),
        "2011-12-29T09:00 2011-12-31T09:00 2012-01-01T09:00"
    );
    let next = schedule.next_after(slot("2011-12-29T09:00")).unwrap();
    assert_eq!((next.slot, next.index), (slot("2011-12-31T09:00"), 3));
    let between = schedule.next_after(slot("2011-12-30T08:00")).unwrap();
    assert_eq!(between, next);
    assert_eq!(schedule.first().unwrap().index, 1);
}

#[test]
fn a_missing_day_that_meets_no_other_slot_occurs_later() {
    let weekly = build(
        "FREQ=WEEKLY",
        "2011-12-23T09:00",
        Some(Pacific::Apia),
        MonthOverflow::Clamp,
    );

    assert_eq!(
        slots(&weekly, 3),
        "2011-12-23T09:00 2011-12-30T09:00 2012-01-06T09:00"
    );
}

#[test]
fn merged_slots_both_count() {
    let slots_of = |rule| {
        let schedule = build(
            rule,
            "2011-12-29T09:00",
            Some(Pacific::Apia),
            MonthOverflow::Clamp,
        );
        slots(&schedule, 9)
    };

    assert_eq!(
        slots_of("FREQ=DAILY;COUNT=4"),
        "2011-12-29T09:00 2011-12-31T09:00 2012-01-01T09:00"
    );
    // The count ends on the day that does not exist, so that slot is not dropped.
    assert_eq!(
        slots_of("FREQ=DAILY;COUNT=2"),
        "2011-12-29T09:00 2011-12-30T09:00"
    );
}

#[test]
fn dates_and_floating_times_know_no_missing_day() {
    let dates = build(
        "FREQ=DAILY",
        "2011-12-29",
        Some(Pacific::Apia),
        MonthOverflow::Clamp,
    );
    assert_eq!(slots(&dates, 3), "2011-12-29 2011-12-30 2011-12-31");

    let floating = build("FREQ=DAILY", "2011-12-29T09:00", None, MonthOverflow::Clamp);
    assert_eq!(slots(&floating, 2), "2011-12-29T09:00 2011-12-30T09:00");
}

#[test]
fn the_fate_of_each_slot_is_known() {
    let fates = |schedule: &Schedule| -> Vec<Fate> {
        let slots = schedule.slots().take(3);
        slots.map(|next| schedule.fate(next)).collect()
    };
    let apia = daily("2011-12-29T09:00", Pacific::Apia);
    let into = slot("2011-12-31T09:00");
    assert_eq!(
        fates(&apia),
        [Fate::Happens, Fate::Merges { into }, Fate::Happens]
    );

    let spring = daily("2027-03-27T02:30", Europe::Berlin).except([slot("2027-03-29T02:30")]);
    let to = "2027-03-28T03:30:00".parse().unwrap();
    assert_eq!(
        fates(&spring),
        [Fate::Happens, Fate::Shifts { to }, Fate::IsExcepted]
    );
    let skipping = spring.with_dst_gap(DstGap::Skip);
    assert_eq!(fates(&skipping)[1], Fate::FallsIntoGap);

    let autumn = daily("2027-10-30T02:30", Europe::Berlin);
    assert_eq!(
        fates(&autumn),
        [Fate::Happens, Fate::HappensFirst, Fate::Happens]
    );
}
