use chrono::{DateTime, TimeDelta, Utc};

use super::{Occurrence, Schedule};
use crate::resolve::{local, resolve};
use crate::slot::Slot;

/// The slot that follows a finished one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextSlot {
    /// Its civil start.
    pub slot: Slot,
    /// Its place among all slots of the rule, from 1.
    pub index: u32,
    /// How many slots of the rule lie strictly between the finished one and this one.
    pub missed_count: u32,
}

impl Schedule {
    /// Returns the slot that follows once the occurrence of `slot` was finished: the first one
    /// strictly after both.
    ///
    /// A timed slot is compared with `finished_at` as an instant, so the answer is never in the
    /// past, also around a change of offset. A date is compared with the date of `finished_at` in
    /// the zone of the series. A series without zone is read in UTC.
    pub fn next_after_finish(&self, slot: Slot, finished_at: DateTime<Utc>) -> Option<NextSlot> {
        let finished = local(finished_at, self.time_zone);
        let reached = match self.start {
            Slot::Date(_) => Slot::Date(finished.date()),
            // No zone ever moved its clocks by two days, so every slot left out here has passed.
            Slot::Timed(_) => Slot::Timed(
                finished
                    .checked_sub_signed(TimeDelta::days(2))
                    .unwrap_or(finished),
            ),
        };
        let next = self
            .occurrences_after(slot.max(reached))
            .find(|occurrence| self.is_after(occurrence, finished_at))?;
        let before = next.index.saturating_sub(1);
        let missed_count = before.saturating_sub(self.slots_through(slot));
        Some(NextSlot {
            slot: next.slot,
            index: next.index,
            missed_count,
        })
    }

    fn is_after(&self, occurrence: &Occurrence, instant: DateTime<Utc>) -> bool {
        match (occurrence.slot, self.time_zone) {
            (Slot::Date(_), _) => true,
            (Slot::Timed(civil), Some(zone)) => resolve(civil, zone) > instant,
            (Slot::Timed(civil), None) => civil.and_utc() > instant,
        }
    }
}
