//! What events do to the progress of a series.

use std::collections::BTreeSet;

use event_schema::{OccurrenceFinished, ProgressEvent, SeriesId, SeriesProgress, UserId};

use super::on_schedule::is_on_schedule;

/// The state after the event. What is announced cannot be the first: something was learned before.
pub fn evolve(state: Option<SeriesProgress>, event: &ProgressEvent) -> Option<SeriesProgress> {
    match event {
        ProgressEvent::SeriesFollowed(change) => {
            let series = change.series.as_ref().clone();
            let state = state.unwrap_or_else(|| begin(series.id, series.owner_id));
            Some(SeriesProgress {
                series: Some(series),
                ..state
            })
        }
        ProgressEvent::OccurrenceOpened(opened) => {
            let state = state.unwrap_or_else(|| begin(opened.series_id, opened.owner_id));
            Some(open(state, &opened.slot))
        }
        ProgressEvent::OccurrenceFinished(finished) => {
            let state = state.unwrap_or_else(|| begin(finished.series_id, finished.owner_id));
            Some(finish(state, finished))
        }
        ProgressEvent::SlotsPassed(passed) => state.map(|state| SeriesProgress {
            passed_slot: Some(passed.through_slot.clone()),
            ..state
        }),
        ProgressEvent::OccurrenceDue(due) => state.map(|state| {
            let counts = is_on_schedule(&state);
            let state = SeriesProgress {
                announced_slot: Some(due.slot.clone()),
                exhausted: false,
                ..state
            };
            if counts {
                open(state, &due.slot)
            } else {
                state
            }
        }),
        ProgressEvent::SeriesExhausted(_) => state.map(|state| SeriesProgress {
            exhausted: true,
            ..state
        }),
    }
}

fn open(mut state: SeriesProgress, slot: &str) -> SeriesProgress {
    state.open.insert(slot.to_owned());
    state
}

/// The newest finished one is kept: the texts of a series' slots sort as their times do.
fn finish(mut state: SeriesProgress, finished: &OccurrenceFinished) -> SeriesProgress {
    state.open.remove(&finished.slot);
    let newest = state.finished.as_ref().map(|newest| newest.slot.as_str());
    if newest <= Some(finished.slot.as_str()) {
        state.finished = Some(finished.clone());
    }
    state
}

fn begin(series_id: SeriesId, owner_id: UserId) -> SeriesProgress {
    SeriesProgress {
        series_id,
        owner_id,
        series: None,
        finished: None,
        announced_slot: None,
        exhausted: false,
        open: BTreeSet::new(),
        passed_slot: None,
    }
}
