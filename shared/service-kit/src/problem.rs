//! Error bodies: RFC 9457 `application/problem+json`.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::{Level, debug, error, info, warn};
use uuid::Uuid;

use crate::error::{ErrorKind, ProblemError};

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// How long a caller should wait when we cannot tell any better.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(1);

/// An error answer. It is also an error itself: extractors refuse requests with it.
///
/// `instance` (the request id) and `trace_id` are filled in by the outermost layer, so that nothing
/// in between has to carry them.
#[derive(Clone)]
pub struct Problem(Box<Parts>);

#[derive(Clone)]
struct Parts {
    kind: ErrorKind,
    retry_after: Option<Duration>,
    body: ProblemBody,
}

/// The body of an error answer (RFC 9457). More members may follow, such as `current`.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
struct ProblemBody {
    /// `/problems/` and the code.
    #[serde(rename = "type")]
    problem_type: String,
    /// What happened, the same for every problem of this code's class.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened this time. Absent when the fault is ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The id of the request, as answered in `x-request-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<Uuid>,
    /// The stable name of the problem, for programs.
    code: &'static str,
    /// The trace that the request belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    /// Every field that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
    #[serde(flatten)]
    #[schema(ignore)]
    members: Map<String, Value>,
}

/// One wrong field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// A JSON Pointer (RFC 6901) into the body, or `/name` of a query parameter.
    pub pointer: String,
    /// The stable name of the mistake, for programs.
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: String,
}

impl FieldError {
    /// A field error. `pointer` must already be escaped as RFC 6901 demands.
    pub fn new(pointer: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            message: message.into(),
        }
    }
}

impl Problem {
    /// A problem of this class with this stable code.
    pub fn new(kind: ErrorKind, code: &'static str) -> Self {
        Self(Box::new(Parts {
            kind,
            retry_after: kind.is_transient().then_some(RETRY_AFTER_DEFAULT),
            body: ProblemBody {
                problem_type: format!("/problems/{code}"),
                title: kind.title(),
                status: kind.status().as_u16(),
                detail: None,
                instance: None,
                code,
                trace_id: None,
                errors: Vec::new(),
                members: Map::new(),
            },
        }))
    }

    /// The answer to a request with wrong fields: 422 `validation-failed`.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Self::new(ErrorKind::Invalid, ErrorKind::Invalid.code()).fields(errors)
    }

    /// Says what happened this time. It is dropped when the fault is ours (500 and above).
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.body.detail =
            Some(detail.into()).filter(|_| !self.0.kind.status().is_server_error());
        self
    }

    /// Replaces the title of the class by the code's own.
    #[must_use]
    pub fn title(mut self, title: &'static str) -> Self {
        self.0.body.title = title;
        self
    }

    /// Adds wrong fields.
    #[must_use]
    pub fn fields(mut self, errors: impl IntoIterator<Item = FieldError>) -> Self {
        self.0.body.errors.extend(errors);
        self
    }

    /// Adds a member, such as `current` in a version conflict. The standard members cannot be replaced.
    #[must_use]
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        if !STANDARD_MEMBERS.contains(&name) {
            self.0.body.members.insert(name.to_owned(), value.into());
        }
        self
    }

    /// Says when to try again. 429 and 503 say one second unless told otherwise.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// The wrong fields.
    pub fn errors(&self) -> &[FieldError] {
        &self.0.body.errors
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.0.kind.status()
    }

    /// The body as JSON, for an answer that holds several outcomes.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(&self.0.body).unwrap_or_default()
    }

    /// Fills in what only the outermost layer knows.
    pub(crate) fn identify(&mut self, request_id: Uuid, trace_id: &str) {
        self.0.body.instance = Some(request_id);
        self.0.body.trace_id = Some(trace_id.to_owned());
    }

    pub(crate) fn body_bytes(&self) -> Vec<u8> {
        // Strings, numbers and values only: this cannot fail.
        serde_json::to_vec(&self.0.body).unwrap_or_default()
    }

    /// The response without a log line.
    pub(crate) fn render(self) -> Response {
        let mut response = Response::new(Body::from(self.body_bytes()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(wait) = self.0.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        if self.0.kind == ErrorKind::Unauthenticated {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

type RefOrSchema = utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>;

const STANDARD_MEMBERS: [&str; 8] = [
    "type", "title", "status", "detail", "instance", "code", "trace_id", "errors",
];

impl ProblemError for Problem {
    fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    fn code(&self) -> &'static str {
        self.0.body.code
    }

    fn problem(&self) -> Problem {
        self.clone()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        respond(&self)
    }
}

/// Answers with an error's problem and logs it once, with its chain of sources.
pub fn respond(error: &impl ProblemError) -> Response {
    log(error.kind().level(), error.code(), &chain(error));
    error.problem().render()
}

/// An error and its sources in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn log(level: Level, code: &str, error: &str) {
    match level {
        Level::ERROR => error!(error.code = code, error, "request failed: {error}"),
        Level::WARN => warn!(error.code = code, error, "request failed: {error}"),
        Level::INFO => info!(error.code = code, error, "request refused: {error}"),
        _ => debug!(error.code = code, error, "request refused: {error}"),
    }
}

/// What the log shows. Details, messages and pointers may quote the request, so they stay out.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.body.code)?;
        match self.0.body.errors.len() {
            0 => Ok(()),
            1 => f.write_str(" at 1 field"),
            count => write!(f, " at {count} fields"),
        }
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Problem").field(&self.0.body).finish()
    }
}

impl Error for Problem {}

/// `Retry-After` has whole seconds; a caller who comes a little late is better than one too early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs()
        .saturating_add(u64::from(wait.subsec_nanos() > 0))
}

impl utoipa::PartialSchema for Problem {
    fn schema() -> RefOrSchema {
        <ProblemBody as utoipa::PartialSchema>::schema()
    }
}

impl utoipa::ToSchema for Problem {
    fn name() -> std::borrow::Cow<'static, str> {
        "Problem".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOrSchema)>) {
        <ProblemBody as utoipa::ToSchema>::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_shows_nothing_that_the_client_wrote() {
        let field = || FieldError::new("/SECRET", "duplicate", "SECRET occurs twice");
        let problem = Problem::new(ErrorKind::Malformed, "malformed-json").detail("SECRET");
        assert_eq!(chain(&problem), "malformed-json");
        let problem = problem.fields([field()]);
        assert_eq!(chain(&problem), "malformed-json at 1 field");
        assert_eq!(
            chain(&problem.fields([field()])),
            "malformed-json at 2 fields"
        );
    }

    #[test]
    fn a_client_cannot_fill_the_log_at_its_usual_level() {
        for (kind, level) in [
            (ErrorKind::Malformed, Level::DEBUG),
            (ErrorKind::Invalid, Level::DEBUG),
            (ErrorKind::NotFound, Level::DEBUG),
            (ErrorKind::MethodNotAllowed, Level::DEBUG),
            (ErrorKind::Unauthenticated, Level::INFO),
            (ErrorKind::Forbidden, Level::INFO),
            (ErrorKind::Unavailable, Level::WARN),
            (ErrorKind::Internal, Level::ERROR),
        ] {
            assert_eq!(kind.level(), level, "{kind:?}");
        }
    }
}
