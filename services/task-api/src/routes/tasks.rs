//! Tasks: create, read, change, put in the trash.

pub(super) mod new_series;
pub(super) mod new_task;
pub(super) mod task_change;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use event_schema::{Task, TaskId, UserId};
use event_store::{Answer, StreamRef, Unit};
use service_kit::Problem;
use service_kit::command::execute;
use service_kit::etag;
use service_kit::extract::{Call, Json, MergePatch, Path, Query};

use super::command::{OnTask, answer};
use super::preferences;
use super::scope::{self, OccurrenceEdit, Scope, Scoped};
use super::task_view::TaskView;
use crate::app::AppState;
use crate::domain::task::{self, Command, Edit, check_place};
use crate::domain::{SeriesStream, TaskError, TaskStream, series};
use crate::error::Error;
use crate::store;
use new_task::{Creation, NewTask};
use task_change::TaskChange;

/// Create a task
///
/// With `recurrence` it starts a series and creates its first occurrence, both or neither.
#[utoipa::path(
    post, path = "/v1/tasks", tag = "tasks", operation_id = "create_task",
    request_body = NewTask,
    params(("idempotency-key" = Option<String>, Header, description = "The caller's name for this request")),
    responses(
        (status = 201, description = "Created", body = TaskView,
         headers(("etag" = String), ("location" = String))),
        (status = 409, description = "The id is taken: the one answer that tells of a task of somebody else, and nothing but that", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn create_task(
    State(app): State<AppState>,
    call: Call,
    Json(new): Json<NewTask>,
) -> Result<Response, Error> {
    let creation = new.read(UserId(call.caller.user_id), app.clock.as_ref())?;
    let mut streams = vec![StreamRef::of::<TaskStream>(creation.task.id)];
    streams.extend(
        creation
            .series
            .iter()
            .map(|s| StreamRef::of::<SeriesStream>(s.id)),
    );
    streams.extend(creation.task.parent_id.map(StreamRef::of::<TaskStream>));
    execute(&app.ledger, &call, &streams, move |unit| {
        create(unit, &creation)
    })
    .await
}

/// Read a task
#[utoipa::path(
    get, path = "/v1/tasks/{task_id}", tag = "tasks", operation_id = "get_task",
    params(("task_id" = uuid::Uuid, Path), ("if-none-match" = Option<String>, Header)),
    responses(
        (status = 200, description = "The task", body = TaskView, headers(("etag" = String))),
        (status = 304, description = "The caller has this version"),
        (status = 404, description = "There is no such task", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_task(
    State(app): State<AppState>,
    call: Call,
    Path(task_id): Path<TaskId>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let found = find(&app, &call, task_id).await?;
    let now = app.clock.now();
    let (revision, tellings) = (found.state.revision(found.version), found.state.tellings);
    Ok(etag::conditional_shown(
        &headers,
        revision,
        tellings,
        || Json(TaskView::of(found.state, found.version, now)),
    ))
}

/// Change a task
///
/// A merge patch: what is absent stays, null clears. Nothing changed is no new version. A request
/// without a body and without a `Content-Type` is the empty patch. Of an occurrence, `scope` says how
/// far it reaches: with `future`, and with `series` when the due or the rule changes, the series ends
/// and another one goes on, whose first occurrence is the answer.
#[utoipa::path(
    patch, path = "/v1/tasks/{task_id}", tag = "tasks", operation_id = "update_task",
    params(("task_id" = uuid::Uuid, Path), Scoped, ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    request_body(content(
        (TaskChange = "application/merge-patch+json"), (TaskChange = "application/json"))),
    responses(
        (status = 200, description = "The task as it is now", body = TaskView, headers(("etag" = String))),
        (status = 412, description = "It was changed in the meantime; `current` has it", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is in the trash, or an occurrence and the scope is missing", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn update_task(
    State(app): State<AppState>,
    call: Call,
    Path(task_id): Path<TaskId>,
    Query(Scoped { scope }): Query<Scoped>,
    MergePatch(change): MergePatch<TaskChange>,
) -> Result<Response, Error> {
    let (patch, series) = change.read(app.clock.as_ref(), scope)?;
    if let Some(scope @ (Scope::Future | Scope::Series)) = scope {
        let edit = OccurrenceEdit::of(patch, series)?;
        return scope::update(&app, &call, task_id, edit, scope).await;
    }
    let target = OnTask::of(&call, task_id);
    let height = match patch.parent_id {
        Edit::To(Some(_)) => store::tasks::height(app.ledger.rows("tasks")?, task_id).await?,
        Edit::To(None) | Edit::Keep => 1,
    };
    let streams = [target.stream()];
    execute(&app.ledger, &call, &streams, move |unit| {
        let found = target.find(unit)?;
        must_say_scope(&found, scope)?;
        match patch.parent_id {
            Edit::To(Some(parent)) if found.parent_id != Some(parent) => {
                place(unit, target.owner, task_id, height, parent)?;
            }
            Edit::To(_) | Edit::Keep => {}
        }
        let task = target.decide(unit, Command::Update(Box::new(patch.clone())))?;
        let (version, view) = target.view(unit, task);
        answer(StatusCode::OK, version, &view)
    })
    .await
}

/// Put a task in the trash
///
/// It may be there already. Of an occurrence, `scope` says how far it reaches: `this` one, and the
/// series goes on; this one and its `future`; or the whole `series`, as far as it is open.
#[utoipa::path(
    delete, path = "/v1/tasks/{task_id}", tag = "tasks", operation_id = "delete_task",
    params(("task_id" = uuid::Uuid, Path), Scoped, ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    responses(
        (status = 204, description = "It is in the trash"),
        (status = 409, description = "It is an occurrence, and the scope is missing", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn delete_task(
    State(app): State<AppState>,
    call: Call,
    Path(task_id): Path<TaskId>,
    Query(Scoped { scope }): Query<Scoped>,
) -> Result<Response, Error> {
    if let Some(Scope::Future | Scope::Series) = scope {
        return scope::delete(&app, &call, task_id, scope == Some(Scope::Series)).await;
    }
    let target = OnTask::of(&call, task_id);
    execute(&app.ledger, &call, &[target.stream()], move |unit| {
        must_say_scope(&target.find(unit)?, scope)?;
        target.decide(unit, Command::Trash)?;
        Ok(Answer {
            status: StatusCode::NO_CONTENT.as_u16(),
            ..Answer::default()
        })
    })
    .await
}

/// The caller's task, read outside of the lane.
pub(super) async fn find(
    app: &AppState,
    call: &Call,
    task_id: TaskId,
) -> Result<event_store::Recorded<Task>, Error> {
    let found = app.ledger.state::<TaskStream>(task_id).await?;
    let owner = UserId(call.caller.user_id);
    found
        .filter(|found| found.state.owner_id == owner)
        .ok_or(Error::NotFound)
}

/// A command on an occurrence says how far it reaches: nobody changes a series by mistake.
fn must_say_scope(task: &Task, scope: Option<Scope>) -> Result<(), Error> {
    match (task.series_id, scope) {
        (Some(_), None) => Err(Error::ScopeRequired(task.id)),
        _ => Ok(()),
    }
}

fn create(unit: &mut Unit<'_>, creation: &Creation) -> Result<Answer, Error> {
    let task = append(unit, creation)?.task;
    let version = unit.version::<TaskStream>(task.id);
    let location = format!("/v1/tasks/{}", task.id);
    let view = TaskView::of(task, version, unit.now());
    let mut answer = answer(StatusCode::CREATED, version, &view)?;
    answer.location = Some(location);
    Ok(answer)
}

/// Appends what begins a task, and its series if it has one.
pub(super) fn append(unit: &mut Unit<'_>, creation: &Creation) -> Result<Creation, Error> {
    let mut creation = creation.at(unit.now());
    if creation.task.floats() {
        creation.read_in(preferences::home_zone(unit, creation.task.owner_id));
    }
    if let Some(series) = creation.series.clone() {
        let id = series.id;
        let state = unit.state::<SeriesStream>(id);
        let start = series::Command::Start(Box::new(series));
        for event in series::decide(state.as_ref(), start, unit.now())? {
            unit.append::<SeriesStream>(id, &event);
        }
    }
    let task = &creation.task;
    let state = unit.state::<TaskStream>(task.id);
    if let (Some(parent), None) = (task.parent_id, &state) {
        place(unit, task.owner_id, task.id, 1, parent)?;
    }
    let command = Command::Create(Box::new(task.clone()));
    for event in task::decide(state.as_ref(), command, unit.now())? {
        unit.append::<TaskStream>(task.id, &event);
    }
    Ok(creation)
}

fn place(
    unit: &mut Unit<'_>,
    owner: UserId,
    task: TaskId,
    height: usize,
    parent: TaskId,
) -> Result<(), Error> {
    check_place(owner, task, height, parent, |id| {
        unit.state::<TaskStream>(id)
    })
    .map_err(|fault| Error::Task(TaskError::Invalid(vec![fault])))
}
