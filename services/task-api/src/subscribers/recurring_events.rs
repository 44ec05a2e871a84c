//! What the generator says about our series.

use dapr_client::{Ack, Delivery};
use event_schema::{
    App, Decoded, OccurrenceDue, ProgressEvent, SeriesId, SeriesStatus, TaskId, decode,
    occurrence_task_id,
};
use event_store::{Context, Inbound, StreamRef, Unit};
use recurrence::Slot;

use crate::app::AppState;
use crate::domain::occurrence::{self, Turn};
use crate::domain::task::{self, Command};
use crate::domain::{SeriesError, SeriesStream, TaskStream, series};
use crate::error::Error;
use crate::store::tasks;

/// Why an occurrence is skipped by itself.
const LATE: &str = "the next occurrence is due, and nobody had touched this one";

/// Creates the task of a slot that is due, skips one that is late, and ends a series that has run out. Our own events of
/// series come here too, and are none of our business.
pub async fn on_recurring_events(app: AppState, delivery: Delivery) -> Result<Ack, Error> {
    let Decoded::Known(data) = decode::<ProgressEvent>(&delivery.envelope)? else {
        return Ok(Ack::Success);
    };
    let series_id = data.state.series_id;
    // The generator asked for it, so it stands in the history on its account.
    let context = Context::of_delivery(App::RecurringGenerator, &delivery, app.clock.now());
    let inbound = Inbound::of_delivery(&delivery)?;
    let mut streams = vec![StreamRef::of::<SeriesStream>(series_id)];
    match data.change {
        ProgressEvent::OccurrenceDue(due) => {
            let task = occurrence_task_id(series_id, &due.slot);
            // The one before is looked at too: named here, it is loaded with the rest.
            let previous = occurrence_task_id(series_id, &due.previous_slot);
            streams.extend([task, previous].map(StreamRef::of::<TaskStream>));
            let decide = move |unit: &mut Unit<'_>| create_occurrence(unit, series_id, &due);
            app.ledger
                .receive(context, inbound, &streams, decide)
                .await?;
        }
        ProgressEvent::OccurrenceLate(late) => {
            let series = app.ledger.state::<SeriesStream>(series_id).await?;
            let task = series.map_or_else(
                || occurrence_task_id(series_id, &late.slot),
                |series| occurrence::id_of(&series.state, &late.slot),
            );
            let has_parts = tasks::has_parts(app.ledger.rows("tasks")?, task).await?;
            streams.push(StreamRef::of::<TaskStream>(task));
            let decide = move |unit: &mut Unit<'_>| skip_late(unit, series_id, task, has_parts);
            app.ledger
                .receive(context, inbound, &streams, decide)
                .await?;
        }
        ProgressEvent::SeriesExhausted(_) => {
            let decide = move |unit: &mut Unit<'_>| end(unit, series_id);
            app.ledger
                .receive(context, inbound, &streams, decide)
                .await?;
        }
        // These stay in the generator's ledger.
        ProgressEvent::SeriesFollowed(_)
        | ProgressEvent::OccurrenceOpened(_)
        | ProgressEvent::OccurrenceFinished(_)
        | ProgressEvent::OccurrenceReopened(_)
        | ProgressEvent::OccurrenceWithdrawn(_)
        | ProgressEvent::SlotsPassed(_) => {}
    }
    Ok(Ack::Success)
}

fn create_occurrence(
    unit: &mut Unit<'_>,
    series_id: SeriesId,
    due: &OccurrenceDue,
) -> Result<(), Error> {
    let series = unit.state::<SeriesStream>(series_id);
    let series = series.ok_or(Error::Series(SeriesError::NotFound))?;
    if series.status == SeriesStatus::Ended {
        return Ok(());
    }
    let slot: Slot = due
        .slot
        .parse()
        .map_err(|_| Error::Misfit("its slot cannot be read"))?;
    let turn = Turn {
        slot,
        index: due.index,
        missed_count: due.missed_count,
    };
    let id = occurrence_task_id(series_id, &slot.to_string());
    let previous = unit.state::<TaskStream>(occurrence::id_of(&series, &due.previous_slot));
    let find = |id| unit.state::<TaskStream>(id);
    let parent = previous
        .as_ref()
        .and_then(|previous| occurrence::parent_of(previous, find));
    let task = occurrence::task_of(&series, turn, parent, unit.context().actor, unit.now());
    let task = occurrence::caused(task, due, previous.as_ref(), unit.now());
    let state = unit.state::<TaskStream>(id);
    let command = Command::CreateOccurrence(Box::new(task));
    for event in task::decide(state.as_ref(), command, unit.now())? {
        unit.append::<TaskStream>(id, &event);
    }
    Ok(())
}

/// Skips an occurrence for the one whose turn has come, if nobody has touched it.
fn skip_late(
    unit: &mut Unit<'_>,
    series_id: SeriesId,
    id: TaskId,
    has_parts: bool,
) -> Result<(), Error> {
    let series = unit.state::<SeriesStream>(series_id);
    let skips = series.filter(|series| {
        series.status == SeriesStatus::Active && series.generation.auto_skip_when_late
    });
    let (Some(series), Some(task)) = (skips, unit.state::<TaskStream>(id)) else {
        return Ok(());
    };
    let made_by = task.series_id.and_then(|id| unit.state::<SeriesStream>(id));
    let made_by = made_by.unwrap_or(series);
    let place = occurrence::place_of(&made_by, &task, |id| unit.state::<TaskStream>(id));
    let is_untouched = !has_parts && occurrence::is_untouched(&made_by, &task, place);
    if !task.is_open() || !is_untouched {
        return Ok(());
    }
    let reason = Some(LATE.to_owned());
    for event in task::decide(Some(&task), Command::Skip { reason }, unit.now())? {
        unit.append::<TaskStream>(id, &event);
    }
    Ok(())
}

fn end(unit: &mut Unit<'_>, series_id: SeriesId) -> Result<(), Error> {
    let state = unit.state::<SeriesStream>(series_id);
    for event in series::decide(
        state.as_ref(),
        series::Command::End { next: None },
        unit.now(),
    )? {
        unit.append::<SeriesStream>(series_id, &event);
    }
    Ok(())
}
