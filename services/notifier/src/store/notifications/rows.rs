//! Rows of `notifications`.

use chrono::{DateTime, Utc};
use database::{Error, Together, rows};
use event_schema::Notification;
use event_store::{Tables, Trip, Way};
use sqlx::SqliteConnection;
use uuid::Uuid;

/// Writes the rows of changed notifications, and removes those of which were taken back.
pub(super) async fn apply(
    trip: &mut Trip<'_>,
    into: Tables,
    changed: Vec<&Notification>,
) -> Result<(), Error> {
    let (shown, withdrawn): (Vec<_>, Vec<_>) = changed
        .into_iter()
        .partition(|one| one.withdrawn_at.is_none());
    let gone: Vec<Uuid> = withdrawn.iter().map(|one| one.id.as_uuid()).collect();
    match trip.way() {
        Way::Postgres(together) => postgres(together, into, &shown, gone),
        Way::Sqlite(conn) => sqlite(conn, into, &shown, &gone).await?,
    }
    Ok(())
}

/// Only `read_at` of a row ever changes.
fn postgres(together: &mut Together, into: Tables, shown: &[&Notification], gone: Vec<Uuid>) {
    if !gone.is_empty() {
        let delete = into.sql("delete from notifications{} where notification_id = any($1)");
        together.part("gone_notifications", delete).bind(gone);
    }
    if shown.is_empty() {
        return;
    }
    let ids: Vec<Uuid> = shown.iter().map(|one| one.id.as_uuid()).collect();
    let owners: Vec<Uuid> = shown.iter().map(|one| one.user_id.as_uuid()).collect();
    let kinds: Vec<&str> = shown.iter().map(|one| one.kind.name()).collect();
    let created: Vec<DateTime<Utc>> = shown.iter().map(|one| one.created_at).collect();
    let read: Vec<Option<DateTime<Utc>>> = shown.iter().map(|one| one.read_at).collect();
    together
        .part(
            "written_notifications",
            into.sql(
                "insert into notifications{} (notification_id, owner_id, kind, created_at, read_at)
                 select *
                   from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[],
                               $5::timestamptz[])
                     on conflict (notification_id) do update set read_at = excluded.read_at",
            ),
        )
        .bind(ids)
        .bind(owners)
        .bind(kinds)
        .bind(created)
        .bind(read);
}

async fn sqlite(
    conn: &mut SqliteConnection,
    into: Tables,
    shown: &[&Notification],
    gone: &[Uuid],
) -> Result<(), Error> {
    let upsert =
        "insert into notifications{} (notification_id, owner_id, kind, created_at, read_at)
         values {rows}
             on conflict (notification_id) do update set read_at = excluded.read_at";
    rows::execute(conn, &into.sql(upsert).0, shown, |values, one| {
        values.bind(one.id.as_uuid()).bind(one.user_id.as_uuid());
        values.bind(one.kind.name());
        values.bind(one.created_at).bind(one.read_at);
    })
    .await?;
    let delete = "delete from notifications{} where notification_id in (values {rows})";
    rows::execute(conn, &into.sql(delete).0, gone, |values, id| {
        values.bind(*id);
    })
    .await?;
    Ok(())
}
