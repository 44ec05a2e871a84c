//! Recurrence rules on the wire: as text or as a structure, beside the policies that RFC 5545 lacks.

mod copy;
mod ends;
mod generation;
mod patch;
mod structured;

use std::collections::BTreeSet;

use event_schema::{
    DstGap, Generation, MonthOverflow, Recurrence, SeriesException, SlotAnchor, TimeValue,
};
use recurrence::{Rule, RuleError, Schedule, Slot};
use serde::Deserialize;
use slots::{Plan, PlanError};
use utoipa::ToSchema;

use super::fields::{Expected, Field, Reader, Unknown};
use super::task_view::MonthOverflowName;
use crate::domain::Fault;
use crate::domain::series::MAX_EXCEPTIONS;
use copy::CopyInput;
use ends::EndsInput;
use generation::GenerationInput;
use structured::StructuredInput;

pub(super) use generation::GenerationView;
pub(super) use structured::StructuredView;

/// How a task repeats: an `rrule`, or `freq` and its parts.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[schema(as = RecurrenceInput, example = json!({"rrule": "FREQ=MONTHLY", "month_overflow": "clamp"}))]
pub(super) struct RecurrenceInput {
    /// An RFC 5545 rule of the accepted profile, DAILY to YEARLY, such as `FREQ=WEEKLY;BYDAY=MO,TH`.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "FREQ=MONTHLY")]
    rrule: Field<String>,
    #[serde(flatten)]
    structured: StructuredInput,
    /// When it stops by itself; never when absent. An `rrule` with COUNT or UNTIL says so itself.
    #[serde(default)]
    #[schema(value_type = Option<EndsInput>)]
    ends: Field<EndsInput>,
    /// What a month without the start's day does; `clamp` when absent.
    #[serde(default)]
    #[schema(value_type = Option<MonthOverflowName>)]
    month_overflow: Field<MonthOverflow>,
    /// What becomes of a time that the clocks leave out: `shift` (when absent) moves it forward by
    /// the length of the gap, `skip` makes it no occurrence.
    #[serde(default)]
    #[schema(value_type = Option<DstGapName>)]
    dst_gap: Field<String>,
    /// What the next slot is counted from: the `schedule` (when absent), or the local day of the
    /// `completion`, to which the interval is added; then the rule names no days.
    #[serde(default)]
    #[schema(value_type = Option<AnchorName>)]
    anchor: Field<String>,
    /// Slots that are left out, at most 366: dates, or local times as the start is.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 366, example = json!(["2027-02-28T09:00"]))]
    exceptions: Field<Vec<Field<String>>>,
    /// What the next occurrence takes over from the one before.
    #[serde(default)]
    #[schema(value_type = Option<CopyInput>)]
    copy: Field<CopyInput>,
    #[serde(flatten)]
    generation: GenerationInput,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// What becomes of a time that the clocks leave out.
#[derive(Debug, serde::Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DstGap)]
#[expect(dead_code, reason = "only described")]
pub(super) enum DstGapName {
    Shift,
    Skip,
}

/// What the next slot is counted from.
#[derive(Debug, serde::Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Anchor)]
#[expect(dead_code, reason = "only described")]
pub(super) enum AnchorName {
    Schedule,
    Completion,
}

impl Expected for RecurrenceInput {
    const EXPECTED: &'static str = "an object with an rrule, or with freq and its parts";
}

/// A recurrence as it was read. It remembers how it was written, to point at what is wrong with it.
#[derive(Clone, Debug)]
pub(super) struct RecurrenceRead {
    pub(super) recurrence: Recurrence,
    pub(super) generation: Option<Generation>,
    exceptions: Vec<(String, Slot)>,
    written: Written,
}

/// How a rule was written.
#[derive(Clone, Debug)]
struct Written {
    pointer: String,
    is_text: bool,
    ends_apart: bool,
}

impl RecurrenceInput {
    /// Reads the rule and gives it its canonical text.
    pub(super) fn read(self, reader: &mut Reader, pointer: &str) -> Option<RecurrenceRead> {
        let at = |name: &str| format!("{pointer}/{name}");
        reader.unknown(pointer, &self.unknown);
        let overflow = reader.optional(&at("month_overflow"), self.month_overflow);
        let dst_gap = reader.optional(&at("dst_gap"), self.dst_gap);
        let dst_gap = dst_gap
            .and_then(|name| reader.parse(&at("dst_gap"), &name, dst_gap_of, "shift or skip"));
        let anchor = reader.optional(&at("anchor"), self.anchor);
        let expected = "schedule or completion";
        let anchor =
            anchor.and_then(|name| reader.parse(&at("anchor"), &name, anchor_of, expected));
        let generation = self.generation.read(reader, pointer);
        if let Some(copy) = reader.optional(&at("copy"), self.copy) {
            copy.check(reader, &at("copy"));
        }
        let exceptions = read_exceptions(reader, &at("exceptions"), self.exceptions);
        let ends = reader.optional(&at("ends"), self.ends);
        let written = Written {
            pointer: pointer.to_owned(),
            is_text: !matches!(self.rrule, Field::Absent | Field::Null),
            ends_apart: ends.is_some(),
        };
        let parts = match reader.optional(&at("rrule"), self.rrule) {
            _ if written.is_text && self.structured.is_there() => {
                let message = "give either rrule, or freq and its parts";
                reader.fault(Fault::new(at("freq"), "unsupported", message));
                None
            }
            Some(text) => written
                .check(reader, Rule::parse(&text))
                .map(|rule| rule.parts()),
            None if written.is_text => None,
            None => self.structured.read(reader, pointer),
        };
        let ends = ends.map(|ends| ends.read(reader, &at("ends")));
        let parts = match ends {
            Some(ends) => ends?.put_into(reader, &at("ends"), parts?)?,
            None => parts?,
        };
        let rule = written.check(reader, Rule::new(parts))?;
        Some(RecurrenceRead {
            recurrence: Recurrence {
                rrule: rule.to_string(),
                month_overflow: overflow.unwrap_or_default(),
                dst_gap: dst_gap.unwrap_or_default(),
                anchor: anchor.unwrap_or_default(),
            },
            generation,
            exceptions,
            written,
        })
    }
}

impl RecurrenceRead {
    /// Ties the rule to its start, or notes why that cannot be.
    pub(super) fn schedule(&self, reader: &mut Reader, start: &TimeValue) -> Option<Schedule> {
        let plan = match Plan::of(&self.recurrence, start, &self.skipped()) {
            Ok(plan) => plan,
            Err(PlanError::Rule(error)) => {
                reader.fault(self.written.fault(&error));
                return None;
            }
            // Start and exceptions were read as what they have to be.
            Err(error) => {
                let pointer = self.written.pointer.clone();
                reader.fault(Fault::new(pointer, "unsupported", error.to_string()));
                return None;
            }
        };
        let schedule = plan.schedule().clone();
        for (pointer, slot) in &self.exceptions {
            if slot.time().is_some() != schedule.start().time().is_some() {
                let message = match slot {
                    Slot::Date(_) => {
                        "must be a local time such as 2027-01-31T09:00, as the start is"
                    }
                    Slot::Timed(_) => "must be a date such as 2027-01-31, as the start is",
                };
                reader.fault(Fault::new(pointer, "invalid_value", message));
            }
        }
        Some(schedule)
    }

