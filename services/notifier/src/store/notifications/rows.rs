//! Rows of `notifications`.

use chrono::{DateTime, Utc};
use database::{Error, Tx, on, rows};
use event_schema::Notification;
use event_store::Tables;
use uuid::Uuid;

/// Writes the rows of changed notifications, and removes those of which were taken back.
pub(super) async fn apply(
    tx: &mut Tx,
    into: Tables,
    changed: Vec<&Notification>,
) -> Result<(), Error> {
    let (shown, withdrawn): (Vec<_>, Vec<_>) = changed
        .into_iter()
        .partition(|one| one.withdrawn_at.is_none());
    upsert(tx, into, shown).await?;
    for one in withdrawn {
        // They are few: a command and a firing have met.
        let delete = "delete from notifications{} where notification_id = $1";
        on!(&mut *tx, conn => sqlx::query(into.sql(delete))
            .bind(one.id.as_uuid()).execute(conn).await.map(drop))?;
    }
    Ok(())
}

/// Only `read_at` of a row ever changes.
async fn upsert(tx: &mut Tx, into: Tables, changed: Vec<&Notification>) -> Result<(), Error> {
    match tx {
        Tx::Postgres(_) if changed.is_empty() => {}
        Tx::Postgres(tx) => {
            let ids: Vec<Uuid> = changed.iter().map(|one| one.id.as_uuid()).collect();
            let owners: Vec<Uuid> = changed.iter().map(|one| one.user_id.as_uuid()).collect();
            let kinds: Vec<&str> = changed.iter().map(|one| one.kind.name()).collect();
            let created: Vec<DateTime<Utc>> = changed.iter().map(|one| one.created_at).collect();
            let read: Vec<Option<DateTime<Utc>>> = changed.iter().map(|one| one.read_at).collect();
            sqlx::query(into.sql(
                "insert into notifications{} (notification_id, owner_id, kind, created_at, read_at)
                 select *
                   from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[],
                               $5::timestamptz[])
                     on conflict (notification_id) do update set read_at = excluded.read_at",
            ))
            .bind(ids)
            .bind(owners)
            .bind(kinds)
            .bind(created)
            .bind(read)
            .execute(&mut **tx)
            .await?;
        }
        Tx::Sqlite(tx) => {
            let upsert =
                "insert into notifications{} (notification_id, owner_id, kind, created_at, read_at)
                 values {rows}
                     on conflict (notification_id) do update set read_at = excluded.read_at";
            rows::execute(&mut *tx, &into.sql(upsert).0, &changed, |values, one| {
                values.bind(one.id.as_uuid()).bind(one.user_id.as_uuid());
                values.bind(one.kind.name());
                values.bind(one.created_at).bind(one.read_at);
            })
            .await?;
        }
    }
    Ok(())
}
