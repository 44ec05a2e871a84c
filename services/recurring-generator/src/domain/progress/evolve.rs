//! What events do to the progress of a series.

use std::collections::{BTreeMap, BTreeSet};

use event_schema::{
    After, OccurrenceFinished, OccurrenceWithdrawn, ProgressEvent, SeriesId, SeriesProgress, UserId,
};

use super::on_schedule::is_on_schedule;

/// How many occurrences that were taken back, or finished another time, are remembered: the newest.
const MOST_UNDONE: usize = 100;
/// How many finishes are remembered that something was announced after.
const MOST_FOLLOWED: usize = 16;

/// The state after the event. What is announced cannot be the first: something was learned before.
pub fn evolve(state: Option<SeriesProgress>, event: &ProgressEvent) -> Option<SeriesProgress> {
    match event {
        ProgressEvent::SeriesFollowed(change) => {
            let series = change.series.as_ref().clone();
            let state = state.unwrap_or_else(|| begin(series.id, series.owner_id));
            let counted = is_on_schedule(&state);
            let state = SeriesProgress {
                series: Some(series),
                ..state
            };
            let counts = is_on_schedule(&state) && !counted;
            Some(if counts {
                count_announced(state)
            } else {
                state
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
        ProgressEvent::OccurrenceReopened(again) => {
            state.map(|state| count_again(reopen(state, &again.slot, again.undone)))
        }
        ProgressEvent::OccurrenceWithdrawn(withdrawn) => {
            let state = state.unwrap_or_else(|| begin(withdrawn.series_id, withdrawn.owner_id));
            Some(withdraw(state, withdrawn))
        }
        ProgressEvent::SlotsPassed(passed) => state.map(|state| SeriesProgress {
            passed_slot: Some(passed.through_slot.clone()),
            ..state
        }),
        ProgressEvent::OccurrenceDue(due) => state.map(|mut state| {
            if !state.withdrawn.is_empty() || !state.followed.is_empty() {
                note_followed(
                    &mut state,
                    &due.previous_slot,
                    due.undone.unwrap_or_default(),
                );
            }
            let counts = is_on_schedule(&state);
            let mut withdrawn = state.withdrawn.clone();
            withdrawn.remove(&due.slot);
            let state = SeriesProgress {
                withdrawn,
                announced_slot: Some(due.slot.clone()),
                announced_after: due.undone.map(|undone| After {
                    previous_slot: due.previous_slot.clone(),
                    undone,
                }),
                exhausted: false,
                ..state
            };
            if counts {
                open(state, &due.slot)
            } else {
                state
            }
        }),
        ProgressEvent::OccurrenceLate(late) => state.map(|state| SeriesProgress {
            late_slot: state.late_slot.max(Some(late.slot.clone())),
            ..state
        }),
        ProgressEvent::SeriesExhausted(_) => state.map(|state| SeriesProgress {
            exhausted: true,
            ..state
        }),
    }
}

/// A series that turns to its schedule counts what it announced before, if that is not finished.
fn count_announced(state: SeriesProgress) -> SeriesProgress {
    let finished = state.finished.as_ref().map(|finished| &finished.slot);
    let announced = state.announced_slot.clone();
    match announced.filter(|slot| Some(slot) > finished) {
        Some(slot) => open(state, &slot),
        None => state,
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
    let earlier = if newest <= Some(finished.slot.as_str()) {
        state.finished.replace(finished.clone())
    } else {
        Some(finished.clone())
    };
    if let Some(earlier) = earlier.filter(|earlier| earlier.undone > 0) {
        state.finished_again.insert(earlier.slot.clone(), earlier);
        keep_newest(&mut state.finished_again, MOST_UNDONE);
    }
    state
}

fn reopen(mut state: SeriesProgress, slot: &str, undone: u32) -> SeriesProgress {
    let is_older =
        |finished: &OccurrenceFinished| finished.slot == slot && finished.undone < undone;
    state.finished = state.finished.filter(|finished| !is_older(finished));
    state
        .finished_again
        .retain(|_, finished| !is_older(finished));
    state
}

/// The newest occurrence that is still finished, when the newest one is not any more.
fn count_again(mut state: SeriesProgress) -> SeriesProgress {
    if state.finished.is_none() {
        state.finished = state.finished_again.pop_last().map(|(_, newest)| newest);
    }
    state
}

fn note_followed(state: &mut SeriesProgress, slot: &str, undone: u32) {
    let known = state.followed.entry(slot.to_owned()).or_default();
    *known = undone.max(*known);
    keep_newest(&mut state.followed, MOST_FOLLOWED);
}

fn keep_newest<T>(map: &mut BTreeMap<String, T>, most: usize) {
    if map.len() > most {
        map.pop_first();
    }
}

/// What was announced before it stands again, unless it was announced anew since.
fn withdraw(mut state: SeriesProgress, taken_back: &OccurrenceWithdrawn) -> SeriesProgress {
    let slot = &taken_back.slot;
    for (previous, undone) in &taken_back.withdrawn {
        state = reopen(state, previous, *undone);
    }
    state.finished = state.finished.filter(|finished| finished.slot != *slot);
    state.finished_again.remove(slot);
    state.open.remove(slot);
    let is_announced = state.announced_slot.as_ref() == Some(slot);
    if is_announced && !is_older(&state, taken_back) {
        return state;
    }
    let withdrawn = taken_back.withdrawn.clone();
    state.withdrawn.insert(slot.clone(), withdrawn);
    if is_announced {
        state.announced_slot = Some(before(&state, slot));
        if let Some(after) = state.announced_after.take() {
            note_followed(&mut state, &after.previous_slot, after.undone);
        }
    }
    keep_newest(&mut state.withdrawn, MOST_UNDONE);
    count_again(state)
}

/// Whether what is announced was caused by a finish that has been undone by now. What stands again since
/// something else was taken back, stands for as long as it is not taken back itself.
fn is_older(state: &SeriesProgress, taken_back: &OccurrenceWithdrawn) -> bool {
    state.announced_after.as_ref().is_none_or(|after| {
        let undone = taken_back.withdrawn.get(&after.previous_slot);
        undone.is_some_and(|undone| after.undone < *undone)
    })
}

/// The newest occurrence before this one that was not taken back itself: word of several travels in any
/// order.
fn before(state: &SeriesProgress, slot: &str) -> String {
    let mut slot = slot;
    while let Some(withdrawn) = state.withdrawn.get(slot) {
        let mut earlier = withdrawn.keys().rev();
        let Some(previous) = earlier.find(|previous| previous.as_str() < slot) else {
            break;
        };
        slot = previous;
    }
    slot.to_owned()
}

fn begin(series_id: SeriesId, owner_id: UserId) -> SeriesProgress {
    SeriesProgress {
        series_id,
        owner_id,
        series: None,
        finished: None,
        announced_slot: None,
        announced_after: None,
        followed: BTreeMap::new(),
        finished_again: BTreeMap::new(),
        withdrawn: BTreeMap::new(),
        exhausted: false,
        open: BTreeSet::new(),
        passed_slot: None,
        late_slot: None,
    }
}
