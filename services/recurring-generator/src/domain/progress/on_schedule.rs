//! Series whose occurrences are made at their time, whatever became of the one before.

use chrono::{DateTime, Utc};
use event_schema::{
    CatchUp, GenerationMode, OccurrenceDue, OccurrenceOpened, ProgressEvent, Series,
    SeriesExhausted, SeriesProgress, SeriesStatus, SlotsPassed, Task,
};
use event_store::Timer;
use recurrence::Slot;
use slots::{Made, Plan};

use super::{ProgressError, late, plan, slot};

/// Nobody has more open, whatever the policy says.
const MOST_OPEN: usize = 100;

pub(super) fn is_on_schedule(state: &SeriesProgress) -> bool {
    let series = state.series.as_ref();
    series.is_some_and(|series| series.generation.mode == GenerationMode::OnSchedule)
}

/// The series, when it makes occurrences at their time, and how many more may be open.
fn active(state: &SeriesProgress) -> Option<(&Series, usize)> {
    let series = state.series.as_ref()?;
    if series.status != SeriesStatus::Active || !is_on_schedule(state) {
        return None;
    }
    let generation = &series.generation;
    let most = match generation.catch_up {
        CatchUp::All => MOST_OPEN,
        CatchUp::Latest | CatchUp::None => {
            usize::try_from(generation.max_open).unwrap_or(MOST_OPEN)
        }
    };
    Some((series, most.saturating_sub(state.open.len())))
}

/// The newest slot whose turn is over. Nothing is made before an occurrence was heard of: task-api makes
/// the first.
fn frontier(state: &SeriesProgress) -> Result<Option<Slot>, ProgressError> {
    let finished = state.finished.as_ref().map(|finished| &finished.slot);
    let known = [
        state.announced_slot.as_ref(),
        state.passed_slot.as_ref(),
        state.open.last(),
        finished,
    ];
    let slots = known.into_iter().flatten().map(|text| slot(text));
    slots
        .collect::<Result<Vec<Slot>, _>>()
        .map(|slots| slots.into_iter().max())
}

/// When the next occurrence is to be made; while as many are open as may be, only if one of them may be
/// skipped for it.
pub(super) fn timer(state: &SeriesProgress) -> Option<Timer> {
    let (series, room) = active(state)?;
    // What cannot be read was refused when it was followed.
    let frontier = frontier(state).ok()??;
    let plan = Plan::of_series(series).ok()?;
    let fire_at = plan.made_at(frontier, &series.generation)?;
    let waits = room > 0 || late::candidate(state, series).is_some();
    waits.then_some(Timer {
        timer_id: series.id.as_uuid(),
        fire_at,
    })
}

/// Announces what is due now. A timer that comes too late or twice finds nothing.
pub(super) fn make(
    state: Option<&SeriesProgress>,
    now: DateTime<Utc>,
) -> Result<Vec<ProgressEvent>, ProgressError> {
    let Some((state, (series, room))) = state.and_then(|state| Some((state, active(state)?)))
    else {
        return Ok(Vec::new());
    };
    let Some(frontier) = frontier(state)? else {
        return Ok(Vec::new());
    };
    if room == 0 {
        return Ok(late::late(state, series, frontier, now)?
            .into_iter()
            .collect());
    }
    let most = u32::try_from(room).unwrap_or(u32::MAX);
    let made = plan(series)?.made_by(frontier, &series.generation, most, now);
    let mut events = match made {
        None => Vec::new(),
        Some(Made::Passed(through)) => vec![ProgressEvent::SlotsPassed(SlotsPassed {
            through_slot: through.to_string(),
        })],
        Some(Made::Turns(turns)) => {
            let previous = std::iter::once(frontier).chain(turns.iter().map(|turn| turn.slot));
            let announced = turns.iter().zip(previous).map(|(turn, previous)| {
                ProgressEvent::OccurrenceDue(OccurrenceDue {
                    slot: turn.slot.to_string(),
                    index: turn.index,
                    missed_count: turn.missed_count,
                    previous_slot: previous.to_string(),
                    undone: super::undo::count(state, previous),
                })
            });
            announced.collect()
        }
    };
    let then = events.iter().fold(Some(state.clone()), super::evolve);
    events.extend(then.as_ref().map(exhausted).transpose()?.flatten());
    Ok(events)
}

/// That the rule has no slot left, said once, as soon as its last one had its turn.
pub(super) fn exhausted(state: &SeriesProgress) -> Result<Option<ProgressEvent>, ProgressError> {
    let (Some((series, _)), Some(frontier), false) =
        (active(state), frontier(state)?, state.exhausted)
    else {
        return Ok(None);
    };
    let is_over = plan(series)?.occurrences_after(frontier).next().is_none();
    Ok(is_over.then(|| {
        ProgressEvent::SeriesExhausted(SeriesExhausted {
            last_slot: frontier.to_string(),
        })
    }))
}

/// That an occurrence is open, for series that count them, and for those that may come to: of these the
/// first is nowhere else, the later ones were announced.
pub(super) fn opened(state: Option<&SeriesProgress>, task: &Task) -> Option<ProgressEvent> {
    let is_first =
        |state: &SeriesProgress| state.finished.is_none() && state.announced_slot.is_none();
    let counts = state
        .is_none_or(|state| state.series.is_none() || is_on_schedule(state) || is_first(state));
    let slot = task.slot.clone()?;
    let is_news = state.is_none_or(|state| !state.open.contains(&slot));
    (task.is_open() && counts && is_news).then_some(ProgressEvent::OccurrenceOpened(
        OccurrenceOpened {
            series_id: task.series_id?,
            owner_id: task.owner_id,
            task_id: task.id,
            slot,
        },
    ))
}
