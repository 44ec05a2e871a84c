//! What a user says to a reminder: snooze, dismiss, acknowledge.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use event_schema::{Reminder, ReminderId, Reply, Task};
use serde::Deserialize;
use service_kit::Problem;
use service_kit::command::execute;
use service_kit::extract::{Call, Json, Path};
use utoipa::ToSchema;

use super::fields::{Field, Reader, Unknown};
use super::preferences;
use super::reminder_view::ReminderResource;
use super::reminders::OnReminder;
use super::transitions::Nothing;
use crate::app::AppState;
use crate::domain::fields::MAX_SNOOZE_DAYS;
use crate::domain::snooze::{Preset, zone_of};
use crate::domain::task::Command;
use crate::domain::{Fault, duration, time};
use crate::error::Error;

/// Until when a reminder is snoozed: one of `until`, `for` and `preset`.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
#[schema(example = json!({"for": "PT1H"}))]
pub(super) struct SnoozeReminder {
    /// A time to come, at most 366 days from now.
    #[serde(default)]
    #[schema(value_type = Option<DateTime<Utc>>)]
    until: Field<String>,
    /// How long from now: ISO 8601.
    #[serde(default, rename = "for")]
    #[schema(value_type = Option<String>, example = "PT1H")]
    duration: Field<String>,
    /// `later_today` (in three hours), `this_evening` (18:00), `tomorrow_morning`, `this_weekend` (next
    /// Saturday) or `next_week` (next Monday), at 09:00 each.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    preset: Field<String>,
    /// The zone of a preset: an IANA name. When absent, that of the reminder or its task, or of
    /// your preferences.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "Europe/Berlin")]
    time_zone: Field<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// Until when, as it was said.
#[derive(Clone, Copy, Debug)]
enum Until {
    At(DateTime<Utc>),
    After(TimeDelta),
    Preset(Preset, Option<Tz>),
}

/// Snooze a reminder
///
/// It is told then instead, with all its nags. The due stays. When the due changes, or the task is closed
/// or trashed, the snooze ends.
#[utoipa::path(
    post, path = "/v1/reminders/{reminder_id}/snooze", tag = "reminders", operation_id = "snooze_reminder",
    params(("reminder_id" = Uuid, Path), ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    request_body = SnoozeReminder,
    responses(
        (status = 200, description = "Snoozed", body = ReminderResource, headers(("etag" = String))),
        (status = 409, description = "Its state does not allow this", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn snooze_reminder(
    State(app): State<AppState>,
    call: Call,
    Path(reminder_id): Path<ReminderId>,
    Json(body): Json<SnoozeReminder>,
) -> Result<Response, Error> {
    let until = body.read()?;
    let home = preferences::home(&app, &call).await?;
    reply(&app, &call, reminder_id, move |task, reminder, now| {
        let until = until.resolve(task, reminder, home, now)?;
        Ok(Reply::Snoozed { until })
    })
    .await
}

/// Dismiss a reminder
///
/// It is not told, or not told again, for the time it has now.
#[utoipa::path(
    post, path = "/v1/reminders/{reminder_id}/dismiss", tag = "reminders", operation_id = "dismiss_reminder",
    params(("reminder_id" = Uuid, Path), ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    request_body = Option<Nothing>,
    responses(
        (status = 200, description = "Dismissed", body = ReminderResource, headers(("etag" = String))),
        (status = 409, description = "It has no time that could be dismissed", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn dismiss_reminder(
    State(app): State<AppState>,
    call: Call,
    Path(reminder_id): Path<ReminderId>,
    Json(body): Json<Nothing>,
) -> Result<Response, Error> {
    body.read()?;
    reply(&app, &call, reminder_id, |_, _, _| Ok(Reply::Dismissed)).await
}

/// Acknowledge a reminder
///
/// What was told is known: it does not nag any more.
#[utoipa::path(
    post, path = "/v1/reminders/{reminder_id}/acknowledge", tag = "reminders", operation_id = "acknowledge_reminder",
    params(("reminder_id" = Uuid, Path), ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    request_body = Option<Nothing>,
    responses(
        (status = 200, description = "Acknowledged", body = ReminderResource, headers(("etag" = String))),
        (status = 409, description = "It has not fired yet", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn acknowledge_reminder(
    State(app): State<AppState>,
    call: Call,
    Path(reminder_id): Path<ReminderId>,
    Json(body): Json<Nothing>,
) -> Result<Response, Error> {
    body.read()?;
    reply(&app, &call, reminder_id, |_, _, _| Ok(Reply::Acknowledged)).await
}

async fn reply(
    app: &AppState,
    call: &Call,
    reminder_id: ReminderId,
    reply: impl Fn(&Task, &Reminder, DateTime<Utc>) -> Result<Reply, Error> + Send + 'static,
) -> Result<Response, Error> {
    let target = OnReminder::of(app, call, reminder_id).await?;
    execute(&app.ledger, call, &target.streams(), move |unit| {
        let (on_task, task, reminder) = target.find(unit)?;
        let reply = reply(&task, &reminder, unit.now())?;
        let command = Command::Answer { reminder_id, reply };
        target.decide(unit, &on_task, command)
    })
    .await
}

impl SnoozeReminder {
    fn read(self) -> Result<Until, Error> {
        let mut reader = Reader::default();
        reader.unknown("", &self.unknown);
        let until = reader.optional("/until", self.until);
        let duration = reader.optional("/for", self.duration);
        let preset = reader.optional("/preset", self.preset);
        let zone = reader.optional("/time_zone", self.time_zone);
        let zone = zone.and_then(|name| {
            let expected = "an IANA time zone such as Europe/Berlin";
            reader.parse("/time_zone", &name, |name| name.parse().ok(), expected)
        });
        let until = match (until, duration, preset) {
            (Some(text), None, None) => {
                let expected = "an instant such as 2027-01-31T08:00:00Z";
                let at = reader.parse("/until", &text, time::instant, expected);
                at.map(Until::At)
            }
            (None, Some(text), None) => {
                let expected = "an ISO 8601 duration such as PT1H, of at most 366 days";
                reader
                    .parse("/for", &text, span, expected)
                    .map(Until::After)
            }
            (None, None, Some(name)) => {
                let expected =
                    "later_today, this_evening, tomorrow_morning, this_weekend or next_week";
                let preset = reader.parse("/preset", &name, preset_of, expected);
                preset.map(|preset| Until::Preset(preset, zone))
            }
            _ => {
                let message = "must have one of until, for and preset";
                reader.fault(Fault::new("", "invalid_value", message));
                None
            }
        };
        reader.finish()?;
        until.ok_or_else(|| Error::Unshowable("a snooze without a time".to_owned()))
    }
}

impl Until {
    fn resolve(
        self,
        task: &Task,
        reminder: &Reminder,
        home: Tz,
        now: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, Error> {
        let (pointer, at) = match self {
            Self::At(at) => ("/until", Some(at)),
            Self::After(span) => ("/for", now.checked_add_signed(span)),
            Self::Preset(preset, zone) => {
                let zone = zone.unwrap_or_else(|| zone_of(task, reminder, home));
                ("/preset", preset.time(now, zone))
            }
        };
        at.ok_or_else(|| {
            let message = "has passed for today: choose another, or say until when";
            Error::Invalid(vec![Fault::new(pointer, "in_the_past", message)])
        })
    }
}

fn span(text: &str) -> Option<TimeDelta> {
    let most = i64::try_from(MAX_SNOOZE_DAYS).ok()? * 86_400;
    let seconds = duration::parse(text).filter(|seconds| (1..=most).contains(seconds))?;
    TimeDelta::try_seconds(seconds)
}

fn preset_of(name: &str) -> Option<Preset> {
    let known = Preset::ALL.iter().find(|(known, _)| *known == name);
    known.map(|(_, preset)| *preset)
}
