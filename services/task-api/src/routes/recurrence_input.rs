//! Recurrence rules on the wire.

use event_schema::{MonthOverflow, Recurrence, TimeValue};
use recurrence::{Rule, RuleError, Schedule};
use serde::Deserialize;
use utoipa::ToSchema;

use super::fields::{Expected, Field, Reader, Unknown};
use super::task_view::MonthOverflowName;
use crate::domain::{Fault, occurrence};

/// Longer rule texts are refused unread.
const MAX_RRULE: usize = 1_000;

/// How a task repeats.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[schema(as = RecurrenceInput, example = json!({"rrule": "FREQ=MONTHLY", "month_overflow": "clamp"}))]
pub(super) struct RecurrenceInput {
    /// An RFC 5545 rule of the accepted profile: DAILY to YEARLY.
    #[serde(default)]
    #[schema(value_type = String, required = true)]
    rrule: Field<String>,
    /// What a month without the start's day does; `clamp` when absent.
    #[serde(default)]
    #[schema(value_type = Option<MonthOverflowName>)]
    month_overflow: Field<MonthOverflow>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

impl Expected for RecurrenceInput {
    const EXPECTED: &'static str = "an object with an rrule";
}

impl RecurrenceInput {
    /// Reads the rule and gives it its canonical text.
    pub(super) fn read(self, reader: &mut Reader, pointer: &str) -> Option<Recurrence> {
        let at = |name: &str| format!("{pointer}/{name}");
        reader.unknown(pointer, &self.unknown);
        let overflow = reader.optional(&at("month_overflow"), self.month_overflow);
        let text = reader.required(&at("rrule"), self.rrule)?;
        let rule = match Rule::parse(&text) {
            _ if text.len() > MAX_RRULE => {
                let message = format!("must have at most {MAX_RRULE} characters");
                reader.fault(Fault::new(at("rrule"), "too_long", message));
                return None;
            }
            Ok(rule) => rule,
            Err(error) => {
                reader.fault(rule_fault(&at("rrule"), &error));
                return None;
            }
        };
        Some(Recurrence {
            rrule: rule.to_string(),
            month_overflow: overflow.unwrap_or_default(),
        })
    }
}

/// Ties a rule to its start, or notes why that cannot be.
pub(super) fn schedule(
    reader: &mut Reader,
    pointer: &str,
    recurrence: &Recurrence,
    start: &TimeValue,
) -> Option<Schedule> {
    let schedule = occurrence::schedule_of(recurrence, start)
        .map_err(|error| rule_fault(&format!("{pointer}/rrule"), &error));
    reader.check(schedule)
}

fn rule_fault(pointer: &str, error: &RuleError) -> Fault {
    let code = match error {
        // Whatever is outside of the accepted profile, readable or not, is not supported.
        RuleError::Syntax { .. } | RuleError::Unsupported { .. } => "unsupported",
        RuleError::NeverOccurs => "never_occurs",
    };
    Fault::new(pointer, code, error.to_string())
}
