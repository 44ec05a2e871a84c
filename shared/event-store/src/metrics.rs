//! What an operator watches: batches, what they hold, parked events, and the relay's lag.

use std::sync::LazyLock;
use std::time::Duration;

use event_schema::App;
use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter};
use opentelemetry::{KeyValue, global};

use crate::{DeadLetterCount, DeadLetterState};

static METER: LazyLock<Meter> = LazyLock::new(|| global::meter("event-store"));

static BATCH_SIZE: LazyLock<Histogram<u64>> = LazyLock::new(|| {
    METER
        .u64_histogram("ledger.batch.size")
        .with_unit("{command}")
        .build()
});
static BATCH_SECONDS: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    METER
        .f64_histogram("ledger.batch.duration")
        .with_unit("s")
        .build()
});
static EVENTS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    METER
        .u64_counter("ledger.events")
        .with_unit("{event}")
        .build()
});
static PARKED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    METER
        .u64_counter("ledger.dead_letters")
        .with_unit("{event}")
        .build()
});
static PUBLISHED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    METER
        .u64_counter("relay.published")
        .with_unit("{event}")
        .build()
});
static LAG: LazyLock<Gauge<f64>> =
    LazyLock::new(|| METER.f64_gauge("relay.lag").with_unit("s").build());
static LAG_POSITIONS: LazyLock<Gauge<u64>> = LazyLock::new(|| {
    METER
        .u64_gauge("relay.lag.positions")
        .with_unit("{event}")
        .build()
});
static RETRIED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    METER
        .u64_counter("relay.retries")
        .with_unit("{event}")
        .build()
});
static OVERLOADED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    METER
        .u64_counter("ledger.overloaded")
        .with_unit("{command}")
        .build()
});
static OVERTAKEN: LazyLock<Counter<u64>> = LazyLock::new(|| {
    METER
        .u64_counter("ledger.overtaken")
        .with_unit("{command}")
        .build()
});
static FAILED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    METER
        .u64_counter("ledger.failed")
        .with_unit("{command}")
        .build()
});
static REFUSED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    METER
        .u64_counter("relay.refused")
        .with_unit("{event}")
        .build()
});
static PARKED_KEYS: LazyLock<Gauge<u64>> = LazyLock::new(|| {
    METER
        .u64_gauge("relay.parked_keys")
        .with_unit("{key}")
        .build()
});
static DEAD_LETTERS: LazyLock<Gauge<i64>> = LazyLock::new(|| {
    METER
        .i64_gauge("ledger.dead_letters.rows")
        .with_unit("{event}")
        .build()
});
static DEAD_LETTER_BYTES: LazyLock<Gauge<i64>> = LazyLock::new(|| {
    METER
        .i64_gauge("ledger.dead_letters.size")
        .with_unit("By")
        .build()
});
static BUCKETS: LazyLock<Gauge<u64>> = LazyLock::new(|| {
    METER
        .u64_gauge("relay.buckets")
        .with_unit("{bucket}")
        .build()
});
static CLOCK_OFFSET: LazyLock<Gauge<f64>> =
    LazyLock::new(|| METER.f64_gauge("clock.offset").with_unit("s").build());

static OLDEST_DUE: LazyLock<Gauge<f64>> =
    LazyLock::new(|| METER.f64_gauge("timers.oldest_due").with_unit("s").build());

fn service(app: App) -> KeyValue {
    KeyValue::new("service", app.id())
}

pub(crate) fn batch(app: App, commands: usize, events: usize, took: Duration) {
    BATCH_SIZE.record(commands as u64, &[service(app)]);
    BATCH_SECONDS.record(took.as_secs_f64(), &[service(app)]);
    EVENTS.add(events as u64, &[service(app)]);
}

pub(crate) fn parked(app: App, topic: &str) {
    PARKED.add(1, &[service(app), KeyValue::new("topic", topic.to_owned())]);
}

/// What stands in the dead-letter table; a state without rows is shown as empty.
pub(crate) fn dead_letters(app: App, counts: &[DeadLetterCount]) {
    for state in DeadLetterState::ALL.map(DeadLetterState::as_str) {
        let of_state = counts.iter().find(|count| count.state == state);
        let labels = [service(app), KeyValue::new("state", state)];
        DEAD_LETTERS.record(of_state.map_or(0, |count| count.count), &labels);
        DEAD_LETTER_BYTES.record(of_state.map_or(0, |count| count.bytes), &labels);
    }
}

/// Events that the sidecar took.
pub(crate) fn published(app: App, events: usize) {
    PUBLISHED.add(events as u64, &[service(app)]);
}

/// The oldest event that this replica has still to publish: how far before the end of the log it is,
/// and its age.
pub(crate) fn lag(app: App, positions: u64, age: Duration) {
    LAG_POSITIONS.record(positions, &[service(app)]);
    LAG.record(age.as_secs_f64(), &[service(app)]);
}

/// Events that were not taken this time; `kind` is what was wrong.
pub(crate) fn retried(app: App, kind: &'static str, events: usize) {
    if events > 0 {
        RETRIED.add(events as u64, &[service(app), KeyValue::new("kind", kind)]);
    }
}

/// A command found the queue full.
pub(crate) fn overloaded(app: App) {
    OVERLOADED.add(1, &[service(app)]);
}

/// Commands that were decided ahead in vain.
pub(crate) fn overtaken(app: App, commands: usize) {
    OVERTAKEN.add(commands as u64, &[service(app)]);
}

/// Commands whose batch could not be committed.
pub(crate) fn failed(app: App, commands: usize, unavailable: bool) {
    let cause = if unavailable { "unavailable" } else { "bug" };
    FAILED.add(
        commands as u64,
        &[service(app), KeyValue::new("cause", cause)],
    );
}

/// An event that the sidecar did not take while it took others.
pub(crate) fn refused(app: App, topic: &str) {
    REFUSED.add(1, &[service(app), KeyValue::new("topic", topic.to_owned())]);
}

/// Keys whose events stay in the log until an operator does something.
pub(crate) fn parked_keys(app: App, keys: usize) {
    PARKED_KEYS.record(keys as u64, &[service(app)]);
}

/// The relay's share of the log.
pub(crate) fn buckets(app: App, held: usize) {
    BUCKETS.record(held as u64, &[service(app)]);
}

/// How long ago the earliest timer of a kind that is still there was due.
pub(crate) fn oldest_due(app: App, kind: &'static str, late: chrono::TimeDelta) {
    let labels = [service(app), KeyValue::new("kind", kind)];
    OLDEST_DUE.record(late.as_seconds_f64(), &labels);
}

/// What is added to this machine's clock to have the database's.
pub(crate) fn clock_offset(offset: chrono::TimeDelta) {
    CLOCK_OFFSET.record(offset.as_seconds_f64(), &[]);
}
