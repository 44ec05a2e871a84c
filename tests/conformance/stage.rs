//! A sidecar, the app beside it and what a case needs of both, wherever the sidecar is.

use std::time::Duration;

use clock::{Clock, SystemClock};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use suite_tests::stack::Stack;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::app::{App, DEAD, DeadLetter, MARKER, Script, success};
use crate::daprd::Daprd;
use crate::local::Local;

pub(crate) const CLOUD_EVENT: &str = "application/cloudevents+json";
pub(crate) const JSON: &str = "application/json";
/// What the app shows to the sidecar, and the sidecar to the app.
pub(crate) const SIDECAR_TOKEN: &str = "shown to the sidecar";
pub(crate) const APP_TOKEN: &str = "shown to the app";
/// How often an event is tried here before it is a dead letter. The suite's own policy has no end.
pub(crate) const ATTEMPTS: u32 = 4;
const PATIENCE: Duration = Duration::from_mins(1);

/// The topics of the cases, by what matters about them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Topic {
    /// One partition, delivered one by one.
    Single,
    /// Three partitions, delivered in bulk.
    Bulk,
    /// One that the publisher has no right to.
    Foreign,
    /// One that does not exist.
    Missing,
}

/// Where the sidecar answers. The local one lets no app both publish and consume these topics.
#[derive(Clone, Debug)]
pub(crate) struct Doors {
    pub(crate) publisher: String,
    pub(crate) consumer: String,
}

/// Which sidecar it is.
pub(crate) enum Backend {
    Local(Local),
    Daprd(Box<Daprd>),
}

pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) backend: Backend,
    doors: Doors,
    http: reqwest::Client,
    run: String,
    scenes: u32,
}

impl Stage {
    /// The real one on this stack, or the local one.
    pub(crate) async fn start(stack: Option<Stack>) -> Self {
        let app = App::start().await;
        let mut backend = match stack {
            Some(stack) => Backend::Daprd(Box::new(Daprd::new(stack).await)),
            None => Backend::Local(Local::new()),
        };
        app.subscribe(200, backend.subscriptions());
        let doors = backend.start(&app).await;
        let mut stage = Self {
            app,
            backend,
            doors,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            run: SystemClock::new().new_id().simple().to_string(),
            scenes: 0,
        };
        stage.wait_until_ready().await;
        stage.scene(success());
        stage
    }

    /// Begins a case: the app answers like this, and only events with the returned key count.
    pub(crate) fn scene(&mut self, script: Script) -> String {
        self.scenes += 1;
        let key = format!("{}-{}", self.run, self.scenes);
        self.app.play(&key, script);
        key
    }

    pub(crate) fn name(&self, topic: Topic) -> &'static str {
        self.backend.name(topic)
    }

    /// A request without a token, to the publisher's sidecar.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.doors.publisher);
        self.http.request(method, url)
    }

    pub(crate) fn post(&self, path: &str, content_type: &str, body: &str) -> RequestBuilder {
        self.bare(Method::POST, path)
            .header("dapr-api-token", SIDECAR_TOKEN)
            .header("content-type", content_type)
            .body(body.to_owned())
    }

    /// What the consumer's sidecar says about itself.
    pub(crate) async fn metadata(&self) -> Value {
        let url = format!("{}/v1.0/metadata", self.doors.consumer);
        let request = self.http.get(url).header("dapr-api-token", SIDECAR_TOKEN);
        request.send().await.unwrap().json().await.unwrap()
    }

    pub(crate) fn publish_path(&self, topic: Topic, query: &str) -> String {
        format!("/v1.0/publish/pubsub/{}{query}", self.name(topic))
    }

    /// The path that every sidecar knows; newer ones have a stable one beside it.
    pub(crate) fn bulk_path(&self, topic: Topic, query: &str) -> String {
        let name = self.name(topic);
        format!("/v1.0-alpha1/publish/bulk/pubsub/{name}{query}")
    }

    /// Publishes an event, which the sidecar must take.
    pub(crate) async fn publish(&self, topic: Topic, key: &str, event: &Value) {
        let path = self.publish_path(topic, &format!("?metadata.partitionKey={key}"));
        self.taken(self.post(&path, CLOUD_EVENT, &event.to_string()))
            .await;
    }

    /// Publishes events of one key in one call, which the sidecar must take.
    pub(crate) async fn publish_all(&self, topic: Topic, key: &str, events: &[Value]) {
        let entries = (0..).zip(events);
        let entries = entries
            .map(|(id, event): (u32, _)| entry(&id.to_string(), key, event))
            .collect::<Value>();
        let path = self.bulk_path(topic, "");
        self.taken(self.post(&path, JSON, &entries.to_string()))
            .await;
    }

    pub(crate) async fn taken(&self, request: RequestBuilder) {
        let answer = said(request).await;
        assert_eq!(answer, "204");
    }

    /// The dead letter with this key.
    pub(crate) async fn dead_letter(&self, key: &str) -> DeadLetter {
        self.dead_letter_that(|dead| dead.key == key).await
    }

    /// Whether this event of a key is a dead letter, when all is done that was published before.
    pub(crate) async fn is_dead(&self, topic: Topic, key: &str, id: &str) -> bool {
        let marker = format!("{MARKER}-{}", SystemClock::new().new_id());
        self.publish(topic, key, &event(&marker)).await;
        self.dead_letter_that(|dead| dead.text.contains(&marker))
            .await;
        let text = format!(r#""id":"{id}""#);
        let dead = self.dead_letters().await;
        dead.iter()
            .any(|dead| dead.key == key && dead.text.contains(&text))
    }

    async fn dead_letter_that(&self, is_it: impl Fn(&DeadLetter) -> bool) -> DeadLetter {
        let found = async || {
            let mut all = self.dead_letters().await.into_iter();
            all.find(&is_it)
        };
        eventually("a dead letter", found).await
    }

    async fn dead_letters(&self) -> Vec<DeadLetter> {
        match &self.backend {
            Backend::Local(local) => local.dead_letters().await,
            Backend::Daprd(_) => self.app.dead_letters(),
        }
    }

    /// Stops the sidecar in order and starts it again; it asks the app for its subscriptions anew.
    pub(crate) async fn restart(&mut self) {
        self.backend.stop().await;
        self.doors = self.backend.start(&self.app).await;
        self.wait_until_ready().await;
    }

    pub(crate) async fn stop(mut self) {
        self.backend.stop().await;
        if let Backend::Daprd(daprd) = &self.backend {
            daprd.clean().await;
        }
    }

    async fn wait_until_ready(&mut self) {
        let url = format!("{}/v1.0/healthz", self.doors.consumer);
        let ready = async || {
            let answer = self.http.get(&url).send().await.ok()?;
            (answer.status() == 204).then_some(())
        };
        eventually("a sidecar that is ready", ready).await;
    }
}

