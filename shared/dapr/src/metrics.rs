//! What is measured, through the global meter.

use std::time::Duration;

use opentelemetry::metrics::Histogram;
use opentelemetry::{KeyValue, global};

/// Durations in seconds by topic and ending. Made after the service installed its meter provider.
#[derive(Clone, Debug)]
pub(crate) struct Durations(Histogram<f64>);

impl Durations {
    /// How long publish calls take.
    pub(crate) fn of_publishing() -> Self {
        Self::named(
            "event.publish.duration",
            "Time until the sidecar answered a publish call",
        )
    }

    /// How long the processing of an event takes.
    pub(crate) fn of_processing() -> Self {
        Self::named(
            "event.process.duration",
            "Time until a delivered event was answered",
        )
    }

    /// One call or event.
    pub(crate) fn record(&self, topic: &str, ending: Ending, took: Duration) {
        self.0.record(
            took.as_secs_f64(),
            &[
                KeyValue::new("topic", topic.to_owned()),
                KeyValue::new("ack", ending.as_str()),
            ],
        );
    }

    fn named(name: &'static str, description: &'static str) -> Self {
        let meter = global::meter("dapr-client");
        Self(
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_description(description)
                .build(),
        )
    }
}

/// How a call or an event ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As hoped.
    Success,
    /// To be tried again.
    Retry,
    /// In the dead-letter table, or refused for good.
    Parked,
}

impl Ending {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Retry => "retry",
            Self::Parked => "parked",
        }
    }
}
