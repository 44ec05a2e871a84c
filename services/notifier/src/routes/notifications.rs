//! The inbox: what a user was told.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Utc};
use event_schema::{
    MissedReminder, MissedSummary, Notification, NotificationId, NotificationKind, UserId,
};
use event_store::{Answer, Recorded, StreamRef, Unit};
use serde::{Deserialize, Serialize};
use service_kit::command::execute;
use service_kit::etag;
use service_kit::extract::{Call, Json, Path, Query};
use service_kit::page::{Cursor, Limit, Page};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::AppState;
use crate::domain::NotificationStream;
use crate::domain::notification::{Command, NotificationError, decide};
use crate::error::Error;
use crate::store::notifications::{self, Counts, Filter, Place};

/// A notification as callers see it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct NotificationView {
    id: Uuid,
    /// As in `ETag`.
    version: u64,
    /// `reminder.fired`, `reminder.missed` or `series.ended`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: NotificationKind,
    title: String,
    body: String,
    task_id: Option<Uuid>,
    series_id: Option<Uuid>,
    /// The time it is about, such as a reminder's.
    scheduled_for: Option<DateTime<Utc>>,
    /// What it sums up, when it is about reminders that were missed.
    missed: Option<MissedView>,
    created_at: DateTime<Utc>,
    /// Null while it is unread.
    read_at: Option<DateTime<Utc>>,
}

/// Reminders that were missed while nobody could tell.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct MissedView {
    /// How many.
    count: u32,
    /// A few of them, the earliest first.
    first: Vec<MissedReminderView>,
}

/// A reminder that was missed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct MissedReminderView {
    reminder_id: Uuid,
    task_id: Uuid,
    /// The title of the task.
    title: String,
    /// Its time.
    scheduled_for: DateTime<Utc>,
}

impl From<MissedSummary> for MissedView {
    fn from(missed: MissedSummary) -> Self {
        let first = missed.first.into_iter();
        Self {
            count: missed.count,
            first: first.map(MissedReminderView::from).collect(),
        }
    }
}

impl From<MissedReminder> for MissedReminderView {
    fn from(missed: MissedReminder) -> Self {
        Self {
            reminder_id: missed.reminder_id.as_uuid(),
            task_id: missed.task_id.as_uuid(),
            title: missed.title,
            scheduled_for: missed.scheduled_for,
        }
    }
}

impl NotificationView {
    pub(super) fn new(version: u64, notification: Notification) -> Self {
        Self {
            id: notification.id.as_uuid(),
            version,
            kind: notification.kind,
            title: notification.title,
            body: notification.body,
            task_id: notification.task_id.map(Uuid::from),
            series_id: notification.series_id.map(Uuid::from),
            scheduled_for: notification.scheduled_for,
            missed: notification.missed.map(MissedView::from),
            created_at: notification.created_at,
            read_at: notification.read_at,
        }
    }

    /// The view as the answers to commands are stored.
    pub(super) fn json(&self) -> String {
        // Strings, ids and times always have a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl From<Recorded<Notification>> for NotificationView {
    fn from(recorded: Recorded<Notification>) -> Self {
        Self::new(recorded.version, recorded.state)
    }
}

/// Which notifications, and how many.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// Only those that are unread.
    #[serde(default)]
    unread: bool,
    /// Only those of one type, such as `reminder.fired`.
    #[serde(rename = "type")]
    #[param(value_type = Option<String>)]
    kind: Option<NotificationKind>,
    /// How many items at most.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// Where the previous page ended: its `next_cursor`.
    cursor: Option<Cursor>,
}

/// Lists the caller's notifications, newest first.
#[utoipa::path(get, path = "/v1/notifications", tag = "notifications", params(ListQuery),
    responses((status = 200, description = "A page of the inbox", body = Page<NotificationView>)))]
pub(super) async fn list_notifications(
    State(app): State<AppState>,
    call: Call,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<NotificationView>>, Error> {
    let after = query.cursor.as_ref().map(Cursor::place).transpose()?;
    let filter = Filter {
        unread: query.unread,
        kind: query.kind,
    };
    let mut tx = app.ledger.rows("notifications")?.read().await?;
    let limit = u32::from(query.limit.get()) + 1;
    let found = notifications::list(&mut tx, call.caller.user_id, filter, after, limit).await?;
    let page = Page::of(found, query.limit, |found| Place::of(&found.state));
    Ok(Json(page.map(NotificationView::from)))
}

/// Counts the caller's notifications.
#[utoipa::path(get, path = "/v1/notifications/count", tag = "notifications",
    responses((status = 200, description = "How many there are", body = Counts)))]
pub(super) async fn count_notifications(
    State(app): State<AppState>,
    call: Call,
) -> Result<Json<Counts>, Error> {
    let mut tx = app.ledger.rows("notifications")?.read().await?;
    let counts = notifications::count(&mut tx, call.caller.user_id).await?;
    Ok(Json(counts))
}

/// Reads a notification.
#[utoipa::path(get, path = "/v1/notifications/{notification_id}", tag = "notifications",
    params(("notification_id" = Uuid, Path), ("If-None-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "The notification", body = NotificationView,
         headers(("ETag" = String))),
        (status = 304, description = "The caller has this version"),
    ))]
pub(super) async fn get_notification(
    State(app): State<AppState>,
    call: Call,
    headers: HeaderMap,
    Path(notification_id): Path<NotificationId>,
) -> Result<Response, Error> {
    let found = app
        .ledger
        .state::<NotificationStream>(notification_id)
        .await?;
    let found = found.filter(|found| {
        let notification = &found.state;
        notification.user_id.as_uuid() == call.caller.user_id && notification.withdrawn_at.is_none()
    });
    let found = found.ok_or(NotificationError::Unknown)?;
    Ok(etag::conditional(&headers, found.version, || {
        Json(NotificationView::from(found))
    }))
}

/// Marks a notification as read. Again changes nothing.
#[utoipa::path(post, path = "/v1/notifications/{notification_id}/read", tag = "notifications",
    params(("notification_id" = Uuid, Path), ("If-Match" = Option<String>, Header),
           ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, description = "The notification, read", body = NotificationView,
               headers(("ETag" = String)))))]
pub(super) async fn read_notification(
    State(app): State<AppState>,
    call: Call,
    Path(notification_id): Path<NotificationId>,
) -> Result<Response, Error> {
    let stream = StreamRef::of::<NotificationStream>(notification_id);
    let (by, if_match) = (UserId(call.caller.user_id), call.if_match);
    execute(&app.ledger, &call, &[stream], move |unit| {
        read(unit, notification_id, by, if_match)
    })
    .await
}

fn read(
    unit: &mut Unit<'_>,
    id: NotificationId,
    by: UserId,
    if_match: Option<u64>,
) -> Result<Answer, Error> {
    let state = unit.state::<NotificationStream>(id);
    let events = decide(state.as_ref(), Command::Read { by }, unit.now())?;
    let version = unit.version::<NotificationStream>(id);
    if let Some(current) = state.filter(|_| if_match.is_some_and(|wanted| wanted != version)) {
        let current = NotificationView::new(version, current).json();
        return Err(Error::VersionConflict { current });
    }
    for event in &events {
        unit.append::<NotificationStream>(id, event);
    }
    let notification = unit.state::<NotificationStream>(id);
    let notification = notification.ok_or(NotificationError::Unknown)?;
    let version = unit.version::<NotificationStream>(id);
    Ok(Answer {
        status: 200,
        etag: Some(version),
        location: None,
        body: NotificationView::new(version, notification).json(),
    })
}
