//! Another rule or start: the series ends, and another one goes on.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use axum::response::Response;
use event_schema::{Actor, Series, SeriesId, Task, TaskId, UserId};
use event_store::{Answer, Unit};
use recurrence::Slot;
use service_kit::command::execute;
use service_kit::extract::Call;
use slots::{Finished, Plan, Turn};

use super::series_change::GoesOn;
use crate::app::AppState;
use crate::domain::occurrence::{self, Scene, Standing, Turnover};
use crate::domain::series::{self, Command};
use crate::domain::{SeriesStream, TaskStream, task, time};
use crate::error::Error;
use crate::routes::command::{OnSeries, answer};
use crate::routes::series_view::SeriesView;
use crate::routes::tasks::new_series::of_series;
use crate::store::tasks;

/// Ends the series before a day, and starts another one with it. What is finished stays where it is, and
/// so does what is open and somebody has put work into: then the other one begins when that is finished.
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
        series::must_not_have_ended(&old)?;
        let scene = past.scene(unit, &target, &old);
        let newest = scene.newest.map(|(id, _)| id);
        let of_series = |faults| of_series(Error::Invalid(faults));
        let over = occurrence::turn_over(&old, scene, wanted.from, &wanted.edit);
        let over = over.map_err(of_series)?;
        let split = occurrence::go_on(&old, over.at, wanted.edit.clone(), next, by, unit.now());
        let split = split.map_err(of_series)?;
        let parent = parent(unit, over.goes.first(), newest);
        target.decide(unit, Command::End { next: Some(next) })?;
        let before = wanted.from.is_none().then_some(&old);
        hand_over(unit, &over, before, &split.series)?;
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
    /// Where the series stands, with what came to be since.
    fn scene(&self, unit: &mut Unit<'_>, target: &OnSeries, old: &Series) -> Scene {
        let newest = target.newest(unit, old);
        let home = time::home(old.home_zone.as_deref());
        let open = target.open_tasks(unit, old).into_iter();
        let standing = open.filter_map(|task| {
            Some(Standing {
                slot: task.slot.as_deref()?.parse().ok()?,
                is_touched: self.is_touched(unit, old, &task),
                task,
            })
        });
        let mut open: Vec<Standing> = standing.collect();
        open.sort_by_key(|one| one.slot);
        Scene {
            open,
            newest: newest.map(|slot| (occurrence::id_of(old, &slot.to_string()), slot)),
            finished: self.finished.max(target.newest_finished(unit, old)),
            turn: next_turn(unit, old, newest),
            today: time::date_in(time::zone_of(&old.start).unwrap_or(home), unit.now()),
        }
    }

    /// Whether somebody has put work into an open occurrence.
    fn is_touched(&self, unit: &mut Unit<'_>, series: &Series, task: &Task) -> bool {
        // One that leads over was made by an earlier series.
        let own = task.series_id.filter(|id| *id != series.id);
        let made_by = own.and_then(|id| unit.state::<SeriesStream>(id));
        let made_by = made_by.as_ref().unwrap_or(series);
        let parent = occurrence::place_of(made_by, task, |id| unit.state::<TaskStream>(id));
        self.with_parts.contains(&task.id) || !occurrence::is_untouched(made_by, task, parent)
    }
}

/// The first slot that has no task yet.
fn next_turn(unit: &Unit<'_>, series: &Series, newest: Option<Slot>) -> Option<Turn> {
    let finished = Finished {
        slot: newest?,
        index: None,
        at: unit.now(),
    };
    // A definition was checked when the series started; a paused one has its slots too.
    Plan::of_series(series).ok()?.next(finished)
}

/// What goes is in the trash, what stays follows the template of the next series if all does, and what leads
/// over says to which.
fn hand_over(
    unit: &mut Unit<'_>,
    over: &Turnover,
    before: Option<&Series>,
    next: &Series,
) -> Result<(), Error> {
    for task in &over.goes {
        command(unit, task.id, task::Command::Trash)?;
    }
    for task in &over.stays {
        let patch = before.and_then(|old| occurrence::follow_template(task, old, next));
        if let Some(patch) = patch {
            command(unit, task.id, task::Command::Update(Box::new(patch)))?;
        }
    }
    for id in &over.leads {
        let lead = task::Command::LeadTo {
            next: next.id,
            recurrence: next.recurrence.clone(),
        };
        command(unit, *id, lead)?;
    }
    Ok(())
}

/// Where the occurrence stands that is replaced, or else the newest one.
fn parent(unit: &mut Unit<'_>, gone: Option<&Task>, newest: Option<TaskId>) -> Option<TaskId> {
    let before = match gone {
        Some(gone) => Some(gone.clone()),
        None => newest.and_then(|id| unit.state::<TaskStream>(id)),
    };
    occurrence::parent_of(&before?, |id| unit.state::<TaskStream>(id))
}

/// Starts the series, with its first occurrence unless it waits for an earlier one, and tells it.
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
    let waits = series.begins_after.is_some();
    if !waits {
        let task = occurrence::task_of(&series, first, parent, by, unit.now());
        command(unit, task.id, task::Command::Create(Box::new(task)))?;
    }
    let version = unit.version::<SeriesStream>(id);
    let newest = (!waits).then_some(first.slot);
    let view = SeriesView::of(series, version, newest, unit.now());
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
