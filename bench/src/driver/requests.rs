//! What a client asks for.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, Method};
use clock::SharedClock;
use uuid::Uuid;

use crate::delivery::Delivery;
use crate::mix::{Mix, Operation, create_body, patch_body};

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";
const CLOUD_EVENT: &str = "application/cloudevents+json";

/// A request, and the task that it is about.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
    /// The header that says who asks.
    pub(crate) proof: Option<(HeaderName, HeaderValue)>,
    about: Option<(Operation, Uuid)>,
}

/// What a client asks for, one after the other.
#[derive(Debug)]
pub(crate) enum Requests {
    /// Commands on tasks of its own.
    Tasks(Mix<Uuid>, SharedClock),
    /// Deliveries of new tasks with a reminder, as the sidecar makes them: a timer each.
    Deliveries(Arc<Delivery>, SharedClock),
    /// Calls that Restate shall make in a day.
    DelayedSends(SharedClock),
}

impl Asked {
    pub(crate) fn post(path: impl Into<String>, body: String) -> Self {
        Self {
            method: Method::POST,
            path: path.into(),
            content_type: JSON,
            body: body.into(),
            proof: None,
            about: None,
        }
    }

    /// Says who asks.
    #[must_use]
    pub(crate) fn shown(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.proof = Some((name, value));
        self
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            ..Self::post(path, String::new())
        }
    }

    /// Changes a task.
    pub(crate) fn patch(path: String, body: String) -> Self {
        Self {
            method: Method::PATCH,
            content_type: MERGE_PATCH,
            ..Self::post(path, body)
        }
    }
}

impl Requests {
    pub(super) fn next(&mut self) -> Asked {
        match self {
            Self::Tasks(mix, clock) => command(mix, clock),
            Self::Deliveries(delivery, clock) => Asked {
                content_type: CLOUD_EVENT,
                ..Asked::post(
                    "/events/task-events",
                    delivery.of(clock.new_id(), clock.new_id()),
                )
            },
            Self::DelayedSends(clock) => {
                let body = create_body(clock.new_id(), "Water the plants on the balcony");
                Asked::post("/Reminder/fire/send?delay=1d", body)
            }
        }
    }

    /// Whether a successful answer means that it is done.
    pub(super) fn is_done(&self, body: &[u8]) -> bool {
        match self {
            Self::Tasks(..) | Self::DelayedSends(_) => true,
            // A delivery may be answered 200 and "try again".
            Self::Deliveries(..) => body == br#"{"status":"SUCCESS"}"#,
        }
    }

    /// Takes note of what became of it.
    pub(super) fn settle(&mut self, asked: &Asked, done: bool) {
        let (Self::Tasks(mix, _), Some((operation, task))) = (self, asked.about) else {
            return;
        };
        let is_open = match operation {
            Operation::Create => done,
            Operation::Patch => true,
            Operation::Complete => !done,
        };
        if is_open {
            mix.keep(task);
        }
    }
}

fn command(mix: &mut Mix<Uuid>, clock: &SharedClock) -> Asked {
    let (operation, task) = mix.next();
    let task = task.unwrap_or_else(|| clock.new_id());
    let (method, path, content_type, body) = match operation {
        Operation::Create => {
            let body = create_body(task, &mix.title());
            (Method::POST, "/v1/tasks".to_owned(), JSON, body)
        }
        Operation::Patch => {
            let body = patch_body(&mix.title());
            (
                Method::PATCH,
                format!("/v1/tasks/{task}"),
                MERGE_PATCH,
                body,
            )
        }
        Operation::Complete => {
            let path = format!("/v1/tasks/{task}/complete");
            (Method::POST, path, JSON, "{}".to_owned())
        }
    };
    Asked {
        method,
        path,
        content_type,
        body: body.into(),
        proof: None,
        about: Some((operation, task)),
    }
}
