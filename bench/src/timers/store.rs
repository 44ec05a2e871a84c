//! Reminders as the lane would have written them, without the log of how they came to be.

use chrono::{DateTime, Utc};
use database::{Database, Error, Tx, on, rows, sqlx};
use event_schema::TaskReminders;
use uuid::Uuid;

/// Writes a stream, a timer and a plan for each.
pub(crate) async fn insert(
    database: &Database,
    all: &[TaskReminders],
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let mut tx = database.begin().await?;
    match &mut tx {
        Tx::Postgres(tx) => {
            let ids: Vec<Uuid> = all.iter().map(|one| one.task_id.as_uuid()).collect();
            let states = all.iter().map(serde_json::to_string);
            let states: Vec<String> = states.collect::<Result<_, _>>()?;
            let due: Vec<DateTime<Utc>> = all.iter().filter_map(fire_at).collect();
            sqlx::query(
                "insert into stream (kind, stream_id, owner_id, version, state, updated_at)
                 select 'reminders', id, $1, 1, state, $2
                   from unnest($3::uuid[], $4::text[]) as t (id, state)",
            )
            .bind(Uuid::from_u128(1))
            .bind(now)
            .bind(&ids)
            .bind(states)
            .execute(&mut **tx)
            .await
            .map_err(Error::from)?;
            sqlx::query(
                "insert into timer (kind, stream_id, timer_id, fire_at, lease_until)
                 select 'reminders', id, id, fire_at, $1
                   from unnest($2::uuid[], $3::timestamptz[]) as t (id, fire_at)",
            )
            .bind(DateTime::UNIX_EPOCH)
            .bind(&ids)
            .bind(due)
            .execute(&mut **tx)
            .await
            .map_err(Error::from)?;
            let rules: Vec<&str> = all.iter().map(|one| &*one.tzdb_version).collect();
            sqlx::query(
                "insert into plans (task_id, owner_id, tzdb_version)
                 select id, $1, rules from unnest($2::uuid[], $3::text[]) as t (id, rules)",
            )
            .bind(Uuid::from_u128(1))
            .bind(&ids)
            .bind(rules)
            .execute(&mut **tx)
            .await
            .map_err(Error::from)?;
        }
        Tx::Sqlite(tx) => {
            let loaded = all.iter().map(|one| Ok((one, serde_json::to_string(one)?)));
            let loaded = loaded.collect::<Result<Vec<_>, serde_json::Error>>()?;
            let streams =
                "insert into stream (kind, stream_id, owner_id, version, state, updated_at)
                           values {rows}";
            rows::execute(&mut *tx, streams, &loaded, |values, (one, state)| {
                let values = values.bind("reminders").bind(one.task_id.as_uuid());
                let values = values.bind(Uuid::from_u128(1)).bind(1);
                values.bind(state.as_str()).bind(now);
            })
            .await?;
            let timers = "insert into timer (kind, stream_id, timer_id, fire_at, lease_until)
                          values {rows}";
            rows::execute(&mut *tx, timers, &loaded, |values, (one, _)| {
                let id = one.task_id.as_uuid();
                let values = values.bind("reminders").bind(id).bind(id);
                values.bind(fire_at(one)).bind(DateTime::UNIX_EPOCH);
            })
            .await?;
            let plans = "insert into plans (task_id, owner_id, tzdb_version) values {rows}";
            rows::execute(&mut *tx, plans, &loaded, |values, (one, _)| {
                let values = values.bind(one.task_id.as_uuid());
                values.bind(Uuid::from_u128(1)).bind(&*one.tzdb_version);
            })
            .await?;
        }
    }
    Ok(tx.commit().await?)
}

fn fire_at(reminders: &TaskReminders) -> Option<DateTime<Utc>> {
    reminders.reminders.first().map(|reminder| reminder.fire_at)
}

/// What a server does by itself some time after so much was written.
pub(crate) async fn settle(database: &Database) -> Result<(), Error> {
    if let Database::Postgres(pool) = database {
        let mut connection = pool.acquire().await?;
        for statement in ["set statement_timeout = 0", "vacuum analyze", "checkpoint"] {
            sqlx::query(statement).execute(&mut *connection).await?;
        }
        connection.close().await?; // With its setting.
    }
    Ok(())
}

/// How many reminders have been told.
pub(crate) async fn told(database: &Database) -> Result<i64, Error> {
    let mut tx = database.read().await?;
    let (count,): (i64,) = on!(&mut tx, conn => sqlx::query_as(
        "select last_position from ledger_position").fetch_one(conn).await)?;
    Ok(count)
}

/// Id, envelope and time of writing of every event, in order.
pub(crate) async fn events(
    database: &Database,
) -> Result<Vec<(Uuid, String, DateTime<Utc>)>, Error> {
    let mut tx = database.read().await?;
    Ok(on!(&mut tx, conn => sqlx::query_as(
        "select event_id, envelope, recorded_at from event order by position"
    ).fetch_all(conn).await)?)
}
