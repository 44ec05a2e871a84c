//! A rule as a structure: what its text says, member by member.

use chrono::Weekday;
use recurrence::{ByDay, Frequency, RuleParts};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ends::EndsView;
use crate::domain::Fault;
use crate::routes::fields::{Expected, Field, Reader, Unknown};

const FREQUENCIES: [(&str, Frequency); 4] = [
    ("daily", Frequency::Daily),
    ("weekly", Frequency::Weekly),
    ("monthly", Frequency::Monthly),
    ("yearly", Frequency::Yearly),
];

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("mo", Weekday::Mon),
    ("tu", Weekday::Tue),
    ("we", Weekday::Wed),
    ("th", Weekday::Thu),
    ("fr", Weekday::Fri),
    ("sa", Weekday::Sat),
    ("su", Weekday::Sun),
];

/// The parts of a rule and the members that hold them.
const MEMBERS: [(&str, &str); 9] = [
    ("FREQ", "/freq"),
    ("INTERVAL", "/interval"),
    ("COUNT", "/ends/count"),
    ("UNTIL", "/ends/until"),
    ("BYMONTH", "/by_month"),
    ("BYMONTHDAY", "/by_month_day"),
    ("BYDAY", "/by_weekday"),
    ("BYSETPOS", "/by_set_pos"),
    ("WKST", "/week_start"),
];

/// No list of a rule needs more members.
const MAX_MEMBERS: usize = 732;

/// A rule as a structure.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[schema(as = StructuredRuleInput)]
pub(super) struct StructuredInput {
    /// `daily`, `weekly`, `monthly` or `yearly`: required without `rrule`.
    #[serde(default)]
    #[schema(value_type = Option<FrequencyName>)]
    freq: Field<String>,
    /// Every so many days, weeks, months or years, 1 to 999; 1 when absent.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 999)]
    interval: Field<i64>,
    /// On these weekdays; with `nth` (±1 to ±5) only that one of the month or year.
    #[serde(default)]
    #[schema(value_type = Option<Vec<WeekdayInput>>)]
    by_weekday: Field<Vec<Field<WeekdayInput>>>,
    /// On these days of the month, ±1 to ±31; -1 is the last.
    #[serde(default)]
    #[schema(value_type = Option<Vec<i32>>)]
    by_month_day: Field<Vec<Field<i64>>>,
    /// In these months, 1 to 12.
    #[serde(default)]
    #[schema(value_type = Option<Vec<u32>>)]
    by_month: Field<Vec<Field<i64>>>,
    /// Of the days that the others select in a month or year, only these, ±1 to ±366.
    #[serde(default)]
    #[schema(value_type = Option<Vec<i32>>)]
    by_set_pos: Field<Vec<Field<i64>>>,
    /// The first day of the week, `mo` when absent. It matters when weeks are skipped.
    #[serde(default)]
    #[schema(value_type = Option<WeekdayName>)]
    week_start: Field<String>,
}

/// A weekday, or the nth of them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[schema(as = WeekdayInput, example = json!({"day": "fr", "nth": -1}))]
pub(super) struct WeekdayInput {
    /// `mo` to `su`.
    #[serde(default)]
    #[schema(value_type = WeekdayName, required = true)]
    day: Field<String>,
    /// The nth of the month or year, ±1 to ±5; -1 is the last. Every one when absent.
    #[serde(default)]
    #[schema(value_type = Option<i32>)]
    nth: Field<i64>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// A rule as a structure.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = StructuredRule)]
pub(in crate::routes) struct StructuredView {
    /// How often its period repeats.
    #[schema(value_type = FrequencyName)]
    freq: &'static str,
    /// Every so many periods.
    interval: u32,
    /// On these weekdays.
    by_weekday: Vec<WeekdayView>,
    /// On these days of the month.
    by_month_day: Vec<i32>,
    /// In these months.
    by_month: Vec<u32>,
    /// Only these of the days that the others select.
    by_set_pos: Vec<i32>,
    /// The first day of the week.
    #[schema(value_type = WeekdayName)]
    week_start: &'static str,
    /// When it stops by itself.
    ends: EndsView,
}

/// A weekday, or the nth of them.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Weekday)]
struct WeekdayView {
    #[schema(value_type = WeekdayName)]
    day: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    nth: Option<i32>,
}

/// How often the period of a rule repeats.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Frequency)]
#[expect(dead_code, reason = "only described")]
enum FrequencyName {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// A weekday, by its two letters of RFC 5545.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only described")]
enum WeekdayName {
    Mo,
    Tu,
    We,
    Th,
    Fr,
    Sa,
    Su,
}

impl Expected for i64 {
    const EXPECTED: &'static str = "a whole number";
}

impl Expected for WeekdayInput {
    const EXPECTED: &'static str =
        "an object such as {\"day\": \"mo\"} or {\"day\": \"fr\", \"nth\": -1}";
}

impl StructuredInput {
    /// Whether any member of it was sent.
    pub(super) fn is_there(&self) -> bool {
        *self != Self::default()
    }

