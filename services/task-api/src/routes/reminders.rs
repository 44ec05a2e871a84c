//! Reminders by themselves: read, add, change, remove.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use event_schema::{Reminder, ReminderId, Task, TaskId};
use event_store::{Answer, StreamRef, Unit};
use service_kit::Problem;
use service_kit::command::execute;
use service_kit::etag;
use service_kit::extract::{Call, Json, MergePatch, Path};

use super::command::{OnTask, answer};
use super::reminder_input::{ReminderChange, ReminderInput};
use super::reminder_view::ReminderResource;
use super::tasks;
use crate::app::AppState;
use crate::domain::fields::MAX_REMINDERS;
use crate::domain::task::{Command, Edit, TaskPatch, WantedReminder};
use crate::domain::{Fault, TaskError};
use crate::error::Error;
use crate::store::reminders::task_of;

/// Reminders of a task.
#[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
#[schema(as = TaskReminders)]
pub(super) struct TaskReminders {
    /// All of them, in the order of the task.
    items: Vec<ReminderResource>,
}

/// A caller's command on one of the reminders of their tasks.
#[derive(Clone, Debug)]
pub(super) struct OnReminder {
    reminder_id: ReminderId,
    /// The task it is about, if there is one.
    target: Option<OnTask>,
}

impl OnReminder {
    pub(super) async fn of(app: &AppState, call: &Call, id: ReminderId) -> Result<Self, Error> {
        let task_id = task_of(app.ledger.rows("reminders")?, id).await?;
        Ok(Self {
            reminder_id: id,
            target: task_id.map(|task_id| OnTask::of(call, task_id)),
        })
    }

    pub(super) fn streams(&self) -> Vec<StreamRef> {
        self.target.iter().map(OnTask::stream).collect()
    }

    /// The task and the reminder as the command finds them. A foreign one is not found, nor is one that
    /// was removed: that is refused here, so that a repeated removal gets its answer of then.
    pub(super) fn find(&self, unit: &mut Unit<'_>) -> Result<(OnTask, Task, Reminder), Error> {
        let target = self.target.clone().ok_or_else(no_reminder)?;
        let task = match target.find(unit) {
            Err(Error::NotFound) => return Err(no_reminder()),
            found => found?,
        };
        let reminder = find(&task, self.reminder_id)?.clone();
        Ok((target, task, reminder))
    }

    /// Decides a command on the task, and answers the reminder as it is then.
    pub(super) fn decide(
        &self,
        unit: &mut Unit<'_>,
        target: &OnTask,
        command: Command,
    ) -> Result<Answer, Error> {
        let task = target.decide(unit, command)?;
        let version = target.view(unit, task.clone()).0;
        let reminder = find(&task, self.reminder_id)?;
        let resource = ReminderResource::of(&task, version, reminder);
        answer(StatusCode::OK, version, &resource)
    }
}

fn no_reminder() -> Error {
    Error::Task(TaskError::NoReminder)
}

fn find(task: &Task, id: ReminderId) -> Result<&Reminder, Error> {
    let found = task.reminders.iter().find(|reminder| reminder.id == id);
    found.ok_or_else(no_reminder)
}

/// List a task's reminders
#[utoipa::path(
    get, path = "/v1/tasks/{task_id}/reminders", tag = "reminders", operation_id = "list_task_reminders",
    params(("task_id" = uuid::Uuid, Path)),
    responses(
        (status = 200, description = "All of them", body = TaskReminders, headers(("etag" = String))),
    )
)]
pub(super) async fn list_task_reminders(
    State(app): State<AppState>,
    call: Call,
    Path(task_id): Path<TaskId>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let found = tasks::find(&app, &call, task_id).await?;
    let task = &found.state;
    let revision = task.revision(found.version);
    Ok(etag::conditional_shown(
        &headers,
        revision,
        task.tellings,
        || {
            let view = |reminder| ReminderResource::of(task, revision, reminder);
            let items = task.reminders.iter().map(view).collect();
            Json(TaskReminders { items })
        },
    ))
}

