//! What callers ask for, and what they remember of it.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Create,
    Rename,
    Complete,
}

/// A request, under an id that is its idempotency key, its request id and the title that it sets.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) id: Uuid,
    pub(crate) kind: Kind,
    pub(crate) task: Uuid,
    pub(crate) outcome: Outcome,
}

/// What its caller knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was acknowledged.
    Answered(Answer),
    /// It was refused.
    Refused(Answer),
    /// The connection broke, or the database was away: it may have happened or not.
    Unknown,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) etag: Option<String>,
    pub(crate) body: String,
}

impl Command {
    pub(crate) fn new(id: Uuid, kind: Kind, task: Uuid) -> Self {
        Self {
            id,
            kind,
            task,
            outcome: Outcome::Unknown,
        }
    }

    pub(crate) fn method(&self) -> Method {
        match self.kind {
            Kind::Rename => Method::PATCH,
            Kind::Create | Kind::Complete => Method::POST,
        }
    }

    pub(crate) fn path(&self) -> String {
        match self.kind {
            Kind::Create => "/v1/tasks".to_owned(),
            Kind::Rename => format!("/v1/tasks/{}", self.task),
            Kind::Complete => format!("/v1/tasks/{}/complete", self.task),
        }
    }

    pub(crate) fn body(&self) -> Value {
        match self.kind {
            Kind::Create => json!({ "id": self.task, "title": self.id.to_string() }),
            Kind::Rename => json!({ "title": self.id.to_string() }),
            Kind::Complete => json!({}),
        }
    }

    /// The type of the one event that it makes.
    pub(crate) fn event_type(&self) -> &'static str {
        match self.kind {
            Kind::Create => "task.created.v1",
            Kind::Rename => "task.updated.v1",
            Kind::Complete => "task.completed.v1",
        }
    }

    pub(crate) fn answer(&self) -> Option<&Answer> {
        match &self.outcome {
            Outcome::Answered(answer) => Some(answer),
            Outcome::Refused(_) | Outcome::Unknown => None,
        }
    }
}
