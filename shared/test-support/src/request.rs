//! Requests to the public router, without a socket.

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use event_schema::UserId;
use http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, HOST, IF_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::{SseReader, bearer};
use chrono::{DateTime, Utc};

/// A request that is being made. Who asks is [`USER`](crate::USER) unless it says otherwise.
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct TestRequest {
    router: Router,
    now: DateTime<Utc>,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl TestRequest {
    pub(crate) fn new(router: Router, now: DateTime<Utc>, method: Method, path: &str) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        let request = Self {
            router,
            now,
            method,
            path: path.to_owned(),
            headers,
            body: Bytes::new(),
        };
        request.user(crate::USER)
    }

    /// Another user asks.
    pub fn user(self, user: UserId) -> Self {
        let token = bearer(user, self.now);
        self.header(AUTHORIZATION.as_str(), &token)
    }

    /// Nobody we know asks.
    pub fn anonymous(mut self) -> Self {
        self.headers.remove(AUTHORIZATION);
        self
    }

    /// Sets a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).expect("a header name");
        let value = HeaderValue::try_from(value).expect("a header value");
        self.headers.insert(name, value);
        self
    }

    /// The version that the request wants to change.
    pub fn if_match(self, version: u64) -> Self {
        self.header(IF_MATCH.as_str(), &format!("\"v{version}\""))
    }

    /// The caller's name for the request.
    pub fn idempotency_key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// A JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string())
    }

    /// A JSON merge patch.
    pub fn merge_patch(self, body: &Value) -> Self {
        self.bytes("application/merge-patch+json", body.to_string())
    }

    /// Any body.
    pub fn bytes(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header(CONTENT_TYPE.as_str(), content_type)
    }

    /// Sends it and reads the whole answer.
    pub async fn send(self) -> TestResponse {
        let asked = format!("{} {}", self.method, self.path);
        let (parts, body) = self.answer().await.into_parts();
        let body = body.collect().await.expect("the whole body").to_bytes();
        TestResponse {
            asked,
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// Sends it and reads the answer as server-sent events; it must be 200.
    pub async fn stream(self) -> SseReader {
        let asked = format!("{} {}", self.method, self.path);
        let answer = self.answer().await;
        assert_eq!(answer.status(), StatusCode::OK, "{asked}");
        SseReader::new(answer)
    }

    async fn answer(self) -> Response<Body> {
        let mut request = Request::new(Body::from(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.path.parse().expect("a path");
        *request.headers_mut() = self.headers;
        match self.router.oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        }
    }
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct TestResponse {
    asked: String,
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl TestResponse {
    /// Checks the status; a failure shows the body.
    #[track_caller]
    #[must_use]
    pub fn expect(self, status: StatusCode) -> Self {
        assert_eq!(
            self.status,
            status,
            "{}: {}",
            self.asked,
            String::from_utf8_lossy(&self.body)
        );
        self
    }

    /// The body as JSON; null when it is empty.
    #[track_caller]
    pub fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            let body = String::from_utf8_lossy(&self.body);
            panic!("{}: {error}: {body}", self.asked)
        })
    }

    /// A header's text, empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The version that `ETag` tells, 0 when there is none.
    pub fn version(&self) -> u64 {
        let tag = self.header(ETAG.as_str());
        tag.trim_matches(['"', 'v']).parse().unwrap_or_default()
    }
}
