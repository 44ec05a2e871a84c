//! Agreement with python-dateutil; `tests/reference/generate.py` says how the lines were made.

use std::collections::BTreeMap;

use chrono::{Datelike, Months, NaiveDate};
use recurrence::{MonthOverflow, Rule, RuleError, Schedule, Slot, Until};

use crate::brute_force;

const RULES: &str = include_str!("../reference/rules.txt");

/// How many slots the generator took of each rule, and in which years.
const SLOTS: usize = 12;
const LAST_YEAR: i32 = 2100;

const LETTERS: [(&str, &str); 7] = [
    ("c", "COUNT"),
    ("u", "UNTIL"),
    ("m", "BYMONTH"),
    ("d", "BYMONTHDAY"),
    ("w", "BYDAY"),
    ("s", "BYSETPOS"),
    ("k", "WKST"),
];

/// Where python-dateutil and RFC 5545 differ, and we side with the RFC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Explained {
    /// `BYDAY=MO,1TU`: dateutil keeps the days that are both, the RFC those that are either.
    MixedByDay,
}

#[test]
fn every_rule_has_the_slots_that_dateutil_finds_but_for_what_is_explained() {
    let mut lines = 0;
    let mut explained = BTreeMap::new();
    let mut unexplained = Vec::new();
    for case in RULES.lines().map(Case::read) {
        lines += 1;
        let found = case.slots();
        if case.answer == case.form(found.as_deref()) {
            continue;
        }
        match case.explanation() {
            Some(class) => {
                assert_eq!(found, case.slots_day_by_day(), "{case:?}");
                *explained.entry(class).or_insert(0) += 1;
            }
            None => unexplained.push((case, found)),
        }
    }
    assert!(
        unexplained.is_empty(),
        "{} unexplained: {:?}",
        unexplained.len(),
        &unexplained[..unexplained.len().min(5)]
    );
    assert_eq!(lines, 100_000);
    assert_eq!(explained, BTreeMap::from([(Explained::MixedByDay, 223)]));
}

#[derive(Debug)]
struct Case {
    rule: String,
    start: NaiveDate,
    overflow: MonthOverflow,
    answer: &'static str,
}

impl Case {
    fn read(line: &'static str) -> Self {
        let fields: Vec<&str> = line.split(' ').collect();
        Self {
            rule: spelled_out(fields[0]),
            start: NaiveDate::parse_from_str(fields[1], "%Y%m%d").unwrap(),
            overflow: match fields.get(3) {
                None => MonthOverflow::Skip,
                Some(_) => MonthOverflow::Clamp,
            },
            answer: fields[2],
        }
    }

    /// Returns our first slots; `None` if the rule never occurs.
    fn slots(&self) -> Option<Vec<NaiveDate>> {
        let start = Slot::Date(self.start);
        let schedule = Rule::parse(&self.rule)
            .and_then(|rule| Schedule::new(rule, start, None, self.overflow));
        match schedule {
            Ok(schedule) => {
                let dates = schedule.occurrences().map(|next| next.slot.date());
                let soon = dates.take_while(|date| date.year() <= LAST_YEAR);
                Some(soon.take(SLOTS).collect())
            }
            Err(RuleError::NeverOccurs) => None,
            Err(error) => panic!("{self:?}: {error}"),
        }
    }

    /// Returns the first slots as the plain check finds them.
    fn slots_day_by_day(&self) -> Option<Vec<NaiveDate>> {
        let rule = Rule::parse(&self.rule).ok()?;
        let most = rule
            .count()
            .map_or(SLOTS, |count| SLOTS.min(count as usize));
        let end = NaiveDate::from_ymd_opt(LAST_YEAR, 12, 31).unwrap();
        let dates = brute_force::dates(&rule, self.start, self.overflow, end);
        let mut dates = dates.into_iter().take(most).peekable();
        let latest = self.start + Months::new(12 * 12);
        dates.peek().filter(|first| **first <= latest)?;
        let until = match rule.until() {
            Some(Until::Date(until)) => until,
            _ => end,
        };
        Some(dates.take_while(|date| *date <= until).collect())
    }

    fn explanation(&self) -> Option<Explained> {
        let rule = Rule::parse(&self.rule).ok()?;
        let with = rule.by_day().iter().any(|day| day.ordinal.is_some());
        let without = rule.by_day().iter().any(|day| day.ordinal.is_none());
        (with && without).then_some(Explained::MixedByDay)
    }

    /// Returns the answer in the form of the file.
    fn form(&self, slots: Option<&[NaiveDate]>) -> String {
        let Some(slots) = slots else {
            return "never".to_owned();
        };
        let days = slots.iter().map(|date| (*date - self.start).num_days());
        let days: Vec<String> = days.map(|days| days.to_string()).collect();
        format!("{:08x}", fnv1a(&days.join(" ")))
    }
}

/// Returns the rule text of a short form: `M2;w1MO` is `FREQ=MONTHLY;INTERVAL=2;BYDAY=1MO`.
fn spelled_out(short: &str) -> String {
    let mut parts = short.split(';');
    let (frequency, interval) = parts.next().unwrap().split_at(1);
    let mut rule = vec![match frequency {
        "D" => "FREQ=DAILY".to_owned(),
        "W" => "FREQ=WEEKLY".to_owned(),
        "M" => "FREQ=MONTHLY".to_owned(),
        _ => "FREQ=YEARLY".to_owned(),
    }];
    if !interval.is_empty() {
        rule.push(format!("INTERVAL={interval}"));
    }
    for part in parts {
        let (letter, value) = part.split_at(1);
        let (_, name) = LETTERS.iter().find(|(short, _)| *short == letter).unwrap();
        rule.push(format!("{name}={value}"));
    }
    rule.join(";")
}

fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811C_9DC5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}
