//! How much a question costs, counted in years that are computed: never in seconds.

use std::cell::Cell;

use chrono::{Datelike, Days, NaiveDate};

use super::Pattern;
use crate::{MonthOverflow, Occurrence, Rule, RuleError, Schedule};

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
fn without_a_cursor_days_and_weeks_are_reckoned_and_all_else_is_counted_in_years() {
    for (rule, index, years) in [
        ("FREQ=DAILY", 18_264, 1),
        ("FREQ=WEEKLY;BYDAY=MO,WE", 5_219, 1),
        // The years since the start for the index, and the one that is searched.
        ("FREQ=MONTHLY", 602, 51 + 1),
    ] {
        let old = schedule(rule, "1977-06-15").unwrap();
        let (next, computed) = counted(|| old.next_after("2027-06-15".parse().unwrap()).unwrap());
        assert_eq!((next.index, computed), (index, years), "{rule}");
    }
}

#[test]
fn what_is_reckoned_is_what_is_counted() {
    let end = NaiveDate::from_ymd_opt(2027, 3, 1).unwrap();
    for rule in [
        "FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=3",
        "FREQ=DAILY;INTERVAL=999",
        "FREQ=WEEKLY",
        "FREQ=WEEKLY;BYDAY=MO,SU;WKST=SU",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=WE",
        "FREQ=WEEKLY;INTERVAL=53;BYDAY=MO,TU,WE,TH,FR,SA,SU",
    ] {
        for day in 1..=14 {
            let start = NaiveDate::from_ymd_opt(2026, 1, day).unwrap();
            let pattern = Pattern::new(&Rule::parse(rule).unwrap(), start, MonthOverflow::Clamp);
            for ahead in (0..40).chain([200, 300, 500]) {
                let end = end + Days::new(ahead) - Days::new(450);
                let found = pattern.reckon_before(end.num_days_from_ce());
                assert_eq!(
                    found,
                    Some(pattern.count_years_before(end)),
                    "{rule} {start} {end}"
                );
            }
        }
    }
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
