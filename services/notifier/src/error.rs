//! Why a door refuses or fails.

use axum::response::{IntoResponse, Response};
use dapr_client::HandlerError;
use serde_json::Value;
use service_kit::{ErrorKind, Problem, ProblemError, problem};

use crate::domain::notification::NotificationError;

/// Why a door refuses or fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A notification does not allow it.
    #[error(transparent)]
    Notification(#[from] NotificationError),
    /// The caller wants to change another version than the newest.
    #[error("the notification has another version")]
    VersionConflict {
        /// The newest, as JSON.
        current: String,
    },
    /// The request can be read but breaks rules, each at a field.
    #[error(transparent)]
    Request(#[from] Problem),
    /// The ledger could not carry it out.
    #[error(transparent)]
    Ledger(#[from] event_store::Error),
    /// A read failed.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// A delivered event is not of the shape that its type promises.
    #[error(transparent)]
    Decode(#[from] event_schema::DecodeError),
    /// A delivered event belongs to no stream.
    #[error(transparent)]
    Subject(#[from] event_store::SubjectError),
}

impl ProblemError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Notification(NotificationError::Unknown) => ErrorKind::NotFound,
            Self::VersionConflict { .. } => ErrorKind::PreconditionFailed,
            Self::Request(problem) => problem.kind(),
            Self::Ledger(error) => error.into(),
            Self::Database(error) => error.into(),
            Self::Decode(_) | Self::Subject(_) => ErrorKind::Malformed,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Request(problem) => problem.code(),
            Self::Ledger(event_store::Error::KeyReused) => "idempotency-key-reused",
            Self::Ledger(event_store::Error::Rebuilding(_)) => "projection-rebuilding",
            Self::Ledger(event_store::Error::TooLarge { .. }) => "event-too-large",
            Self::Ledger(_)
            | Self::Notification(_)
            | Self::VersionConflict { .. }
            | Self::Database(_)
            | Self::Decode(_)
            | Self::Subject(_) => self.kind().code(),
        }
    }

    fn problem(&self) -> Problem {
        match self {
            Self::Request(problem) => problem.clone(),
            Self::VersionConflict { current } => {
                let current: Value = serde_json::from_str(current).unwrap_or_default();
                Problem::new(self.kind(), self.code())
                    .detail(self.to_string())
                    .member("current", current)
            }
            _ => Problem::new(self.kind(), self.code()).detail(self.to_string()),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        problem::respond(&self)
    }
}

impl HandlerError for Error {
    fn is_transient(&self) -> bool {
        self.kind().is_transient()
    }
}
