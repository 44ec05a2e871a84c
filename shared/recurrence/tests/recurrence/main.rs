//! Recurrence as its callers see it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod after_completion;
mod brute_force;
mod completion;
mod ends;
mod exceptions;
mod month_ends;
mod parsing;
mod properties;
mod reference;
mod rfc5545;
mod text;
mod zone_facts;
mod zones;

use chrono_tz::Tz;
use recurrence::{MonthOverflow, Rule, Schedule, Slot};

fn slot(text: &str) -> Slot {
    text.parse().unwrap()
}

fn schedule(rule: &str, start: &str) -> Schedule {
    build(rule, start, None, MonthOverflow::Clamp)
}

fn build(rule: &str, start: &str, zone: Option<Tz>, overflow: MonthOverflow) -> Schedule {
    Schedule::new(Rule::parse(rule).unwrap(), slot(start), zone, overflow).unwrap()
}

/// Returns the first slots, separated by spaces.
fn slots(schedule: &Schedule, limit: usize) -> String {
    let slots: Vec<String> = schedule
        .occurrences()
        .take(limit)
        .map(|next| next.slot.to_string())
        .collect();
    slots.join(" ")
}
