//! How much a question costs, counted in years that are computed: never in seconds.

use std::cell::Cell;

use crate::{MonthOverflow, Occurrence, Rule, RuleError, Schedule, Slot};

thread_local! {
    static YEARS: Cell<u32> = const { Cell::new(0) };
}

pub(super) fn note_year() {
    YEARS.set(YEARS.get() + 1);
}

/// Returns what `work` gives and how many years it computed.
fn counted<T>(work: impl FnOnce() -> T) -> (T, u32) {
    let before = YEARS.get();
    let found = work();
    (found, YEARS.get() - before)
}

fn schedule(rule: &str, start: &str) -> Result<Schedule, RuleError> {
    let start = start.parse().unwrap();
    Schedule::new(Rule::parse(rule)?, start, None, MonthOverflow::Clamp)
}

#[test]
fn going_on_from_a_cursor_costs_the_same_after_a_year_and_after_millennia() {
    for (start, slot, index) in [
        ("2026-06-15", "2027-06-15", 366),
        ("1977-06-15", "2027-06-15", 18_263),
        ("0001-06-15", "2027-06-15", 739_982),
    ] {
        let daily = schedule("FREQ=DAILY", start).unwrap();
        let cursor = Occurrence {
            slot: slot.parse().unwrap(),
            index,
        };
        let (next, years) = counted(|| daily.resume(cursor).next().unwrap());
        assert_eq!(
            (next.slot.to_string().as_str(), next.index),
            ("2027-06-16", index + 1)
        );
        assert_eq!(daily.next_after(cursor.slot), Some(next));
        assert_eq!(years, 1, "from {start}");
    }
}

#[test]
fn the_next_slot_of_an_old_series_is_counted_in_years_not_in_slots() {
    let slot: Slot = "2027-06-15".parse().unwrap();
    let daily = schedule("FREQ=DAILY", "1977-06-15").unwrap();
    let (next, years) = counted(|| daily.next_after(slot).unwrap());
    assert_eq!(next.index, 18_264);
    // The years since the start for the index, and the one that is searched.
    assert_eq!(years, 51 + 1);
}

#[test]
fn a_hostile_rule_is_refused_or_accepted_after_few_years() {
    let days: Vec<String> = (0..600).map(|day| format!("{}MO", day % 5 + 1)).collect();
    let positions: Vec<String> = (1..=366).map(|place| format!("-{place}")).collect();
    for rule in [
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30".to_owned(),
        "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=31".to_owned(),
        "FREQ=DAILY;INTERVAL=999;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO".to_owned(),
        "FREQ=YEARLY;INTERVAL=999;BYMONTH=2;BYMONTHDAY=29".to_owned(),
        "FREQ=WEEKLY;INTERVAL=999;BYMONTH=1;BYDAY=SU".to_owned(),
        "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1;BYSETPOS=366".to_owned(),
        format!("FREQ=MONTHLY;BYDAY={}", days.join(",")),
        format!("FREQ=YEARLY;BYMONTHDAY=29;BYSETPOS={}", positions.join(",")),
        "FREQ=DAILY;COUNT=9999;UNTIL=99991231".to_owned(),
    ] {
        for start in ["2027-06-15", "0001-01-01", "9999-12-31"] {
            let (_, years) = counted(|| schedule(&rule, start));
            // 28 years to see whether it can occur at all, 13 to see whether it soon does.
            assert!(years <= 28 + 13, "{rule} from {start}: {years}");
        }
    }
}

#[test]
fn no_search_computes_more_years_than_there_are() {
    let sparse = schedule(
        "FREQ=DAILY;INTERVAL=997;BYMONTH=2;BYMONTHDAY=29",
        "2028-02-29",
    )
    .unwrap();
    let (slots, years) = counted(|| sparse.occurrences().count());
    assert!(slots > 1, "{slots}");
    assert!(years <= 9999 - 2028 + 2, "{years}");
}
