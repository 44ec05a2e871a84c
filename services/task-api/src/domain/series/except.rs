//! Making one slot different before its turn comes.

use chrono::{DateTime, Utc};
use event_schema::{Changed, Series, SeriesChanged, SeriesEvent, SeriesException, SlotAnchor};
use recurrence::Slot;
use slots::Plan;

use super::{SeriesError, must_not_have_ended};
use crate::domain::Fault;

/// The most exceptions of a series: a leap year of days.
pub(crate) const MAX_EXCEPTIONS: usize = 366;

pub(super) fn decide(
    series: &Series,
    newest: Option<Slot>,
    slot: Slot,
    exception: Option<SeriesException>,
    now: DateTime<Utc>,
) -> Result<Vec<SeriesEvent>, SeriesError> {
    must_not_have_ended(series)?;
    if newest.is_some_and(|newest| slot <= newest) {
        return Err(SeriesError::SlotIsOver(slot.to_string()));
    }
    must_be_slot(series, slot)?;
    let slot_of = |exception: &SeriesException| exception.slot().parse::<Slot>().ok();
    let mut exceptions = series.exceptions.clone();
    exceptions.retain(|known| slot_of(known) != Some(slot));
    exceptions.extend(exception);
    exceptions.sort_by_key(slot_of);
    if exceptions == series.exceptions {
        return Ok(Vec::new());
    }
    if exceptions.len() > MAX_EXCEPTIONS {
        let message = format!(
            "would be the {}th exception: there are at most {MAX_EXCEPTIONS}",
            exceptions.len()
        );
        return Err(refusal("too_many", message));
    }
    Ok(vec![SeriesEvent::Changed(Box::new(SeriesChanged {
        exceptions: Some(Changed {
            from: series.exceptions.clone(),
            to: exceptions,
        }),
        updated_at: now,
        ..SeriesChanged::default()
    }))])
}

/// What is counted from completions has no slots before they come, so any later day may be named.
fn must_be_slot(series: &Series, slot: Slot) -> Result<(), SeriesError> {
    let plan =
        Plan::of_series(series).map_err(|error| refusal("unsupported", error.to_string()))?;
    let schedule = plan.schedule();
    let is_slot = match plan.anchor() {
        SlotAnchor::Schedule => schedule.is_slot(slot),
        SlotAnchor::Completion => slot.time() == schedule.start().time(),
    };
    if is_slot {
        Ok(())
    } else {
        let message = "is no slot of the series: take one from its occurrences";
        Err(refusal("no_slot", message.to_owned()))
    }
}

fn refusal(code: &'static str, message: String) -> SeriesError {
    SeriesError::Invalid(vec![Fault::new("/slot", code, message)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::occurrence::fixtures::{self, date, now};
    use crate::domain::series::evolve;

    fn skip(slot: &str) -> SeriesException {
        SeriesException::Skip {
            slot: slot.to_owned(),
        }
    }

    fn given(
        series: &Series,
        slot: &str,
        exception: Option<SeriesException>,
    ) -> Result<Vec<SeriesEvent>, SeriesError> {
        let newest = "2027-02-28".parse().unwrap();
        decide(
            series,
            Some(newest),
            slot.parse().unwrap(),
            exception,
            now(),
        )
    }

    fn excepted(series: &Series, slot: &str, exception: Option<SeriesException>) -> Series {
        let events = given(series, slot, exception).unwrap();
        let evolved = |series, event| evolve(Some(series), event).unwrap();
        events.iter().fold(series.clone(), evolved)
    }

    #[test]
    fn a_slot_has_one_exception_in_the_order_of_slots_until_it_is_taken_back() {
        let series = fixtures::series("FREQ=MONTHLY", date("2027-01-31"));
        let later = excepted(&series, "2027-04-30", Some(skip("2027-04-30")));
        let both = excepted(&later, "2027-03-31", Some(skip("2027-03-31")));
        let slots: Vec<&str> = both.exceptions.iter().map(SeriesException::slot).collect();
        assert_eq!(slots, ["2027-03-31", "2027-04-30"]);
        assert_eq!(
            given(&both, "2027-03-31", Some(skip("2027-03-31"))),
            Ok(vec![])
        );
        assert_eq!(
            excepted(&both, "2027-03-31", None).exceptions,
            later.exceptions
        );
    }

    #[test]
    fn what_is_no_slot_or_has_had_its_turn_is_refused() {
        let series = fixtures::series("FREQ=MONTHLY", date("2027-01-31"));
        let over = given(&series, "2027-02-28", Some(skip("2027-02-28"))).unwrap_err();
        assert_eq!(over, SeriesError::SlotIsOver("2027-02-28".to_owned()));
        let Err(SeriesError::Invalid(faults)) =
            given(&series, "2027-03-30", Some(skip("2027-03-30")))
        else {
            panic!("it was accepted");
        };
        assert_eq!(
            (faults[0].pointer.as_str(), faults[0].code),
            ("/slot", "no_slot")
        );
    }
}
