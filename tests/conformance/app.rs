//! The app beside the sidecar: it answers as a case says and keeps what it was given.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Where dead letters are delivered to, when the sidecar delivers them.
pub(crate) const DEAD: &str = "/dead";
/// An event with such an id is always dropped: what its dead letter is behind has been decided.
pub(crate) const MARKER: &str = "marker";
const LARGEST_DELIVERY: usize = 64 * 1024 * 1024;

/// One request of the sidecar.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) entries: Vec<Entry>,
}

/// One event of it; a single delivery has one, without an id.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) event: Value,
    pub(crate) metadata: Value,
}

impl Delivery {
    fn read(path: String, headers: HeaderMap, bytes: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(bytes).unwrap_or(Value::Null);
        let header = |name: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let entries = match body["entries"].as_array() {
            Some(entries) => entries.iter().map(Entry::of_bulk).collect(),
            None => vec![Entry {
                id: String::new(),
                key: header("__key"),
                event: body.clone(),
                metadata: Value::Null,
            }],
        };
        Self {
            path,
            headers,
            body,
            entries,
        }
    }

    pub(crate) fn is_bulk(&self) -> bool {
        self.body["entries"].is_array()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap_or("not text"))
    }

    pub(crate) fn events(&self) -> impl Iterator<Item = &Value> {
        self.entries.iter().map(|entry| &entry.event)
    }
}

impl Entry {
    fn of_bulk(entry: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            id: text(&entry["entryId"]),
            key: text(&entry["metadata"]["__key"]),
            event: entry["event"].clone(),
            metadata: entry["metadata"].clone(),
        }
    }
}

/// A record of the dead-letter topic.
#[derive(Clone, Debug)]
pub(crate) struct DeadLetter {
    pub(crate) key: String,
    pub(crate) topic: String,
    pub(crate) text: String,
}

/// Status and body of an answer.
pub(crate) type Answer = (u16, String);
pub(crate) type Script = Arc<dyn Fn(&Delivery) -> Answer + Send + Sync>;

/// Answers each entry as `status` says of its event, in the shape of the delivery.
pub(crate) fn each(delivery: &Delivery, status: impl Fn(&Value) -> &'static str) -> Answer {
    if !delivery.is_bulk() {
        let status = delivery.events().next().map_or("", status);
        return (200, json!({ "status": status }).to_string());
    }
    let statuses = delivery.entries.iter();
    let statuses = statuses
        .map(|entry| json!({ "entryId": entry.id, "status": status(&entry.event) }))
        .collect::<Value>();
    (200, json!({ "statuses": statuses }).to_string())
}

/// Takes everything.
pub(crate) fn success() -> Script {
    Arc::new(|delivery| each(delivery, |_| "SUCCESS"))
}

#[derive(Default)]
struct Scene {
    prefix: String,
    script: Option<Script>,
    subscriptions: (u16, Value),
    /// Headers of the request for subscriptions.
    asked: Option<HeaderMap>,
    dead: Vec<DeadLetter>,
}

/// The app's listener and its memory.
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    scene: Arc<Mutex<Scene>>,
    sender: mpsc::UnboundedSender<Delivery>,
    received: mpsc::UnboundedReceiver<Delivery>,
    serving: Option<(CancellationToken, JoinHandle<()>)>,
}

impl App {
    pub(crate) async fn start() -> Self {
        let (sender, received) = mpsc::unbounded_channel();
        let mut app = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            scene: Arc::default(),
            sender,
            received,
            serving: None,
        };
        app.listen().await;
        app
    }

    /// Listens, again on the address it had.
    pub(crate) async fn listen(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        let state = (Arc::clone(&self.scene), self.sender.clone());
        let router = Router::new().fallback(answer).with_state(state);
        let stop = CancellationToken::new();
        let serving =
            axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        let serving = tokio::spawn(async move { serving.await.unwrap() });
        self.serving = Some((stop, serving));
    }

    /// Does not listen any more, and closes every connection.
    pub(crate) async fn leave(&mut self) {
        if let Some((stop, serving)) = self.serving.take() {
            stop.cancel();
            serving.await.unwrap();
        }
    }

    pub(crate) fn subscribe(&self, status: u16, subscriptions: Value) {
        self.scene().subscriptions = (status, subscriptions);
    }

    /// From now on only events with such keys count, and they are answered like this.
    pub(crate) fn play(&self, prefix: &str, script: Script) {
        let mut scene = self.scene();
        prefix.clone_into(&mut scene.prefix);
        scene.script = Some(script);
    }

    pub(crate) fn asked(&self) -> Option<HeaderMap> {
        self.scene().asked.clone()
    }

    pub(crate) fn dead_letters(&self) -> Vec<DeadLetter> {
        self.scene().dead.clone()
    }

    /// The next delivery that counts, and of it the events that do.
    pub(crate) async fn next(&mut self) -> Delivery {
        let prefix = self.scene().prefix.clone();
        loop {
            let delivery = super::patiently("a delivery", self.received.recv()).await;
            let mut delivery = delivery.unwrap();
            delivery
                .entries
                .retain(|entry| entry.key.starts_with(&prefix));
            if !delivery.entries.is_empty() {
                return delivery;
            }
        }
    }

    fn scene(&self) -> std::sync::MutexGuard<'_, Scene> {
        self.scene.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Shared = (Arc<Mutex<Scene>>, mpsc::UnboundedSender<Delivery>);

async fn answer(State((scene, sender)): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let bytes = axum::body::to_bytes(body, LARGEST_DELIVERY).await.unwrap();
    let mut scene = scene.lock().unwrap_or_else(PoisonError::into_inner);
    if path == "/dapr/config" {
        return StatusCode::NOT_FOUND.into_response();
    }
    if path == "/dapr/subscribe" {
        scene.asked = Some(parts.headers);
        let (status, body) = scene.subscriptions.clone();
        return response((status, body.to_string()));
    }
    let delivery = Delivery::read(path, parts.headers, &bytes);
    if delivery.path == DEAD {
        scene.dead.push(dead_letter(&delivery));
        return StatusCode::OK.into_response();
    }
    let is_marker = |event: &Value| {
        let id = event["id"].as_str();
        id.is_some_and(|id| id.starts_with(MARKER))
    };
    if delivery.events().any(is_marker) {
        let status = |event: &Value| if is_marker(event) { "DROP" } else { "SUCCESS" };
        return response(each(&delivery, status));
    }
    let counts = |entry: &Entry| entry.key.starts_with(&scene.prefix);
    let answer = match &scene.script {
        Some(script) if delivery.entries.iter().any(counts) => script(&delivery),
        _ => each(&delivery, |_| "SUCCESS"),
    };
    let _test_ended = sender.send(delivery);
    response(answer)
}

/// Subscribed to as raw bytes, because a dead letter need not be JSON.
fn dead_letter(delivery: &Delivery) -> DeadLetter {
    let bytes = delivery.body["data_base64"].as_str().unwrap_or_default();
    let bytes = STANDARD.decode(bytes).unwrap_or_default();
    DeadLetter {
        key: delivery.header("__key").to_owned(),
        topic: delivery.header("__topic").to_owned(),
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

fn response((status, body): Answer) -> Response {
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}
