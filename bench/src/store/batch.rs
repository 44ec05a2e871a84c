//! Many commands in one transaction with a statement per table, or a prepared one per row on SQLite.

use database::sqlx;
use database::{Error, PgTx, Tx, on};
use uuid::Uuid;

use crate::rows::Rows;
use crate::store::requests;

/// Writes what commands on different tasks made.
pub(crate) async fn write(tx: &mut Tx, batch: &[Rows]) -> Result<(), Error> {
    let count = i64::try_from(batch.len()).unwrap_or(i64::MAX);
    let (last,): (i64,) = on!(&mut *tx, conn => sqlx::query_as(
        "update ledger_position set last_position = last_position + $1 where id = 0
         returning last_position"
    ).bind(count).fetch_one(conn).await)?;
    if let Tx::Postgres(tx) = tx {
        events(tx, batch, last - count).await?;
        heads(tx, batch).await?;
        tasks(tx, batch).await?;
        return labels(tx, batch).await;
    }
    for rows in batch {
        requests::write(tx, rows).await?;
    }
    Ok(())
}

fn column<'a, T>(batch: &'a [Rows], pick: impl Fn(&'a Rows) -> T) -> Vec<T> {
    batch.iter().map(pick).collect()
}

async fn events(tx: &mut PgTx, batch: &[Rows], base: i64) -> Result<(), Error> {
    let positions: Vec<i64> = batch.iter().zip(base + 1..).map(|(_, at)| at).collect();
    sqlx::query(
        "insert into event (position, kind, stream_id, version, event_id, type, topic, key, bucket,
                            owner_id, envelope, recorded_at)
         select position, 'task', id, version, event_id, type, topic, id, bucket, owner_id, envelope,
                recorded_at
           from unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::text[],
                       $7::smallint[], $8::uuid[], $9::text[], $10::timestamptz[])
             as t (position, id, version, event_id, type, topic, bucket, owner_id, envelope,
                   recorded_at)",
    )
    .bind(positions)
    .bind(column(batch, Rows::task_id))
    .bind(column(batch, |rows| rows.after.version))
    .bind(column(batch, |rows| rows.event_id))
    .bind(column(batch, |rows| rows.event_type.name))
    .bind(column(batch, Rows::topic))
    .bind(column(batch, Rows::bucket))
    .bind(column(batch, Rows::owner_id))
    .bind(column(batch, |rows| rows.envelope.as_str()))
    .bind(column(batch, |rows| rows.recorded_at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn heads(tx: &mut PgTx, batch: &[Rows]) -> Result<(), Error> {
    sqlx::query(
        "insert into stream (kind, stream_id, owner_id, version, state, updated_at)
         select 'task', t.*
           from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::timestamptz[]) as t
             on conflict (kind, stream_id) do update
            set version = excluded.version, state = excluded.state,
                updated_at = excluded.updated_at",
    )
    .bind(column(batch, Rows::task_id))
    .bind(column(batch, Rows::owner_id))
    .bind(column(batch, |rows| rows.after.version))
    .bind(column(batch, |rows| rows.state.as_str()))
    .bind(column(batch, |rows| rows.recorded_at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn tasks(tx: &mut PgTx, batch: &[Rows]) -> Result<(), Error> {
    let changed = || batch.iter().filter(|rows| rows.changes_task());
    sqlx::query(
        "insert into tasks (task_id, owner_id, status, parent_id, due_rank, due_at, created_at,
                            trashed_at)
         select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::smallint[],
                              $6::timestamptz[], $7::timestamptz[], $8::timestamptz[])
             on conflict (task_id) do update
            set status = excluded.status, parent_id = excluded.parent_id,
                due_rank = excluded.due_rank, due_at = excluded.due_at,
                trashed_at = excluded.trashed_at",
    )
    .bind(changed().map(Rows::task_id).collect::<Vec<_>>())
    .bind(changed().map(Rows::owner_id).collect::<Vec<_>>())
    .bind(changed().map(Rows::status).collect::<Vec<_>>())
    .bind(
        changed()
            .map(|rows| rows.after.task.parent_id.map(Uuid::from))
            .collect::<Vec<_>>(),
    )
    .bind(changed().map(Rows::due_rank).collect::<Vec<_>>())
    .bind(changed().map(Rows::due_at).collect::<Vec<_>>())
    .bind(
        changed()
            .map(|rows| rows.after.task.created_at)
            .collect::<Vec<_>>(),
    )
    .bind(
        changed()
            .map(|rows| rows.after.task.trashed_at)
            .collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn labels(tx: &mut PgTx, batch: &[Rows]) -> Result<(), Error> {
    let new = batch.iter().filter(|rows| rows.is_new());
    let of_task = |rows: &'_ Rows| {
        let id = rows.task_id();
        let labels = rows.after.task.labels.clone();
        labels.into_iter().map(move |label| (id, label))
    };
    let (ids, labels): (Vec<Uuid>, Vec<String>) = new.flat_map(of_task).unzip();
    sqlx::query(
        "insert into task_labels (task_id, label) select * from unnest($1::uuid[], $2::text[])",
    )
    .bind(ids)
    .bind(labels)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
