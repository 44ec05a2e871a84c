//! One task.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use event_schema::TaskId;
use service_kit::etag;
use service_kit::extract::{Call, Json, Path};

use crate::app::AppState;
use crate::domain::TaskStream;
use crate::error::Error;

/// Reads a task.
#[utoipa::path(get, path = "/v1/tasks/{task_id}", responses((status = 200)))]
pub(super) async fn get_task(
    State(app): State<AppState>,
    call: Call,
    headers: HeaderMap,
    Path(task_id): Path<TaskId>,
) -> Result<Response, Error> {
    let found = app.ledger.state::<TaskStream>(task_id.as_uuid()).await?;
    let task = found.filter(|found| found.state.owner_id.as_uuid() == call.caller.user_id);
    let task = task.ok_or(Error::NotFound)?;
    Ok(etag::conditional(&headers, task.version, || {
        Json(task.state)
    }))
}
