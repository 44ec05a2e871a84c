//! A definition, read once.

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use event_schema::{
    DstGap, MonthOverflow, Recurrence, Series, SeriesException, SlotAnchor, TimeValue,
};
use recurrence::{Occurrences, Rule, RuleError, Schedule, Slot};

/// What the slots of a series follow from.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) schedule: Schedule,
    pub(crate) anchor: SlotAnchor,
    /// The end of the day before the first that is the series'.
    floor: Option<Slot>,
}

/// Why a definition has no slots.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The rule is not one that we accept.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The zone is not in the database of zones that this process was built with.
    #[error("the time zone {0:?} is not known here")]
    UnknownZone(String),
    /// The start is an instant, which has no civil time.
    #[error("it starts at an instant, not at a date or a local time")]
    InstantStart,
    /// An exception names something that is no slot.
    #[error("an exception names {0:?}, which is no slot")]
    NoSlot(String),
}

impl Plan {
    /// Reads the parts of a definition.
    pub fn of(
        recurrence: &Recurrence,
        start: &TimeValue,
        exceptions: &[SeriesException],
    ) -> Result<Self, PlanError> {
        Self::at_home(recurrence, start, exceptions, None)
    }

    /// The same, where dates and floating times are read in the zone of their owner.
    pub fn at_home(
        recurrence: &Recurrence,
        start: &TimeValue,
        exceptions: &[SeriesException],
        home: Option<&str>,
    ) -> Result<Self, PlanError> {
        let rule = Rule::parse(&recurrence.rrule)?;
        let slot = slot_of(start).ok_or(PlanError::InstantStart)?;
        let overflow = match recurrence.month_overflow {
            MonthOverflow::Clamp => recurrence::MonthOverflow::Clamp,
            MonthOverflow::Skip => recurrence::MonthOverflow::Skip,
        };
        let gap = match recurrence.dst_gap {
            DstGap::Shift => recurrence::DstGap::Shift,
            DstGap::Skip => recurrence::DstGap::Skip,
        };
        // What floats is read at home, but checked as what it is: its end is a local time.
        let home = home.filter(|_| start.floats()).map(zone).transpose()?;
        let schedule = Schedule::new(rule, slot, zone_of(start)?, overflow)?.read_in(home);
        let schedule = schedule.with_dst_gap(gap).except(skipped(exceptions)?);
        if recurrence.anchor == SlotAnchor::Completion {
            schedule.check_completion()?;
        }
        Ok(Self {
            schedule,
            anchor: recurrence.anchor,
            floor: None,
        })
    }

    /// Reads the definition of a series.
    pub fn of_series(series: &Series) -> Result<Self, PlanError> {
        let home = series.home_zone.as_deref();
        let (rule, start) = (&series.recurrence, &series.start);
        let plan = Self::at_home(rule, start, &series.exceptions, home)?;
        Ok(match &series.begins_after {
            None => plan,
            Some(begins) => plan.from(begins.from),
        })
    }

    /// The same without the slots before a day.
    #[must_use]
    pub fn from(self, day: NaiveDate) -> Self {
        let end = NaiveTime::from_hms_opt(23, 59, 59);
        let floor = day.pred_opt().zip(end).map(|(before, end)| {
            let end = Slot::Timed(before.and_time(end));
            match self.schedule.start() {
                Slot::Date(_) => Slot::Date(before),
                Slot::Timed(_) => end,
            }
        });
        Self { floor, ..self }
    }

    /// The occurrences of the series strictly after a slot, in order.
    pub fn occurrences_after(&self, slot: Slot) -> Occurrences<'_> {
        self.schedule.occurrences_after(self.no_earlier(slot))
    }

    /// A slot, or where the series begins if that is later.
    pub(crate) fn no_earlier(&self, slot: Slot) -> Slot {
        self.floor.map_or(slot, |floor| floor.max(slot))
    }

    /// All slots of its rule, also those from before the series began: see
    /// [`occurrences_after`](Self::occurrences_after) for those that are its own.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// What the slot after a finished one is counted from.
    pub fn anchor(&self) -> SlotAnchor {
        self.anchor
    }
}

/// The slot of a start or a due: a date or a local time. An instant has none.
pub fn slot_of(value: &TimeValue) -> Option<Slot> {
    match value {
        TimeValue::Date { date } => Some(Slot::Date(*date)),
        TimeValue::Local { local, .. } => Some(Slot::Timed(*local)),
        TimeValue::Instant { .. } => None,
    }
}

