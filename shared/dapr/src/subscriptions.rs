//! The table of subscriptions: which topic goes to which function.

mod answer;
mod bulk;
mod door;
mod process;
mod routes;
mod wire;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use axum::Router;
use bytes::Bytes;
use event_schema::{App, Envelope, Topic};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::{Config, DeadLetters};
pub use door::Door;

/// What one delivered event looks like to a handler.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The topic it came from.
    pub topic: Topic,
    /// The event, its data undecoded.
    pub envelope: Envelope,
    /// The envelope's bytes as they were received: keys sorted by the sidecar, so never to be hashed.
    pub raw: Bytes,
    /// The trace the event was made in, from the envelope.
    pub traceparent: Option<String>,
}

/// What to tell the sidecar of an event. Never "drop": see the contract of bulk delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ack {
    /// It is done, was done before, or is none of our business.
    Success,
    /// Deliver it again; later events of its partition wait.
    Retry,
}

/// A handler's error says only whether it heals by itself.
pub trait HandlerError: Error + Send + Sync + 'static {
    /// Whether the same event may succeed later. If not, it is parked in the dead-letter table.
    fn is_transient(&self) -> bool;
}

/// Why an event was not handled.
#[derive(Debug)]
struct Failure {
    transient: bool,
    reason: String,
}

type Handler<S> =
    Arc<dyn Fn(S, Delivery) -> BoxFuture<'static, Result<Ack, Failure>> + Send + Sync>;

/// Every subscription of a service, and the routes its sidecar calls.
#[must_use = "subscriptions do nothing until they are served"]
pub struct Subscriptions<S> {
    app: App,
    config: Config,
    handlers: Vec<(Topic, Handler<S>)>,
}

impl<S: Clone + Send + Sync + 'static> Subscriptions<S> {
    /// An empty table.
    pub fn new(app: App, config: &Config) -> Self {
        Self {
            app,
            config: config.clone(),
            handlers: Vec::new(),
        }
    }

    /// Subscribes to a topic. The handler is called once per event, concurrently for the events of
    /// one bulk delivery and in their order; a second handler of a topic replaces the first.
    pub fn on<F, Fut, E>(mut self, topic: Topic, handler: F) -> Self
    where
        F: Fn(S, Delivery) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Ack, E>> + Send,
        E: HandlerError,
    {
        self.handlers.retain(|(known, _)| *known != topic);
        let handler: Handler<S> = Arc::new(move |state, delivery| {
            let handler = handler.clone();
            async move {
                handler(state, delivery)
                    .await
                    .map_err(|error| Failure::from(&error))
            }
            .boxed()
        });
        self.handlers.push((topic, handler));
        self
    }

    /// The subscribed topics, in the order of the table.
    pub fn topics(&self) -> Vec<Topic> {
        self.handlers.iter().map(|(topic, _)| *topic).collect()
    }

    /// The routes that the sidecar calls. They belong on a listener that nobody else reaches.
    pub fn into_router(self, state: S, dead_letters: Arc<dyn DeadLetters>) -> Router {
        routes::router(self, state, dead_letters)
    }
}

impl<S> fmt::Debug for Subscriptions<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topics: Vec<_> = self.handlers.iter().map(|(topic, _)| topic).collect();
        f.debug_struct("Subscriptions")
            .field("app", &self.app)
            .field("topics", &topics)
            .finish_non_exhaustive()
    }
}

impl<E: HandlerError> From<&E> for Failure {
    fn from(error: &E) -> Self {
        let mut reason = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            reason.push_str(": ");
            reason.push_str(&cause.to_string());
            source = cause.source();
        }
        Self {
            transient: error.is_transient(),
            reason,
        }
    }
}
