//! Agreement with python-dateutil; `tests/reference/generate.py` says how the lines were made.

use recurrence::{MonthOverflow, Rule, RuleError, Schedule, Slot};

use crate::slot;

const RULES: &str = include_str!("../reference/rules.txt");

/// How many slots the generator took of each rule.
const SLOTS: usize = 12;

#[test]
fn every_rule_has_the_slots_that_dateutil_finds() {
    let mut lines = 0;
    for line in RULES.lines() {
        assert_eq!(slots(line), expected(line), "{line}");
        lines += 1;
    }
    assert_eq!(lines, 1500);
}

/// Returns our first slots as days from the start; `None` if the rule never occurs.
fn slots(line: &str) -> Option<Vec<i64>> {
    let mut fields = line.split(' ');
    let (rule, start) = (fields.next().unwrap(), slot(fields.next().unwrap()));
    let schedule =
        Rule::parse(rule).and_then(|rule| Schedule::new(rule, start, None, MonthOverflow::Skip));
    match schedule {
        Ok(schedule) => {
            let days = |next: Slot| (next.date() - start.date()).num_days();
            Some(
                schedule
                    .occurrences()
                    .take(SLOTS)
                    .map(|next| days(next.slot))
                    .collect(),
            )
        }
        Err(RuleError::NeverOccurs) => None,
        Err(error) => panic!("{line}: {error}"),
    }
}

fn expected(line: &str) -> Option<Vec<i64>> {
    let mut fields = line.split(' ').skip(2).peekable();
    if fields.peek() == Some(&"never") {
        return None;
    }
    Some(fields.map(|field| field.parse().unwrap()).collect())
}
