//! Another rule or start: the series ends, and another one goes on.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use axum::response::Response;
use chrono::NaiveDate;
use event_schema::{Actor, Series, SeriesId, Task, TaskId, UserId, occurrence_task_id};
use event_store::{Answer, Unit};
use recurrence::Slot;
use service_kit::command::execute;
use service_kit::extract::Call;
use slots::{Finished, Turn};

use super::series_change::GoesOn;
use crate::app::AppState;
use crate::domain::occurrence::{self, Break};
use crate::domain::series::{self, Command};
use crate::domain::{Fault, SeriesStream, TaskStream, task};
use crate::error::Error;
use crate::routes::command::{OnSeries, answer};
use crate::routes::series_view::SeriesView;
use crate::routes::tasks::new_series::of_series;
use crate::store::tasks;

/// Ends the series before a day, and starts another one with it. What is finished stays where it is, and
/// so does what is open and somebody has put work into.
pub(super) async fn go_on(
    app: &AppState,
    call: &Call,
    series_id: SeriesId,
    wanted: GoesOn,
) -> Result<Response, Error> {
    let target = OnSeries::of(app, call, series_id).await?;
    let database = app.ledger.rows("tasks")?;
    let past = Past {
        finished: tasks::newest_finished_slot(database, series_id).await?,
        with_parts: tasks::open_with_parts(database, series_id).await?,
    };
    let next = SeriesId(app.clock.new_id());
    let by = Actor::User(UserId(call.caller.user_id));
    execute(&app.ledger, call, &target.streams(), move |unit| {
        let old = target.find(unit)?;
        series::must_be_active(&old)?;
        let open = target.open_tasks(unit, &old);
        let newest = target.newest(unit, &old);
        let turn = next_turn(unit, &old, newest);
        let finished = past.finished.max(target.newest_finished(unit, &old));
        let from = from_day(wanted.from, turn, finished)?;
        let later = open.into_iter().filter(|task| day_of(task) >= Some(from));
        let (stays, goes): (Vec<Task>, Vec<Task>) =
            later.partition(|task| past.is_touched(unit, &old, task));
        let parent = parent(unit, goes.first(), &old, newest);
        let first_gone = goes.iter().filter_map(|task| task.occurrence_index).min();
        let at = Break {
            from,
            index: first_gone.or(turn.map(|turn| turn.index)).unwrap_or(1),
            taken_through: stays.iter().filter_map(day_of).max(),
        };
        let split = occurrence::go_on(&old, at, wanted.edit.clone(), next, by, unit.now())
            .map_err(|faults| of_series(Error::Invalid(faults)))?;
        target.decide(unit, Command::End { next: Some(next) })?;
        for task in goes {
            command(unit, task.id, task::Command::Trash)?;
        }
        start(unit, split, parent, by)
    })
    .await
}

/// What was done with the occurrences of a series, before the command.
struct Past {
    finished: Option<Slot>,
    /// Those that are open and have sub-tasks.
    with_parts: BTreeSet<TaskId>,
}

impl Past {
    /// Whether somebody has put work into an open occurrence.
    fn is_touched(&self, unit: &mut Unit<'_>, series: &Series, task: &Task) -> bool {
        let parent = occurrence::place_of(series.id, task, |id| unit.state::<TaskStream>(id));
        self.with_parts.contains(&task.id) || !occurrence::is_untouched(series, task, parent)
    }
}

fn day_of(task: &Task) -> Option<NaiveDate> {
    let slot: Slot = task.slot.as_deref()?.parse().ok()?;
    Some(slot.date())
}

/// The first slot that has no task yet.
fn next_turn(unit: &Unit<'_>, series: &Series, newest: Option<Slot>) -> Option<Turn> {
    let finished = Finished {
        slot: newest?,
        index: None,
        at: unit.now(),
    };
    occurrence::next(series, finished)
}

/// Where the occurrence stands that is replaced, or else the newest one.
fn parent(
    unit: &mut Unit<'_>,
    gone: Option<&Task>,
    series: &Series,
    newest: Option<Slot>,
) -> Option<TaskId> {
    let id = newest.map(|slot| occurrence_task_id(series.id, &slot.to_string()));
    let before = match gone {
        Some(gone) => Some(gone.clone()),
        None => id.and_then(|id| unit.state::<TaskStream>(id)),
    };
    occurrence::parent_of(&before?, |id| unit.state::<TaskStream>(id))
}

/// The day from which on another series is wanted: after all that is finished, and no later than the next
/// slot, because what lies between would belong to neither.
fn from_day(
    wanted: Option<NaiveDate>,
    turn: Option<Turn>,
    finished: Option<Slot>,
) -> Result<NaiveDate, Error> {
    let refusal = |code, message| {
        let fault = Fault::new("/effective_from", code, message);
        Err(Error::Invalid(vec![fault]))
    };
    let next = turn.map(|turn| turn.slot.date());
    let Some(from) = wanted.or(next) else {
        let message = "is required, because the series has no slot left: say from which day on";
        return refusal("missing", message.to_owned());
    };
    if let Some(finished) = finished.filter(|finished| finished.date() >= from) {
        let day = finished.date();
        let message = format!("must be after {day}: what is finished by then stays in its series");
        return refusal("too_early", message);
    }
    if let Some(next) = next.filter(|next| *next < from) {
        let message = format!(
            "must be {next} or earlier, the first slot without a task: send it again when its turn comes"
        );
        return refusal("too_late", message);
    }
    Ok(from)
}

/// Starts the series with its first occurrence, and tells it.
fn start(
    unit: &mut Unit<'_>,
    split: occurrence::Split,
    parent: Option<TaskId>,
    by: Actor,
) -> Result<Answer, Error> {
    let occurrence::Split { series, first } = split;
    let id = series.id;
    for event in series::decide(None, Command::Start(Box::new(series.clone())), unit.now())? {
        unit.append::<SeriesStream>(id, &event);
    }
    let task = occurrence::task_of(&series, first, parent, by, unit.now());
    command(unit, task.id, task::Command::Create(Box::new(task)))?;
    let version = unit.version::<SeriesStream>(id);
    let view = SeriesView::of(series, version, Some(first.slot), unit.now());
    let mut answer = answer(StatusCode::OK, version, &view)?;
    answer.location = Some(format!("/v1/series/{id}"));
    Ok(answer)
}

fn command(unit: &mut Unit<'_>, id: TaskId, command: task::Command) -> Result<(), Error> {
    let state = unit.state::<TaskStream>(id);
    for event in task::decide(state.as_ref(), command, unit.now())? {
        unit.append::<TaskStream>(id, &event);
    }
    Ok(())
}
