//! How a reminder is told: again and again, and late.

use event_schema::{Misfire, MisfirePolicy, Nag};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::fields::{MAX_GRACE_SECONDS, MAX_NAG_SECONDS, MAX_NAGS};
use crate::domain::{Fault, duration};
use crate::routes::fields::{Expected, Field, Reader, Unknown};

/// Telling again until it is acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
#[schema(example = json!({"every": "PT15M", "max": 8}))]
pub(in crate::routes) struct NagInput {
    /// The time between two: ISO 8601, from a second to 31 days.
    #[serde(default)]
    #[schema(value_type = String, required = true, example = "PT15M")]
    every: Field<String>,
    /// How often it is told again after the first time: 1 to 100.
    #[serde(default)]
    #[schema(value_type = u16, required = true, minimum = 1, maximum = 100)]
    max: Field<u16>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// What becomes of a reminder that nobody could tell at its time.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
#[schema(example = json!({"policy": "fire_late", "grace": "P1D"}))]
pub(in crate::routes) struct MisfireInput {
    /// `fire_late` (when absent): it is told late, within its grace. `skip`: it is not told when it is
    /// more than a minute late.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    policy: Field<String>,
    /// How late it may be told by `fire_late`: ISO 8601, at most 366 days; a day when absent. Later
    /// than that it is missed.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "P1D")]
    grace: Field<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

impl Expected for NagInput {
    const EXPECTED: &'static str = "an object with every and max";
}

impl Expected for MisfireInput {
    const EXPECTED: &'static str = "an object with a policy";
}

impl NagInput {
    pub(super) fn read(self, reader: &mut Reader, pointer: &str) -> Option<Nag> {
        let at = |name: &str| format!("{pointer}/{name}");
        reader.unknown(pointer, &self.unknown);
        let every = reader.required(&at("every"), self.every);
        let expected = "an ISO 8601 duration from a second to 31 days, such as PT15M";
        let seconds = |text: &str| seconds(text, 1, MAX_NAG_SECONDS);
        let every = every.and_then(|text| reader.parse(&at("every"), &text, seconds, expected));
        let max = reader.required(&at("max"), self.max)?;
        if !(1..=MAX_NAGS).contains(&max) {
            let message = format!("must be 1 to {MAX_NAGS}");
            reader.fault(Fault::new(at("max"), "out_of_range", message));
            return None;
        }
        let every_seconds = every?;
        Some(Nag { every_seconds, max })
    }
}

impl MisfireInput {
    pub(super) fn read(self, reader: &mut Reader, pointer: &str) -> Misfire {
        let at = |name: &str| format!("{pointer}/{name}");
        reader.unknown(pointer, &self.unknown);
        let text = reader.optional(&at("policy"), self.policy);
        let read = |text: String| reader.parse(&at("policy"), &text, policy, "fire_late or skip");
        let policy = text.and_then(read).unwrap_or_default();
        let text = reader.optional(&at("grace"), self.grace);
        let expected = "an ISO 8601 duration of at most 366 days, such as P1D";
        let seconds = |text: &str| seconds(text, 0, MAX_GRACE_SECONDS);
        let read = |text: String| reader.parse(&at("grace"), &text, seconds, expected);
        let grace = text.and_then(read);
        Misfire {
            policy,
            grace_seconds: grace.unwrap_or(Misfire::default().grace_seconds),
        }
    }
}

pub(in crate::routes) fn policy_name(policy: MisfirePolicy) -> &'static str {
    match policy {
        MisfirePolicy::FireLate => "fire_late",
        MisfirePolicy::Skip => "skip",
    }
}

fn policy(name: &str) -> Option<MisfirePolicy> {
    [MisfirePolicy::FireLate, MisfirePolicy::Skip]
        .into_iter()
        .find(|policy| policy_name(*policy) == name)
}

fn seconds(text: &str, least: u32, most: u32) -> Option<u32> {
    let seconds = u32::try_from(duration::parse(text)?).ok()?;
    (least..=most).contains(&seconds).then_some(seconds)
}
