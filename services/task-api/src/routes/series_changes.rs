//! What happens to a series as a whole: create, change, pause, resume, end, delete.

mod go_on;
mod series_change;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use event_schema::{SeriesId, UserId};
use event_store::{Answer, StreamRef, Unit};
use service_kit::Problem;
use service_kit::command::execute;
use service_kit::extract::{Call, Json, MergePatch, Path};

use super::command::{OnSeries, answer};
use super::series_view::SeriesView;
use super::tasks::append;
use super::tasks::new_series::NewSeries;
use super::transitions::Nothing;
use crate::app::AppState;
use crate::domain::series::Command;
use crate::domain::{SeriesStream, TaskStream, occurrence, task};
use crate::error::Error;
use series_change::{SeriesChange, Wanted};

/// Create a series
///
/// With its first occurrence, both or neither. The same as creating a task with a `recurrence`.
#[utoipa::path(
    post, path = "/v1/series", tag = "series", operation_id = "create_series",
    request_body = NewSeries,
    params(("idempotency-key" = Option<String>, Header)),
    responses(
        (status = 201, description = "Created", body = SeriesView,
         headers(("etag" = String), ("location" = String))),
        (status = 409, description = "A request with this key is under way", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn create_series(
    State(app): State<AppState>,
    call: Call,
    Json(new): Json<NewSeries>,
) -> Result<Response, Error> {
    let creation = new.read(UserId(call.caller.user_id), app.clock.as_ref())?;
    let series = creation.series.as_ref().map(|series| series.id);
    let mut streams = vec![StreamRef::of::<TaskStream>(creation.task.id)];
    streams.extend(series.map(StreamRef::of::<SeriesStream>));
    execute(&app.ledger, &call, &streams, move |unit| {
        let creation = append(unit, &creation)?;
        let series = creation.series.ok_or(Error::NoSeries)?;
        let location = format!("/v1/series/{}", series.id);
        let version = unit.version::<SeriesStream>(series.id);
        let first = creation
            .task
            .slot
            .as_deref()
            .and_then(|slot| slot.parse().ok());
        let view = SeriesView::of(series, version, first, unit.now());
        let mut answer = answer(StatusCode::CREATED, version, &view)?;
        answer.location = Some(location);
        Ok(answer)
    })
    .await
}

/// Change a series
///
/// A merge patch: what is absent stays, null clears. Open occurrences follow in every field that their
/// owner has not changed; those that are finished stay as they are. With another rule or start, or from a
/// day on, the series ends and another one goes on, which is the answer; `Location` is where it is. It
/// begins when what is open and stays is finished, which is `begins_after`, or at once; a paused one
/// stays paused.
#[utoipa::path(
    patch, path = "/v1/series/{series_id}", tag = "series", operation_id = "update_series",
    params(("series_id" = uuid::Uuid, Path), ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    request_body(content(
        (SeriesChange = "application/merge-patch+json"), (SeriesChange = "application/json"))),
    responses(
        (status = 200, description = "The series as it is now", body = SeriesView,
         headers(("etag" = String), ("location" = String))),
        (status = 409, description = "It has ended", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "It was changed in the meantime; `current` has it", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn update_series(
    State(app): State<AppState>,
    call: Call,
    Path(series_id): Path<SeriesId>,
    MergePatch(change): MergePatch<SeriesChange>,
) -> Result<Response, Error> {
    let series = super::series::find(&app, &call, series_id).await?.state;
    let patch = match change.read(app.clock.as_ref(), &series)? {
        Wanted::Stays(patch) => patch,
        Wanted::GoesOn(wanted) => return go_on::go_on(&app, &call, series_id, *wanted).await,
    };
    let target = OnSeries::of(&app, &call, series_id).await?;
    execute(&app.ledger, &call, &target.streams(), move |unit| {
        let before = target.find(unit)?;
        let after = target.decide(unit, Command::Change(patch.clone()))?;
        for task in target.open_tasks(unit, &after) {
            if let Some(patch) = occurrence::follow_template(&task, &before, &after) {
                command(unit, &task, task::Command::Update(Box::new(patch)))?;
            }
        }
        target.answer(unit)
    })
    .await
}

/// Pause a series
///
/// It makes no occurrence until it is resumed. One that is open stays open.
#[utoipa::path(
    post, path = "/v1/series/{series_id}/pause", tag = "series", operation_id = "pause_series",
    params(("series_id" = uuid::Uuid, Path), ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    request_body = Option<Nothing>,
    responses(
        (status = 200, description = "Paused", body = SeriesView, headers(("etag" = String))),
        (status = 409, description = "It is not active", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn pause_series(
    State(app): State<AppState>,
    call: Call,
    Path(series_id): Path<SeriesId>,
    Json(body): Json<Nothing>,
) -> Result<Response, Error> {
    change(&app, &call, series_id, &body, Command::Pause).await
}

/// Resume a series
///
/// What was finished while it was paused is followed by the first slot after both that and now.
#[utoipa::path(
    post, path = "/v1/series/{series_id}/resume", tag = "series", operation_id = "resume_series",
    params(("series_id" = uuid::Uuid, Path), ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    request_body = Option<Nothing>,
    responses(
        (status = 200, description = "Active again", body = SeriesView, headers(("etag" = String))),
        (status = 409, description = "It is not paused", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn resume_series(
    State(app): State<AppState>,
    call: Call,
    Path(series_id): Path<SeriesId>,
    Json(body): Json<Nothing>,
) -> Result<Response, Error> {
    change(&app, &call, series_id, &body, Command::Resume).await
}

/// End a series
///
/// It makes no further occurrence, ever. One that is open stays open.
#[utoipa::path(
    post, path = "/v1/series/{series_id}/end", tag = "series", operation_id = "end_series",
    params(("series_id" = uuid::Uuid, Path), ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    request_body = Option<Nothing>,
    responses((status = 200, description = "Ended, now or before", body = SeriesView, headers(("etag" = String))))
)]
pub(super) async fn end_series(
    State(app): State<AppState>,
    call: Call,
    Path(series_id): Path<SeriesId>,
    Json(body): Json<Nothing>,
) -> Result<Response, Error> {
    change(&app, &call, series_id, &body, Command::End { next: None }).await
}

/// Delete a series
///
/// It ends, and its open occurrences go to the trash. What was finished stays.
#[utoipa::path(
    delete, path = "/v1/series/{series_id}", tag = "series", operation_id = "delete_series",
    params(("series_id" = uuid::Uuid, Path), ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    responses((status = 204, description = "It has ended, and nothing of it is open"))
)]
pub(super) async fn delete_series(
    State(app): State<AppState>,
    call: Call,
    Path(series_id): Path<SeriesId>,
) -> Result<Response, Error> {
    let target = OnSeries::of(&app, &call, series_id).await?;
    execute(&app.ledger, &call, &target.streams(), move |unit| {
        let series = target.decide(unit, Command::End { next: None })?;
        for task in target.open_tasks(unit, &series) {
            command(unit, &task, task::Command::Trash)?;
        }
        Ok(Answer {
            status: StatusCode::NO_CONTENT.as_u16(),
            ..Answer::default()
        })
    })
    .await
}

async fn change(
    app: &AppState,
    call: &Call,
    series_id: SeriesId,
    body: &Nothing,
    command: Command,
) -> Result<Response, Error> {
    body.read()?;
    let target = OnSeries::of(app, call, series_id).await?;
    execute(&app.ledger, call, &target.streams(), move |unit| {
        target.decide(unit, command.clone())?;
        target.answer(unit)
    })
    .await
}

/// Decides a command on one of the series' tasks.
fn command(
    unit: &mut Unit<'_>,
    task: &event_schema::Task,
    command: task::Command,
) -> Result<(), Error> {
    for event in task::decide(Some(task), command, unit.now())? {
        unit.append::<TaskStream>(task.id, &event);
    }
    Ok(())
}
