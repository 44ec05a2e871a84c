//! Whose turn it is.

use chrono::{DateTime, Utc};
use event_schema::SlotAnchor;
use recurrence::Slot;

use crate::plan::Plan;

/// A slot whose turn has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The civil start that names the occurrence.
    pub slot: Slot,
    /// Its place among all slots, from 1.
    pub index: u32,
    /// Slots that passed since the occurrence before.
    pub missed_count: u32,
}

/// An occurrence that was finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Its slot, wherever its due was moved.
    pub slot: Slot,
    /// Its place among all slots, from 1. Events of before it was told have none.
    pub index: Option<u32>,
    /// When it was finished, as the user says.
    pub at: DateTime<Utc>,
}

impl Plan {
    /// The slot that follows a finished occurrence, strictly after it; `None` when the rule has ended.
    pub fn next(&self, finished: Finished) -> Option<Turn> {
        match self.anchor {
            SlotAnchor::Schedule => {
                let slot = self.no_earlier(finished.slot);
                let next = self.schedule.next_after_finish(slot, finished.at)?;
                Some(Turn {
                    slot: next.slot,
                    index: next.index,
                    missed_count: next.missed_count,
                })
            }
            SlotAnchor::Completion => self.next_after_completion(finished),
        }
    }

    /// Nothing was missed: the interval began when the one before was done. A slot that an exception
    /// skips is passed over as if it had been done on its day.
    fn next_after_completion(&self, finished: Finished) -> Option<Turn> {
        // One that leads over from another series is none of this rule, unless the rule counts from it.
        let is_before = finished.slot < self.schedule.start();
        let known = finished.index.unwrap_or(u32::from(!is_before));
        let (mut slot, mut index) = (self.no_earlier(finished.slot), known);
        let mut at = finished.at;
        loop {
            slot = self.schedule.next_after_completion(slot, index, at)?;
            index = index.saturating_add(1);
            if !self.schedule.is_excepted(slot) {
                return Some(Turn {
                    slot,
                    index,
                    missed_count: 0,
                });
            }
            at = self.schedule.instant_of(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use event_schema::{Recurrence, SeriesException, TimeValue};

    use super::*;

    fn plan(rrule: &str, anchor: SlotAnchor, skipped: &[&str]) -> Plan {
        let recurrence = Recurrence {
            rrule: rrule.to_owned(),
            anchor,
            ..Recurrence::default()
        };
        let start = TimeValue::Date {
            date: "2027-01-31".parse().unwrap(),
        };
        let skip = |slot: &&str| SeriesException::Skip {
            slot: (*slot).to_owned(),
        };
        let exceptions: Vec<_> = skipped.iter().map(skip).collect();
        Plan::of(&recurrence, &start, &exceptions).unwrap()
    }

    fn next(plan: &Plan, slot: &str, index: u32, at: &str) -> Option<(String, u32, u32)> {
        let next = plan.next(Finished {
            slot: slot.parse().unwrap(),
            index: Some(index),
            at: at.parse().unwrap(),
        });
        next.map(|turn| (turn.slot.to_string(), turn.index, turn.missed_count))
    }

    #[test]
    fn on_the_schedule_what_passed_was_missed() {
        let plan = plan("FREQ=DAILY", SlotAnchor::Schedule, &["2027-02-04"]);
        assert_eq!(
            next(&plan, "2027-01-31", 1, "2027-02-03T10:00:00Z"),
            Some(("2027-02-05".to_owned(), 6, 4))
        );
    }

    #[test]
    fn from_a_completion_nothing_is_missed_and_a_skipped_slot_is_passed_over() {
        let rule = "FREQ=DAILY;INTERVAL=2;COUNT=3";
        let plan = plan(rule, SlotAnchor::Completion, &["2027-02-05"]);
        assert_eq!(
            next(&plan, "2027-01-31", 1, "2027-02-03T10:00:00Z"),
            Some(("2027-02-07".to_owned(), 3, 0))
        );
        assert_eq!(next(&plan, "2027-02-07", 3, "2027-02-07T10:00:00Z"), None);
    }
}
