//! When the occurrences of a series are made.

use event_schema::{CatchUp, Generation, GenerationMode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{Fault, duration};
use crate::routes::fields::{Field, Reader};

/// Most that may be open at once, and most that are caught up with.
const MOST: u16 = 100;
/// The longest lead time: a leap year.
const MAX_LEAD_SECONDS: i64 = 366 * 86_400;

/// When the occurrences of a series are made, and how many at once.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
pub(super) struct GenerationInput {
    /// `on_completion` (when absent): when the one before is finished. `on_schedule`: at its time,
    /// whatever became of the one before.
    #[serde(default)]
    #[schema(value_type = Option<GenerationName>)]
    generation: Field<String>,
    /// How long before its time an occurrence is made, in ISO 8601; on schedule only.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "P1D")]
    lead_time: Field<String>,
    /// How many may be open at once, 1 when absent; on schedule only.
    #[serde(default)]
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 100)]
    max_open: Field<u16>,
    /// What becomes of slots that were missed: only the `latest` (when absent), `all` or `none` has an
    /// occurrence; on schedule only.
    #[serde(default)]
    #[schema(value_type = Option<CatchUpName>)]
    catch_up: Field<String>,
    /// How many of all that were missed, the newest ones, 10 when absent.
    #[serde(default)]
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 100)]
    catch_up_limit: Field<u16>,
}

/// When the occurrences of a series are made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Generation)]
#[expect(dead_code, reason = "only described")]
pub(super) enum GenerationName {
    OnCompletion,
    OnSchedule,
}

/// What becomes of slots that were missed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CatchUp)]
#[expect(dead_code, reason = "only described")]
pub(super) enum CatchUpName {
    Latest,
    All,
    None,
}

/// How it is told back.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = GenerationView)]
pub(in crate::routes) struct GenerationView {
    /// When: `on_completion` or `on_schedule`.
    #[schema(value_type = GenerationName)]
    generation: GenerationMode,
    /// How long before its time an occurrence is made.
    lead_time: String,
    /// How many may be open at once.
    max_open: u32,
    /// What becomes of slots that were missed.
    #[schema(value_type = CatchUpName)]
    catch_up: CatchUp,
    /// How many of all that were missed.
    catch_up_limit: u32,
}

impl From<&Generation> for GenerationView {
    fn from(generation: &Generation) -> Self {
        Self {
            generation: generation.mode,
            lead_time: duration::format(i64::from(generation.lead_time_seconds)),
            max_open: generation.max_open,
            catch_up: generation.catch_up,
            catch_up_limit: generation.catch_up_limit,
        }
    }
}

impl GenerationInput {
    /// Reads it; nothing when no member is there.
    pub(super) fn read(self, reader: &mut Reader, pointer: &str) -> Option<Generation> {
        if self == Self::default() {
            return None;
        }
        let at = |name: &str| format!("{pointer}/{name}");
        let usual = Generation::default();
        let mode = reader.optional(&at("generation"), self.generation);
        let expected = "on_completion or on_schedule";
        let mode = mode.and_then(|name| reader.parse(&at("generation"), &name, mode_of, expected));
        let lead = reader.optional(&at("lead_time"), self.lead_time);
        let expected = "an ISO 8601 duration of at most 366 days, such as P1D";
        let lead = lead.and_then(|text| reader.parse(&at("lead_time"), &text, lead_of, expected));
        let catch_up = reader.optional(&at("catch_up"), self.catch_up);
        let expected = "latest, all or none";
        let catch_up =
            catch_up.and_then(|name| reader.parse(&at("catch_up"), &name, catch_up_of, expected));
        let max_open = read_most(reader, &at("max_open"), self.max_open);
        let limit = read_most(reader, &at("catch_up_limit"), self.catch_up_limit);
        let mode = mode.unwrap_or_default();
        if mode == GenerationMode::OnCompletion {
            let members = [
                ("lead_time", lead.is_some()),
                ("max_open", max_open.is_some()),
                ("catch_up", catch_up.is_some()),
                ("catch_up_limit", limit.is_some()),
            ];
            for (name, _) in members.into_iter().filter(|(_, is_there)| *is_there) {
                let message = "is for generation on_schedule: say that too, or leave this out";
                reader.fault(Fault::new(at(name), "on_schedule_only", message));
            }
        }
        Some(Generation {
            mode,
            lead_time_seconds: lead.unwrap_or_default(),
            max_open: max_open.unwrap_or(usual.max_open),
            catch_up: catch_up.unwrap_or_default(),
            catch_up_limit: limit.unwrap_or(usual.catch_up_limit),
        })
    }
}

fn read_most(reader: &mut Reader, pointer: &str, field: Field<u16>) -> Option<u32> {
    let number = reader.optional(pointer, field)?;
    if (1..=MOST).contains(&number) {
        return Some(u32::from(number));
    }
    let message = format!("must be between 1 and {MOST}");
    reader.fault(Fault::new(pointer, "out_of_range", message));
    None
}

fn mode_of(name: &str) -> Option<GenerationMode> {
    match name {
        "on_completion" => Some(GenerationMode::OnCompletion),
        "on_schedule" => Some(GenerationMode::OnSchedule),
        _ => None,
    }
}

fn lead_of(text: &str) -> Option<u32> {
    let seconds = duration::parse(text).filter(|seconds| (0..=MAX_LEAD_SECONDS).contains(seconds));
    seconds.and_then(|seconds| u32::try_from(seconds).ok())
}

fn catch_up_of(name: &str) -> Option<CatchUp> {
    match name {
        "latest" => Some(CatchUp::Latest),
        "all" => Some(CatchUp::All),
        "none" => Some(CatchUp::None),
        _ => None,
    }
}
