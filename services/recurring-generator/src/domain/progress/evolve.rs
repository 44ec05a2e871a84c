//! What events do to the progress of a series.

use event_schema::{OccurrenceFinished, ProgressEvent, SeriesId, SeriesProgress, UserId};

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
        ProgressEvent::OccurrenceFinished(finished) => {
            let OccurrenceFinished {
                series_id,
                owner_id,
                ..
            } = *finished;
            Some(SeriesProgress {
                finished: Some(finished.clone()),
                ..state.unwrap_or_else(|| begin(series_id, owner_id))
            })
        }
        ProgressEvent::OccurrenceDue(due) => state.map(|state| SeriesProgress {
            announced_slot: Some(due.slot.clone()),
            exhausted: false,
            ..state
        }),
        ProgressEvent::SeriesExhausted(_) => state.map(|state| SeriesProgress {
            exhausted: true,
            ..state
        }),
    }
}

fn begin(series_id: SeriesId, owner_id: UserId) -> SeriesProgress {
    SeriesProgress {
        series_id,
        owner_id,
        series: None,
        finished: None,
        announced_slot: None,
        exhausted: false,
    }
}