/// The zone of a start; what floats has none.
fn zone_of(start: &TimeValue) -> Result<Option<Tz>, PlanError> {
    match start {
        TimeValue::Local { time_zone, .. } if !start.floats() => zone(time_zone).map(Some),
        TimeValue::Local { .. } | TimeValue::Date { .. } | TimeValue::Instant { .. } => Ok(None),
    }
}

fn zone(name: &str) -> Result<Tz, PlanError> {
    let unknown = |_| PlanError::UnknownZone(name.to_owned());
    name.parse().map_err(unknown)
}

fn skipped(exceptions: &[SeriesException]) -> Result<Vec<Slot>, PlanError> {
    let skips = exceptions.iter().filter_map(|exception| match exception {
        SeriesException::Skip { slot } => Some(slot),
        SeriesException::Override { .. } => None,
    });
    skips
        .map(|slot| slot.parse().map_err(|_| PlanError::NoSlot(slot.clone())))
        .collect()
}

#[cfg(test)]
mod tests {
    use event_schema::FLOATING;

    use super::*;

    fn rule(rrule: &str) -> Recurrence {
        Recurrence {
            rrule: rrule.to_owned(),
            ..Recurrence::default()
        }
    }

    fn date(text: &str) -> TimeValue {
        TimeValue::Date {
            date: text.parse().unwrap(),
        }
    }

    fn local(text: &str, time_zone: &str) -> TimeValue {
        TimeValue::Local {
            local: text.parse().unwrap(),
            time_zone: time_zone.to_owned(),
        }
    }

    fn first_slots(recurrence: &Recurrence, start: &TimeValue) -> Vec<String> {
        let plan = Plan::of(recurrence, start, &[]).unwrap();
        let slots = plan.schedule().occurrences().take(3);
        slots.map(|next| next.slot.to_string()).collect()
    }

    #[test]
    fn the_policies_are_those_of_the_definition() {
        let mut skipping = rule("FREQ=MONTHLY");
        skipping.month_overflow = MonthOverflow::Skip;
        let start = date("2027-01-31");
        assert_eq!(first_slots(&rule("FREQ=MONTHLY"), &start)[1], "2027-02-28");
        assert_eq!(first_slots(&skipping, &start)[1], "2027-03-31");

        // At half past two the clocks of Berlin show half past three on 28 March.
        let start = local("2027-03-27T02:30:00", "Europe/Berlin");
        let mut daily = rule("FREQ=DAILY");
        assert_eq!(first_slots(&daily, &start)[1], "2027-03-28T02:30");
        daily.dst_gap = DstGap::Skip;
        assert_eq!(first_slots(&daily, &start)[1], "2027-03-29T02:30");
    }

    #[test]
    fn slots_before_its_first_day_are_not_its_own() {
        for (start, expected) in [
            (date("2027-01-31"), "2027-02-02"),
            (
                local("2027-01-31T09:00:00", "Europe/Berlin"),
                "2027-02-02T09:00",
            ),
        ] {
            let plan = Plan::of(&rule("FREQ=DAILY"), &start, &[]).unwrap();
            let plan = plan.from("2027-02-02".parse().unwrap());
            let early: Slot = "2027-01-01".parse().unwrap();
            let first = plan.occurrences_after(early).next().unwrap();
            assert_eq!(
                (first.slot.to_string().as_str(), first.index),
                (expected, 3)
            );
            let finished = |text: &str| crate::Finished {
                slot: early,
                index: None,
                at: text.parse().unwrap(),
            };
            let next = plan.next(finished("2027-01-01T08:00:00Z")).unwrap();
            assert_eq!((next.slot, next.missed_count), (first.slot, 0));
            let late = plan.next(finished("2027-02-04T12:00:00Z")).unwrap();
            assert_eq!((late.index, late.missed_count), (6, 3));
        }
    }

    #[test]
    fn what_leads_over_counts_as_the_first_of_completions_only_at_the_start() {
        let mut every_third = rule("FREQ=DAILY;INTERVAL=3;COUNT=2");
        every_third.anchor = SlotAnchor::Completion;
        let plan = Plan::of(&every_third, &date("2027-02-01"), &[]).unwrap();
        let plan = plan.from("2027-02-02".parse().unwrap());
        for (slot, index) in [("2027-01-31", 1), ("2027-02-01", 2)] {
            let next = plan.next(crate::Finished {
                slot: slot.parse().unwrap(),
                index: None,
                at: "2027-02-01T12:00:00Z".parse().unwrap(),
            });
            let next = next.unwrap();
            assert_eq!(
                (next.slot.to_string().as_str(), next.index),
                ("2027-02-04", index)
            );
        }
    }

