//! Delivering events as the sidecar does.

use axum::body::Body;
use event_schema::{Topic, all_events};
use http::header::{CONTENT_TYPE, HOST};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::TestSuite;

const CLOUD_EVENT: &str = "application/cloudevents+json";
/// Events of one bulk delivery, at most.
const MOST_PER_DELIVERY: usize = 5;

impl TestSuite {
    /// Delivers the events as an at-least-once broker may: each twice in bulk, all of them shuffled,
    /// then each once more alone. Every one must be answered with success.
    pub async fn deliver(&mut self, events: impl IntoIterator<Item = Value>) {
        let events: Vec<Value> = events.into_iter().collect();
        let mut twice = [events.as_slice(), events.as_slice()].concat();
        self.random.shuffle(&mut twice);
        for (topic, run) in self.runs(twice) {
            let answers = self.deliver_bulk(topic, &run).await;
            self.assert_success(&run, &answers);
        }
        self.deliver_in_order(events).await;
    }

    /// Delivers the events one by one in their order; every one must be answered with success.
    pub async fn deliver_in_order(&self, events: impl IntoIterator<Item = Value>) {
        for event in events {
            let answer = self.deliver_single(topic_of(&event), &event).await;
            self.assert_success(&[event], &[answer]);
        }
    }

    /// Delivers the events of the suite's other services that this one subscribes to; see
    /// [`deliver`](Self::deliver).
    pub async fn deliver_subscribed(&mut self, events: impl IntoIterator<Item = Value>) {
        let mut subscribed = Vec::new();
        for event in events {
            if self.route(topic_of(&event)).await.is_some() {
                subscribed.push(event);
            }
        }
        self.deliver(subscribed).await;
    }

    /// One delivery of one event; returns the answer, `SUCCESS` or `RETRY`.
    pub async fn deliver_single(&self, topic: Topic, event: &Value) -> String {
        let mut body = event.clone();
        if let Some(attributes) = body.as_object_mut() {
            attributes.insert("topic".to_owned(), topic.name().into());
            attributes.insert("pubsubname".to_owned(), "pubsub".into());
        }
        let key = event["partitionkey"].as_str().unwrap_or_default();
        let answer = self
            .deliver_bytes(topic, CLOUD_EVENT, key, body.to_string())
            .await;
        status(&answer).to_owned()
    }

    /// One bulk delivery of events of a topic; returns their answers in the order of the events.
    pub async fn deliver_bulk(&self, topic: Topic, events: &[Value]) -> Vec<String> {
        let entries: Vec<Value> = (0..)
            .zip(events)
            .map(|(index, event): (usize, _)| entry(index, event))
            .collect();
        let body = json!({
            "id": "00000000-0000-0000-0000-000000000000",
            "type": "com.dapr.event.sent.bulk",
            "topic": topic.name(),
            "pubsubname": "pubsub",
            "metadata": { "pubsubName": "pubsub" },
            "entries": entries,
        });
        let answer = self
            .deliver_bytes(topic, "application/json", "", body.to_string())
            .await;
        let listed = answer["statuses"].as_array().cloned().unwrap_or_default();
        let of_entry = |index: usize| {
            let id = Value::from(index.to_string());
            let found = listed.iter().find(|entry| entry["entryId"] == id);
            found.map_or("", status).to_owned()
        };
        (0..events.len()).map(of_entry).collect()
    }

    /// Delivers any bytes through the door of a topic; returns the answer's body.
    pub async fn deliver_bytes(
        &self,
        topic: Topic,
        content_type: &str,
        key: &str,
        body: impl Into<Body>,
    ) -> Value {
        let route = self.route(topic).await;
        let route = route.unwrap_or_else(|| panic!("{} is not subscribed", topic.name()));
        let request = Request::post(route)
            .header(CONTENT_TYPE, content_type)
            .header(HOST, "localhost")
            .header("__key", key)
            .body(body.into())
            .expect("a request");
        let answer = self.ask_door(request).await;
        let status = answer.status();
        let body = answer.into_body().collect().await.expect("a body");
        let body = body.to_bytes();
        assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).expect("a JSON answer")
    }

    /// What `GET /dapr/subscribe` answers.
    pub async fn subscriptions(&self) -> Value {
        let request = Request::get("/dapr/subscribe")
            .header(HOST, "localhost")
            .body(Body::empty())
            .expect("a request");
        let body = self.ask_door(request).await.into_body().collect().await;
        serde_json::from_slice(&body.expect("a body").to_bytes()).expect("JSON")
    }

    async fn route(&self, topic: Topic) -> Option<String> {
        let subscriptions = self.subscriptions().await;
        let found = subscriptions
            .as_array()?
            .iter()
            .find(|entry| entry["topic"] == topic.name())?;
        found["routes"]["default"].as_str().map(str::to_owned)
    }

    async fn ask_door(&self, request: Request<Body>) -> Response<Body> {
        match self.running.door.clone().oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        }
    }

    /// Cuts the events into bulk deliveries: neighbors of one topic, a few at a time.
    fn runs(&mut self, events: Vec<Value>) -> Vec<(Topic, Vec<Value>)> {
        let mut runs: Vec<(Topic, Vec<Value>)> = Vec::new();
        let mut room = 0;
        for event in events {
            let topic = topic_of(&event);
            match runs.last_mut() {
                Some((last, run)) if *last == topic && run.len() < room => run.push(event),
                _ => {
                    room = 1 + self.random.below(MOST_PER_DELIVERY);
                    runs.push((topic, vec![event]));
                }
            }
        }
        runs
    }

    fn assert_success(&self, events: &[Value], answers: &[String]) {
        for (event, answer) in events.iter().zip(answers) {
            assert_eq!(answer, "SUCCESS", "seed {}: {event:#}", self.seed);
        }
    }
}

/// Where an event is published, by its type.
fn topic_of(event: &Value) -> Topic {
    let name = event["type"].as_str().unwrap_or_default();
    all_events()
        .find(|known| known.name == name)
        .and_then(|known| known.topic)
        .unwrap_or_else(|| panic!("no topic has events of type {name:?}; use deliver_single"))
}

fn entry(index: usize, event: &Value) -> Value {
    json!({
        "entryId": index.to_string(),
        "event": event,
        "contentType": CLOUD_EVENT,
        "metadata": { "__key": event["partitionkey"] },
    })
}

fn status(answer: &Value) -> &str {
    answer["status"].as_str().unwrap_or_default()
}
