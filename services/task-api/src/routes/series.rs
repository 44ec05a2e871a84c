//! Series: list them, read one.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use event_schema::{Series, SeriesId, SeriesStatus, UserId};
use event_store::Recorded;
use serde::Deserialize;
use service_kit::Problem;
use service_kit::etag;
use service_kit::extract::{Call, Json, Path, Query};
use service_kit::page::{Cursor, Limit, Page};

use super::series_view::SeriesView;
use crate::app::AppState;
use crate::domain::SeriesStream;
use crate::error::Error;
use crate::store::series::{Filter, Place, list};
use crate::store::tasks::newest_slot;

/// Which series.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListSeries {
    /// `active`, `paused` or `ended`; all when absent.
    #[param(value_type = Option<String>)]
    state: Option<ListedState>,
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
struct ListedState(SeriesStatus);

impl TryFrom<String> for ListedState {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "active" => Ok(Self(SeriesStatus::Active)),
            "paused" => Ok(Self(SeriesStatus::Paused)),
            "ended" => Ok(Self(SeriesStatus::Ended)),
            _ => Err("must be active, paused or ended"),
        }
    }
}

/// List series
///
/// The oldest first.
#[utoipa::path(
    get, path = "/v1/series", tag = "series", operation_id = "list_series",
    params(ListSeries),
    responses((status = 200, description = "A page", body = Page<SeriesView>))
)]
pub(super) async fn list_series(
    State(app): State<AppState>,
    call: Call,
    Query(query): Query<ListSeries>,
) -> Result<Json<Page<SeriesView>>, Error> {
    let after: Option<Place> = query.cursor.map(|cursor| cursor.place()).transpose()?;
    let filter = Filter {
        owner: UserId(call.caller.user_id),
        status: query.state.map(|state| state.0),
        after,
        limit: query.limit.get() + 1,
    };
    let found = list(app.ledger.rows("series")?, &filter).await?;
    let page = Page::of(found, query.limit, |(series, _)| Place::of(&series.state));
    let now = app.clock.now();
    Ok(Json(page.map(|(found, newest)| {
        SeriesView::of(found.state, found.version, newest, now)
    })))
}

/// Read a series
#[utoipa::path(
    get, path = "/v1/series/{series_id}", tag = "series", operation_id = "get_series",
    params(("series_id" = uuid::Uuid, Path), ("if-none-match" = Option<String>, Header)),
    responses(
        (status = 200, description = "The series", body = SeriesView, headers(("etag" = String))),
        (status = 304, description = "The caller has this version"),
        (status = 404, description = "There is no such series", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_series(
    State(app): State<AppState>,
    call: Call,
    Path(series_id): Path<SeriesId>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let found = find(&app, &call, series_id).await?;
    let newest = newest_slot(app.ledger.rows("tasks")?, series_id).await?;
    let now = app.clock.now();
    Ok(etag::conditional(&headers, found.version, || {
        Json(SeriesView::of(found.state, found.version, newest, now))
    }))
}

/// The caller's series, read outside of the lane.
pub(super) async fn find(
    app: &AppState,
    call: &Call,
    series_id: SeriesId,
) -> Result<Recorded<Series>, Error> {
    let found = app.ledger.state::<SeriesStream>(series_id).await?;
    let owner = UserId(call.caller.user_id);
    found
        .filter(|found| found.state.owner_id == owner)
        .ok_or(Error::NoSeries)
}