/// Add a reminder to a task
#[utoipa::path(
    post, path = "/v1/tasks/{task_id}/reminders", tag = "reminders", operation_id = "add_reminder",
    request_body = ReminderInput,
    params(("task_id" = uuid::Uuid, Path), ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    responses(
        (status = 201, description = "Added", body = ReminderResource,
         headers(("etag" = String), ("location" = String))),
        (status = 409, description = "The task is in the trash", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn add_reminder(
    State(app): State<AppState>,
    call: Call,
    Path(task_id): Path<TaskId>,
    Json(input): Json<ReminderInput>,
) -> Result<Response, Error> {
    let new = input.read_new(app.clock.as_ref())?;
    let target = OnTask::of(&call, task_id);
    execute(&app.ledger, &call, &[target.stream()], move |unit| {
        let found = target.find(unit)?;
        let mut wanted: Vec<WantedReminder> = found.reminders.iter().map(kept).collect();
        let index = wanted.len();
        if index >= MAX_REMINDERS {
            let message = format!("a task has at most {MAX_REMINDERS} reminders");
            return Err(Error::Invalid(vec![Fault::new("", "too_many", message)]));
        }
        wanted.push(new.clone());
        check_distinct(&wanted, index)?;
        let task = target
            .decide(unit, replace(wanted))
            .map_err(|error| of_reminder(error, index))?;
        let version = target.view(unit, task.clone()).0;
        let resource = ReminderResource::of(&task, version, find(&task, new.minted)?);
        let mut answer = answer(StatusCode::CREATED, version, &resource)?;
        answer.location = Some(format!("/v1/reminders/{}", new.minted));
        Ok(answer)
    })
    .await
}

/// Read a reminder
#[utoipa::path(
    get, path = "/v1/reminders/{reminder_id}", tag = "reminders", operation_id = "get_reminder",
    params(("reminder_id" = uuid::Uuid, Path), ("if-none-match" = Option<String>, Header)),
    responses(
        (status = 200, description = "The reminder", body = ReminderResource, headers(("etag" = String))),
        (status = 304, description = "The caller has this version"),
    )
)]
pub(super) async fn get_reminder(
    State(app): State<AppState>,
    call: Call,
    Path(reminder_id): Path<ReminderId>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let task_id = task_of(app.ledger.rows("reminders")?, reminder_id).await?;
    let found = match tasks::find(&app, &call, task_id.ok_or_else(no_reminder)?).await {
        Err(Error::NotFound) => return Err(no_reminder()),
        found => found?,
    };
    let reminder = find(&found.state, reminder_id)?;
    let (revision, tellings) = (found.state.revision(found.version), found.state.tellings);
    Ok(etag::conditional_shown(
        &headers,
        revision,
        tellings,
        || Json(ReminderResource::of(&found.state, revision, reminder)),
    ))
}

/// Change a reminder
///
/// A merge patch; the trigger is replaced as a whole. What its owner said to it holds no more once it has
/// another time.
#[utoipa::path(
    patch, path = "/v1/reminders/{reminder_id}", tag = "reminders", operation_id = "update_reminder",
    params(("reminder_id" = uuid::Uuid, Path), ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    request_body(content(
        (ReminderChange = "application/merge-patch+json"), (ReminderChange = "application/json"))),
    responses(
        (status = 200, description = "The reminder as it is now", body = ReminderResource, headers(("etag" = String))),
        (status = 409, description = "Its task is in the trash", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn update_reminder(
    State(app): State<AppState>,
    call: Call,
    Path(reminder_id): Path<ReminderId>,
    MergePatch(change): MergePatch<ReminderChange>,
) -> Result<Response, Error> {
    let patch = change.read()?;
    let target = OnReminder::of(&app, &call, reminder_id).await?;
    execute(&app.ledger, &call, &target.streams(), move |unit| {
        let (on_task, found, _) = target.find(unit)?;
        let mut wanted: Vec<WantedReminder> = found.reminders.iter().map(kept).collect();
        let index = wanted.iter().position(|one| one.id == Some(reminder_id));
        let index = index.ok_or_else(no_reminder)?;
        patch.clone().apply(&mut wanted[index]);
        check_distinct(&wanted, index)?;
        target
            .decide(unit, &on_task, replace(wanted))
            .map_err(|error| of_reminder(error, index))
    })
    .await
}

/// Remove a reminder
#[utoipa::path(
    delete, path = "/v1/reminders/{reminder_id}", tag = "reminders", operation_id = "delete_reminder",
    params(("reminder_id" = uuid::Uuid, Path), ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    responses(
        (status = 204, description = "It is gone"),
    )
)]
pub(super) async fn delete_reminder(
    State(app): State<AppState>,
    call: Call,
    Path(reminder_id): Path<ReminderId>,
) -> Result<Response, Error> {
    let target = OnReminder::of(&app, &call, reminder_id).await?;
    execute(&app.ledger, &call, &target.streams(), move |unit| {
        let (on_task, found, _) = target.find(unit)?;
        let others = found.reminders.iter().filter(|one| one.id != reminder_id);
        on_task.decide(unit, replace(others.map(kept).collect()))?;
        Ok(Answer {
            status: StatusCode::NO_CONTENT.as_u16(),
            ..Answer::default()
        })
    })
    .await
}

fn check_distinct(wanted: &[WantedReminder], index: usize) -> Result<(), Error> {
    let same = |other: usize| other != index && wanted[other].trigger == wanted[index].trigger;
    if (0..wanted.len()).any(same) {
        let message = "says the same as another reminder of the task";
        let fault = Fault::new("/trigger", "duplicate", message);
        return Err(Error::Invalid(vec![fault]));
    }
    Ok(())
}

fn kept(reminder: &Reminder) -> WantedReminder {
    WantedReminder {
        id: Some(reminder.id),
        minted: reminder.id,
        trigger: reminder.trigger.clone(),
        terms: reminder.terms,
    }
}

fn replace(reminders: Vec<WantedReminder>) -> Command {
    Command::Update(Box::new(TaskPatch {
        reminders: Edit::To(reminders),
        ..TaskPatch::default()
    }))
}

/// What is wrong with a reminder is told where its caller wrote it.
fn of_reminder(error: Error, index: usize) -> Error {
    let Error::Task(TaskError::Invalid(faults)) = error else {
        return error;
    };
    let prefix = format!("/reminders/{index}");
    let inside = |fault: Fault| Fault {
        pointer: fault
            .pointer
            .strip_prefix(&prefix)
            .unwrap_or_default()
            .to_owned(),
        ..fault
    };
    Error::Task(TaskError::Invalid(faults.into_iter().map(inside).collect()))
}
