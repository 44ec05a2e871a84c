//! Writing the rows of changed tasks.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use database::{Error, Tx, rows};
use event_schema::{Status, Task};
use event_store::{StreamChange, Tables};
use sqlx::{PgConnection, SqliteConnection};
use uuid::Uuid;

use super::{EVER, NEVER};
use crate::domain::{TaskStream, time};

/// A row of `tasks`.
struct Row<'a> {
    task: &'a Task,
    /// Whether those that stand there may be others.
    has_new_labels: bool,
    version: i64,
    status: &'static str,
    due_rank: i16,
    due_at: DateTime<Utc>,
}

pub(super) async fn apply(
    tx: &mut Tx,
    into: Tables,
    changes: &[StreamChange],
) -> Result<(), Error> {
    let rows = changes.iter().filter_map(|change| {
        let task = change.state::<TaskStream>()?;
        let before = change.before::<TaskStream>();
        Some(Row {
            has_new_labels: before.is_none_or(|before| before.labels != task.labels),
            ..Row::of(task, change.version)
        })
    });
    let rows: Vec<Row<'_>> = rows.collect();
    if rows.is_empty() {
        return Ok(());
    }
    match tx {
        Tx::Postgres(tx) => postgres(tx, into, &rows).await,
        Tx::Sqlite(tx) => sqlite(tx, into, &rows).await,
    }
}

impl<'a> Row<'a> {
    fn of(task: &'a Task, version: u64) -> Self {
        let home = time::home(task.home_zone.as_deref());
        let due = task.due.as_ref().map(|due| time::sort_key(due, home));
        Self {
            task,
            has_new_labels: true,
            version: i64::try_from(version).unwrap_or(i64::MAX),
            status: status(task.status),
            due_rank: i16::from(due.is_none()),
            due_at: due.map_or(NEVER, |at| at.clamp(EVER, NEVER)),
        }
    }

    /// Neither this nor the slot ever changes.
    fn series_id(&self) -> Option<Uuid> {
        self.task.series_id.map(Uuid::from)
    }

    fn is_withdrawn(&self) -> bool {
        self.task.is_withdrawn()
    }

