//! Changes of clocks as the IANA database has them, in zones where libraries go wrong. Each row was
//! compared with Python's `zoneinfo`.

use chrono::{NaiveDate, SecondsFormat, TimeDelta};
use chrono_tz::Tz;
use recurrence::{DstGap, MonthOverflow, Schedule, Slot, WallTime, resolve, wall_time};

use crate::build;

/// What the clocks of a zone do at a civil time.
enum Fact {
    /// They never show it, but this one instead.
    Gap(&'static str),
    /// They show it twice.
    Fold,
}
use Fact::{Fold, Gap};

const FACTS: [(&str, &str, &str, Fact); 22] = [
    // Midnight does not exist, or the last hour of a day comes twice.
    (
        "America/Sao_Paulo",
        "2018-11-04T00:00",
        "2018-11-04T03:00:00Z",
        Gap("2018-11-04T01:00"),
    ),
    (
        "America/Sao_Paulo",
        "2018-02-17T23:30",
        "2018-02-18T01:30:00Z",
        Fold,
    ),
    (
        "Africa/Cairo",
        "2023-04-28T00:30",
        "2023-04-27T22:30:00Z",
        Gap("2023-04-28T01:30"),
    ),
    (
        "Africa/Cairo",
        "2023-10-26T23:30",
        "2023-10-26T20:30:00Z",
        Fold,
    ),
    (
        "Asia/Beirut",
        "2026-03-29T00:30",
        "2026-03-28T22:30:00Z",
        Gap("2026-03-29T01:30"),
    ),
    (
        "Asia/Beirut",
        "2026-10-24T23:30",
        "2026-10-24T20:30:00Z",
        Fold,
    ),
    (
        "America/Santiago",
        "2026-09-06T00:30",
        "2026-09-06T04:30:00Z",
        Gap("2026-09-06T01:30"),
    ),
    (
        "America/Santiago",
        "2026-04-04T23:30",
        "2026-04-05T02:30:00Z",
        Fold,
    ),
    // Shifts that are not an hour.
    (
        "Australia/Lord_Howe",
        "2026-10-04T02:15",
        "2026-10-03T15:45:00Z",
        Gap("2026-10-04T02:45"),
    ),
    (
        "Australia/Lord_Howe",
        "2027-04-04T01:45",
        "2027-04-03T14:45:00Z",
        Fold,
    ),
    (
        "Antarctica/Troll",
        "2026-03-29T01:30",
        "2026-03-29T01:30:00Z",
        Gap("2026-03-29T03:30"),
    ),
    (
        "Antarctica/Troll",
        "2026-10-25T01:30",
        "2026-10-24T23:30:00Z",
        Fold,
    ),
    (
        "Asia/Kathmandu",
        "1986-01-01T00:05",
        "1985-12-31T18:35:00Z",
        Gap("1986-01-01T00:20"),
    ),
    (
        "Africa/Monrovia",
        "1972-01-07T00:30",
        "1972-01-07T01:14:30Z",
        Gap("1972-01-07T01:14:30"),
    ),
    // Days that were left out.
    (
        "Pacific/Apia",
        "2011-12-30T09:00",
        "2011-12-30T19:00:00Z",
        Gap("2011-12-31T09:00"),
    ),
    (
        "Pacific/Kwajalein",
        "1993-08-21T09:00",
        "1993-08-21T21:00:00Z",
        Gap("1993-08-22T09:00"),
    ),
    // Both hemispheres, and summer time that is kept as a negative winter time.
    (
        "Europe/London",
        "2026-03-29T01:30",
        "2026-03-29T01:30:00Z",
        Gap("2026-03-29T02:30"),
    ),
    (
        "Australia/Sydney",
        "2026-10-04T02:30",
        "2026-10-03T16:30:00Z",
        Gap("2026-10-04T03:30"),
    ),
    (
        "Australia/Sydney",
        "2027-04-04T02:30",
        "2027-04-03T15:30:00Z",
        Fold,
    ),
    (
        "Europe/Dublin",
        "2026-03-29T01:30",
        "2026-03-29T01:30:00Z",
        Gap("2026-03-29T02:30"),
    ),
    (
        "Africa/Casablanca",
        "2026-03-22T02:30",
        "2026-03-22T02:30:00Z",
        Gap("2026-03-22T03:30"),
    ),
    (
        "Africa/Casablanca",
        "2026-02-15T02:30",
        "2026-02-15T01:30:00Z",
        Fold,
    ),
];

#[test]
fn a_gap_moves_forward_and_a_fold_means_the_first() {
    for (zone, civil, instant, fact) in &FACTS {
        let (zone, Slot::Timed(civil)) = (zone_of(zone), slot(civil)) else {
            unreachable!("the facts are times")
        };
        let found = resolve(civil, zone).to_rfc3339_opts(SecondsFormat::Secs, true);
        assert_eq!(found, *instant, "{zone} {civil}");
        let expected = match fact {
            Fold => WallTime::Twice,
            Gap(shown) => WallTime::Never {
                shown: slot(shown).date().and_time(slot(shown).time().unwrap()),
            },
        };
        assert_eq!(wall_time(civil, zone), expected, "{zone} {civil}");
    }
}

#[test]
fn a_daily_series_has_every_day_once_and_its_own_time_again_afterwards() {
    for (zone, civil, instant, fact) in &FACTS {
        let is_missing_day = matches!(fact, Gap(shown) if slot(shown).date() != slot(civil).date());
        if is_missing_day {
            continue;
        }
        let found = around(zone, civil, DstGap::Shift);
        let days: Vec<NaiveDate> = found.iter().map(|(slot, _)| slot.date()).collect();
        let before = days[0];
        assert_eq!(
            days,
            before.iter_days().take(3).collect::<Vec<_>>(),
            "{zone} {civil}"
        );
        assert_eq!(found[1].1, *instant, "{zone} {civil}");
        assert!(
            found
                .iter()
                .all(|(slot, _)| slot.time() == crate::slot(civil).time())
        );
    }
}

#[test]
fn a_gap_is_left_out_on_request_and_a_fold_is_not() {
    for (zone, civil, _, fact) in &FACTS {
        let found = around(zone, civil, DstGap::Skip);
        let has_it = found.iter().any(|(found, _)| *found == slot(civil));
        assert_eq!(has_it, matches!(fact, Fold), "{zone} {civil}");
    }
}

#[test]
fn a_slot_inside_a_gap_counts_also_when_it_is_left_out() {
    let civil = "2026-03-28T02:30";
    let schedule = daily("Europe/Berlin", civil, ";COUNT=3").with_dst_gap(DstGap::Skip);
    let found: Vec<(String, u32)> = schedule
        .occurrences()
        .map(|next| (next.slot.to_string(), next.index))
        .collect();
    let expected = [("2026-03-28T02:30", 1), ("2026-03-30T02:30", 3)];
    assert_eq!(
        found,
        expected.map(|(slot, index)| (slot.to_owned(), index))
    );
}

#[test]
fn a_missing_day_happens_once_or_not_at_all() {
    for (zone, before, missing, after) in [
        (
            "Pacific/Apia",
            "2011-12-29T09:00",
            "2011-12-30T09:00",
            "2011-12-31T09:00",
        ),
        (
            "Pacific/Kwajalein",
            "1993-08-20T09:00",
            "1993-08-21T09:00",
            "1993-08-22T09:00",
        ),
    ] {
        for gap in [DstGap::Shift, DstGap::Skip] {
            let slots: Vec<Slot> = around(zone, missing, gap)
                .iter()
                .map(|found| found.0)
                .collect();
            assert_eq!(slots[..2], [slot(before), slot(after)], "{zone} {gap:?}");
        }
    }
}

/// Returns three daily slots and their instants, beginning with the day before.
fn around(zone: &str, civil: &str, gap: DstGap) -> Vec<(Slot, String)> {
    let Slot::Timed(local) = slot(civil) else {
        unreachable!("the facts are times")
    };
    let start = local - TimeDelta::days(1);
    let start = start.format("%Y-%m-%dT%H:%M").to_string();
    let schedule = daily(zone, &start, "").with_dst_gap(gap);
    let found = schedule.occurrences().take(3).map(|next| match next.slot {
        Slot::Timed(civil) => {
            let instant = resolve(civil, zone_of(zone));
            (
                next.slot,
                instant.to_rfc3339_opts(SecondsFormat::Secs, true),
            )
        }
        Slot::Date(_) => unreachable!("the series is timed"),
    });
    found.collect()
}

fn daily(zone: &str, start: &str, end: &str) -> Schedule {
    let rule = format!("FREQ=DAILY{end}");
    build(&rule, start, Some(zone_of(zone)), MonthOverflow::Clamp)
}

fn zone_of(name: &str) -> Tz {
    name.parse().unwrap()
}

fn slot(text: &str) -> Slot {
    crate::slot(text)
}
