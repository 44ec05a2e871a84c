//! What a rule would do.

use std::collections::BTreeSet;

use axum::extract::State;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use event_schema::TimeValue;
use recurrence::{Occurrence, Schedule, Slot, language};
use serde::{Deserialize, Serialize};
use service_kit::extract::{Call, Json};
use utoipa::ToSchema;

use super::fields::{Field, Reader, Unknown};
use super::preferences;
use super::recurrence_input::{RecurrenceInput, StructuredView};
use super::time_value::{Allowed, TimeInput};
use crate::app::AppState;
use crate::domain::occurrence::{self, Surprise, due_of};
use crate::domain::{Fault, time};
use crate::error::Error;

const DEFAULT_LIMIT: u16 = 10;
const MAX_LIMIT: u16 = 366;
/// The language that rules are told in, until users have one of their own.
const LANGUAGE: &str = "en";

/// A rule to be tried.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
#[schema(example = json!({
    "recurrence": {"rrule": "FREQ=MONTHLY"},
    "start": {"local": "2027-01-31T09:00", "time_zone": "Europe/Berlin"},
    "limit": 3
}))]
pub(super) struct PreviewRecurrence {
    /// The rule.
    #[serde(default)]
    #[schema(value_type = RecurrenceInput, required = true)]
    recurrence: Field<RecurrenceInput>,
    /// What it counts from.
    #[serde(default)]
    #[schema(value_type = TimeInput, required = true)]
    start: Field<TimeInput>,
    /// How many occurrences at most.
    #[serde(default)]
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 366, default = 10)]
    limit: Field<u16>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// What a rule would do.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct RecurrencePreview {
    /// Its first occurrences.
    occurrences: Vec<PreviewOccurrence>,
    /// The rule in its canonical text.
    #[schema(example = "FREQ=MONTHLY")]
    rrule: String,
    /// The same as a structure.
    structured: StructuredView,
    /// The same in words.
    #[schema(example = "every month on the 31st, or the last day")]
    text: String,
    /// What may surprise, each kind of it once.
    warnings: Vec<Warning>,
}

/// An occurrence of a rule.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct PreviewOccurrence {
    /// The civil start that names it: a date, or a local time.
    #[schema(example = "2027-02-28T09:00")]
    slot: String,
    /// The instant of it; a date has none.
    instant: Option<DateTime<Utc>>,
}

/// Something that may surprise.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Warning {
    /// Its stable name: `start_aligned`, `ended`, `last_day_used`, `months_skipped`,
    /// `gap_shifted`, `gap_skipped`, `ambiguous_time`, `days_merged`, `floating_time` or
    /// `exception_unused`.
    code: &'static str,
    /// What will happen.
    message: String,
}

/// Preview a recurrence
///
/// Tells what a rule means: its first occurrences, its canonical text, its structure, its words and
/// what may surprise about it. Nothing is written. A rule that we do not support is refused with 422
/// `recurrence-unsupported`, one without an occurrence in twelve years with `recurrence-never-occurs`.
#[utoipa::path(
    post, path = "/v1/recurrence/preview", tag = "recurrence", operation_id = "preview_recurrence",
    request_body = PreviewRecurrence,
    responses(
        (status = 200, description = "What it would do", body = RecurrencePreview),
    )
)]
pub(super) async fn preview_recurrence(
    State(app): State<AppState>,
    call: Call,
    Json(body): Json<PreviewRecurrence>,
) -> Result<Json<RecurrencePreview>, Error> {
    let mut reader = Reader::default();
    let plan = body.read(&mut reader);
    reader.finish()?;
    // A plan that is not there has left a fault behind.
    let plan = plan.ok_or(Error::NotFound)?;
    let home = preferences::home(&app, &call).await?;
    Ok(Json(plan.preview(home)))
}

struct Plan {
    start: TimeValue,
    schedule: Schedule,
    exceptions: BTreeSet<Slot>,
    limit: u16,
}

impl PreviewRecurrence {
    fn read(self, reader: &mut Reader) -> Option<Plan> {
        reader.unknown("", &self.unknown);
        let limit = reader
            .optional("/limit", self.limit)
            .unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            let message = format!("must be between 1 and {MAX_LIMIT}");
            reader.fault(Fault::new("/limit", "out_of_range", message));
        }
        let recurrence = reader.required("/recurrence", self.recurrence);
        let recurrence = recurrence.and_then(|input| input.read(reader, "/recurrence"));
        let start = reader.required("/start", self.start);
        let start = start.and_then(|input| input.read(reader, "/start", Allowed::Civil));
        let (read, start) = (recurrence?, start?);
        let schedule = read.schedule(reader, &start)?;
        Some(Plan {
            exceptions: read.exceptions().collect(),
            start,
            schedule,
            limit,
        })
    }
}

impl Plan {
    fn preview(&self, home: Tz) -> RecurrencePreview {
        let wanted = usize::from(self.limit);
        let occurrences: Vec<Occurrence> = self.schedule.occurrences().take(wanted).collect();
        let surprises = occurrence::surprises(&self.schedule, &occurrences, &self.exceptions, home);
        RecurrencePreview {
            occurrences: occurrences
                .iter()
                .map(|next| self.view(next, home))
                .collect(),
            rrule: self.schedule.rule().to_string(),
            structured: StructuredView::from(&self.schedule.rule().parts()),
            text: language(LANGUAGE).describe(&self.schedule),
            warnings: surprises.into_iter().map(Warning::from).collect(),
        }
    }

    fn view(&self, occurrence: &Occurrence, home: Tz) -> PreviewOccurrence {
        let due = due_of(occurrence.slot, &self.start);
        PreviewOccurrence {
            slot: occurrence.slot.to_string(),
            instant: time::instant_of(&due, home),
        }
    }
}

impl From<Surprise> for Warning {
    fn from(surprise: Surprise) -> Self {
        Self {
            code: surprise.code,
            message: surprise.message,
        }
    }
}