    #[test]
    fn dates_and_floating_times_have_no_zone() {
        for start in [date("2027-01-31"), local("2027-01-31T09:00:00", FLOATING)] {
            let plan = Plan::of(&rule("FREQ=DAILY"), &start, &[]).unwrap();
            assert_eq!(plan.schedule().time_zone(), None);
        }
    }

    #[test]
    fn dates_and_floating_times_are_read_where_their_owner_is() {
        let kept = local("2027-01-31T09:00:00", "Europe/Berlin");
        for (start, finished, expected) in [
            (date("2027-01-31"), "2027-01-31T15:30:00Z", "2027-02-02"),
            (
                local("2027-01-31T09:00:00", FLOATING),
                "2027-02-01T00:30:00Z",
                "2027-02-02T09:00",
            ),
            (kept, "2027-02-01T00:30:00Z", "2027-02-01T09:00"),
        ] {
            let plan = Plan::at_home(&rule("FREQ=DAILY"), &start, &[], Some("Asia/Tokyo")).unwrap();
            let next = plan.next(crate::Finished {
                slot: slot_of(&start).unwrap(),
                index: Some(1),
                at: finished.parse().unwrap(),
            });
            assert_eq!(next.unwrap().slot.to_string(), expected, "{start:?}");
        }
        let mars = Plan::at_home(&rule("FREQ=DAILY"), &date("2027-01-31"), &[], Some("Mars"));
        assert_eq!(mars.unwrap_err(), PlanError::UnknownZone("Mars".to_owned()));
    }

    #[test]
    fn what_floats_ends_with_the_same_slot_wherever_its_owner_is() {
        let start = local("2027-01-31T09:00:00", FLOATING);
        let daily = rule("FREQ=DAILY;UNTIL=20270201T090000");
        let from_completion = Recurrence {
            anchor: SlotAnchor::Completion,
            ..daily.clone()
        };
        for home in [None, Some("Pacific/Kiritimati"), Some("Pacific/Pago_Pago")] {
            for recurrence in [&daily, &from_completion] {
                let plan = Plan::at_home(recurrence, &start, &[], home).unwrap();
                let after = |slot: &str, index| {
                    let next = plan.next(crate::Finished {
                        slot: slot.parse().unwrap(),
                        index: Some(index),
                        at: "2027-01-31T09:30:00Z".parse().unwrap(),
                    });
                    next.map(|next| next.slot.to_string())
                };
                let last = "2027-02-01T09:00";
                assert_eq!(after("2027-01-31T09:00", 1).as_deref(), Some(last));
                assert_eq!(after(last, 2), None, "{home:?}");
            }
        }
    }

    #[test]
    fn an_end_fits_the_start_and_not_where_its_owner_is() {
        let floating = local("2027-01-31T09:00:00", FLOATING);
        let kept = local("2027-01-31T09:00:00", "Europe/Berlin");
        let refused = |until: &str, start: &TimeValue| {
            let daily = rule(&format!("FREQ=DAILY;UNTIL={until}"));
            Plan::at_home(&daily, start, &[], Some("Asia/Tokyo")).is_err()
        };
        for (until, with_zone) in [("20270301T080000Z", true), ("20270301T090000", false)] {
            assert_eq!(refused(until, &floating), with_zone);
            assert_eq!(refused(until, &kept), !with_zone);
        }
    }

    #[test]
    fn a_definition_without_slots_is_refused_with_the_reason() {
        let start = date("2027-01-31");
        let refused = |recurrence: &Recurrence, start: &TimeValue| {
            Plan::of(recurrence, start, &[]).unwrap_err()
        };
        let daily = rule("FREQ=DAILY");
        assert!(matches!(
            refused(&rule("FREQ=SECONDLY"), &start),
            PlanError::Rule(_)
        ));
        let mars = local("2027-01-31T09:00:00", "Mars/Olympus");
        assert_eq!(
            refused(&daily, &mars),
            PlanError::UnknownZone("Mars/Olympus".to_owned())
        );
        let instant = TimeValue::Instant {
            instant: "2027-01-31T09:00:00Z".parse().unwrap(),
        };
        assert_eq!(refused(&daily, &instant), PlanError::InstantStart);
        let mut named = rule("FREQ=WEEKLY;BYDAY=MO");
        named.anchor = SlotAnchor::Completion;
        assert!(matches!(refused(&named, &start), PlanError::Rule(_)));
        let exception = SeriesException::Skip {
            slot: "tomorrow".to_owned(),
        };
        let error = Plan::of(&daily, &start, &[exception]).unwrap_err();
        assert_eq!(error, PlanError::NoSlot("tomorrow".to_owned()));
    }
}