impl Backend {
    async fn start(&mut self, app: &App) -> Doors {
        match self {
            Self::Local(local) => local.start(app.address).await,
            Self::Daprd(daprd) => daprd.start(app.address),
        }
    }

    pub(crate) async fn stop(&mut self) {
        match self {
            Self::Local(local) => local.stop().await,
            Self::Daprd(daprd) => daprd.stop().await,
        }
    }

    fn name(&self, topic: Topic) -> &'static str {
        match (self, topic) {
            (Self::Local(_), Topic::Single) => "recurring-events",
            (Self::Local(_), Topic::Bulk) => "task-events",
            (Self::Local(_), Topic::Foreign) => "reminder-events",
            (Self::Daprd(_), Topic::Single) => "conformance-single",
            (Self::Daprd(_), Topic::Bulk) => "conformance-bulk",
            (Self::Daprd(_), Topic::Foreign) => "conformance-foreign",
            (_, Topic::Missing) => "conformance-missing",
        }
    }

    fn dead_letter_topic(&self) -> &'static str {
        match self {
            Self::Local(_) => "recurring-generator.dead-letters",
            Self::Daprd(_) => "conformance.dead-letters",
        }
    }

    /// What the app subscribes to, and some subscriptions that are none.
    pub(crate) fn subscriptions(&self) -> Value {
        let (single, bulk) = (self.name(Topic::Single), self.name(Topic::Bulk));
        let dead = self.dead_letter_topic();
        json!([
            {
                "pubsubname": "pubsub", "topic": single, "routes": { "default": "/single" },
                "deadLetterTopic": dead,
            },
            {
                "pubsubname": "pubsub", "topic": bulk, "routes": { "default": "/bulk" },
                "deadLetterTopic": dead,
                "bulkSubscribe": {
                    "enabled": true, "maxMessagesCount": 256, "maxAwaitDurationMs": 200,
                },
            },
            // The local sidecar refuses this one: dead letters are read where they are kept.
            { "pubsubname": "pubsub", "topic": dead, "route": DEAD, "metadata": { "rawPayload": "true" } },
            { "pubsubname": "pubsub", "topic": self.name(Topic::Foreign), "route": "/foreign" },
            { "pubsubname": "other", "topic": single, "route": "/other" },
            { "pubsubname": "pubsub", "topic": "conformance-pathless" },
        ])
    }
}

/// An event of ours with this id.
pub(crate) fn event(id: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "type": "conformance.v1", "source": "/conformance",
        "time": "2026-11-22T07:00:00.123456Z", "datacontenttype": "application/json",
        "traceid": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "data": {},
    })
}

/// An entry of a bulk publish.
pub(crate) fn entry(id: &str, key: &str, event: &Value) -> Value {
    json!({
        "entryId": id, "event": event, "contentType": CLOUD_EVENT,
        "metadata": { "partitionKey": key },
    })
}

/// An answer in one line: status, error code and reason; or what else it says.
pub(crate) async fn said(request: RequestBuilder) -> String {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    let Some(code) = body["errorCode"].as_str() else {
        let line = text.lines().next().unwrap_or_default();
        return format!("{status} {line}").trim_end().to_owned();
    };
    let details = body["details"].as_array();
    let mut reasons = details
        .into_iter()
        .flatten()
        .filter_map(|detail| detail["reason"].as_str());
    let reason = reasons.next().unwrap_or_default();
    format!("{status} {code} {reason}").trim_end().to_owned()
}

/// Asks until there is an answer.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    let mut ticks = interval(Duration::from_millis(10));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(found) = ask().await {
            return found;
        }
        assert!(Instant::now() < deadline, "there should be {what} by now");
    }
}

/// Fails a test that would otherwise hang.
pub(crate) async fn patiently<T>(what: &str, future: impl Future<Output = T>) -> T {
    let outcome = tokio::time::timeout(PATIENCE, future).await;
    outcome.unwrap_or_else(|_| panic!("there should be {what} by now"))
}
