//! A merge patch of how a series repeats.

use event_schema::{Generation, Series};
use recurrence::Rule;

use super::{RecurrenceInput, RecurrenceRead};
use crate::domain::Fault;
use crate::routes::fields::{Field, Reader};

/// How a series repeats from some time on.
#[derive(Clone, Debug)]
pub(in crate::routes) struct RecurrencePatch {
    /// Another rule; the series has its rule for ever.
    pub(in crate::routes) rule: Option<RecurrenceRead>,
    /// When occurrences are made.
    pub(in crate::routes) generation: Generation,
}

impl RecurrenceInput {
    /// Reads it as a merge patch (RFC 7396): what is absent stays, and a rule that is the same is none.
    pub(in crate::routes) fn over(
        mut self,
        reader: &mut Reader,
        pointer: &str,
        series: &Series,
    ) -> RecurrencePatch {
        let generation = std::mem::take(&mut self.generation);
        let generation = generation.over(reader, pointer, series.generation);
        reader.unknown(pointer, &std::mem::take(&mut self.unknown));
        let at = format!("{pointer}/copy");
        if let Some(copy) = reader.optional(&at, std::mem::take(&mut self.copy)) {
            copy.check(reader, &at);
        }
        let rule = self.rule_over(reader, pointer, series);
        RecurrencePatch { rule, generation }
    }

    fn rule_over(
        mut self,
        reader: &mut Reader,
        pointer: &str,
        series: &Series,
    ) -> Option<RecurrenceRead> {
        let alone = Self {
            exceptions: self.exceptions.clone(),
            ..Self::default()
        };
        if self == Self::default() {
            return None;
        }
        if self == alone {
            let message = "come with another rule: of this one, skip a slot by POST .../exceptions";
            let pointer = format!("{pointer}/exceptions");
            reader.fault(Fault::new(pointer, "wrong_place", message));
            return None;
        }
        let old = &series.recurrence;
        if matches!(self.rrule, Field::Absent) && !self.structured.is_there() {
            let ends_apart = !matches!(self.ends, Field::Absent);
            self.rrule = Field::Is(kept(&old.rrule, ends_apart));
        }
        let keeps_overflow = matches!(self.month_overflow, Field::Absent);
        let keeps_gap = matches!(self.dst_gap, Field::Absent);
        let keeps_anchor = matches!(self.anchor, Field::Absent);
        let mut read = self.read(reader, pointer)?;
        let new = &mut read.recurrence;
        if keeps_overflow {
            new.month_overflow = old.month_overflow;
        }
        if keeps_gap {
            new.dst_gap = old.dst_gap;
        }
        if keeps_anchor {
            new.anchor = old.anchor;
        }
        (*new != *old || read.exceptions().next().is_some()).then_some(read)
    }
}

/// The text of the rule that stays, without its end when another one is given.
fn kept(rrule: &str, ends_apart: bool) -> String {
    let without_end = || {
        let mut parts = Rule::parse(rrule).ok()?.parts();
        (parts.count, parts.until) = (None, None);
        Rule::new(parts).ok()
    };
    let endless = ends_apart.then(without_end).flatten();
    endless.map_or_else(|| rrule.to_owned(), |rule| rule.to_string())
}
