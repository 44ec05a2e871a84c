//! What makes a task open again: reopen, restore. An occurrence that came because it was finished goes.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use event_schema::{After, Task, TaskId, occurrence_task_id};
use event_store::{StreamRef, Unit};
use recurrence::Slot;
use serde::Serialize;
use service_kit::Problem;
use service_kit::command::execute;
use service_kit::extract::{Call, Json, Path};
use slots::Plan;
use utoipa::ToSchema;

use super::command::{OnTask, answer};
use super::task_view::TaskView;
use super::tasks::find;
use super::transitions::Nothing;
use crate::app::AppState;
use crate::domain::occurrence::{self, finished_of};
use crate::domain::task::{self, Command};
use crate::domain::{SeriesStream, TaskStream};
use crate::error::Error;
use crate::store::tasks;

/// A task that is open again.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct ReopenedTask {
    #[serde(flatten)]
    task: TaskView,
    /// The occurrence that had come because this one was finished; null when none had, and in a series
    /// whose occurrences come at their time.
    successor: Option<Successor>,
}

/// The occurrence that had come because another one was finished.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Successor {
    /// Its task.
    #[schema(value_type = Uuid)]
    id: TaskId,
    /// The civil start that names it.
    slot: String,
    /// What became of it: `withdrawn` until this one is finished again, or `kept`, because it is finished,
    /// has sub-tasks, or is not as its series made it any more.
    #[schema(value_type = SuccessorOutcome)]
    outcome: &'static str,
}

/// What becomes of an occurrence when the one before it is open again.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only described")]
enum SuccessorOutcome {
    Withdrawn,
    Kept,
}

/// Reopen a task
///
/// Of an occurrence, the one that came because it was finished is withdrawn, unless somebody has changed
/// or finished that one: then both stay, and `successor` says so.
#[utoipa::path(
    post, path = "/v1/tasks/{task_id}/reopen", tag = "tasks", operation_id = "reopen_task",
    params(("task_id" = Uuid, Path), ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    request_body = Option<Nothing>,
    responses(
        (status = 200, description = "Open again", body = ReopenedTask, headers(("etag" = String))),
        (status = 409, description = "Its state does not allow this", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn reopen_task(
    State(app): State<AppState>,
    call: Call,
    Path(task_id): Path<TaskId>,
    Json(body): Json<Nothing>,
) -> Result<Response, Error> {
    open_again(&app, &call, task_id, &body, Command::Reopen).await
}

/// Take a task out of the trash
///
/// An occurrence that was thrown away while it was open is open again, and `successor` is as when one is
/// reopened. One that was withdrawn comes by itself, when the one before it is finished.
#[utoipa::path(
    post, path = "/v1/tasks/{task_id}/restore", tag = "tasks", operation_id = "restore_task",
    params(("task_id" = Uuid, Path), ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    request_body = Option<Nothing>,
    responses(
        (status = 200, description = "Out of the trash", body = ReopenedTask, headers(("etag" = String))),
        (status = 409, description = "Its state does not allow this", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn restore_task(
    State(app): State<AppState>,
    call: Call,
    Path(task_id): Path<TaskId>,
    Json(body): Json<Nothing>,
) -> Result<Response, Error> {
    open_again(&app, &call, task_id, &body, Command::Restore).await
}

async fn open_again(
    app: &AppState,
    call: &Call,
    task_id: TaskId,
    body: &Nothing,
    command: Command,
) -> Result<Response, Error> {
    body.read()?;
    let later = Later::of(app, &find(app, call, task_id).await?.state).await?;
    let target = OnTask::of(call, task_id);
    let ids = later.known.iter().map(|(id, _)| *id);
    let streams = ids.map(StreamRef::of::<TaskStream>);
    let streams: Vec<_> = std::iter::once(target.stream()).chain(streams).collect();
    execute(&app.ledger, call, &streams, move |unit| {
        let before = target.find(unit)?;
        let task = target.decide(unit, command.clone())?;
        let successor = later.take_back(unit, &before, &task)?;
        let (version, task) = target.view(unit, task);
        let body = ReopenedTask { task, successor };
        answer(StatusCode::OK, version, &body)
    })
    .await
}

/// The occurrences after one, as they were before the command.
struct Later {
    known: Vec<(TaskId, bool)>,
}

impl Later {
    async fn of(app: &AppState, task: &Task) -> Result<Self, Error> {
        let known = match (task.leads_to(), &task.slot) {
            (Some(series), Some(slot)) => {
                tasks::after_slot(app.ledger.rows("tasks")?, series, slot).await?
            }
            _ => Vec::new(),
        };
        Ok(Self { known })
    }

    /// Withdraws what came because the task was finished, if it is untouched.
    fn take_back(
        &self,
        unit: &mut Unit<'_>,
        before: &Task,
        task: &Task,
    ) -> Result<Option<Successor>, Error> {
        if before.is_open() || !task.is_open() {
            return Ok(None);
        }
        let Some((next, has_parts)) = self.successor(unit, before) else {
            return Ok(None);
        };
        let parent = occurrence::parent_of(before, |id| unit.state::<TaskStream>(id));
        let series = next.series_id.and_then(|id| unit.state::<SeriesStream>(id));
        let untouched =
            series.is_some_and(|series| occurrence::is_untouched(&series, &next, parent));
        // One that leads over to another series would not come again: its own has ended.
        let goes = untouched && !has_parts && next.next_series_id.is_none();
        if goes {
            let after = After {
                previous_slot: before.slot.clone().unwrap_or_default(),
                undone: task.undone,
            };
            let command = Command::Withdraw { after };
            for event in task::decide(Some(&next), command, unit.now())? {
                unit.append::<TaskStream>(next.id, &event);
            }
        }
        Ok(Some(Successor {
            id: next.id,
            slot: next.slot.unwrap_or_default(),
            outcome: if goes { "withdrawn" } else { "kept" },
        }))
    }

    /// The occurrence that came because of it, also one that came to be since the tasks were read.
    fn successor(&self, unit: &mut Unit<'_>, before: &Task) -> Option<(Task, bool)> {
        let newest = next_id(unit, before).map(|id| (id, false));
        let candidates = self.known.iter().copied().chain(newest);
        for (id, has_parts) in candidates {
            let found = unit.state::<TaskStream>(id).filter(|next| {
                !next.is_withdrawn()
                    && next.previous_slot.is_some()
                    && next.previous_slot == before.slot
            });
            if let Some(next) = found {
                return Some((next, has_parts));
            }
        }
        None
    }
}

/// The task that comes after a finished one, whether it is there or not.
fn next_id(unit: &mut Unit<'_>, finished: &Task) -> Option<TaskId> {
    let series = unit.state::<SeriesStream>(finished.leads_to()?)?;
    let slot: Slot = finished.slot.as_deref()?.parse().ok()?;
    let next = Plan::of_series(&series)
        .ok()?
        .next(finished_of(slot, finished)?)?;
    Some(occurrence_task_id(series.id, &next.slot.to_string()))
}
