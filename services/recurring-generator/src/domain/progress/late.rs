//! Series in which an occurrence that nobody has touched is skipped when the next one is due.

use chrono::{DateTime, Utc};
use event_schema::{OccurrenceLate, ProgressEvent, Series, SeriesProgress};
use recurrence::Slot;
use slots::Made;

use super::{ProgressError, plan};

/// The open occurrence that is late when the next one is due. Each is said to be late once: one that stays
/// after that was touched, or was opened again by its owner.
pub(super) fn candidate<'a>(state: &'a SeriesProgress, series: &Series) -> Option<&'a String> {
    let said = state.late_slot.as_ref();
    let mut open = state.open.iter();
    let oldest = open.find(|slot| said.is_none_or(|said| *slot > said));
    oldest.filter(|_| series.generation.auto_skip_when_late)
}

/// That an occurrence is late, once the next one is due. Task-api knows whether somebody has touched it:
/// if nobody has, word comes that it was skipped, and there is room for the next.
pub(super) fn late(
    state: &SeriesProgress,
    series: &Series,
    frontier: Slot,
    now: DateTime<Utc>,
) -> Result<Option<ProgressEvent>, ProgressError> {
    let Some(slot) = candidate(state, series) else {
        return Ok(None);
    };
    let made = plan(series)?.made_by(frontier, &series.generation, 1, now);
    let next = made.and_then(|made| match made {
        Made::Passed(through) => Some(through),
        Made::Turns(turns) => turns.last().map(|turn| turn.slot),
    });
    Ok(next.map(|next| {
        ProgressEvent::OccurrenceLate(OccurrenceLate {
            slot: slot.clone(),
            next_slot: next.to_string(),
        })
    }))
}
