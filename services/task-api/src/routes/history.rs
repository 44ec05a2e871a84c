//! What happened to a task.

use axum::extract::State;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use event_schema::{
    Actor, Decoded, Envelope, EventSet, Reminder, Task, TaskEvent, TaskId, TimeValue, decode,
};
use event_store::RecordedEvent;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use service_kit::extract::{Call, Json, Path, Query};
use service_kit::page::{Page, PageQuery};
use utoipa::ToSchema;

use super::reminder_view::ReminderView;
use super::tasks;
use super::time_value::TimeView;
use crate::app::AppState;
use crate::domain::{TaskStream, time};
use crate::error::Error;

/// Fields of a state that say nothing about its creation, or only to services.
const UNTOLD: [&str; 7] = [
    "id",
    "owner_id",
    "created_at",
    "created_by",
    "updated_at",
    "previous_slot",
    "undone",
];

/// An event in the history of a task.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct HistoryItem {
    /// The version of the task that it made.
    version: u64,
    /// Its type, such as `task.completed.v1`.
    #[serde(rename = "type")]
    #[schema(example = "task.completed.v1")]
    event_type: String,
    /// When it happened.
    time: DateTime<Utc>,
    /// Who caused it: `user:<id>` or `service:<app id>`.
    #[schema(value_type = String)]
    actor: Actor,
    /// What it changed.
    changes: Vec<FieldChange>,
}

/// A field before and after.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct FieldChange {
    /// The field.
    field: String,
    /// Its value before; null when it had none.
    #[schema(value_type = Value)]
    from: Value,
    /// Its value from then on.
    #[schema(value_type = Value)]
    to: Value,
}

/// Read a task's history
///
/// The oldest first: who changed what, when.
#[utoipa::path(
    get, path = "/v1/tasks/{task_id}/history", tag = "tasks", operation_id = "get_task_history",
    params(("task_id" = uuid::Uuid, Path), PageQuery),
    responses(
        (status = 200, description = "A page", body = Page<HistoryItem>),
    )
)]
pub(super) async fn get_task_history(
    State(app): State<AppState>,
    call: Call,
    Path(task_id): Path<TaskId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<HistoryItem>>, Error> {
    tasks::find(&app, &call, task_id).await?;
    let after = page.cursor.map(|cursor| cursor.place()).transpose()?;
    let events = app
        .ledger
        .events_of::<TaskStream>(task_id, after.unwrap_or(0), u32::from(page.limit.get()) + 1)
        .await?;
    let page = Page::of(events, page.limit, |event| event.version);
    let items = page
        .items
        .iter()
        .filter_map(|event| item(event).transpose());
    Ok(Json(Page {
        items: items.collect::<Result<Vec<_>, _>>()?,
        next_cursor: page.next_cursor,
    }))
}

/// What an event says about the task. What became of its reminders is not its history: the notifications
/// are there for that.
fn item(event: &RecordedEvent) -> Result<Option<HistoryItem>, Error> {
    let unshowable =
        |reason: String| Error::Unshowable(format!("event {}: {reason}", event.position));
    let envelope = Envelope::parse(event.envelope.as_bytes())
        .map_err(|error| unshowable(error.to_string()))?;
    let Decoded::Known(data) = decode::<TaskEvent>(&envelope)? else {
        return Err(unshowable(format!("unknown type {}", envelope.event_type)));
    };
    let home = time::home(data.state.home_zone.as_deref());
    let changes = match &data.change {
        TaskEvent::RemindersTold(_) => return Ok(None),
        TaskEvent::Created(task) => created(task, home),
        change => change
            .change_json()
            .and_then(|json| serde_json::from_str(json.get()))
            .map(|members| changed(&members, home)),
    };
    Ok(Some(HistoryItem {
        version: data.state.revision(envelope.version()),
        // Today's name, as its changes have today's shape; the log keeps what was written.
        event_type: data.change.event_type().name.to_owned(),
        time: envelope.time,
        actor: data.actor,
        changes: changes.map_err(|error| unshowable(error.to_string()))?,
    }))
}

/// Every field that a new task has, from nothing.
fn created(task: &Task, home: Tz) -> serde_json::Result<Vec<FieldChange>> {
    let Value::Object(members) = serde_json::to_value(task)? else {
        return Ok(Vec::new());
    };
    let told = members
        .into_iter()
        .filter(|(field, value)| !UNTOLD.contains(&field.as_str()) && is_set(field, value));
    Ok(told
        .map(|(field, value)| {
            withdrawal(&field).unwrap_or_else(|| FieldChange {
                to: show(&field, value, home),
                from: Value::Null,
                field,
            })
        })
        .collect())
}

/// Services tell each other after what an occurrence is withdrawn or comes again; people are told that it
/// is, as in the task itself.
fn withdrawal(field: &str) -> Option<FieldChange> {
    let is_withdrawn = match field {
        "withdrawn" => true,
        "again" => false,
        _ => return None,
    };
    Some(FieldChange {
        field: "withdrawn".to_owned(),
        from: Value::Bool(!is_withdrawn),
        to: Value::Bool(is_withdrawn),
    })
}

fn is_set(field: &str, value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty() && (field, text.as_str()) != ("priority", "none"),
        Value::Array(items) => !items.is_empty(),
        Value::Number(number) => number.as_u64() != Some(0),
        Value::Bool(_) | Value::Object(_) => true,
    }
}

/// The members with a value before and after; a member alone is something that was said.
fn changed(members: &Map<String, Value>, home: Tz) -> Vec<FieldChange> {
    let told = members.iter().filter(|(field, _)| *field != "updated_at");
    told.map(|(field, value)| {
        if let Some(change) = withdrawal(field) {
            return change;
        }
        let (from, to) = match (value.get("from"), value.get("to")) {
            (Some(from), Some(to)) => (from.clone(), to.clone()),
            _ => (Value::Null, value.clone()),
        };
        FieldChange {
            field: field.clone(),
            from: show(field, from, home),
            to: show(field, to, home),
        }
    })
    .collect()
}

/// A field's value as a task shows it.
fn show(field: &str, value: Value, home: Tz) -> Value {
    let shown = match field {
        "start" | "due" | "deadline" => view::<Option<TimeValue>, _>(&value, |time| {
            time.as_ref().map(|time| TimeView::of(time, home))
        }),
        "reminders" => view::<Vec<Reminder>, _>(&value, |reminders| {
            let views = reminders.iter().map(|one| ReminderView::of(one, home));
            views.collect::<Vec<_>>()
        }),
        _ => None,
    };
    shown.unwrap_or(value)
}

fn view<T: DeserializeOwned, V: Serialize>(
    value: &Value,
    view: impl FnOnce(T) -> V,
) -> Option<Value> {
    let state: T = T::deserialize(value).ok()?;
    serde_json::to_value(view(state)).ok()
}
