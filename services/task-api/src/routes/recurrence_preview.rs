//! What a rule would do.

use chrono::{DateTime, Datelike, Months, TimeDelta, Utc};
use event_schema::{MonthOverflow, Recurrence, TimeValue};
use recurrence::{Frequency, Occurrence, Schedule};
use serde::{Deserialize, Serialize};
use service_kit::extract::{Call, Json};
use utoipa::ToSchema;

use super::fields::{Field, Reader, Unknown};
use super::recurrence_input::{self, RecurrenceInput};
use super::task_view::RecurrenceView;
use super::time_value::{Allowed, TimeInput, TimeView};
use crate::domain::occurrence::{due_of, schedule_of, slot_of};
use crate::domain::{Fault, time};
use crate::error::Error;

const DEFAULT_LIMIT: u16 = 10;
const MAX_LIMIT: u16 = 100;
/// How far is looked for a month without the day of the start: a leap year has come by then, also
/// around a century without one.
const YEARS_AHEAD: u32 = 12;

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
    /// How many slots at most.
    #[serde(default)]
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 100, default = 10)]
    limit: Field<u16>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// What a rule would do.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct RecurrencePreview {
    /// The rule in its canonical text.
    recurrence: RecurrenceView,
    /// Its first slots.
    slots: Vec<PreviewSlot>,
    /// What may surprise.
    warnings: Vec<Warning>,
}

/// A slot of a rule.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct PreviewSlot {
    /// The civil start that names it.
    #[schema(example = "2027-02-28T09:00")]
    slot: String,
    /// Its place among all slots, from 1.
    index: u32,
    /// When its task would be due.
    due: TimeView,
    /// The instant of it; a date has none.
    instant: Option<DateTime<Utc>>,
}

/// Something that may surprise.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Warning {
    /// Its stable name.
    code: &'static str,
    /// What will happen.
    message: String,
}

/// Preview a recurrence
///
/// Nothing is written.
#[utoipa::path(
    post, path = "/v1/recurrence/preview", tag = "recurrence", operation_id = "preview_recurrence",
    request_body = PreviewRecurrence,
    responses(
        (status = 200, description = "What it would do", body = RecurrencePreview),
    )
)]
pub(super) async fn preview_recurrence(
    _call: Call,
    Json(body): Json<PreviewRecurrence>,
) -> Result<Json<RecurrencePreview>, Error> {
    let mut reader = Reader::default();
    let plan = body.read(&mut reader);
    reader.finish()?;
    // A plan that is not there has left a fault behind.
    plan.map(|plan| Json(plan.preview())).ok_or(Error::NotFound)
}

struct Plan {
    recurrence: Recurrence,
    start: TimeValue,
    schedule: Schedule,
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
        let (recurrence, start) = (recurrence?, start?);
        let schedule = recurrence_input::schedule(reader, "/recurrence", &recurrence, &start)?;
        Some(Plan {
            recurrence,
            start,
            schedule,
            limit,
        })
    }
}

impl Plan {
    fn preview(&self) -> RecurrencePreview {
        let wanted = usize::from(self.limit);
        let occurrences: Vec<Occurrence> = self.schedule.occurrences().take(wanted).collect();
        RecurrencePreview {
            recurrence: RecurrenceView::from(&self.recurrence),
            slots: occurrences.iter().map(|next| self.slot(next)).collect(),
            warnings: self.warnings(&occurrences),
        }
    }

    fn slot(&self, occurrence: &Occurrence) -> PreviewSlot {
        let due = due_of(occurrence.slot, &self.start);
        PreviewSlot {
            slot: occurrence.slot.to_string(),
            index: occurrence.index,
            instant: time::instant_of(&due),
            due: TimeView::from(&due),
        }
    }

    fn warnings(&self, occurrences: &[Occurrence]) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut warn = |code, message: String| warnings.push(Warning { code, message });
        let start = slot_of(&self.start);
        match (start, occurrences.first()) {
            (_, None) => warn(
                "ended",
                "the rule ends before its first occurrence".to_owned(),
            ),
            (Some(start), Some(first)) if start != first.slot => {
                warn(
                    "start_aligned",
                    format!("{start} is not on the rule: it begins with {}", first.slot),
                );
            }
            _ => {}
        }
        if let Some(day) = self.day_that_months_lack() {
            let code = match self.recurrence.month_overflow {
                MonthOverflow::Clamp => "last_day_used",
                MonthOverflow::Skip => "months_skipped",
            };
            let effect = match self.recurrence.month_overflow {
                MonthOverflow::Clamp => "have their last day instead",
                MonthOverflow::Skip => "have no occurrence",
            };
            warn(code, format!("months without a day {day} {effect}"));
        }
        let moved = occurrences.iter().filter_map(|next| self.moved(next));
        for (slot, by) in moved {
            let minutes = by.num_minutes();
            warn(
                "clock_change",
                format!("{slot} does not exist there: it will be {minutes} minutes later"),
            );
        }
        warnings
    }

    /// The day of the month that the rule takes from its start, when it soon comes to a month that
    /// lacks it. Only a rule that clamps shows where that is.
    fn day_that_months_lack(&self) -> Option<u32> {
        let rule = self.schedule.rule();
        let from_start = rule.by_day().is_empty() && rule.by_month_day().is_empty();
        let in_months = matches!(rule.frequency(), Frequency::Monthly | Frequency::Yearly);
        if !(from_start && in_months) {
            return None;
        }
        let start = self.schedule.start().date();
        let last = start.checked_add_months(Months::new(12 * YEARS_AHEAD));
        let recurrence = Recurrence {
            month_overflow: MonthOverflow::Clamp,
            ..self.recurrence.clone()
        };
        let clamping = schedule_of(&recurrence, &self.start).ok()?;
        let mut soon = clamping
            .occurrences()
            .map(|occurrence| occurrence.slot.date())
            .take_while(|date| last.is_none_or(|last| *date <= last));
        let is_lacked = soon.any(|date| date.day() != start.day());
        is_lacked.then(|| start.day())
    }

    /// How far a slot that falls into a gap is moved.
    fn moved(&self, occurrence: &Occurrence) -> Option<(String, TimeDelta)> {
        let due = due_of(occurrence.slot, &self.start);
        let (TimeValue::Local { local, .. }, Some(zone)) = (&due, time::zone_of(&due)) else {
            return None;
        };
        let shown = time::instant_of(&due)?.with_timezone(&zone).naive_local();
        (shown != *local).then(|| (occurrence.slot.to_string(), shown - *local))
    }
}
