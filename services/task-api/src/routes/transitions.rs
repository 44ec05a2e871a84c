//! What finishes a task: complete, skip, cancel.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use event_schema::{Actor, Task, TaskId, UserId};
use event_store::Unit;
use serde::{Deserialize, Serialize};
use service_kit::Problem;
use service_kit::command::execute;
use service_kit::extract::{Call, Json, Path};
use slots::Finished;
use utoipa::ToSchema;

use super::command::{OnTask, answer};
use super::fields::{Field, Reader, Unknown};
use super::task_view::TaskView;
use super::time_value::TimeView;
use crate::app::AppState;
use crate::domain::occurrence::Following;
use crate::domain::task::Command;
use crate::domain::{SeriesStream, TaskStream, fields, occurrence, time};
use crate::error::Error;

/// The first version that a task can have when it was created, finished, reopened and finished again.
pub(super) const FINISHED_AGAIN: u64 = 4;

/// How a task was completed.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
#[schema(example = json!({"completed_at": "2027-01-31T08:30:00Z"}))]
pub(super) struct CompleteTask {
    /// When it was done; now when absent, and never in the future.
    #[serde(default)]
    #[schema(value_type = Option<DateTime<Utc>>)]
    completed_at: Field<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// Why an occurrence is passed over.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
#[schema(example = json!({"reason": "On vacation"}))]
pub(super) struct SkipTask {
    /// In the user's words, up to 500 characters.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    reason: Field<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// A command that says everything by its path.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
pub(super) struct Nothing {
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// A finished task, and what comes after it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct FinishedTask {
    /// The task as it is then.
    pub(super) task: TaskView,
    /// The occurrence that follows in its series; null when none does, when the task belongs to no
    /// series, and while the newest occurrence waits in the trash.
    pub(super) next_occurrence: Option<NextOccurrence>,
}

/// The occurrence that follows.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct NextOccurrence {
    /// The id that its task has or will have.
    #[schema(value_type = Uuid)]
    id: TaskId,
    /// The civil start that names it.
    slot: String,
    /// When it should be done.
    due: TimeView,
    /// Whether its task is still to be created, usually for a few milliseconds: until then its id
    /// answers 404.
    pending: bool,
}

/// Complete a task
///
/// Of an occurrence it also tells the next one.
#[utoipa::path(
    post, path = "/v1/tasks/{task_id}/complete", tag = "tasks", operation_id = "complete_task",
    params(("task_id" = Uuid, Path), ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    request_body = Option<CompleteTask>,
    responses(
        (status = 200, description = "Completed", body = FinishedTask, headers(("etag" = String))),
        (status = 409, description = "Its state does not allow this", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn complete_task(
    State(app): State<AppState>,
    call: Call,
    Path(task_id): Path<TaskId>,
    Json(body): Json<CompleteTask>,
) -> Result<Response, Error> {
    let completed_at = body.read()?;
    let by = Actor::User(UserId(call.caller.user_id));
    finish(&app, &call, task_id, completed_at, move |completed_at| {
        Command::Complete { completed_at, by }
    })
    .await
}

/// Skip an occurrence
///
/// It is not completed: history says skipped.
#[utoipa::path(
    post, path = "/v1/tasks/{task_id}/skip", tag = "tasks", operation_id = "skip_task",
    params(("task_id" = Uuid, Path), ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    request_body = Option<SkipTask>,
    responses(
        (status = 200, description = "Skipped", body = FinishedTask, headers(("etag" = String))),
        (status = 409, description = "Its state does not allow this", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn skip_task(
    State(app): State<AppState>,
    call: Call,
    Path(task_id): Path<TaskId>,
    Json(body): Json<SkipTask>,
) -> Result<Response, Error> {
    let reason = body.read()?;
    finish(&app, &call, task_id, None, move |_| Command::Skip {
        reason: reason.clone(),
    })
    .await
}

/// Cancel a task
///
/// It will not be done. A cancelled occurrence is followed by the next, which is told.
#[utoipa::path(
    post, path = "/v1/tasks/{task_id}/cancel", tag = "tasks", operation_id = "cancel_task",
    params(("task_id" = Uuid, Path), ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    request_body = Option<Nothing>,
    responses(
        (status = 200, description = "Cancelled", body = FinishedTask, headers(("etag" = String))),
        (status = 409, description = "Its state does not allow this", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn cancel_task(
    State(app): State<AppState>,
    call: Call,
    Path(task_id): Path<TaskId>,
    Json(body): Json<Nothing>,
) -> Result<Response, Error> {
    body.read()?;
    finish(&app, &call, task_id, None, |_| Command::Cancel).await
}

/// Finishes a task, by default now, and tells what comes after it.
async fn finish(
    app: &AppState,
    call: &Call,
    task_id: TaskId,
    finished_at: Option<DateTime<Utc>>,
    command: impl Fn(DateTime<Utc>) -> Command + Send + 'static,
) -> Result<Response, Error> {
    let target = OnTask::of(call, task_id);
    execute(&app.ledger, call, &[target.stream()], move |unit| {
        let finished_at = finished_at.unwrap_or(unit.now());
        let task = target.decide(unit, command(finished_at))?;
        let next_occurrence = next(unit, &task, finished_at);
        let (version, task) = target.view(unit, task);
        let body = FinishedTask {
            task,
            next_occurrence,
        };
        answer(StatusCode::OK, version, &body)
    })
    .await
}

/// The occurrence that the generator asked for or will ask for: its id follows from series and slot.
fn next(unit: &mut Unit<'_>, task: &Task, finished_at: DateTime<Utc>) -> Option<NextOccurrence> {
    let series = unit.state::<SeriesStream>(task.leads_to()?)?;
    let finished = Finished {
        slot: task.slot.as_deref()?.parse().ok()?,
        index: occurrence::index_of(task),
        at: finished_at,
    };
    let version = unit.version::<TaskStream>(task.id);
    let is_again = task.revision(version) >= FINISHED_AGAIN;
    let find = |id: TaskId| unit.state::<TaskStream>(id);
    let following = if is_again {
        occurrence::following_again(&series, finished, find)?
    } else {
        occurrence::following(&series, finished, find)?
    };
    Some(NextOccurrence::from(&following))
}

impl From<&Following> for NextOccurrence {
    fn from(following: &Following) -> Self {
        Self {
            id: following.id,
            slot: following.slot.to_string(),
            due: TimeView::of(&following.due, following.home),
            pending: following.pending,
        }
    }
}

impl Nothing {
    pub(super) fn read(&self) -> Result<(), Error> {
        let mut reader = Reader::default();
        reader.unknown("", &self.unknown);
        reader.finish()
    }
}

impl CompleteTask {
    fn read(self) -> Result<Option<DateTime<Utc>>, Error> {
        let mut reader = Reader::default();
        reader.unknown("", &self.unknown);
        let text = reader.optional("/completed_at", self.completed_at);
        let expected = "an instant such as 2027-01-31T08:00:00Z";
        let at =
            text.and_then(|text| reader.parse("/completed_at", &text, time::instant, expected));
        reader.finish()?;
        Ok(at)
    }
}

impl SkipTask {
    fn read(self) -> Result<Option<String>, Error> {
        let mut reader = Reader::default();
        reader.unknown("", &self.unknown);
        let text = reader.optional("/reason", self.reason);
        let reason = text.and_then(|text| reader.check(fields::reason("/reason", &text)));
        reader.finish()?;
        Ok(reason)
    }
}
