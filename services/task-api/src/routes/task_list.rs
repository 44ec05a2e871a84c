//! Lists of tasks.

use axum::extract::State;
use chrono_tz::Tz;
use event_schema::{Status, TaskId, UserId};
use serde::Deserialize;
use service_kit::extract::{Call, Json, Query};
use service_kit::page::{Cursor, Limit, Page};
use service_kit::{ErrorKind, Problem};

use super::bound::Bound;
use super::preferences;
use super::task_view::TaskView;
use crate::app::AppState;
use crate::error::Error;
use crate::store::tasks::{self, Filter, Found, Place, Sort};

/// Which tasks, in which order.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListTasks {
    /// `open`, `completed`, `cancelled`, `skipped` or `trashed`. Without it, all but the trashed.
    #[param(value_type = Option<String>)]
    status: Option<ListedStatus>,
    /// Due on or after this date (`2027-01-31`, in the zone of your preferences) or instant.
    #[param(value_type = Option<String>)]
    due_from: Option<Bound>,
    /// Due on or before this date or instant.
    #[param(value_type = Option<String>)]
    due_to: Option<Bound>,
    /// Has this label.
    label: Option<String>,
    /// Is directly below this task.
    #[param(value_type = Option<uuid::Uuid>)]
    parent_id: Option<TaskId>,
    /// `due`, `-due`, `created_at` (when absent) or `-created_at`. Without a due is last.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    sort: Sort,
    /// How many items at most.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// Where the previous page ended: its `next_cursor`.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
enum ListedStatus {
    Open,
    Completed,
    Cancelled,
    Skipped,
    Trashed,
}

impl TryFrom<String> for ListedStatus {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "open" => Ok(Self::Open),
            "completed" => Ok(Self::Completed),
            "cancelled" => Ok(Self::Cancelled),
            "skipped" => Ok(Self::Skipped),
            "trashed" => Ok(Self::Trashed),
            _ => Err("must be open, completed, cancelled, skipped or trashed"),
        }
    }
}

/// List tasks
#[utoipa::path(
    get, path = "/v1/tasks", tag = "tasks", operation_id = "list_tasks",
    params(ListTasks),
    responses(
        (status = 200, description = "A page", body = Page<TaskView>),
    )
)]
pub(super) async fn list_tasks(
    State(app): State<AppState>,
    call: Call,
    Query(query): Query<ListTasks>,
) -> Result<Json<Page<TaskView>>, Error> {
    let limit = query.limit;
    let home = preferences::home_for(&app, &call, [query.due_from, query.due_to]).await?;
    let filter = query.into_filter(UserId(call.caller.user_id), home)?;
    let found = tasks::list(app.ledger.rows("tasks")?, &filter).await?;
    let now = app.clock.now();
    let page = Page::of(found, limit, |found: &Found| found.place.clone());
    Ok(Json(
        page.map(|found| TaskView::of(found.task, found.version, now)),
    ))
}

impl ListTasks {
    fn into_filter(self, owner: UserId, home: Tz) -> Result<Filter, Error> {
        let status = match self.status {
            Some(ListedStatus::Open) => Some(Status::Open),
            Some(ListedStatus::Completed) => Some(Status::Completed),
            Some(ListedStatus::Cancelled) => Some(Status::Cancelled),
            Some(ListedStatus::Skipped) => Some(Status::Skipped),
            Some(ListedStatus::Trashed) | None => None,
        };
        let after: Option<Place> = self.cursor.map(|cursor| cursor.place()).transpose()?;
        if after.as_ref().is_some_and(|place| place.sort != self.sort) {
            let problem = Problem::new(ErrorKind::Malformed, "cursor-invalid")
                .detail("the cursor belongs to a list of another order");
            return Err(problem.into());
        }
        Ok(Filter {
            owner,
            trashed: self.status == Some(ListedStatus::Trashed),
            status,
            parent: self.parent_id,
            label: self.label,
            due_from: self.due_from.map(|bound| bound.first(home)),
            due_before: self.due_to.map(|bound| bound.after(home)),
            after,
            sort: self.sort,
            limit: self.limit.get() + 1,
        })
    }
}