    /// Reads the members as they are: whether they make a rule is for the rule to say.
    pub(super) fn read(self, reader: &mut Reader, pointer: &str) -> Option<RuleParts> {
        let at = |name: &str| format!("{pointer}/{name}");
        if !self.is_there() {
            let message = "is required, or freq and its parts instead";
            reader.fault(Fault::new(at("rrule"), "missing", message));
            return None;
        }
        let freq = reader.required(&at("freq"), self.freq);
        let freq = freq.and_then(|name| frequency(reader, &at("freq"), &name));
        let interval = reader.optional(&at("interval"), self.interval).unwrap_or(1);
        let days = list(reader, &at("by_weekday"), self.by_weekday);
        let by_day = days
            .into_iter()
            .filter_map(|(at, day)| day.read(reader, &at));
        let by_day = by_day.collect();
        let by_month_day = numbers(reader, &at("by_month_day"), self.by_month_day);
        let by_month = numbers(reader, &at("by_month"), self.by_month);
        let by_set_position = numbers(reader, &at("by_set_pos"), self.by_set_pos);
        let week_start = reader.optional(&at("week_start"), self.week_start);
        let week_start = week_start.and_then(|name| weekday(reader, &at("week_start"), &name));
        let parts = RuleParts {
            interval: u32_of(interval),
            by_day,
            by_month: by_month.into_iter().map(u32_of).collect(),
            by_month_day: by_month_day.into_iter().map(i32_of).collect(),
            by_set_position: by_set_position.into_iter().map(i32_of).collect(),
            week_start: week_start.unwrap_or(Weekday::Mon),
            ..RuleParts::new(freq?)
        };
        (!reader.is_wrong(pointer)).then_some(parts)
    }
}

impl WeekdayInput {
    fn read(self, reader: &mut Reader, pointer: &str) -> Option<ByDay> {
        reader.unknown(pointer, &self.unknown);
        let ordinal = reader.optional(&format!("{pointer}/nth"), self.nth);
        let pointer = format!("{pointer}/day");
        let name = reader.required(&pointer, self.day)?;
        Some(ByDay {
            ordinal: ordinal.map(i32_of),
            weekday: weekday(reader, &pointer, &name)?,
        })
    }
}

impl From<&RuleParts> for StructuredView {
    fn from(parts: &RuleParts) -> Self {
        let days = parts.by_day.iter().map(|day| WeekdayView {
            day: name_of(&WEEKDAYS, day.weekday),
            nth: day.ordinal,
        });
        Self {
            freq: name_of(&FREQUENCIES, parts.frequency),
            interval: parts.interval,
            by_weekday: days.collect(),
            by_month_day: parts.by_month_day.clone(),
            by_month: parts.by_month.clone(),
            by_set_pos: parts.by_set_position.clone(),
            week_start: name_of(&WEEKDAYS, parts.week_start),
            ends: EndsView::from(parts),
        }
    }
}

/// The member that holds a part of a rule.
pub(super) fn member_of(part: &str) -> &'static str {
    let found = MEMBERS.iter().find(|(name, _)| *name == part);
    found.map_or("", |(_, member)| member)
}

fn frequency(reader: &mut Reader, pointer: &str, name: &str) -> Option<Frequency> {
    let found = value_of(&FREQUENCIES, name);
    if found.is_none() {
        let message = "must be daily, weekly, monthly or yearly";
        reader.fault(Fault::new(pointer, "unsupported", message));
    }
    found
}

fn weekday(reader: &mut Reader, pointer: &str, name: &str) -> Option<Weekday> {
    let expected = "one of mo, tu, we, th, fr, sa and su";
    reader.parse(pointer, name, |name| value_of(&WEEKDAYS, name), expected)
}

fn value_of<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    let found = table
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| *value)
}

fn name_of<T: Copy + PartialEq>(table: &[(&'static str, T)], value: T) -> &'static str {
    let found = table.iter().find(|(_, known)| *known == value);
    found.map_or("", |(name, _)| name)
}

fn numbers(reader: &mut Reader, pointer: &str, field: Field<Vec<Field<i64>>>) -> Vec<i64> {
    let list = list(reader, pointer, field);
    list.into_iter().map(|(_, number)| number).collect()
}

/// The members of a list, each with its pointer.
fn list<T: Expected>(
    reader: &mut Reader,
    pointer: &str,
    field: Field<Vec<Field<T>>>,
) -> Vec<(String, T)> {
    let list = reader.optional(pointer, field).unwrap_or_default();
    if list.len() > MAX_MEMBERS {
        let message = "is too long for one rule: name each member once";
        reader.fault(Fault::new(pointer, "unsupported", message));
        return Vec::new();
    }
    let mut read = Vec::new();
    for (index, item) in list.into_iter().enumerate() {
        let pointer = format!("{pointer}/{index}");
        let item = reader.required(&pointer, item);
        read.extend(item.map(|item| (pointer, item)));
    }
    read
}

/// A number as a rule holds it; 0 is out of range everywhere.
fn u32_of(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn i32_of(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(0)
}
