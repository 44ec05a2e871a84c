//! One event: read it, call its handler within the deadline, park what can never be handled.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use event_schema::{Envelope, Topic};
use futures_util::FutureExt;
use tracing::{Instrument, Span, field};

use super::wire::Received;
use super::{Ack, Delivery, Failure, Handler};
use crate::metrics::{Durations, Ending};
use crate::{DeadLetter, DeadLetters};

/// What it takes to process the events of one topic.
#[derive(Clone)]
pub(super) struct Processor<S> {
    pub(super) topic: Topic,
    pub(super) state: S,
    pub(super) handler: Handler<S>,
    pub(super) dead_letters: Arc<dyn DeadLetters>,
    pub(super) deadline: Duration,
    pub(super) durations: Durations,
}

impl<S: Clone + Send + Sync + 'static> Processor<S> {
    /// Processes one event. Never fails: what goes wrong is parked or retried.
    pub(super) async fn process(&self, received: Received) -> Ack {
        let topic = self.topic.name();
        let span = tracing::info_span!(
            "process",
            otel.name = format!("process {topic}"),
            otel.kind = "consumer",
            messaging.system = "dapr",
            messaging.operation.type = "process",
            messaging.destination.name = topic,
            messaging.message.id = field::Empty,
            event.type = field::Empty,
            traceparent = field::Empty,
        );
        let started = Instant::now();
        let ending = self
            .within_deadline(received, &span)
            .instrument(span.clone())
            .await;
        self.durations.record(topic, ending, started.elapsed());
        match ending {
            Ending::Success | Ending::Parked => Ack::Success,
            Ending::Retry => Ack::Retry,
        }
    }

    /// The sidecar gives up on a request some time after our deadline and delivers again; a handler
    /// that ran on would meet itself.
    async fn within_deadline(&self, received: Received, span: &Span) -> Ending {
        let processing = self.handle_or_park(received, span);
        tokio::time::timeout(self.deadline, processing)
            .await
            .unwrap_or_else(|_| {
                tracing::warn!(
                    "processing took longer than {:?}, asking for a retry",
                    self.deadline
                );
                Ending::Retry
            })
    }

    async fn handle_or_park(&self, received: Received, span: &Span) -> Ending {
        if received.is_tombstone() {
            return Ending::Success;
        }
        let envelope = match Envelope::parse(&received.raw) {
            Ok(envelope) => envelope,
            Err(error) => return self.park(received, error.to_string()).await,
        };
        describe(span, &envelope);
        match self.handle(&received, envelope).await {
            Ok(Ack::Success) => Ending::Success,
            Ok(Ack::Retry) => Ending::Retry,
            Err(Failure {
                transient: true,
                reason,
            }) => {
                tracing::warn!("processing failed, asking for a retry: {reason}");
                Ending::Retry
            }
            Err(Failure {
                transient: false,
                reason,
            }) => self.park(received, reason).await,
        }
    }

    async fn handle(&self, received: &Received, envelope: Envelope) -> Result<Ack, Failure> {
        let delivery = Delivery {
            topic: self.topic,
            raw: received.raw.clone(),
            traceparent: envelope.traceparent.clone(),
            envelope,
        };
        let handling = async { (self.handler)(self.state.clone(), delivery).await };
        AssertUnwindSafe(handling)
            .catch_unwind()
            .await
            .unwrap_or_else(|panic| {
                Err(Failure {
                    transient: false,
                    reason: format!("panicked: {}", said(&*panic)),
                })
            })
    }

    async fn park(&self, received: Received, reason: String) -> Ending {
        let dead = DeadLetter::new(self.topic.name(), received.raw, received.key, reason);
        tracing::error!(
            event.id = dead.event_id,
            event.subject = dead.subject,
            "parking an event: {}",
            dead.reason
        );
        match self.dead_letters.park(dead).await {
            Ok(()) => Ending::Parked,
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(cause, "{error}, asking for a retry");
                Ending::Retry
            }
        }
    }
}

fn describe(span: &Span, envelope: &Envelope) {
    span.record("messaging.message.id", field::display(&envelope.id));
    span.record("event.type", &envelope.event_type);
    if let Some(traceparent) = &envelope.traceparent {
        span.record("traceparent", traceparent);
    }
}

fn said(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
