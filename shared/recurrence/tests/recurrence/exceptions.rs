use recurrence::{Occurrence, Slot};

use crate::{schedule, slot, slots};

#[test]
fn an_excepted_slot_is_no_occurrence_but_counts() {
    let weekly = schedule("FREQ=WEEKLY;COUNT=4", "2027-01-01T09:00")
        .except([slot("2027-01-08T09:00"), slot("2027-01-22T09:00")]);

    assert_eq!(slots(&weekly, 9), "2027-01-01T09:00 2027-01-15T09:00");
    let next = weekly.next_after(slot("2027-01-01T09:00")).unwrap();
    assert_eq!((next.slot, next.index), (slot("2027-01-15T09:00"), 3));
    assert_eq!(weekly.next_after(next.slot), None);
}

#[test]
fn an_exception_that_is_no_slot_changes_nothing() {
    let dates = schedule("FREQ=DAILY;COUNT=2", "2027-01-01")
        .except(["2027-01-01T09:00", "2026-12-31", "2027-01-03"].map(slot));
    assert_eq!(slots(&dates, 9), "2027-01-01 2027-01-02");
}

#[test]
fn the_next_slot_after_a_completion_is_not_an_excepted_one() {
    let daily = schedule("FREQ=DAILY", "2027-01-01").except([slot("2027-01-02")]);
    let finished_at = "2027-01-01T10:00:00Z".parse().unwrap();
    let next = daily
        .next_after_finish(slot("2027-01-01"), finished_at)
        .unwrap();
    assert_eq!(
        (next.slot, next.index, next.missed_count),
        (slot("2027-01-03"), 3, 1)
    );
}

#[test]
fn slots_of_the_rule_are_recognized() {
    let monthly = schedule("FREQ=MONTHLY", "2027-01-31T09:00");
    for (text, is) in [
        ("2027-01-31T09:00", true),
        ("2027-02-28T09:00", true),
        ("2027-02-28T09:30", false),
        ("2027-02-28", false),
        ("2027-03-28T09:00", false),
        ("2026-12-31T09:00", false),
    ] {
        assert_eq!(monthly.is_slot(slot(text)), is, "{text}");
    }
}

#[test]
fn a_cursor_goes_on_behind_its_slot() {
    let monthly = schedule("FREQ=MONTHLY;COUNT=4", "2027-01-31").except([slot("2027-03-31")]);
    let first = monthly.first().unwrap();
    let rest: Vec<(Slot, u32)> = monthly
        .resume(first)
        .map(|next| (next.slot, next.index))
        .collect();
    assert_eq!(rest, [(slot("2027-02-28"), 2), (slot("2027-04-30"), 4)]);
    let last = Occurrence {
        slot: slot("2027-04-30"),
        index: 4,
    };
    assert_eq!(monthly.resume(last).next(), None);
}
