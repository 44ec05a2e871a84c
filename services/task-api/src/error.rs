//! Why a door refuses or fails.

use axum::response::{IntoResponse, Response};
use dapr_client::HandlerError;
use event_schema::TaskId;
use serde::Serialize;
use serde_json::Value;
use service_kit::{ErrorKind, FieldError, Problem, ProblemError, etag, problem};

use crate::domain::{Fault, SeriesError, TaskError};

/// Why a door refuses or fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such task, or it is somebody else's: nobody can tell.
    #[error("there is no such task")]
    NotFound,
    /// There is no such series, or it is somebody else's.
    #[error("there is no such series")]
    NoSeries,
    /// A command on an occurrence does not say how far it reaches.
    #[error(
        "task {0} is an occurrence of a series: say how far this reaches by ?scope=this, future or series"
    )]
    ScopeRequired(TaskId),
    /// The version in `If-Match` is not the current one.
    #[error("it is at version {version} by now")]
    VersionConflict {
        /// The current version.
        version: u64,
        /// The task as the caller may see it.
        current: Box<Value>,
    },
    /// Fields of the request break rules.
    #[error("the request breaks {}", rules(.0.len()))]
    Invalid(Vec<Fault>),
    /// A task refuses.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// A series refuses.
    #[error(transparent)]
    Series(#[from] SeriesError),
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
    /// A delivered event is about a series that was never started here, or names no slot of it.
    #[error("a delivered event does not fit: {0}")]
    Misfit(&'static str),
    /// A cursor or a query is not one of ours.
    #[error(transparent)]
    Query(#[from] Problem),
    /// Our own answer or our own event cannot be written as JSON.
    #[error("it cannot be shown: {0}")]
    Unshowable(String),
}

/// Problems that a single kind of broken rule has for itself.
const NAMED: [(&str, &str, &str); 3] = [
    (
        "unsupported",
        "recurrence-unsupported",
        "The recurrence rule is not supported",
    ),
    (
        "never_occurs",
        "recurrence-never-occurs",
        "The rule has no occurrence",
    ),
    (
        "needs_date",
        "recurring-task-needs-date",
        "A recurring task needs a date",
    ),
];

impl Error {
    pub(crate) fn version_conflict(version: u64, current: &impl Serialize) -> Self {
        match serde_json::to_value(current) {
            Ok(current) => Self::VersionConflict {
                version,
                current: Box::new(current),
            },
            Err(error) => Self::Unshowable(error.to_string()),
        }
    }

    fn faults(&self) -> &[Fault] {
        match self {
            Self::Invalid(faults)
            | Self::Task(TaskError::Invalid(faults))
            | Self::Series(SeriesError::Invalid(faults)) => faults,
            _ => &[],
        }
    }
}

impl ProblemError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound
            | Self::NoSeries
            | Self::Task(TaskError::NotFound | TaskError::NoReminder) => ErrorKind::NotFound,
            Self::VersionConflict { .. } => ErrorKind::PreconditionFailed,
            Self::Invalid(_)
            | Self::Task(TaskError::Invalid(_))
            | Self::Series(SeriesError::Invalid(_)) => ErrorKind::Invalid,
            Self::ScopeRequired(_)
            | Self::Task(
                TaskError::AlreadyExists(_)
                | TaskError::IllegalTransition { .. }
                | TaskError::ReminderNotDue { .. }
                | TaskError::NotRecurring(_),
            )
            | Self::Series(
                SeriesError::AlreadyExists(_)
                | SeriesError::IllegalTransition { .. }
                | SeriesError::SlotIsOver(_),
            ) => ErrorKind::Conflict,
            // Nobody names a series over HTTP: it is a delivery that came for one we never had.
            Self::Series(SeriesError::NotFound) | Self::Misfit(_) | Self::Unshowable(_) => {
                ErrorKind::Internal
            }
            Self::Ledger(error) => error.into(),
            Self::Database(error) => error.into(),
            Self::Decode(_) | Self::Subject(_) => ErrorKind::Malformed,
            Self::Query(problem) => problem.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(faults)
            | Self::Task(TaskError::Invalid(faults))
            | Self::Series(SeriesError::Invalid(faults)) => {
                named(faults).map_or(ErrorKind::Invalid.code(), |(code, _)| code)
            }
            Self::Task(TaskError::AlreadyExists(_))
            | Self::Series(SeriesError::AlreadyExists(_)) => "already-exists",
            Self::Task(TaskError::IllegalTransition { .. } | TaskError::ReminderNotDue { .. })
            | Self::Series(SeriesError::IllegalTransition { .. }) => "illegal-transition",
            Self::Task(TaskError::NotRecurring(_)) => "not-recurring",
            Self::ScopeRequired(_) => "scope-required",
            Self::Series(SeriesError::SlotIsOver(_)) => "slot-is-over",
            Self::Ledger(event_store::Error::KeyReused) => "idempotency-key-reused",
            Self::Ledger(event_store::Error::Rebuilding(_)) => "projection-rebuilding",
            Self::Ledger(event_store::Error::TooLarge { .. }) => "event-too-large",
            Self::Query(problem) => problem.code(),
            Self::NotFound
            | Self::NoSeries
            | Self::VersionConflict { .. }
            | Self::Task(TaskError::NotFound | TaskError::NoReminder)
            | Self::Series(SeriesError::NotFound)
            | Self::Misfit(_)
            | Self::Unshowable(_)
            | Self::Ledger(_)
            | Self::Database(_)
            | Self::Decode(_)
            | Self::Subject(_) => self.kind().code(),
        }
    }

    fn problem(&self) -> Problem {
        if let Self::Query(problem) = self {
            return problem.clone();
        }
        let faults = self.faults();
        let mut problem = Problem::new(self.kind(), self.code());
        if let Some((_, title)) = named(faults) {
            problem = problem.title(title);
        }
        if matches!(self, Self::ScopeRequired(_)) {
            problem = problem.title("It is not said how far this reaches");
        }
        if let Self::VersionConflict { version, current } = self {
            problem = problem
                .member("current", (**current).clone())
                .member("current_etag", etag::format(*version));
        }
        let detail = match faults {
            [only] => format!("{} {}", only.pointer, only.message),
            _ => self.to_string(),
        };
        problem
            .detail(detail)
            .fields(faults.iter().map(field_error))
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

fn rules(count: usize) -> String {
    match count {
        1 => "a rule".to_owned(),
        more => format!("{more} rules"),
    }
}

/// The problem that all the faults have in common, if it has a name of its own.
fn named(faults: &[Fault]) -> Option<(&'static str, &'static str)> {
    let first = faults.first()?;
    let (_, code, title) = NAMED.iter().find(|(fault, _, _)| *fault == first.code)?;
    let same = faults.iter().all(|fault| fault.code == first.code);
    same.then_some((code, title))
}

fn field_error(fault: &Fault) -> FieldError {
    FieldError::new(fault.pointer.clone(), fault.code, fault.message.clone())
}
