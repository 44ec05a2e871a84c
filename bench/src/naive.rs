//! What a normal implementation does: a handler with one transaction per request.
//!
//! It decides with the same domain and writes the same rows as task-api. It has no layers around its
//! handlers: no limits, no request ids, no authentication, no telemetry.

mod input;
mod view;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{ETAG, LOCATION};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{patch, post};
use axum::{Json, Router};
use clap::Args;
use clock::{SharedClock, SystemClock};
use database::Database;
use event_schema::{Actor, Task, UserId};
use task_api::domain::task::{Command, TaskError};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::rows::{Rows, RowsError, Versioned};
use crate::store::requests;
use input::{NewTask, TaskChange};
use view::{Completed, View};

/// The one user of a service without authentication.
pub(crate) const USER: UserId = UserId(Uuid::from_u128(1));

/// Settings of the naive service.
#[derive(Args, Clone, Debug)]
pub(crate) struct Config {
    #[arg(long)]
    listen: SocketAddr,

    #[command(flatten)]
    database: database::Config,
}

#[derive(Clone, Debug)]
struct App {
    database: Database,
    clock: SharedClock,
}

/// What goes wrong.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("there is no such task")]
    NotFound,
    #[error(transparent)]
    Rows(#[from] RowsError),
    #[error(transparent)]
    Database(#[from] database::Error),
    #[error("stream.state: {0}")]
    Corrupt(#[from] serde_json::Error),
}

/// Serves until `stop`.
pub(crate) async fn run(config: Config, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let sets = [event_store::MIGRATIONS, task_api::store::MIGRATIONS];
    let app = App {
        database: Database::connect(&config.database, &sets).await?,
        clock: Arc::new(SystemClock::new()),
    };
    let listener = TcpListener::bind(config.listen).await?;
    let listener = axum::serve::ListenerExt::tap_io(listener, |io| {
        // Without it answers wait for acknowledgements.
        let _ = io.set_nodelay(true);
    });
    tokio::select! {
        served = axum::serve(listener, routes(app.clone())) => served?,
        () = stop => {}
    }
    app.database.close().await;
    Ok(())
}

fn routes(app: App) -> Router {
    Router::new()
        .route("/v1/tasks", post(create_task))
        .route("/v1/tasks/{task_id}", patch(update_task))
        .route("/v1/tasks/{task_id}/complete", post(complete_task))
        .with_state(app)
}

async fn create_task(State(app): State<App>, Json(new): Json<NewTask>) -> Result<Response, Error> {
    let (actor, now) = (Actor::User(USER), app.clock.now());
    let id = new.id.unwrap_or_else(|| app.clock.new_id());
    let task = new.into_task(id, USER, now);
    let rows = execute(&app, id, Command::Create(Box::new(task)), actor).await?;
    let location = [(LOCATION, format!("/v1/tasks/{id}"))];
    let view = View::of(&rows.after.task, rows.after.version, now);
    Ok((StatusCode::CREATED, etag(&rows), location, Json(view)).into_response())
}

async fn update_task(
    State(app): State<App>,
    Path(id): Path<Uuid>,
    Json(change): Json<TaskChange>,
) -> Result<Response, Error> {
    let command = Command::Update(Box::new(change.into_patch()));
    let rows = execute(&app, id, command, Actor::User(USER)).await?;
    let view = View::of(&rows.after.task, rows.after.version, rows.recorded_at);
    Ok((etag(&rows), Json(view)).into_response())
}

async fn complete_task(State(app): State<App>, Path(id): Path<Uuid>) -> Result<Response, Error> {
    let (by, completed_at) = (Actor::User(USER), app.clock.now());
    let rows = execute(&app, id, Command::Complete { completed_at, by }, by).await?;
    let task = View::of(&rows.after.task, rows.after.version, rows.recorded_at);
    Ok((etag(&rows), Json(Completed::of(task))).into_response())
}

/// Reads the task, decides, and writes what happens, in a transaction.
async fn execute(app: &App, id: Uuid, command: Command, actor: Actor) -> Result<Rows, Error> {
    let mut tx = app.database.begin().await?;
    let before = match requests::head(&mut tx, id).await? {
        Some((version, state)) => Some(Versioned {
            task: serde_json::from_str::<Task>(&state)?,
            version,
        }),
        None => None,
    };
    if before
        .as_ref()
        .is_some_and(|before| before.task.owner_id != USER)
    {
        return Err(Error::NotFound);
    }
    let rows = Rows::decide(before, command, actor, app.clock.as_ref())?;
    requests::write(&mut tx, &rows).await?;
    tx.commit().await?;
    Ok(rows)
}

fn etag(rows: &Rows) -> [(HeaderName, String); 1] {
    [(ETAG, format!("\"{}\"", rows.after.version))]
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NotFound | Self::Rows(RowsError::Refused(TaskError::NotFound)) => {
                StatusCode::NOT_FOUND
            }
            Self::Rows(RowsError::Refused(_)) => StatusCode::CONFLICT,
            Self::Database(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Rows(_) | Self::Corrupt(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, self.to_string()).into_response()
    }
}
