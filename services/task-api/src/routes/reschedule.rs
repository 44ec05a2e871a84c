//! Moving one task to another time. Of an occurrence, rule and slot stay.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use event_schema::{TaskId, TimeValue};
use serde::{Deserialize, Serialize};
use service_kit::Problem;
use service_kit::command::execute;
use service_kit::extract::{Call, Json, Path};
use utoipa::ToSchema;

use super::command::{OnTask, answer};
use super::fields::{Field, Reader, Unknown};
use super::scope::Scope;
use super::task_view::TaskView;
use super::time_value::{Allowed, TimeInput};
use crate::app::AppState;
use crate::domain::Fault;
use crate::domain::task::Command;
use crate::error::Error;

/// Another time for one task.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
#[schema(example = json!({"due": {"local": "2027-02-01T18:00", "time_zone": "Europe/Berlin"}, "scope": "this"}))]
pub(super) struct RescheduleTask {
    /// When it should be done.
    #[serde(default)]
    #[schema(value_type = TimeInput, required = true)]
    due: Field<TimeInput>,
    /// How far it reaches: always `this` task alone. A PATCH of the task reaches further.
    #[serde(default)]
    #[schema(value_type = Option<RescheduleScope>)]
    scope: Field<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// How far a move reaches.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only described")]
enum RescheduleScope {
    This,
}

/// Reschedule a task
///
/// An occurrence keeps its slot, and its series keeps rule and times: the next one comes where it would
/// have come. Reminders that count from the due move with it; start and deadline stay.
#[utoipa::path(
    post, path = "/v1/tasks/{task_id}/reschedule", tag = "tasks", operation_id = "reschedule_task",
    params(("task_id" = Uuid, Path), ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    request_body = RescheduleTask,
    responses(
        (status = 200, description = "The task as it is now", body = TaskView, headers(("etag" = String))),
        (status = 409, description = "It is not open", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn reschedule_task(
    State(app): State<AppState>,
    call: Call,
    Path(task_id): Path<TaskId>,
    Json(body): Json<RescheduleTask>,
) -> Result<Response, Error> {
    let due = body.read()?;
    let target = OnTask::of(&call, task_id);
    execute(&app.ledger, &call, &[target.stream()], move |unit| {
        let task = target.decide(unit, Command::Reschedule { due: due.clone() })?;
        let (version, view) = target.view(unit, task);
        answer(StatusCode::OK, version, &view)
    })
    .await
}

impl RescheduleTask {
    fn read(self) -> Result<TimeValue, Error> {
        let mut reader = Reader::default();
        reader.unknown("", &self.unknown);
        if let Some(name) = reader.optional("/scope", self.scope) {
            check_scope(&mut reader, &name);
        }
        let due = read_due(&mut reader, self.due);
        reader.finish()?;
        // A due that is not there has left a fault behind.
        due.ok_or(Error::NotFound)
    }
}

/// The time that a task is moved to.
pub(super) fn read_due(reader: &mut Reader, field: Field<TimeInput>) -> Option<TimeValue> {
    let due = reader.required("/due", field)?;
    due.read(reader, "/due", Allowed::Civil)
}

fn check_scope(reader: &mut Reader, name: &str) {
    let expected = "this: it moves one task alone";
    let scope = |name: &str| Scope::try_from(name.to_owned()).ok();
    if let Some(Scope::Future | Scope::Series) = reader.parse("/scope", name, scope, expected) {
        let message = format!(
            "moves this task alone: for the later ones, send the due in a PATCH of the task with ?scope={name}"
        );
        reader.fault(Fault::new("/scope", "wrong_scope", message));
    }
}
