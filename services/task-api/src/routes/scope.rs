//! How far a command on an occurrence reaches: this one, this and the later ones, or all that are open.

use axum::http::StatusCode;
use axum::response::Response;
use event_schema::{
    Actor, Reminder, Series, SeriesId, Task, TaskId, UserId, occurrence_reminder_id,
};
use event_store::{Answer, StreamRef, Unit};
use recurrence::Slot;
use serde::Deserialize;
use service_kit::command::execute;
use service_kit::extract::Call;
use slots::{Turn, slot_of};

use super::command::{OnSeries, OnTask, answer};
use super::tasks::find;
use crate::app::AppState;
use crate::domain::occurrence::{self, SeriesEdit};
use crate::domain::series::{self, TemplatePatch};
use crate::domain::task::{self, Command, Edit, TaskPatch, WantedReminder};
use crate::domain::{Fault, SeriesError, SeriesStream, TaskError, TaskStream, fields, time};
use crate::error::Error;

/// How far a command reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum Scope {
    This,
    Future,
    Series,
}

impl TryFrom<String> for Scope {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "this" => Ok(Self::This),
            "future" => Ok(Self::Future),
            "series" => Ok(Self::Series),
            _ => Err("must be this, future or series"),
        }
    }
}

/// How far a command reaches.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Scoped {
    /// Of an occurrence of a series, where it is required: `this` one alone, this one and all of the
    /// `future`, or the whole `series` as far as it is open.
    #[param(value_type = Option<String>, example = "this")]
    pub(super) scope: Option<Scope>,
}

/// An occurrence, and the series that a command on it reaches.
pub(super) struct Reach {
    task: OnTask,
    series: OnSeries,
}

impl Reach {
    pub(super) async fn of(app: &AppState, call: &Call, task_id: TaskId) -> Result<Self, Error> {
        let task = find(app, call, task_id).await?.state;
        let not_recurring = Error::Task(TaskError::NotRecurring(task_id));
        let series_id = task.leads_to().ok_or(not_recurring)?;
        Ok(Self {
            task: OnTask::of(call, task_id),
            series: OnSeries::of_any_version(app, call, series_id).await?,
        })
    }

    fn streams(&self) -> Vec<StreamRef> {
        let mut streams = self.series.streams();
        if !streams.contains(&self.task.stream()) {
            streams.push(self.task.stream());
        }
        streams
    }

    /// The open occurrences from this one on.
    fn later(&self, unit: &mut Unit<'_>, series: &Series, task: &Task) -> Vec<Task> {
        let from = slot_in(task);
        let mut open = self.series.open_tasks(unit, series);
        open.retain(|other| slot_in(other) >= from);
        open
    }
}

fn slot_in(task: &Task) -> Option<Slot> {
    task.slot.as_deref().and_then(|slot| slot.parse().ok())
}

/// Ends the series before an occurrence, or as a whole, and puts what is open from there in the trash.
pub(super) async fn delete(
    app: &AppState,
    call: &Call,
    task_id: TaskId,
    whole: bool,
) -> Result<Response, Error> {
    let reach = Reach::of(app, call, task_id).await?;
    execute(&app.ledger, call, &reach.streams(), move |unit| {
        let task = reach.task.find(unit)?;
        let series = reach.series.find(unit)?;
        let open = if whole {
            reach.series.open_tasks(unit, &series)
        } else {
            reach.later(unit, &series, &task)
        };
        reach
            .series
            .decide(unit, series::Command::End { next: None })?;
        for task in std::iter::once(task).chain(open) {
            command(unit, task.id, Command::Trash)?;
        }
        Ok(Answer {
            status: StatusCode::NO_CONTENT.as_u16(),
            ..Answer::default()
        })
    })
    .await
}

/// Changes an occurrence and the series as far as it is open. A new due or rule begins with this
/// occurrence: what lies before it is the past.
pub(super) async fn update(
    app: &AppState,
    call: &Call,
    task_id: TaskId,
    edit: OccurrenceEdit,
    scope: Scope,
) -> Result<Response, Error> {
    let reach = Reach::of(app, call, task_id).await?;
    let next = SeriesId(app.clock.new_id());
    let by = Actor::User(UserId(call.caller.user_id));
    execute(&app.ledger, call, &reach.streams(), move |unit| {
        let stays = edit.series.due.is_none() && edit.series.recurrence.is_none();
        // Nothing of the series that begins after it lies before it.
        let is_whole = scope == Scope::Series || reach.task.find(unit)?.next_series_id.is_some();
        if is_whole && stays {
            change(unit, &reach, &edit)
        } else {
            go_on(unit, &reach, &edit, next, by)
        }
    })
    .await
}

/// What a patch of an occurrence means for it and for its series.
#[derive(Clone, Debug)]
pub(super) struct OccurrenceEdit {
    pub(super) task: TaskPatch,
    pub(super) series: SeriesEdit,
}

impl OccurrenceEdit {
    /// Reads a patch of a task as one of its series; what belongs to one occurrence alone is refused.
    pub(super) fn of(task: TaskPatch, mut series: SeriesEdit) -> Result<Self, Error> {
        match &task.due {
            Edit::Keep => {}
            Edit::To(None) => return Err(Error::Invalid(vec![fields::needs_date()])),
            Edit::To(Some(due)) => series.due = Some(due.clone()),
        }
        if task.parent_id != Edit::Keep {
            let message = "moves one occurrence: send it with scope=this";
            let fault = Fault::new("/parent_id", "wrong_scope", message);
            return Err(Error::Invalid(vec![fault]));
        }
        if let Edit::To(wanted) = &task.reminders {
            only_carried_over(wanted)?;
        }
        let unnamed = |wanted: Vec<WantedReminder>| {
            let unnamed = wanted.into_iter().map(|reminder| WantedReminder {
                // Their ids are those of the occurrence, not of the template.
                id: None,
                ..reminder
            });
            unnamed.collect()
        };
        series.template = TemplatePatch {
            title: task.title.clone(),
            notes: task.notes.clone(),
            priority: task.priority.clone(),
            labels: task.labels.clone(),
            start: task.start.clone(),
            deadline: task.deadline.clone(),
            reminders: task.reminders.clone().map(unnamed),
        };
        Ok(Self { task, series })
    }
}

