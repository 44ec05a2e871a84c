//! Writing the rows of changed tasks.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use database::{Error, Together, rows};
use event_schema::{Status, Task};
use event_store::{StreamChange, Tables, Trip, Way};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{EVER, NEVER};
use crate::domain::{TaskStream, time};

/// A row of `tasks`.
#[derive(PartialEq)]
struct Row<'a> {
    task_id: Uuid,
    owner_id: Uuid,
    status: &'static str,
    parent_id: Option<Uuid>,
    due_rank: i16,
    due_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    trashed_at: Option<DateTime<Utc>>,
    series_id: Option<Uuid>,
    slot: Option<&'a str>,
    withdrawn: bool,
}

/// A task whose labels differ from those that stand there.
struct Labeled<'a> {
    task_id: Uuid,
    labels: &'a BTreeSet<String>,
    /// It was created just now: none stands there.
    is_new: bool,
}

/// Writes what differs: most edits change neither a row nor labels.
pub(super) async fn apply(
    trip: &mut Trip<'_>,
    into: Tables,
    changes: &[StreamChange],
) -> Result<(), Error> {
    let (mut rows, mut labeled) = (Vec::new(), Vec::new());
    for change in changes {
        let Some(task) = change.state::<TaskStream>() else {
            continue;
        };
        let before = change.before::<TaskStream>();
        let row = Row::of(task);
        if before.is_none_or(|before| Row::of(before) != row) {
            rows.push(row);
        }
        if before.is_none_or(|before| before.labels != task.labels) {
            labeled.push(Labeled {
                task_id: task.id.as_uuid(),
                labels: &task.labels,
                is_new: change.version == 1,
            });
        }
    }
    match trip.way() {
        Way::Postgres(together) => postgres(together, into, &rows, &labeled),
        Way::Sqlite(conn) => sqlite(conn, into, &rows, &labeled).await?,
    }
    Ok(())
}

