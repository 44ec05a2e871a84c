//! What is measured, through the global meter.

use std::time::Duration;

use opentelemetry::metrics::Histogram;
use opentelemetry::{KeyValue, global};

/// Durations in seconds by topic and ending. Made after the service installed its meter provider.
#[derive(Clone, Debug)]
pub(crate) struct Durations {
    histogram: Histogram<f64>,
    /// Several services may share a process: whose measurement it is.
    service: Option<&'static str>,
}

impl Durations {
    /// How long publish calls take.
    pub(crate) fn of_publishing() -> Self {
        Self::named(
            "event.publish.duration",
            "Time until the sidecar answered a publish call",
            None,
        )
    }

    /// How long the processing of an event takes.
    pub(crate) fn of_processing(service: &'static str) -> Self {
        Self::named(
            "event.process.duration",
            "Time until a delivered event was answered",
            Some(service),
        )
    }

    /// One call or event.
    pub(crate) fn record(&self, topic: &str, ending: Ending, took: Duration) {
        let mut attributes = vec![
            KeyValue::new("topic", topic.to_owned()),
            KeyValue::new("ack", ending.as_str()),
        ];
        attributes.extend(
            self.service
                .map(|service| KeyValue::new("service", service)),
        );
        self.histogram.record(took.as_secs_f64(), &attributes);
    }

    fn named(name: &'static str, description: &'static str, service: Option<&'static str>) -> Self {
        let meter = global::meter("dapr-client");
        let histogram = meter.f64_histogram(name).with_unit("s");
        Self {
            histogram: histogram.with_description(description).build(),
            service,
        }
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
