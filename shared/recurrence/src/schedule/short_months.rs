//! Months that lack a day of the rule.

use chrono::{Datelike, Months};

use super::{MonthOverflow, Schedule};
use crate::expand::{LAST_YEAR, Pattern};
use crate::rule::{Frequency, Rule};

/// How far is looked for a month without the day of the start: a leap year has come by then, also
/// around a century without one.
const YEARS_AHEAD: u32 = 12;

/// The days of each month in the years that have fewest.
const LENGTHS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// A day of the month that some month of a schedule lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingDay {
    /// 29 to 31, or -29 to -31 when counted from the end.
    pub day: i32,
    /// Whether the rule names it (`BYMONTHDAY`). Then short months have no slot; else it is the day of
    /// the start, and [`MonthOverflow`] decides.
    pub is_named: bool,
}

impl Schedule {
    /// Returns a day of the month that the schedule asks for where there is none, if there is such.
    ///
    /// The day of the start is looked for in the slots of twelve years. A named one is looked for
    /// in the months of the rule, unless `BYDAY` or `BYSETPOS` choose among the days.
    pub fn missing_day(&self) -> Option<MissingDay> {
        if self.rule.by_month_day().is_empty() {
            return self.missing_day_of_start();
        }
        let chooses = !self.rule.by_day().is_empty() || !self.rule.by_set_position().is_empty();
        let mut days = self.rule.by_month_day().iter().copied();
        let day = days.find(|day| is_lacked(&self.rule, day.unsigned_abs()))?;
        (!chooses).then_some(MissingDay {
            day,
            is_named: true,
        })
    }

    fn missing_day_of_start(&self) -> Option<MissingDay> {
        let in_months = matches!(
            self.rule.frequency(),
            Frequency::Monthly | Frequency::Yearly
        );
        let start = self.start.date();
        if !in_months || !self.rule.by_day().is_empty() || start.day() <= 28 {
            return None;
        }
        let last = start.checked_add_months(Months::new(12 * YEARS_AHEAD));
        // Only a schedule that clamps shows where months are short.
        let clamping = Self {
            pattern: Pattern::new(&self.rule, start, MonthOverflow::Clamp),
            ..self.clone()
        };
        let dates = clamping.occurrences().map(|next| next.slot.date());
        let mut soon = dates.take_while(|date| match last {
            Some(last) => *date <= last,
            None => date.year() <= LAST_YEAR,
        });
        soon.any(|date| date.day() != start.day())
            .then_some(MissingDay {
                day: start.day().cast_signed(),
                is_named: false,
            })
    }
}

/// Returns whether a month of the rule can have fewer days.
fn is_lacked(rule: &Rule, day: u32) -> bool {
    let named = rule.by_month();
    let mut months = (1..).zip(LENGTHS);
    months.any(|(month, length)| length < day && (named.is_empty() || named.contains(&month)))
}
