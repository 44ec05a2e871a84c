//! One transaction per request: read the head, write each row with a statement of its own.

use database::sqlx;
use database::{Error, Tx, on};
use uuid::Uuid;

use crate::rows::Rows;

/// The state and version of a task, locked until the transaction ends.
pub(crate) async fn head(tx: &mut Tx, task_id: Uuid) -> Result<Option<(i64, String)>, Error> {
    Ok(match tx {
        Tx::Postgres(tx) => {
            sqlx::query_as(
                "select version, state from stream
                  where kind = 'task' and stream_id = $1 for update",
            )
            .bind(task_id)
            .fetch_optional(&mut **tx)
            .await?
        }
        // The transaction began with the lock.
        Tx::Sqlite(tx) => {
            sqlx::query_as(
                "select version, state from stream where kind = 'task' and stream_id = $1",
            )
            .bind(task_id)
            .fetch_optional(&mut **tx)
            .await?
        }
    })
}

/// Writes what a command made.
pub(crate) async fn write(tx: &mut Tx, rows: &Rows) -> Result<(), Error> {
    event(tx, rows).await?;
    if rows.is_new() {
        insert_head(tx, rows).await?;
        insert_task(tx, rows).await?;
        insert_labels(tx, rows).await
    } else {
        // Nothing here changes labels, so a handler would leave them alone.
        update_head(tx, rows).await?;
        if rows.changes_task() {
            update_task(tx, rows).await?;
        }
        Ok(())
    }
}

async fn event(tx: &mut Tx, rows: &Rows) -> Result<(), Error> {
    // A normal implementation numbers its rows by a sequence; the gaps of it do not matter here.
    let text = if tx.is_postgres() {
        "insert into event (position, kind, stream_id, version, event_id, type, topic, key, bucket,
                            owner_id, envelope, recorded_at)
         values (nextval('event_position'), 'task', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    } else {
        "insert into event (kind, stream_id, version, event_id, type, topic, key, bucket, owner_id,
                            envelope, recorded_at)
         values ('task', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    };
    on!(tx, conn => sqlx::query(text)
        .bind(rows.task_id())
        .bind(rows.after.version)
        .bind(rows.event_id)
        .bind(rows.event_type.name)
        .bind(rows.topic())
        .bind(rows.task_id())
        .bind(rows.bucket())
        .bind(rows.owner_id())
        .bind(&rows.envelope)
        .bind(rows.recorded_at)
        .execute(conn)
        .await
        .map(drop))?;
    Ok(())
}

async fn insert_head(tx: &mut Tx, rows: &Rows) -> Result<(), Error> {
    on!(tx, conn => sqlx::query(
        "insert into stream (kind, stream_id, owner_id, version, state, updated_at)
         values ('task', $1, $2, $3, $4, $5)"
    )
    .bind(rows.task_id())
    .bind(rows.owner_id())
    .bind(rows.after.version)
    .bind(&rows.state)
    .bind(rows.recorded_at)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

async fn update_head(tx: &mut Tx, rows: &Rows) -> Result<(), Error> {
    on!(tx, conn => sqlx::query(
        "update stream set version = $2, state = $3, updated_at = $4
          where kind = 'task' and stream_id = $1"
    )
    .bind(rows.task_id())
    .bind(rows.after.version)
    .bind(&rows.state)
    .bind(rows.recorded_at)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

async fn insert_task(tx: &mut Tx, rows: &Rows) -> Result<(), Error> {
    let task = &rows.after.task;
    on!(tx, conn => sqlx::query(
        "insert into tasks (task_id, owner_id, status, parent_id, due_rank, due_at, created_at,
                            trashed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)"
    )
    .bind(rows.task_id())
    .bind(rows.owner_id())
    .bind(rows.status())
    .bind(task.parent_id.map(Uuid::from))
    .bind(rows.due_rank())
    .bind(rows.due_at())
    .bind(task.created_at)
    .bind(task.trashed_at)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

async fn update_task(tx: &mut Tx, rows: &Rows) -> Result<(), Error> {
    let task = &rows.after.task;
    on!(tx, conn => sqlx::query(
        "update tasks set status = $2, parent_id = $3, due_rank = $4, due_at = $5, trashed_at = $6
          where task_id = $1"
    )
    .bind(rows.task_id())
    .bind(rows.status())
    .bind(task.parent_id.map(Uuid::from))
    .bind(rows.due_rank())
    .bind(rows.due_at())
    .bind(task.trashed_at)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

async fn insert_labels(tx: &mut Tx, rows: &Rows) -> Result<(), Error> {
    for label in &rows.after.task.labels {
        on!(tx, conn => sqlx::query("insert into task_labels (task_id, label) values ($1, $2)")
            .bind(rows.task_id())
            .bind(label)
            .execute(conn)
            .await
            .map(drop))?;
    }
    Ok(())
}
