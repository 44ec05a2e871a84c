//! When the occurrences of a series are made.

use event_schema::{CatchUp, Generation, GenerationMode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::task::Edit;
use crate::domain::{Fault, duration};
use crate::routes::fields::{Field, Reader};

/// Most that may be open at once, and most that are caught up with.
const MOST: u16 = 100;
/// The member for skipping what is late.
const SKIPS: &str = "auto_skip_when_late";
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
    /// Whether an occurrence that nobody has touched is skipped by itself when the next one is due; false
    /// when absent; on schedule only, with `max_open` 1 and without `catch_up` all.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    auto_skip_when_late: Field<bool>,
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
    /// Whether one that nobody has touched is skipped when the next one is due.
    auto_skip_when_late: bool,
}

impl From<&Generation> for GenerationView {
    fn from(generation: &Generation) -> Self {
        Self {
            generation: generation.mode,
            lead_time: duration::format(i64::from(generation.lead_time_seconds)),
            max_open: generation.max_open,
            catch_up: generation.catch_up,
            catch_up_limit: generation.catch_up_limit,
            auto_skip_when_late: generation.auto_skip_when_late,
        }
    }
}

impl GenerationInput {
    /// Reads it; nothing when no member is there.
    pub(super) fn read(self, reader: &mut Reader, pointer: &str) -> Option<Generation> {
        let is_there = self != Self::default();
        is_there.then(|| self.over(reader, pointer, Generation::default()))
    }

    /// Reads it as a merge patch: what is absent stays as it is, null is what is usual. What is for
    /// schedules alone goes with them.
    pub(super) fn over(
        self,
        reader: &mut Reader,
        pointer: &str,
        current: Generation,
    ) -> Generation {
        let at = |name: &str| format!("{pointer}/{name}");
        let usual = Generation::default();
        let expected = "on_completion or on_schedule";
        let mode = edit(
            reader,
            &at("generation"),
            self.generation,
            mode_of,
            expected,
        );
        let expected = "an ISO 8601 duration of at most 366 days, such as P1D";
        let lead = edit(reader, &at("lead_time"), self.lead_time, lead_of, expected);
        let expected = "latest, all or none";
        let catch_up = edit(
            reader,
            &at("catch_up"),
            self.catch_up,
            catch_up_of,
            expected,
        );
        let max_open = edit_most(reader, &at("max_open"), self.max_open);
        let limit = edit_most(reader, &at("catch_up_limit"), self.catch_up_limit);
        let skips = reader.edit(&at(SKIPS), self.auto_skip_when_late);
        let mode = then(mode, current.mode, usual.mode);
        if mode == GenerationMode::OnCompletion {
            let members = [
                ("lead_time", is_said(&lead, usual.lead_time_seconds)),
                ("max_open", is_said(&max_open, usual.max_open)),
                ("catch_up", is_said(&catch_up, usual.catch_up)),
                ("catch_up_limit", is_said(&limit, usual.catch_up_limit)),
                (SKIPS, is_said(&skips, usual.auto_skip_when_late)),
            ];
            for (name, _) in members.into_iter().filter(|(_, is_said)| *is_said) {
                let message = "is for generation on_schedule: say that too, or leave this out";
                reader.fault(Fault::new(at(name), "on_schedule_only", message));
            }
            return usual;
        }
        let generation = Generation {
            mode,
            lead_time_seconds: then(lead, current.lead_time_seconds, usual.lead_time_seconds),
            max_open: then(max_open, current.max_open, usual.max_open),
            catch_up: then(catch_up, current.catch_up, usual.catch_up),
            catch_up_limit: then(limit, current.catch_up_limit, usual.catch_up_limit),
            auto_skip_when_late: then(
                skips,
                current.auto_skip_when_late,
                usual.auto_skip_when_late,
            ),
        };
        if generation.auto_skip_when_late && !has_one_open(&generation) {
            let message =
                "skips the one that is open: that needs max_open 1, and catch_up latest or none";
            reader.fault(Fault::new(at(SKIPS), "one_open_only", message));
        }
        generation
    }
}

/// Whether never more than one is open.
fn has_one_open(generation: &Generation) -> bool {
    generation.max_open == 1 && generation.catch_up != CatchUp::All
}

/// Whether something else than usual is asked for: what was read may be sent back.
fn is_said<T: Copy + PartialEq>(edit: &Edit<Option<T>>, usual: T) -> bool {
    matches!(edit, Edit::To(Some(to)) if *to != usual)
}

fn then<T>(edit: Edit<Option<T>>, current: T, usual: T) -> T {
    match edit {
        Edit::Keep => current,
        Edit::To(to) => to.unwrap_or(usual),
    }
}

fn edit<T>(
    reader: &mut Reader,
    pointer: &str,
    field: Field<String>,
    parse: impl FnOnce(&str) -> Option<T>,
    expected: &str,
) -> Edit<Option<T>> {
    let text = reader.edit(pointer, field);
    text.map(|text| text.and_then(|text| reader.parse(pointer, &text, parse, expected)))
}

fn edit_most(reader: &mut Reader, pointer: &str, field: Field<u16>) -> Edit<Option<u32>> {
    let number = reader.edit(pointer, field);
    number.map(|number| {
        let number = number?;
        if (1..=MOST).contains(&number) {
            return Some(u32::from(number));
        }
        let message = format!("must be between 1 and {MOST}");
        reader.fault(Fault::new(pointer, "out_of_range", message));
        None
    })
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