    fn slot(&self) -> Option<&str> {
        self.task.slot.as_deref()
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

/// A batch in at most two statements, however many tasks it changed.
async fn postgres(conn: &mut PgConnection, into: Tables, rows: &[Row<'_>]) -> Result<(), Error> {
    let column = |value: fn(&Row<'_>) -> Uuid| rows.iter().map(value).collect::<Vec<_>>();
    let written: Vec<(Uuid,)> = sqlx::query_as(into.sql(
        "insert into tasks{} as t (task_id, owner_id, version, status, parent_id, due_rank, due_at,
                                 created_at, trashed_at, series_id, slot, withdrawn)
         select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::uuid[],
                              $6::smallint[], $7::timestamptz[], $8::timestamptz[],
                              $9::timestamptz[], $10::uuid[], $11::text[], $12::bool[])
             on conflict (task_id) do update
            set version = excluded.version, status = excluded.status,
                parent_id = excluded.parent_id, due_rank = excluded.due_rank,
                due_at = excluded.due_at, trashed_at = excluded.trashed_at,
                withdrawn = excluded.withdrawn
          where t.version < excluded.version
         returning task_id",
    ))
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
    .bind(rows.iter().map(Row::series_id).collect::<Vec<_>>())
    .bind(rows.iter().map(Row::slot).collect::<Vec<_>>())
    .bind(rows.iter().map(Row::is_withdrawn).collect::<Vec<_>>())
    .fetch_all(&mut *conn)
    .await?;
    let written = ids(written);
    let older = older(rows, &written);
    let (tasks, labels): (Vec<Uuid>, Vec<&str>) = labels(rows, &written).into_iter().unzip();
    if older.is_empty() && labels.is_empty() {
        return Ok(());
    }
    // Of an older task only what differs is written. Its labels go as the text of an array, because
    // arrays of different lengths cannot be the elements of one.
    sqlx::query(into.sql(
        "with gone as (
             delete from task_labels{} l
              using unnest($3::uuid[], $4::text[]) as older (task_id, labels)
              where l.task_id = older.task_id and l.label <> all (older.labels::text[]))
         insert into task_labels{} (task_id, label)
         select * from unnest($1::uuid[], $2::text[])
             on conflict do nothing",
    ))
    .bind(tasks)
    .bind(labels)
    .bind(
        older
            .iter()
            .map(|task| task.id.as_uuid())
            .collect::<Vec<_>>(),
    )
    .bind(
        older
            .iter()
            .map(|task| array(&task.labels))
            .collect::<Vec<_>>(),
    )
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// The text of a PostgreSQL array.
fn array(labels: &BTreeSet<String>) -> String {
    let quoted = labels.iter().map(|label| {
        let escaped = label.replace('\\', r"\\").replace('"', r#"\""#);
        format!("\"{escaped}\"")
    });
    format!("{{{}}}", quoted.collect::<Vec<_>>().join(","))
}

fn parents(rows: &[Row<'_>]) -> Vec<Option<Uuid>> {
    let parent = |row: &Row<'_>| row.task.parent_id.map(Uuid::from);
    rows.iter().map(parent).collect()
}

async fn sqlite(conn: &mut SqliteConnection, into: Tables, rows: &[Row<'_>]) -> Result<(), Error> {
    let upsert =
        "insert into tasks{} as t (task_id, owner_id, version, status, parent_id, due_rank,
                                          due_at, created_at, trashed_at, series_id, slot,
                                          withdrawn)
                  values {rows}
                      on conflict (task_id) do update
                     set version = excluded.version, status = excluded.status,
                         parent_id = excluded.parent_id, due_rank = excluded.due_rank,
                         due_at = excluded.due_at, trashed_at = excluded.trashed_at,
                withdrawn = excluded.withdrawn
                   where t.version < excluded.version
                  returning task_id";
    let upsert = into.sql(upsert).0;
    let written = rows::fetch(conn, &upsert, rows, |values, row| {
        let task = row.task;
        values.bind(task.id.as_uuid()).bind(task.owner_id.as_uuid());
        values.bind(row.version).bind(row.status);
        values.bind(task.parent_id.map(Uuid::from));
        values.bind(row.due_rank).bind(row.due_at);
        values.bind(task.created_at).bind(task.trashed_at);
        values.bind(row.series_id()).bind(row.slot());
        values.bind(row.is_withdrawn());
    });
    let written = ids(written.await?);
    let delete = "delete from task_labels{} where (task_id, label) in (
                      select l.task_id, l.label
                        from (values {rows}) as older
                       cross join task_labels{} l on l.task_id = older.column1
                       where l.label not in (select value from json_each(older.column2)))";
    let older = older(rows, &written);
    rows::execute(conn, &into.sql(delete).0, &older, |values, task| {
        let labels = serde_json::json!(task.labels).to_string();
        values.bind(task.id.as_uuid()).bind(labels);
    })
    .await?;
    let insert = "insert into task_labels{} (task_id, label) values {rows} on conflict do nothing";
    let labels = labels(rows, &written);
    rows::execute(conn, &into.sql(insert).0, &labels, |values, (id, label)| {
        values.bind(*id).bind(*label);
    })
    .await?;
    Ok(())
}

fn ids(rows: Vec<(Uuid,)>) -> HashSet<Uuid> {
    rows.into_iter().map(|(id,)| id).collect()
}

/// Written tasks with other labels than before.
fn relabeled<'a>(
    rows: &'a [Row<'_>],
    written: &HashSet<Uuid>,
) -> impl Iterator<Item = &'a Row<'a>> {
    let new = rows.iter().filter(|row| row.has_new_labels);
    new.filter(|row| written.contains(&row.task.id.as_uuid()))
}

/// Those that may have labels already: one that was created just now has none.
fn older<'a>(rows: &'a [Row<'_>], written: &HashSet<Uuid>) -> Vec<&'a Task> {
    let older = relabeled(rows, written).filter(|row| row.version > 1);
    older.map(|row| row.task).collect()
}

/// The labels that they have now.
fn labels<'a>(rows: &'a [Row<'_>], written: &HashSet<Uuid>) -> Vec<(Uuid, &'a str)> {
    let label = |row: &'a Row<'_>| {
        let id = row.task.id.as_uuid();
        row.task
            .labels
            .iter()
            .map(move |label| (id, label.as_str()))
    };
    relabeled(rows, written).flat_map(label).collect()
}
