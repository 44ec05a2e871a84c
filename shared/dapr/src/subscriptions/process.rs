//! One event: read it, call its handler within the deadline, park what can never be handled.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use event_schema::{Envelope, EnvelopeError, Topic};
use futures_util::FutureExt;
use tracing::{Instrument, Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::wire::Received;
use super::{Ack, Delivery, Failure, Handler};
use crate::metrics::{Durations, Ending};
use crate::{DeadLetter, DeadLetters, trace};

type Parsed = Result<Envelope, EnvelopeError>;

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
        let envelope = Envelope::parse(&received.raw);
        let span = self.span(envelope.as_ref().ok());
        let started = Instant::now();
        let ending = self.within_deadline(received, envelope).instrument(span);
        let ending = ending.await;
        self.durations
            .record(self.topic.name(), ending, started.elapsed());
        match ending {
            Ending::Success | Ending::Parked => Ack::Success,
            Ending::Retry => Ack::Retry,
        }
    }

    /// The span of processing an event, in the trace of what caused it.
    fn span(&self, envelope: Option<&Envelope>) -> Span {
        let topic = self.topic.name();
        let span = tracing::info_span!(
            "process",
            otel.name = format!("process {topic}"),
            otel.kind = "consumer",
            messaging.system = "dapr",
            messaging.operation.type = "process",
            messaging.destination.name = topic,
            messaging.message.id = envelope.map(|event| field::display(event.id)),
            event.type = envelope.map(|event| event.event_type.as_str()),
        );
        let traceparent = envelope.and_then(|event| event.traceparent.as_deref());
        if let Some(cause) = traceparent.and_then(trace::remote) {
            // Fails only when traces are not exported: then there is nothing to continue.
            let _continued = span.set_parent(cause);
        }
        span
    }

    /// The sidecar gives up on a request some time after our deadline and delivers again; a handler
    /// that ran on would meet itself.
    async fn within_deadline(&self, received: Received, envelope: Parsed) -> Ending {
        let processing = self.handle_or_park(received, envelope);
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

    async fn handle_or_park(&self, received: Received, envelope: Parsed) -> Ending {
        if received.is_tombstone() {
            return Ending::Success;
        }
        let envelope = match envelope {
            Ok(envelope) => envelope,
            Err(error) => return self.park(received, error.to_string()).await,
        };
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

fn said(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
