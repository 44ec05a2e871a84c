//! Prints what the usual questions cost: `cargo run --release -p recurrence --example speed`.
//!
//! The figures are for people. What must hold is counted, not timed, in `src/expand/work.rs`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it is run by hand"
)]

use std::hint::black_box;
use std::time::Instant;

use recurrence::{MonthOverflow, Occurrence, Rule, Schedule, Slot};

const ROUNDS: u32 = 2_000;

fn main() {
    let old = schedule("FREQ=DAILY", "1977-06-15T09:00");
    let after: Slot = "2027-06-15T09:00".parse().unwrap();
    let cursor = Occurrence {
        slot: after,
        index: 18_263,
    };
    time("parse a rule", || {
        Rule::parse("FREQ=MONTHLY;INTERVAL=2;BYDAY=1MO,-1FR")
    });
    time("refuse a rule that never occurs", || {
        Rule::parse("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")
    });
    time("next of a daily rule 50 years old, from a cursor", || {
        old.resume(cursor).next()
    });
    time("next of a daily rule 50 years old, without one", || {
        old.next_after(after)
    });
    let ancient = schedule("FREQ=DAILY", "0001-06-15T09:00");
    time("next of a daily rule 2026 years old, from a cursor", || {
        ancient.resume(cursor).next()
    });
    time("next of a daily rule 2026 years old, without one", || {
        ancient.next_after(after)
    });
    let monthly = schedule("FREQ=MONTHLY", "2027-01-31T09:00");
    time("366 slots of a monthly rule", || {
        monthly.occurrences().take(366).count()
    });
    let sparse = schedule(
        "FREQ=DAILY;INTERVAL=997;BYMONTH=2;BYMONTHDAY=29",
        "2028-02-29T09:00",
    );
    time("all slots of a rule with a few in 8000 years", || {
        sparse.occurrences().count()
    });
}

fn schedule(rule: &str, start: &str) -> Schedule {
    let zone = Some(chrono_tz::Europe::Berlin);
    let rule = Rule::parse(rule).unwrap();
    Schedule::new(rule, start.parse().unwrap(), zone, MonthOverflow::Clamp).unwrap()
}

fn time<T>(what: &str, work: impl Fn() -> T) {
    let began = Instant::now();
    for _ in 0..ROUNDS {
        black_box(work());
    }
    let each = began.elapsed() / ROUNDS;
    println!("{:>9.2} µs  {what}", each.as_secs_f64() * 1e6);
}
