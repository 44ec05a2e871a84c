//! What a sidecar tells its app: the events it subscribed to.

mod answer;
mod app;
mod consumer;
mod discovery;
mod message;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::broker::Partition;
use crate::config::Scopes;
use crate::{Broker, Error, RetryPolicy};
pub(crate) use app::App;
use consumer::Consumer;

/// How long to wait before an app that does not listen is tried again: doubling, between the two.
const FIRST_KNOCK: Duration = Duration::from_millis(20);
const LAST_KNOCK: Duration = Duration::from_secs(1);

/// A subscription of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subscription {
    pub(crate) pubsub: String,
    pub(crate) topic: String,
    pub(crate) path: String,
    pub(crate) dead_letter_topic: Option<String>,
    /// The most events of a bulk delivery; `None` delivers one by one.
    pub(crate) bulk: Option<u32>,
}

/// Whether the app was asked what it subscribes to.
#[derive(Clone, Debug)]
pub(crate) enum Discovery {
    Pending,
    Done(Arc<Vec<Subscription>>),
}

/// Delivers to one app.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) app: Arc<App>,
    pub(crate) pubsub: String,
    pub(crate) broker: Broker,
    pub(crate) scopes: Scopes,
    pub(crate) retry: RetryPolicy,
    pub(crate) deliver_twice: bool,
    pub(crate) discovery: watch::Sender<Discovery>,
}

impl Delivery {
    /// Asks the app for its subscriptions, then delivers until the stop.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        let Some(subscriptions) = stop.run_until_cancelled(discovery::ask(&self)).await else {
            return Ok(());
        };
        let mut consumers = Vec::new();
        let mut partitions = Vec::new();
        for subscription in &subscriptions {
            for partition in self.broker.partitions_of(&subscription.topic)? {
                consumers.push(self.consumer(subscription, partition));
                partitions.push(Arc::clone(partition));
            }
        }
        // Known before the first delivery, so that whoever received one finds it in the metadata.
        self.broker.subscribed(self.app.group(), &partitions);
        self.discovery
            .send_replace(Discovery::Done(Arc::new(subscriptions)));
        let consumers = consumers
            .into_iter()
            .map(|consumer| consumer.run(stop.clone()));
        let mut consumers: JoinSet<()> = consumers.collect();
        while let Some(ended) = consumers.join_next().await {
            ended.map_err(|error| Error::Task(error.to_string()))?;
        }
        stop.cancelled().await;
        Ok(())
    }

    fn consumer(&self, subscription: &Subscription, partition: &Arc<Partition>) -> Consumer {
        Consumer {
            app: Arc::clone(&self.app),
            broker: self.broker.clone(),
            subscription: subscription.clone(),
            partition: Arc::clone(partition),
            retry: self.retry,
            rounds: if self.deliver_twice { 2 } else { 1 },
        }
    }
}
