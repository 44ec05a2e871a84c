//! Deliveries as an at-least-once broker makes them: each event twice, all of them shuffled, to any replica.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use event_schema::Topic;
use futures_util::{StreamExt, stream};
use reqwest::Client;
use serde_json::{Value, json};
use test_support::Random;
use tokio::sync::Notify;

/// Deliveries under way at once.
const AT_ONCE: usize = 16;

/// Delivers to these doors.
pub(crate) struct Deliveries {
    client: Client,
    events: Vec<(String, Value)>,
    made: AtomicUsize,
    midst: Notify,
}

impl Deliveries {
    pub(crate) fn of(events: &[Value], doors: &[String], random: &mut Random) -> Self {
        let mut twice = [events, events].concat();
        random.shuffle(&mut twice);
        let mut door = || doors[random.below(doors.len())].clone();
        let client = Client::builder().timeout(Duration::from_secs(10));
        Self {
            client: client.build().unwrap(),
            events: twice.into_iter().map(|event| (door(), event)).collect(),
            made: AtomicUsize::new(0),
            midst: Notify::new(),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.events.len()
    }

    /// Makes them all; gives back what was not answered with success.
    pub(crate) async fn make(&self) -> Vec<Value> {
        let all = stream::iter(&self.events).map(|(door, event)| self.one(door, event));
        let left: Vec<Option<Value>> = all.buffer_unordered(AT_ONCE).collect().await;
        left.into_iter().flatten().collect()
    }

    /// Waits until half of them were made, while others are under way.
    pub(crate) async fn midst(&self) {
        self.midst.notified().await;
    }

    async fn one(&self, door: &str, event: &Value) -> Option<Value> {
        let succeeded = self.deliver(door, event).await.unwrap_or(false);
        if self.made.fetch_add(1, Ordering::Relaxed) == self.events.len() / 2 {
            self.midst.notify_one();
        }
        (!succeeded).then(|| event.clone())
    }

    async fn deliver(&self, door: &str, event: &Value) -> reqwest::Result<bool> {
        let topic = topic_of(event).name();
        let mut body = event.clone();
        body["topic"] = topic.into();
        body["pubsubname"] = "pubsub".into();
        let request = self.client.post(format!("{door}/events/{topic}"));
        let request = request.header("content-type", "application/cloudevents+json");
        let answer = request.body(body.to_string()).send().await?;
        let answer: Value = answer.error_for_status()?.json().await?;
        Ok(answer == json!({ "status": "SUCCESS" }))
    }
}

fn topic_of(event: &Value) -> Topic {
    match event["type"].as_str().unwrap_or_default() {
        of_series if of_series.starts_with("series.") => Topic::RecurringEvents,
        _ => Topic::TaskEvents,
    }
}
