//! Occurrences that are open again, and those that were taken back because of that.

use event_schema::{
    OccurrenceFinished, OccurrenceReopened, OccurrenceWithdrawn, ProgressEvent, SeriesProgress,
    Task,
};
use recurrence::Slot;

use super::evolve;
use super::on_schedule::is_on_schedule;

/// That a finished occurrence is open again: nothing follows it until it is finished.
///
/// What was announced after it stays announced until task-api says that it was taken back: it may have
/// been changed by its owner, and then it stays.
pub(super) fn opened_again(state: Option<&SeriesProgress>, task: &Task) -> Option<ProgressEvent> {
    let known = state.filter(|state| !is_on_schedule(state))?;
    let slot = task.slot.clone()?;
    let mut finishes = known.finished.iter().chain(known.finished_again.values());
    finishes
        .any(|finished| finished.slot == slot && finished.undone < task.undone)
        .then_some(ProgressEvent::OccurrenceReopened(OccurrenceReopened {
            slot,
            undone: task.undone,
        }))
}

/// That an announced occurrence was taken back, and may be announced again.
pub(super) fn withdrawn(state: Option<&SeriesProgress>, task: &Task) -> Option<ProgressEvent> {
    let event = ProgressEvent::OccurrenceWithdrawn(OccurrenceWithdrawn {
        series_id: task.series_id?,
        owner_id: task.owner_id,
        slot: task.slot.clone()?,
        withdrawn: task.withdrawn.clone(),
    });
    let is_news = evolve(state.cloned(), &event).as_ref() != state;
    is_news.then_some(event)
}

/// Whether an earlier occurrence was finished another time, and that is news: those behind it may turn out
/// to have been taken back.
pub(super) fn is_finished_again(
    state: Option<&SeriesProgress>,
    finished: &OccurrenceFinished,
) -> bool {
    let known = state.and_then(|state| state.finished_again.get(&finished.slot));
    finished.undone > known.map_or(0, |known| known.undone)
}

/// Whether the occurrence is known to have been opened again after this finish.
pub(super) fn is_undone(state: Option<&SeriesProgress>, finished: &OccurrenceFinished) -> bool {
    let known = state.and_then(|state| reopened(state, &finished.slot));
    known.is_some_and(|undone| undone > finished.undone)
}

/// How often an occurrence is known to have been opened again. What was announced after it before is
/// then announced for another time, also when the series is made on schedule by now.
pub(super) fn count(state: &SeriesProgress, slot: Slot) -> Option<u32> {
    let slot = slot.to_string();
    let finished = state.finished.as_ref();
    let finished = finished.filter(|finished| finished.slot == slot);
    let undone = finished.map(|finished| finished.undone);
    undone
        .max(reopened(state, &slot))
        .filter(|undone| *undone > 0)
}

fn reopened(state: &SeriesProgress, slot: &str) -> Option<u32> {
    let causes = state.withdrawn.values();
    causes.filter_map(|causes| causes.get(slot).copied()).max()
}
