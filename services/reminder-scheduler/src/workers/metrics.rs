//! How late reminders are, and how many are missed.

use std::sync::LazyLock;

use chrono::TimeDelta;
use opentelemetry::metrics::{Counter, Histogram, Meter};
use opentelemetry::{KeyValue, global};

/// From what nobody notices to what downtime makes of it, in seconds.
const BOUNDARIES: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 3600.0, 86_400.0,
];

const MISSED_TYPE: &str = "reminder.missed.v1";

static METER: LazyLock<Meter> = LazyLock::new(|| global::meter("reminder-scheduler"));
static LATENESS: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    METER
        .f64_histogram("reminder.lateness")
        .with_unit("s")
        .with_boundaries(BOUNDARIES.to_vec())
        .build()
});
static TOLD: LazyLock<Counter<u64>> = LazyLock::new(|| {
    METER
        .u64_counter("reminder.told")
        .with_unit("{reminder}")
        .build()
});

static MISSED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    METER
        .u64_counter("reminder.missed")
        .with_unit("{reminder}")
        .build()
});

static REPLANNED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    METER
        .u64_counter("reminder.replanned")
        .with_unit("{task}")
        .build()
});
static MOVED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    METER
        .u64_counter("reminder.moved")
        .with_unit("{reminder}")
        .build()
});

/// Counts a task whose reminders were planned anew by other zone rules, and those of them that moved.
pub(crate) fn replanned(moved: usize) {
    REPLANNED.add(1, &[]);
    MOVED.add(moved as u64, &[]);
}

/// Counts reminders whose time passed longer ago than their grace.
pub(crate) fn missed(count: u64) {
    if count > 0 {
        MISSED.add(count, &[]);
    }
}

/// Counts a reminder that fired or was missed, and how long after its time.
pub(crate) fn told(event_type: &str, late: TimeDelta) {
    missed(u64::from(event_type == MISSED_TYPE));
    let labels = [KeyValue::new("event.type", event_type.to_owned())];
    TOLD.add(1, &labels);
    LATENESS.record(late.as_seconds_f64(), &labels);
}
