//! Writing the rows of changed tasks.

use chrono::{DateTime, Utc};
use database::{Error, Tx};
use event_schema::{Status, Task};
use event_store::StreamChange;
use sqlx::{Postgres, Sqlite, Transaction};
use uuid::Uuid;

use super::{EVER, NEVER};
use crate::domain::{TaskStream, time};

/// A row of `tasks`.
struct Row<'a> {
    task: &'a Task,
    version: i64,
    status: &'static str,
    due_rank: i16,
    due_at: DateTime<Utc>,
}

pub(super) async fn apply(tx: &mut Tx, changes: &[StreamChange]) -> Result<(), Error> {
    let rows = changes.iter().filter_map(|change| {
        let task = change.state::<TaskStream>()?;
        Some(Row::of(task, change.version))
    });
    let rows: Vec<Row<'_>> = rows.collect();
    if rows.is_empty() {
        return Ok(());
    }
    match tx {
        Tx::Postgres(tx) => postgres(tx, &rows).await,
        Tx::Sqlite(tx) => sqlite(tx, &rows).await,
    }
}

impl<'a> Row<'a> {
    fn of(task: &'a Task, version: u64) -> Self {
        let due = task.due.as_ref().map(time::sort_key);
        Self {
            task,
            version: i64::try_from(version).unwrap_or(i64::MAX),
            status: status(task.status),
            due_rank: i16::from(due.is_none()),
            due_at: due.map_or(NEVER, |at| at.clamp(EVER, NEVER)),
        }
    }
}

pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Open => "open",
        Status::Completed => "completed",
        Status::Cancelled => "cancelled",
        Status::Skipped => "skipped",
    }
}

/// A batch in three statements, however many tasks it changed.
async fn postgres(tx: &mut Transaction<'_, Postgres>, rows: &[Row<'_>]) -> Result<(), Error> {
    let column = |value: fn(&Row<'_>) -> Uuid| rows.iter().map(value).collect::<Vec<_>>();
    let written: Vec<(Uuid,)> = sqlx::query_as(
        "insert into tasks as t (task_id, owner_id, version, status, parent_id, due_rank, due_at,
                                 created_at, trashed_at)
         select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::uuid[],
                              $6::smallint[], $7::timestamptz[], $8::timestamptz[],
                              $9::timestamptz[])
             on conflict (task_id) do update
            set version = excluded.version, status = excluded.status,
                parent_id = excluded.parent_id, due_rank = excluded.due_rank,
                due_at = excluded.due_at, trashed_at = excluded.trashed_at
          where t.version < excluded.version
         returning task_id",
    )
    .bind(column(|row| row.task.id.as_uuid()))
    .bind(column(|row| row.task.owner_id.as_uuid()))
    .bind(rows.iter().map(|row| row.version).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.status).collect::<Vec<_>>())
    .bind(parents(rows))
    .bind(rows.iter().map(|row| row.due_rank).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.due_at).collect::<Vec<_>>())
    .bind(
        rows.iter()
            .map(|row| row.task.created_at)
            .collect::<Vec<_>>(),
    )
    .bind(
        rows.iter()
            .map(|row| row.task.trashed_at)
            .collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await?;
    let written: Vec<Uuid> = written.into_iter().map(|(task_id,)| task_id).collect();
    let mut label_tasks = Vec::new();
    let mut labels = Vec::new();
    for row in rows
        .iter()
        .filter(|row| written.contains(&row.task.id.as_uuid()))
    {
        for label in &row.task.labels {
            label_tasks.push(row.task.id.as_uuid());
            labels.push(label.as_str());
        }
    }
    sqlx::query("delete from task_labels where task_id = any($1)")
        .bind(written)
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "insert into task_labels (task_id, label) select * from unnest($1::uuid[], $2::text[])",
    )
    .bind(label_tasks)
    .bind(labels)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn parents(rows: &[Row<'_>]) -> Vec<Option<Uuid>> {
    let parent = |row: &Row<'_>| row.task.parent_id.map(Uuid::from);
    rows.iter().map(parent).collect()
}

/// A statement costs little without a network in between.
async fn sqlite(tx: &mut Transaction<'_, Sqlite>, rows: &[Row<'_>]) -> Result<(), Error> {
    for row in rows {
        let id = row.task.id.as_uuid();
        let done = sqlx::query(
            "insert into tasks (task_id, owner_id, version, status, parent_id, due_rank, due_at,
                                created_at, trashed_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                 on conflict (task_id) do update
                set version = excluded.version, status = excluded.status,
                    parent_id = excluded.parent_id, due_rank = excluded.due_rank,
                    due_at = excluded.due_at, trashed_at = excluded.trashed_at
              where tasks.version < excluded.version",
        )
        .bind(id)
        .bind(row.task.owner_id.as_uuid())
        .bind(row.version)
        .bind(row.status)
        .bind(row.task.parent_id.map(Uuid::from))
        .bind(row.due_rank)
        .bind(row.due_at)
        .bind(row.task.created_at)
        .bind(row.task.trashed_at)
        .execute(&mut **tx)
        .await?;
        if done.rows_affected() == 0 {
            continue; // Something newer is there.
        }
        sqlx::query("delete from task_labels where task_id = $1")
            .bind(id)
            .execute(&mut **tx)
            .await?;
        for label in &row.task.labels {
            sqlx::query("insert into task_labels (task_id, label) values ($1, $2)")
                .bind(id)
                .bind(label)
                .execute(&mut **tx)
                .await?;
        }
    }
    Ok(())
}
