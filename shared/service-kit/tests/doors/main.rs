//! A small service behind the kit's layers and listeners, asked the way clients ask.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that panics has failed"
)]

mod answers;
mod bodies;
mod callers;
mod documents;
mod listeners;
mod stopping;
mod telemetry;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Router, response};
use chrono::{DateTime, TimeZone, Utc};
use clap::Parser;
use clock::{Clock, TestClock};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::{Value, json};
use service_kit::config::{AuthConfig, HttpConfig, TelemetryConfig};
use service_kit::extract::{Call, Json, MergePatch, Patch, Path, Query};
use service_kit::page::PageQuery;
use service_kit::{ErrorKind, Kit, Problem, ProblemError, etag, problem};
use tower::ServiceExt;
use uuid::Uuid;

#[derive(Parser, Clone)]
struct Config {
    #[command(flatten)]
    http: HttpConfig,
    #[command(flatten)]
    auth: AuthConfig,
    #[command(flatten)]
    telemetry: TelemetryConfig,
}

fn config(arguments: &[&str]) -> Config {
    Config::parse_from([&["service"], arguments].concat())
}

fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 31, 9, 0, 0).unwrap()
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("task {0} is already completed")]
    AlreadyCompleted(Uuid),
    #[error("cannot reach the database")]
    Database(#[source] std::io::Error),
}

impl ProblemError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AlreadyCompleted(_) => ErrorKind::Conflict,
            Self::Database(_) => ErrorKind::Unavailable,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> response::Response {
        problem::respond(&self)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTask {
    title: String,
    count: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskPatch {
    #[serde(default)]
    due: Patch<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Complete {
    #[expect(dead_code, reason = "only whether it can be read matters")]
    notes: Option<String>,
}

fn routes() -> Router {
    Router::new()
        .route("/v1/tasks", get(list).post(create))
        .route("/v1/tasks/{task_id}", get(read).patch(update))
        .route("/v1/tasks/{task_id}/complete", post(complete))
        .route("/v1/call", post(tell_call))
        .route("/v1/hang", get(std::future::pending::<StatusCode>))
        .route("/v1/panic", get(fail))
        .route(
            "/v1/database",
            get(async || Error::Database(std::io::Error::other("secret host"))),
        )
}

async fn create(_call: Call, Json(task): Json<NewTask>) -> impl IntoResponse {
    (
        StatusCode::CREATED,
        Json(json!({"title": task.title, "count": task.count})),
    )
}

async fn list(Query(page): Query<PageQuery>) -> Result<Json<Value>, Problem> {
    let place: Option<u32> = page.cursor.map(|cursor| cursor.place()).transpose()?;
    Ok(Json(json!({"limit": page.limit.get(), "place": place})))
}

async fn read(Path(id): Path<Uuid>, headers: HeaderMap) -> response::Response {
    etag::conditional(&headers, 3, || Json(json!({"id": id})))
}

async fn update(
    Path(_id): Path<Uuid>,
    call: Call,
    MergePatch(patch): MergePatch<TaskPatch>,
) -> Json<Value> {
    Json(json!({"if_match": call.if_match, "due": format!("{:?}", patch.due)}))
}

async fn complete(Path(id): Path<Uuid>, Json(_): Json<Complete>) -> Error {
    Error::AlreadyCompleted(id)
}

async fn tell_call(call: Call, Json(_): Json<Value>) -> Json<Value> {
    Json(json!({
        "user": call.caller.user_id,
        "key": call.idempotency_key.as_ref().map(ToString::to_string),
        "traceparent": call.traceparent,
        "request_id": call.request_id,
        "hash": call.request_hash(),
    }))
}

async fn fail() -> StatusCode {
    panic!("a bug with a secret")
}

fn kit(arguments: &[&str]) -> Kit {
    let config = config(arguments);
    let clock: Arc<dyn Clock> = Arc::new(TestClock::new(start()));
    Kit::new("task-api", clock, &config.http, &config.auth).unwrap()
}

fn app() -> Router {
    kit(&[]).public_layers(routes())
}

fn request(method: &str, path: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:8080")
}

fn post_json(path: &str, body: &str) -> Request<Body> {
    let request = request("POST", path).header("content-type", "application/json");
    request.body(Body::from(body.to_owned())).unwrap()
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn pointers(&self) -> Vec<&str> {
        let errors = self.body["errors"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        errors
            .iter()
            .map(|error| error["pointer"].as_str().unwrap())
            .collect()
    }
}

async fn send(app: Router, request: Request<Body>) -> Answer {
    read_answer(app.oneshot(request).await.unwrap()).await
}

async fn read_answer(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

async fn get_from(app: Router, path: &str) -> Answer {
    send(app, request("GET", path).body(Body::empty()).unwrap()).await
}