fn only_carried_over(wanted: &[WantedReminder]) -> Result<(), Error> {
    let absolute = wanted
        .iter()
        .enumerate()
        .filter(|(_, reminder)| !reminder.terms.carry_over(&reminder.trigger));
    let fault = |(index, _)| {
        let pointer = format!("/reminders/{index}/trigger/type");
        let message = "must be relative or carried over: this one belongs to one occurrence";
        Fault::new(pointer, "not_in_a_series", message)
    };
    let faults: Vec<Fault> = absolute.map(fault).collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::Invalid(faults))
    }
}

/// The series changes in place, its open occurrences follow, and this one becomes what is asked.
fn change(unit: &mut Unit<'_>, reach: &Reach, edit: &OccurrenceEdit) -> Result<Answer, Error> {
    let task = reach.task.find(unit)?;
    let before = reach.series.find(unit)?;
    let patch = beside_start(&before, &task, edit.series.template.clone());
    let change = series::Command::Change(Box::new(patch.into()));
    let after = reach.series.decide(unit, change).map_err(of_task)?;
    for open in reach.series.open_tasks(unit, &after) {
        if let Some(patch) = occurrence::follow_template(&open, &before, &after) {
            command(unit, open.id, Command::Update(Box::new(patch)))?;
        }
    }
    let own = TaskPatch {
        // What the occurrence has by now is the template's.
        reminders: Edit::Keep,
        ..edit.task.clone()
    };
    let task = command(unit, task.id, Command::Update(Box::new(own)))?;
    let (version, view) = reach.task.view(unit, task);
    answer(StatusCode::OK, version, &view)
}

/// The times of a patch stand beside the due of the occurrence, those of a template beside the start.
fn beside_start(series: &Series, task: &Task, patch: TemplatePatch) -> TemplatePatch {
    let dates = slot_of(&series.start).zip(slot_in(task));
    let days = dates.map_or(0, |(start, slot)| (start.date() - slot.date()).num_days());
    let moved =
        |time: Option<event_schema::TimeValue>| time.and_then(|time| time::shifted(&time, days));
    TemplatePatch {
        start: patch.start.map(moved),
        deadline: patch.deadline.map(moved),
        ..patch
    }
}

/// The series ends before the occurrence, and another one goes on with it.
fn go_on(
    unit: &mut Unit<'_>,
    reach: &Reach,
    edit: &OccurrenceEdit,
    next: SeriesId,
    by: Actor,
) -> Result<Answer, Error> {
    let task = reach.task.find(unit)?;
    task::must_be_open(&task, "changed with its future")?;
    let old = reach.series.find(unit)?;
    series::must_not_have_ended(&old)?;
    let split = occurrence::split(
        &old,
        turn_of(&task)?,
        edit.series.clone(),
        next,
        by,
        unit.now(),
    );
    let split = split.map_err(|faults| Error::Task(TaskError::Invalid(faults)))?;
    let replaced = reach.later(unit, &old, &task);
    reach
        .series
        .decide(unit, series::Command::End { next: Some(next) })?;
    for task in replaced {
        command(unit, task.id, Command::Trash)?;
    }
    let start = series::Command::Start(Box::new(split.series.clone()));
    for event in series::decide(None, start, unit.now())? {
        unit.append::<SeriesStream>(next, &event);
    }
    let mut first = occurrence::task_of(&split.series, split.first, task.parent_id, by, unit.now());
    let id = first.id;
    let own = task.reminders.iter().filter(|own| !own.carries_over());
    first.reminders.extend(own.map(|own| Reminder {
        id: occurrence_reminder_id(id, own.id),
        ..own.wish()
    }));
    let first = command(unit, first.id, Command::Create(Box::new(first)))?;
    let target = OnTask {
        task_id: first.id,
        ..reach.task.clone()
    };
    let (version, view) = target.view(unit, first);
    let mut answer = answer(StatusCode::OK, version, &view)?;
    answer.location = Some(format!("/v1/tasks/{}", target.task_id));
    Ok(answer)
}

fn turn_of(task: &Task) -> Result<Turn, Error> {
    let slot = slot_in(task).ok_or(Error::Task(TaskError::NotRecurring(task.id)))?;
    Ok(Turn {
        slot,
        index: task.occurrence_index.unwrap_or(1),
        missed_count: task.missed_count,
    })
}

/// The faults of a template, as those of the occurrence that was edited.
fn of_task(error: Error) -> Error {
    let Error::Series(SeriesError::Invalid(faults)) = error else {
        return error;
    };
    let outside = |fault: Fault| Fault {
        pointer: fault.pointer.trim_start_matches("/template").to_owned(),
        ..fault
    };
    Error::Task(TaskError::Invalid(
        faults.into_iter().map(outside).collect(),
    ))
}

/// Decides a command on a task, appends what happens, and gives the task as it is then.
fn command(unit: &mut Unit<'_>, id: TaskId, command: Command) -> Result<Task, Error> {
    let state = unit.state::<TaskStream>(id);
    for event in task::decide(state.as_ref(), command, unit.now())? {
        unit.append::<TaskStream>(id, &event);
    }
    unit.state::<TaskStream>(id)
        .or(state)
        .ok_or(Error::NotFound)
}
