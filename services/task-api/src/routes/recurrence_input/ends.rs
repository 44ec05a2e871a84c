//! When a rule stops by itself.

use chrono::NaiveDate;
use event_schema::civil;
use recurrence::{RuleParts, Until};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{Fault, time};
use crate::routes::fields::{Expected, Field, Reader, Unknown};

const UNTIL_FORMS: &str = "a date such as 2027-12-31, an instant such as 2027-12-31T08:00:00Z, or, for a \
    floating start, a local time such as 2027-12-31T09:00";

/// When a rule stops by itself: one of `never`, `count` and `until`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[schema(as = EndsInput, example = json!({"count": 12}))]
pub(super) struct EndsInput {
    /// `true`: it does not.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    never: Field<bool>,
    /// After so many slots, 1 to 9999, those that were skipped included.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 9999)]
    count: Field<i64>,
    /// The last day of a series of dates, the last instant of a series of times in a zone, or the last
    /// local time, such as `2027-12-31T09:00`, of a floating one. An occurrence then is part of it.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "2027-12-31T08:00:00Z")]
    until: Field<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// When a rule stops by itself.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Ends)]
pub(in crate::routes) enum EndsView {
    /// It does not.
    Never(bool),
    /// After so many slots.
    Count(u32),
    /// The last day, the last instant, or the last local time.
    Until(String),
}

/// An end that was read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ends {
    Never,
    Count(u32),
    Until(Until),
}

impl Expected for EndsInput {
    const EXPECTED: &'static str = "an object with one of never, count and until";
}

impl Expected for bool {
    const EXPECTED: &'static str = "true or false";
}

impl EndsInput {
    pub(super) fn read(self, reader: &mut Reader, pointer: &str) -> Option<Ends> {
        let at = |name: &str| format!("{pointer}/{name}");
        reader.unknown(pointer, &self.unknown);
        let never = reader.optional(&at("never"), self.never);
        let count = reader.optional(&at("count"), self.count);
        let until = reader.optional(&at("until"), self.until);
        if reader.is_wrong(pointer) {
            return None;
        }
        match (never, count, until) {
            (Some(true), None, None) => Some(Ends::Never),
            // What is out of range is refused with the rule.
            (None | Some(false), Some(count), None) => {
                Some(Ends::Count(u32::try_from(count).unwrap_or(0)))
            }
            (None | Some(false), None, Some(text)) => {
                let until = reader.parse(&at("until"), &text, until_of, UNTIL_FORMS);
                until.map(Ends::Until)
            }
            _ => {
                let message =
                    "must be one of {\"never\": true}, {\"count\": 12} and {\"until\": …}";
                reader.fault(Fault::new(pointer, "unsupported", message));
                None
            }
        }
    }
}

impl Ends {
    /// Ends a rule that does not end by itself.
    pub(super) fn put_into(
        self,
        reader: &mut Reader,
        pointer: &str,
        mut parts: RuleParts,
    ) -> Option<RuleParts> {
        if parts.count.is_some() || parts.until.is_some() {
            let message = "the rrule has a COUNT or UNTIL of its own: leave out one of the two";
            reader.fault(Fault::new(pointer, "unsupported", message));
            return None;
        }
        match self {
            Self::Never => {}
            Self::Count(count) => parts.count = Some(count),
            Self::Until(until) => parts.until = Some(until),
        }
        Some(parts)
    }
}

impl From<&RuleParts> for EndsView {
    fn from(parts: &RuleParts) -> Self {
        match (parts.count, parts.until) {
            (Some(count), _) => Self::Count(count),
            (None, Some(Until::Date(date))) => Self::Until(date.to_string()),
            (None, Some(Until::Instant(instant))) => {
                Self::Until(instant.format("%Y-%m-%dT%H:%M:%SZ").to_string())
            }
            (None, Some(Until::Local(local))) => Self::Until(civil::format(local)),
            (None, None) => Self::Never(true),
        }
    }
}

fn until_of(text: &str) -> Option<Until> {
    let date: Option<NaiveDate> = time::date(text);
    date.map(Until::Date)
        .or_else(|| time::instant(text).map(Until::Instant))
        .or_else(|| time::local(text).map(Until::Local))
}
