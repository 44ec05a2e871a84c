//! When the effect of each event was committed, as the databases of the subscribers tell afterwards.

use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use database::sqlx;
use database::sqlx::postgres::{PgPool, PgPoolOptions};
use event_schema::App;
use suite_tests::stack::Stack;
use tokio::time::Instant;
use uuid::Uuid;

use super::SUBSCRIBERS;

const POLL: Duration = Duration::from_millis(100);
/// When a subscriber has not caught up by then, something is lost.
const PATIENCE: Duration = Duration::from_mins(5);

/// The databases of task-api and of its subscribers, read as their administrator.
#[derive(Debug)]
pub(crate) struct Effects {
    task_api: PgPool,
    subscribers: Vec<(App, PgPool)>,
}

impl Effects {
    pub(crate) async fn connect(stack: &Stack) -> anyhow::Result<Self> {
        let mut subscribers = Vec::new();
        for app in SUBSCRIBERS {
            subscribers.push((app, open(stack, app).await?));
        }
        Ok(Self {
            task_api: open(stack, App::TaskApi).await?,
            subscribers,
        })
    }

    /// Waits until every subscriber has seen the newest version of each of these tasks; tells when the
    /// last effect of each subscriber was committed.
    pub(crate) async fn settle(&self, tasks: &[Uuid]) -> anyhow::Result<Vec<DateTime<Utc>>> {
        let (wanted,): (i64,) = sqlx::query_as(
            "select coalesce(sum(version), 0)::bigint from stream
              where kind = 'task' and stream_id = any($1)",
        )
        .bind(tasks)
        .fetch_one(&self.task_api)
        .await?;
        let deadline = Instant::now() + PATIENCE;
        let mut ends = Vec::new();
        for (app, pool) in &self.subscribers {
            ends.push(settled(*app, pool, tasks, wanted, deadline).await?);
        }
        Ok(ends)
    }

    /// When each subscriber committed what it has seen last of each of these tasks.
    pub(crate) async fn committed(
        &self,
        tasks: &[Uuid],
    ) -> anyhow::Result<Vec<Vec<(Uuid, DateTime<Utc>)>>> {
        let mut all = Vec::new();
        for (_, pool) in &self.subscribers {
            let rows = sqlx::query_as(
                "select subject, pg_xact_commit_timestamp(xmin) from seen where subject = any($1)",
            );
            all.push(rows.bind(tasks).fetch_all(pool).await?);
        }
        Ok(all)
    }

    /// An event as the relay published it.
    pub(crate) async fn sample(&self) -> anyhow::Result<String> {
        let (envelope,): (String,) =
            sqlx::query_as("select envelope from event order by position desc limit 1")
                .fetch_one(&self.task_api)
                .await?;
        Ok(envelope)
    }

    /// So that no run writes back what another left.
    pub(crate) async fn checkpoint(&self) -> anyhow::Result<()> {
        sqlx::query("checkpoint").execute(&self.task_api).await?;
        Ok(())
    }
}

async fn open(stack: &Stack, app: App) -> anyhow::Result<PgPool> {
    let (port, password) = (stack.port("postgres"), stack.secret("postgres"));
    let name = app.id().replace('-', "_");
    let url = format!("postgres://postgres:{password}@127.0.0.1:{port}/{name}");
    let options = PgPoolOptions::new().max_connections(1);
    options.connect(&url).await.context("the stack's database")
}

async fn settled(
    app: App,
    pool: &PgPool,
    tasks: &[Uuid],
    wanted: i64,
    deadline: Instant,
) -> anyhow::Result<DateTime<Utc>> {
    loop {
        let (seen, last): (i64, Option<DateTime<Utc>>) = sqlx::query_as(
            "select coalesce(sum(version), 0)::bigint, max(pg_xact_commit_timestamp(xmin))
               from seen where subject = any($1)",
        )
        .bind(tasks)
        .fetch_one(pool)
        .await?;
        match last {
            Some(last) if seen == wanted => return Ok(last),
            _ if Instant::now() > deadline => {
                bail!("{} has seen {seen} of {wanted} versions", app.id())
            }
            _ => tokio::time::sleep(POLL).await,
        }
    }
}
