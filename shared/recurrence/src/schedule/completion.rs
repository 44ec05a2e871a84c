use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};

use super::Schedule;
use crate::expand::LAST_YEAR;
use crate::resolve::local;
use crate::rule::{Frequency, RuleParts};
use crate::{RuleError, Slot};

impl Schedule {
    /// Checks that the rule can be counted from completions: a frequency, an interval and an end,
    /// because days that a rule names itself belong to the calendar and not to a completion.
    pub fn check_completion(&self) -> Result<(), RuleError> {
        let parts = self.rule.parts();
        let named = [
            ("BYMONTH", parts.by_month.is_empty()),
            ("BYMONTHDAY", parts.by_month_day.is_empty()),
            ("BYDAY", parts.by_day.is_empty()),
            ("BYSETPOS", parts.by_set_position.is_empty()),
        ];
        match named.into_iter().find(|(_, is_empty)| !is_empty) {
            None => Ok(()),
            Some((part, _)) => Err(RuleError::unsupported(
                part,
                "cannot be counted from completions: leave it out, or count from the schedule",
            )),
        }
    }

    /// Returns the slot that follows once the occurrence of `slot` was finished, counted from that
    /// day: its local date plus the interval of the rule, at the time of day of the start.
    ///
    /// Each completion counts afresh, without memory of earlier days; a month without the day has its
    /// last one. A slot names one occurrence for ever, so who finishes so early that the interval ends
    /// at or before `slot` gets the first later one, whole intervals away. `index` is the place of
    /// `slot`, from 1, for rules that end by `COUNT`. Nothing follows when the rule has ended.
    pub fn next_after_completion(
        &self,
        slot: Slot,
        index: u32,
        finished_at: DateTime<Utc>,
    ) -> Option<Slot> {
        if self.rule.count().is_some_and(|count| index >= count) {
            return None;
        }
        let finished = local(finished_at, self.time_zone).date();
        let parts = self.rule.parts();
        let early = (slot.date() - finished).num_days().max(0).unsigned_abs();
        let longest = u64::from(parts.interval).saturating_mul(most_days(parts.frequency));
        // So many intervals do not reach the slot, and few more do.
        (early / longest..)
            .skip_while(|times| *times == 0)
            .map_while(|times| moved(&parts, finished, times))
            .map(|date| Slot::on(date, self.start.time()))
            .find(|next| *next > slot)
            .filter(|next| !self.is_past_until(*next) && !self.is_past_time(*next))
    }
}

/// So many intervals later; nothing beyond the last year.
fn moved(parts: &RuleParts, from: NaiveDate, times: u64) -> Option<NaiveDate> {
    let units = u64::from(parts.interval).checked_mul(times)?;
    let months = |units: u64| u32::try_from(units).ok().map(Months::new);
    let date = match parts.frequency {
        Frequency::Daily => from.checked_add_days(Days::new(units)),
        Frequency::Weekly => from.checked_add_days(Days::new(units.checked_mul(7)?)),
        Frequency::Monthly => from.checked_add_months(months(units)?),
        Frequency::Yearly => from.checked_add_months(months(units.checked_mul(12)?)?),
    };
    date.filter(|date| date.year() <= LAST_YEAR)
}

fn most_days(frequency: Frequency) -> u64 {
    match frequency {
        Frequency::Daily => 1,
        Frequency::Weekly => 7,
        Frequency::Monthly => 31,
        Frequency::Yearly => 366,
    }
}
