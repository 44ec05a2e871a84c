//! Slots that have an occurrence at their time, whatever became of the one before.

use chrono::{DateTime, TimeDelta, Utc};
use event_schema::{CatchUp, Generation};
use recurrence::{Occurrence, Slot};

use crate::plan::Plan;
use crate::turn::Turn;

/// Later than this, a slot was missed, and not just made a little late.
const MISSED_AFTER: TimeDelta = TimeDelta::minutes(15);

/// What becomes of the slots whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// These have occurrences, in their order.
    Turns(Vec<Turn>),
    /// None has; the newest of them is this one.
    Passed(Slot),
}

impl Plan {
    /// When the first slot after `frontier` has its occurrence: its instant less the lead time. A date
    /// has the beginning of its day in UTC.
    pub fn made_at(&self, frontier: Slot, generation: &Generation) -> Option<DateTime<Utc>> {
        let next = self.occurrences_after(frontier).next()?;
        let at = self.schedule().instant_of(next.slot);
        at.checked_sub_signed(lead(generation))
    }

    /// What becomes at `now` of the slots after `frontier`, at most `most` of which may have
    /// occurrences; `None` before the time of the first.
    ///
    /// One whose successor's time has come too was missed: then `catch_up` says which of them count.
    pub fn made_by(
        &self,
        frontier: Slot,
        generation: &Generation,
        most: u32,
        now: DateTime<Utc>,
    ) -> Option<Made> {
        let until = now.checked_add_signed(lead(generation))?;
        let come = |next: &Occurrence| self.schedule().instant_of(next.slot) <= until;
        let slots = self.occurrences_after(frontier).take_while(come);
        let limit = match generation.catch_up {
            CatchUp::All => generation.catch_up_limit.min(most),
            CatchUp::Latest | CatchUp::None => 1,
        };
        let (newest, count) = newest(slots, usize::try_from(limit).unwrap_or(usize::MAX));
        let last = newest.last()?.slot;
        let late = until - self.schedule().instant_of(last);
        if generation.catch_up == CatchUp::None && late > MISSED_AFTER {
            return Some(Made::Passed(last));
        }
        let missed = count - u32::try_from(newest.len()).unwrap_or(u32::MAX);
        let turn = |(place, next): (usize, Occurrence)| Turn {
            slot: next.slot,
            index: next.index,
            missed_count: if place == 0 { missed } else { 0 },
        };
        Some(Made::Turns(
            newest.into_iter().enumerate().map(turn).collect(),
        ))
    }
}

fn lead(generation: &Generation) -> TimeDelta {
    TimeDelta::seconds(i64::from(generation.lead_time_seconds))
}

/// The last `most` of them in their order, and how many there are.
fn newest(slots: impl Iterator<Item = Occurrence>, most: usize) -> (Vec<Occurrence>, u32) {
    let mut newest = std::collections::VecDeque::new();
    let mut count = 0_u32;
    for slot in slots {
        count = count.saturating_add(1);
        newest.push_back(slot);
        if newest.len() > most {
            newest.pop_front();
        }
    }
    (newest.into(), count)
}

#[cfg(test)]
mod tests {
    use event_schema::{GenerationMode, Recurrence, TimeValue};

    use super::*;

    fn plan() -> Plan {
        let start = TimeValue::Local {
            local: "2027-03-26T09:00:00".parse().unwrap(),
            time_zone: "Europe/Berlin".to_owned(),
        };
        Plan::of(&Recurrence::of("FREQ=DAILY"), &start, &[]).unwrap()
    }

    fn generation(catch_up: CatchUp) -> Generation {
        Generation {
            mode: GenerationMode::OnSchedule,
            lead_time_seconds: 3_600,
            catch_up,
            catch_up_limit: 3,
            ..Generation::default()
        }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn made(catch_up: CatchUp, most: u32, now: &str) -> Option<Made> {
        let frontier = "2027-03-26T09:00".parse().unwrap();
        plan().made_by(frontier, &generation(catch_up), most, at(now))
    }

    fn turns(made: Option<Made>) -> Vec<(String, u32, u32)> {
        let Some(Made::Turns(turns)) = made else {
            panic!("no turns: {made:?}");
        };
        let parts = |turn: Turn| (turn.slot.to_string(), turn.index, turn.missed_count);
        turns.into_iter().map(parts).collect()
    }

    #[test]
    fn a_slot_has_its_occurrence_the_lead_time_before_its_own_time() {
        let frontier = "2027-03-26T09:00".parse().unwrap();
        let made_at = plan().made_at(frontier, &generation(CatchUp::Latest));
        assert_eq!(made_at, Some(at("2027-03-27T07:00:00Z")));
        assert_eq!(made(CatchUp::Latest, 1, "2027-03-27T06:59:59Z"), None);
        for catch_up in [CatchUp::Latest, CatchUp::All, CatchUp::None] {
            let on_time = turns(made(catch_up, 1, "2027-03-27T07:00:00Z"));
            assert_eq!(on_time, [("2027-03-27T09:00".to_owned(), 2, 0)]);
        }
    }

    #[test]
    fn what_was_missed_is_made_as_the_policy_says() {
        // Five days later, an hour after its time; the clocks were put forward on the 28th.
        let now = "2027-03-31T08:00:00Z";
        let latest = turns(made(CatchUp::Latest, 1, now));
        assert_eq!(latest, [("2027-03-31T09:00".to_owned(), 6, 4)]);
        let all = turns(made(CatchUp::All, 100, now));
        let expected = [
            ("2027-03-29T09:00", 4, 2),
            ("2027-03-30T09:00", 5, 0),
            ("2027-03-31T09:00", 6, 0),
        ];
        assert_eq!(
            all,
            expected.map(|(slot, index, missed)| (slot.to_owned(), index, missed))
        );
        assert_eq!(turns(made(CatchUp::All, 2, now)).len(), 2);
        let none = made(CatchUp::None, 1, now);
        assert_eq!(
            none,
            Some(Made::Passed("2027-03-31T09:00".parse().unwrap()))
        );
    }
}