    /// The slots that are left out.
    pub(super) fn exceptions(&self) -> impl Iterator<Item = Slot> {
        self.exceptions.iter().map(|(_, slot)| *slot)
    }

    /// The slots that are left out, in order, as a series keeps them.
    pub(super) fn skipped(&self) -> Vec<SeriesException> {
        let slots: BTreeSet<Slot> = self.exceptions().collect();
        let skip = |slot: Slot| SeriesException::Skip {
            slot: slot.to_string(),
        };
        slots.into_iter().map(skip).collect()
    }
}

impl Written {
    fn check<T>(&self, reader: &mut Reader, result: Result<T, RuleError>) -> Option<T> {
        reader.check(result.map_err(|error| self.fault(&error)))
    }

    fn fault(&self, error: &RuleError) -> Fault {
        let code = match error {
            // Whatever is outside of the accepted profile, readable or not, is not supported.
            RuleError::Syntax { .. } | RuleError::Unsupported { .. } => "unsupported",
            RuleError::NeverOccurs => "never_occurs",
        };
        Fault::new(self.pointer_of(error.part()), code, error.to_string())
    }

    fn pointer_of(&self, part: Option<&str>) -> String {
        let member = match part {
            Some("COUNT") if self.ends_apart => "/ends/count",
            Some("UNTIL") if self.ends_apart => "/ends/until",
            _ if self.is_text => "/rrule",
            Some(part) => structured::member_of(part),
            None => "",
        };
        format!("{}{member}", self.pointer)
    }
}

fn dst_gap_of(name: &str) -> Option<DstGap> {
    match name {
        "shift" => Some(DstGap::Shift),
        "skip" => Some(DstGap::Skip),
        _ => None,
    }
}

fn anchor_of(name: &str) -> Option<SlotAnchor> {
    match name {
        "schedule" => Some(SlotAnchor::Schedule),
        "completion" => Some(SlotAnchor::Completion),
        _ => None,
    }
}

fn read_exceptions(
    reader: &mut Reader,
    pointer: &str,
    field: Field<Vec<Field<String>>>,
) -> Vec<(String, Slot)> {
    let list = reader.optional(pointer, field).unwrap_or_default();
    if list.len() > MAX_EXCEPTIONS {
        let message = format!("must be at most {MAX_EXCEPTIONS}");
        reader.fault(Fault::new(pointer, "too_many", message));
        return Vec::new();
    }
    let mut slots = Vec::new();
    for (index, text) in list.into_iter().enumerate() {
        let pointer = format!("{pointer}/{index}");
        let Some(text) = reader.required(&pointer, text) else {
            continue;
        };
        let expected = "a slot such as 2027-01-31 or 2027-01-31T09:00";
        let slot = reader.parse(&pointer, &text, |text| text.parse().ok(), expected);
        slots.extend(slot.map(|slot| (pointer, slot)));
    }
    slots
}