impl<'a> Row<'a> {
    fn of(task: &'a Task) -> Self {
        let home = time::home(task.home_zone.as_deref());
        let due = task.due.as_ref().map(|due| time::sort_key(due, home));
        Self {
            task_id: task.id.as_uuid(),
            owner_id: task.owner_id.as_uuid(),
            status: status(task.status),
            parent_id: task.parent_id.map(Uuid::from),
            due_rank: i16::from(due.is_none()),
            due_at: due.map_or(NEVER, |at| at.clamp(EVER, NEVER)),
            created_at: task.created_at,
            trashed_at: task.trashed_at,
            series_id: task.series_id.map(Uuid::from),
            slot: task.slot.as_deref(),
            withdrawn: task.is_withdrawn(),
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

/// However many tasks a batch changed, these are its parts.
fn postgres(together: &mut Together, into: Tables, rows: &[Row<'_>], labeled: &[Labeled<'_>]) {
    if !rows.is_empty() {
        postgres_rows(together, into, rows);
    }
    let older: Vec<_> = older(labeled).collect();
    if !older.is_empty() {
        // Of an older task only what differs is written. Its labels go as the text of an array, because
        // arrays of different lengths cannot be the elements of one.
        together
            .part(
                "gone_labels",
                into.sql(
                    "delete from task_labels{} l
                      using unnest($1::uuid[], $2::text[]) as older (task_id, labels)
                      where l.task_id = older.task_id and l.label <> all (older.labels::text[])",
                ),
            )
            .bind(older.iter().map(|task| task.task_id).collect::<Vec<_>>())
            .bind(
                older
                    .iter()
                    .map(|task| array(task.labels))
                    .collect::<Vec<_>>(),
            );
    }
    let (tasks, labels): (Vec<Uuid>, Vec<&str>) = labels(labeled).into_iter().unzip();
    if !labels.is_empty() {
        together
            .part(
                "written_labels",
                into.sql(
                    "insert into task_labels{} (task_id, label)
                     select * from unnest($1::uuid[], $2::text[])
                         on conflict do nothing",
                ),
            )
            .bind(tasks)
            .bind(labels);
    }
}

fn postgres_rows(together: &mut Together, into: Tables, rows: &[Row<'_>]) {
    together
        .part(
            "written_tasks",
            into.sql(
                "insert into tasks{} (task_id, owner_id, status, parent_id, due_rank, due_at,
                                      created_at, trashed_at, series_id, slot, withdrawn)
                 select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[],
                                      $5::smallint[], $6::timestamptz[], $7::timestamptz[],
                                      $8::timestamptz[], $9::uuid[], $10::text[], $11::bool[])
                     on conflict (task_id) do update
                    set status = excluded.status, parent_id = excluded.parent_id,
                        due_rank = excluded.due_rank, due_at = excluded.due_at,
                        trashed_at = excluded.trashed_at, withdrawn = excluded.withdrawn",
            ),
        )
        .bind(column(rows, |row| row.task_id))
        .bind(column(rows, |row| row.owner_id))
        .bind(column(rows, |row| row.status))
        .bind(column(rows, |row| row.parent_id))
        .bind(column(rows, |row| row.due_rank))
        .bind(column(rows, |row| row.due_at))
        .bind(column(rows, |row| row.created_at))
        .bind(column(rows, |row| row.trashed_at))
        .bind(column(rows, |row| row.series_id))
        .bind(column(rows, |row| row.slot))
        .bind(column(rows, |row| row.withdrawn));
}

fn column<'r, 'a, T>(rows: &'r [Row<'a>], value: fn(&'r Row<'a>) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// The text of a PostgreSQL array.
fn array(labels: &BTreeSet<String>) -> String {
    let quoted = labels.iter().map(|label| {
        let escaped = label.replace('\\', r"\\").replace('"', r#"\""#);
        format!("\"{escaped}\"")
    });
    format!("{{{}}}", quoted.collect::<Vec<_>>().join(","))
}

async fn sqlite(
    conn: &mut SqliteConnection,
    into: Tables,
    rows: &[Row<'_>],
    labeled: &[Labeled<'_>],
) -> Result<(), Error> {
    let upsert =
        "insert into tasks{} (task_id, owner_id, status, parent_id, due_rank, due_at, created_at,
                              trashed_at, series_id, slot, withdrawn)
         values {rows}
             on conflict (task_id) do update
            set status = excluded.status, parent_id = excluded.parent_id,
                due_rank = excluded.due_rank, due_at = excluded.due_at,
                trashed_at = excluded.trashed_at, withdrawn = excluded.withdrawn";
    rows::execute(conn, &into.sql(upsert).0, rows, |values, row| {
        values.bind(row.task_id).bind(row.owner_id).bind(row.status);
        values.bind(row.parent_id).bind(row.due_rank);
        values.bind(row.due_at).bind(row.created_at);
        values.bind(row.trashed_at).bind(row.series_id);
        values.bind(row.slot).bind(row.withdrawn);
    })
    .await?;
    let delete = "delete from task_labels{} where (task_id, label) in (
                      select l.task_id, l.label
                        from (values {rows}) as older
                       cross join task_labels{} l on l.task_id = older.column1
                       where l.label not in (select value from json_each(older.column2)))";
    let older: Vec<_> = older(labeled).collect();
    rows::execute(conn, &into.sql(delete).0, &older, |values, task| {
        let labels = serde_json::json!(task.labels).to_string();
        values.bind(task.task_id).bind(labels);
    })
    .await?;
    let insert = "insert into task_labels{} (task_id, label) values {rows} on conflict do nothing";
    let labels = labels(labeled);
    rows::execute(conn, &into.sql(insert).0, &labels, |values, (id, label)| {
        values.bind(*id).bind(*label);
    })
    .await?;
    Ok(())
}

/// Those that may have labels already.
fn older<'r, 'a>(labeled: &'r [Labeled<'a>]) -> impl Iterator<Item = &'r Labeled<'a>> {
    labeled.iter().filter(|task| !task.is_new)
}

/// The labels that they have now.
fn labels<'a>(labeled: &[Labeled<'a>]) -> Vec<(Uuid, &'a str)> {
    let of_task = |task: &Labeled<'a>| {
        let id = task.task_id;
        task.labels.iter().map(move |label| (id, label.as_str()))
    };
    labeled.iter().flat_map(of_task).collect()
}
