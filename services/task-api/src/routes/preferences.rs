//! What a user prefers.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use event_schema::{Preferences, UserId};
use event_store::{StreamRef, Unit};
use serde::{Deserialize, Serialize};
use service_kit::Problem;
use service_kit::command::execute;
use service_kit::etag;
use service_kit::extract::{Call, Json, MergePatch};
use utoipa::ToSchema;

use super::bound::Bound;
use super::command::answer;
use super::fields::{Field, Reader, Unknown};
use crate::app::AppState;
use crate::domain::preferences::{Command, decide};
use crate::domain::task::Edit;
use crate::domain::{PreferencesStream, time};
use crate::error::Error;

/// What a user prefers.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Preferences)]
struct PreferencesView {
    /// Counts its changes; the `ETag`. 0 before the first.
    version: u64,
    /// The IANA zone in which dates, floating times and presets are read; null is UTC.
    #[schema(example = "Europe/Berlin")]
    time_zone: Option<String>,
    /// When it last changed.
    updated_at: Option<DateTime<Utc>>,
}

/// A merge patch (RFC 7396) of preferences: what is absent stays, null clears.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
#[schema(as = PreferencesPatch, example = json!({"time_zone": "Europe/Berlin"}))]
pub(super) struct PreferencesChange {
    /// An IANA zone.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    time_zone: Field<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// Read your preferences
#[utoipa::path(
    get, path = "/v1/me/preferences", tag = "preferences", operation_id = "get_preferences",
    params(("if-none-match" = Option<String>, Header)),
    responses(
        (status = 200, description = "Your preferences", body = PreferencesView, headers(("etag" = String))),
        (status = 304, description = "The caller has this version"),
    )
)]
pub(super) async fn get_preferences(
    State(app): State<AppState>,
    call: Call,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let found = app
        .ledger
        .state::<PreferencesStream>(user_of(&call))
        .await?;
    let view = PreferencesView::of(found.map(|found| found.state));
    Ok(etag::conditional(&headers, view.version, || Json(view)))
}

/// Change your preferences
///
/// A merge patch. In another zone, what is open is read anew within moments: whether it is overdue, when
/// its reminders fire, which slot is next. Times in a zone of their own stay.
#[utoipa::path(
    patch, path = "/v1/me/preferences", tag = "preferences", operation_id = "update_preferences",
    params(("if-match" = Option<String>, Header), ("idempotency-key" = Option<String>, Header)),
    request_body(content(
        (PreferencesChange = "application/merge-patch+json"), (PreferencesChange = "application/json"))),
    responses(
        (status = 200, description = "Your preferences as they are now", body = PreferencesView, headers(("etag" = String))),
        (status = 409, description = "A request with this key is under way", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "They were changed in the meantime; `current` has them", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn update_preferences(
    State(app): State<AppState>,
    call: Call,
    MergePatch(change): MergePatch<PreferencesChange>,
) -> Result<Response, Error> {
    let time_zone = change.read()?;
    let (user, if_match) = (user_of(&call), call.if_match);
    let streams = [stream(user)];
    let answered = execute(&app.ledger, &call, &streams, move |unit| {
        let state = unit.state::<PreferencesStream>(user);
        let view = PreferencesView::of(state.clone());
        if if_match.is_some_and(|wanted| wanted != view.version) {
            return Err(Error::version_conflict(view.version, &view));
        }
        let time_zone = time_zone.clone();
        for event in decide(
            user,
            state.as_ref(),
            Command::Change { time_zone },
            unit.now(),
        ) {
            unit.append::<PreferencesStream>(user, &event);
        }
        let view = PreferencesView::of(unit.state::<PreferencesStream>(user));
        answer(StatusCode::OK, view.version, &view)
    })
    .await?;
    app.moved.notify_one();
    Ok(answered)
}

/// Where the caller is.
pub(super) async fn home(app: &AppState, call: &Call) -> Result<Tz, Error> {
    let found = app.ledger.state::<PreferencesStream>(user_of(call)).await?;
    let zone = found.and_then(|found| found.state.time_zone);
    Ok(time::home(zone.as_deref()))
}

/// Where the caller is, if that matters for one of these.
pub(super) async fn home_for(
    app: &AppState,
    call: &Call,
    bounds: [Option<Bound>; 2],
) -> Result<Tz, Error> {
    let mut bounds = bounds.iter().flatten();
    if bounds.any(|bound| matches!(bound, Bound::Date(_))) {
        home(app, call).await
    } else {
        Ok(Tz::UTC)
    }
}

/// The stream of a user's preferences.
fn stream(user: UserId) -> StreamRef {
    StreamRef::of::<PreferencesStream>(user)
}

/// The zone in which a user is, as the command finds it. Commands on tasks do not announce the stream:
/// those that announce the same one are decided one batch after the other, and a user's commands would
/// all wait for each other because of what none of them changes.
pub(super) fn home_zone(unit: &mut Unit<'_>, user: UserId) -> Option<String> {
    unit.state::<PreferencesStream>(user)?.time_zone
}

fn user_of(call: &Call) -> UserId {
    UserId(call.caller.user_id)
}

impl PreferencesView {
    fn of(state: Option<Preferences>) -> Self {
        Self {
            version: state.as_ref().map_or(0, |state| state.changes),
            updated_at: state.as_ref().map(|state| state.updated_at),
            time_zone: state.and_then(|state| state.time_zone),
        }
    }
}

impl PreferencesChange {
    fn read(self) -> Result<Edit<Option<String>>, Error> {
        let mut reader = Reader::default();
        reader.unknown("", &self.unknown);
        let zone = match reader.edit("/time_zone", self.time_zone) {
            Edit::Keep => Edit::Keep,
            Edit::To(None) => Edit::To(None),
            Edit::To(Some(name)) => {
                let is_zone = |name: &str| name.parse::<Tz>().is_ok().then(|| name.to_owned());
                let expected = "an IANA time zone such as Europe/Berlin";
                Edit::To(reader.parse("/time_zone", &name, is_zone, expected))
            }
        };
        reader.finish()?;
        Ok(zone)
    }
}
