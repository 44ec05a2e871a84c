//! Slots of a series that are different.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use chrono_tz::Tz;
use event_schema::{Priority, SeriesException, SeriesId, TimeValue};
use recurrence::Slot;
use serde::{Deserialize, Serialize};
use service_kit::Problem;
use service_kit::command::execute;
use service_kit::extract::{Call, Json, Path};
use utoipa::ToSchema;

use super::command::OnSeries;
use super::fields::{Field, Reader, Unknown};
use super::series_view::SeriesView;
use super::task_view::PriorityName;
use super::tasks::new_task::{read_labels, read_time, read_title};
use super::time_value::{TimeInput, TimeView};
use crate::app::AppState;
use crate::domain::series::Command;
use crate::domain::{Fault, fields};
use crate::error::Error;

/// What is different about a slot.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
#[schema(as = NewException, example = json!({"slot": "2027-03-31T09:00", "action": "skip"}))]
pub(super) struct NewException {
    /// The slot, as the occurrences of the series name it.
    #[serde(default)]
    #[schema(value_type = String, required = true)]
    slot: Field<String>,
    /// `skip`: it has no occurrence. `override`: its occurrence starts with what is said here.
    /// `none`: nothing is different any more.
    #[serde(default)]
    #[schema(value_type = ActionName, required = true)]
    action: Field<String>,
    /// The title of this occurrence.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 500)]
    title: Field<String>,
    /// The notes of this occurrence.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    notes: Field<String>,
    /// The priority of this occurrence.
    #[serde(default)]
    #[schema(value_type = Option<PriorityName>)]
    priority: Field<Priority>,
    /// The labels of this occurrence.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 50)]
    labels: Field<Vec<Field<String>>>,
    /// The due of this occurrence; its slot stays.
    #[serde(default)]
    #[schema(value_type = Option<TimeInput>)]
    due: Field<TimeInput>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// What becomes of a slot.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExceptionAction)]
#[expect(dead_code, reason = "only described")]
pub(super) enum ActionName {
    Skip,
    Override,
    None,
}

/// A slot of a series that is different.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = SeriesException)]
pub(super) struct ExceptionView {
    /// Which slot.
    slot: String,
    /// `skip` or `override`.
    #[schema(value_type = ActionName)]
    action: &'static str,
    /// The title of this occurrence, where it is different; so are the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// The notes of this occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<String>,
    /// The priority of this occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PriorityName>)]
    priority: Option<Priority>,
    /// The labels of this occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    labels: Option<BTreeSet<String>>,
    /// The due of this occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<TimeView>,
}

/// Make a slot different
///
/// Before its turn comes: a slot that has a task is skipped or changed as a task.
#[utoipa::path(
    post, path = "/v1/series/{series_id}/exceptions", tag = "series", operation_id = "except_slot",
    params(("series_id" = uuid::Uuid, Path), ("if-match" = Option<String>, Header),
           ("idempotency-key" = Option<String>, Header)),
    request_body = NewException,
    responses(
        (status = 200, description = "The series as it is now", body = SeriesView, headers(("etag" = String))),
        (status = 409, description = "The turn of the slot is over, or the series has ended", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn except_slot(
    State(app): State<AppState>,
    call: Call,
    Path(series_id): Path<SeriesId>,
    Json(body): Json<NewException>,
) -> Result<Response, Error> {
    let (slot, exception) = body.read()?;
    let target = OnSeries::of(&app, &call, series_id).await?;
    execute(&app.ledger, &call, &target.streams(), move |unit| {
        let series = target.find(unit)?;
        let newest = target.newest(unit, &series);
        let command = Command::Except {
            newest,
            slot,
            exception: exception.clone().map(Box::new),
        };
        target.decide(unit, command)?;
        target.answer(unit)
    })
    .await
}

impl NewException {
    fn read(self) -> Result<(Slot, Option<SeriesException>), Error> {
        let mut reader = Reader::default();
        let r = &mut reader;
        r.unknown("", &self.unknown);
        let text = r.required("/slot", self.slot);
        let expected = "a slot such as 2027-01-31 or 2027-01-31T09:00";
        let slot =
            text.and_then(|text| r.parse("/slot", &text, |text| text.parse().ok(), expected));
        let action = r.required("/action", self.action);
        let wanted = Different {
            title: (!matches!(self.title, Field::Absent | Field::Null))
                .then(|| read_title(r, self.title)),
            notes: r
                .optional("/notes", self.notes)
                .and_then(|notes| r.check(fields::notes("/notes", notes))),
            priority: r.optional("/priority", self.priority),
            labels: (!matches!(self.labels, Field::Absent | Field::Null))
                .then(|| read_labels(r, self.labels)),
            due: read_time(r, "/due", self.due),
        };
        let exception = match (action.as_deref(), slot) {
            (Some("skip" | "none"), _) if wanted != Different::default() => {
                let message = "must be override, when the occurrence is to be different";
                r.fault(Fault::new("/action", "invalid_value", message));
                None
            }
            (Some("override"), _) if wanted == Different::default() => {
                let message = "overrides nothing: say what is different, such as title or due";
                r.fault(Fault::new("/action", "invalid_value", message));
                None
            }
            (Some("skip"), Some(slot)) => Some(SeriesException::Skip {
                slot: Slot::to_string(&slot),
            }),
            (Some("override"), Some(slot)) => Some(wanted.of(slot)),
            (Some("none" | "skip" | "override") | None, _) => None,
            (Some(_), _) => {
                let message = "must be skip, override or none";
                r.fault(Fault::new("/action", "invalid_value", message));
                None
            }
        };
        reader.finish()?;
        // Without a slot there was a fault.
        let slot = slot.ok_or_else(|| Error::Invalid(Vec::new()))?;
        Ok((slot, exception))
    }
}

/// What an occurrence starts with instead.
#[derive(Debug, Default, PartialEq)]
struct Different {
    title: Option<String>,
    notes: Option<String>,
    priority: Option<Priority>,
    labels: Option<BTreeSet<String>>,
    due: Option<TimeValue>,
}

impl Different {
    fn of(self, slot: Slot) -> SeriesException {
        SeriesException::Override {
            slot: slot.to_string(),
            title: self.title,
            notes: self.notes,
            priority: self.priority,
            labels: self.labels,
            due: self.due,
        }
    }
}

impl ExceptionView {
    pub(super) fn of(exception: SeriesException, home: Tz) -> Self {
        match exception {
            SeriesException::Skip { slot } => Self {
                slot,
                action: "skip",
                title: None,
                notes: None,
                priority: None,
                labels: None,
                due: None,
            },
            SeriesException::Override {
                slot,
                title,
                notes,
                priority,
                labels,
                due,
            } => Self {
                slot,
                action: "override",
                title,
                notes,
                priority,
                labels,
                due: due.as_ref().map(|due| TimeView::of(due, home)),
            },
        }
    }
}
