//! What went wrong, in the few classes that decide every answer.

use axum::http::StatusCode;
use tracing::Level;

use crate::problem::Problem;

/// The class of an error. It decides the HTTP status, what the sidecar is told and how loud the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request cannot be read.
    Malformed,
    /// The request can be read, but breaks a rule.
    Invalid,
    /// Nobody, or nobody we know, is asking.
    Unauthenticated,
    /// The caller is known and may not do this.
    Forbidden,
    /// There is no such thing, or it is somebody else's.
    NotFound,
    /// There was such a thing, and it will not come back.
    Gone,
    /// The thing is in a state that forbids this.
    Conflict,
    /// The version in `If-Match` is not the current one.
    PreconditionFailed,
    /// The request must name a version in `If-Match`.
    PreconditionRequired,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The body is larger than we read.
    PayloadTooLarge,
    /// The body has a media type that we do not read.
    UnsupportedMediaType,
    /// The path exists, but not with this method.
    MethodNotAllowed,
    /// The caller asks too often.
    RateLimited,
    /// Something we need is not there right now, usually our database.
    Unavailable,
    /// A bug.
    Internal,
}

impl From<&event_store::Error> for ErrorKind {
    fn from(error: &event_store::Error) -> Self {
        match error {
            event_store::Error::KeyReused | event_store::Error::TooLarge { .. } => Self::Invalid,
            event_store::Error::Overloaded
            | event_store::Error::Unavailable(_)
            | event_store::Error::Outdated(_)
            | event_store::Error::Rebuilding(_)
            | event_store::Error::Stopping => Self::Unavailable,
            event_store::Error::Bug(_) => Self::Internal,
        }
    }
}

impl From<&database::Error> for ErrorKind {
    fn from(error: &database::Error) -> Self {
        if error.is_unavailable() {
            Self::Unavailable
        } else {
            Self::Internal
        }
    }
}

impl ErrorKind {
    /// The status of an HTTP answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Gone => StatusCode::GONE,
            Self::Conflict => StatusCode::CONFLICT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether it heals by itself: then a subscriber answers `RETRY`, and parks the event otherwise.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable)
    }

    /// The stable code of an error that has no better one of its own.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed-request",
            Self::Invalid => "validation-failed",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::Gone => "gone",
            Self::Conflict => "conflict",
            Self::PreconditionFailed => "version-conflict",
            Self::PreconditionRequired => "precondition-required",
            Self::RequestTimeout => "request-timeout",
            Self::PayloadTooLarge => "payload-too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::RateLimited => "rate-limited",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// The title of a problem of this kind.
    pub fn title(self) -> &'static str {
        match self {
            Self::Malformed => "The request cannot be read",
            Self::Invalid => "The request breaks a rule",
            Self::Unauthenticated => "Authentication is required",
            Self::Forbidden => "This is not allowed",
            Self::NotFound => "There is no such thing here",
            Self::Gone => "It is gone for good",
            Self::Conflict => "Its state does not allow this",
            Self::PreconditionFailed => "It was changed in the meantime",
            Self::PreconditionRequired => "The request must say which version it changes",
            Self::RequestTimeout => "The body did not arrive in time",
            Self::PayloadTooLarge => "The body is too large",
            Self::UnsupportedMediaType => "The body's media type is not supported",
            Self::MethodNotAllowed => "The method is not allowed here",
            Self::RateLimited => "Too many requests",
            Self::Unavailable => "Not available right now",
            Self::Internal => "Something went wrong on our side",
        }
    }

    /// Who asks wrongly must not fill our log: only who asks without the right to is a milestone.
    pub(crate) fn level(self) -> Level {
        match self {
            Self::Malformed
            | Self::Invalid
            | Self::NotFound
            | Self::Gone
            | Self::Conflict
            | Self::PreconditionFailed
            | Self::PreconditionRequired
            | Self::RequestTimeout
            | Self::PayloadTooLarge
            | Self::UnsupportedMediaType
            | Self::MethodNotAllowed
            | Self::RateLimited => Level::DEBUG,
            Self::Unauthenticated | Self::Forbidden => Level::INFO,
            Self::Unavailable => Level::WARN,
            Self::Internal => Level::ERROR,
        }
    }
}

/// A service's `Error`: what it has to say so that its `IntoResponse` is one line,
/// `problem::respond(&self)`.
pub trait ProblemError: std::error::Error {
    /// The class, which decides the status.
    fn kind(&self) -> ErrorKind;

    /// The stable name that clients match on.
    fn code(&self) -> &'static str {
        self.kind().code()
    }

    /// The body of the answer. Override it to add members or field errors.
    ///
    /// The default gives the error's own message as detail; below 500 it reaches the caller, so it
    /// must not hold any text of a store or of I/O.
    fn problem(&self) -> Problem {
        Problem::new(self.kind(), self.code()).detail(self.to_string())
    }
}
