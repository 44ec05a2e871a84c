//! `event`: the log, which is also the outbox.

use chrono::{DateTime, Utc};
use database::{Error, Tx, on, rows};
use uuid::Uuid;

use super::to_i64;
use crate::history::RecordedEvent;
use crate::unit::NewEvent;
use crate::{StreamRef, relay};

/// Holds the lane's place among all replicas until the transaction ends. Alone in its statement, so
/// that the next one sees everything committed before the lock was granted.
pub(crate) async fn lock_lane(tx: &mut Tx) -> Result<(), Error> {
    if let Tx::Postgres(tx) = tx {
        sqlx::query("select pg_advisory_xact_lock(7001)")
            .execute(&mut **tx)
            .await?;
    }
    Ok(()) // SQLite: `begin immediate` is the lock.
}

/// Draws positions for `count` events and returns the one before the first.
pub(crate) async fn draw_positions(tx: &mut Tx, count: usize) -> Result<i64, Error> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let (last,): (i64,) = on!(tx, conn => sqlx::query_as(
        "update ledger_position set last_position = last_position + $1 where id = 0
         returning last_position"
    ).bind(count).fetch_one(conn).await)?;
    Ok(last - count)
}

/// Writes the events at the positions after `base`.
pub(crate) async fn insert(
    tx: &mut Tx,
    events: &[NewEvent],
    base: i64,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    match tx {
        Tx::Postgres(tx) => {
            let positions: Vec<i64> = events
                .iter()
                .zip(base + 1..)
                .map(|(_, position)| position)
                .collect();
            let column = |pick: fn(&NewEvent) -> Uuid| events.iter().map(pick).collect::<Vec<_>>();
            sqlx::query(
                "insert into event (position, kind, stream_id, version, event_id, type, topic, key,
                                    bucket, owner_id, envelope, recorded_at)
                 select t.*, $12
                   from unnest($1::bigint[], $2::text[], $3::uuid[], $4::bigint[], $5::uuid[],
                               $6::text[], $7::text[], $8::uuid[], $9::smallint[], $10::uuid[],
                               $11::text[]) as t",
            )
            .bind(positions)
            .bind(
                events
                    .iter()
                    .map(|event| event.stream.kind)
                    .collect::<Vec<_>>(),
            )
            .bind(column(|event| event.stream.stream_id))
            .bind(
                events
                    .iter()
                    .map(|event| to_i64(event.version))
                    .collect::<Vec<_>>(),
            )
            .bind(column(|event| event.event_id))
            .bind(
                events
                    .iter()
                    .map(|event| event.event_type.name)
                    .collect::<Vec<_>>(),
            )
            .bind(events.iter().map(topic).collect::<Vec<_>>())
            .bind(column(|event| event.key))
            .bind(
                events
                    .iter()
                    .map(|event| relay::bucket_of(event.key))
                    .collect::<Vec<_>>(),
            )
            .bind(column(|event| event.owner))
            .bind(
                events
                    .iter()
                    .map(|event| event.envelope.as_str())
                    .collect::<Vec<_>>(),
            )
            .bind(now)
            .execute(&mut **tx)
            .await?;
        }
        Tx::Sqlite(tx) => {
            let positioned: Vec<(i64, &NewEvent)> = (base + 1..).zip(events).collect();
            let insert = "insert into event (position, kind, stream_id, version, event_id, type,
                                             topic, key, bucket, owner_id, envelope, recorded_at)
                          values {rows}";
            rows::execute(
                &mut *tx,
                insert,
                &positioned,
                |values, (position, event)| {
                    values.bind(*position);
                    values.bind(event.stream.kind).bind(event.stream.stream_id);
                    values.bind(to_i64(event.version)).bind(event.event_id);
                    values.bind(event.event_type.name).bind(topic(event));
                    values.bind(event.key).bind(relay::bucket_of(event.key));
                    values.bind(event.owner).bind(event.envelope.as_str());
                    values.bind(now);
                },
            )
            .await?;
        }
    }
    Ok(())
}

fn topic(event: &NewEvent) -> Option<&'static str> {
    event.event_type.topic.map(event_schema::Topic::name)
}

/// Events of one stream after a version, oldest first.
pub(crate) async fn of_stream(
    tx: &mut Tx,
    stream: StreamRef,
    after_version: u64,
    limit: u32,
) -> Result<Vec<RecordedEvent>, Error> {
    let rows = on!(tx, conn => sqlx::query_as(
        "select position, stream_id, version, type, owner_id, envelope, recorded_at
           from event
          where kind = $1 and stream_id = $2 and version > $3
          order by version
          limit $4"
    ).bind(stream.kind).bind(stream.stream_id).bind(to_i64(after_version)).bind(i64::from(limit))
        .fetch_all(conn).await)?;
    Ok(rows)
}

/// Events of all streams after a position, in the order of commits. A hole would be a lost event.
pub(crate) async fn after(
    tx: &mut Tx,
    position: i64,
    limit: u32,
) -> Result<Vec<RecordedEvent>, Error> {
    let rows: Vec<RecordedEvent> = on!(tx, conn => sqlx::query_as(
        "select position, stream_id, version, type, owner_id, envelope, recorded_at
           from event
          where position > $1
          order by position
          limit $2"
    ).bind(position).bind(i64::from(limit)).fetch_all(conn).await)?;
    let expected = position.max(0) + 1..;
    match rows
        .iter()
        .zip(expected)
        .find(|(row, expected)| row.position != *expected)
    {
        None => Ok(rows),
        Some((row, expected)) => Err(Error::Corrupt {
            table: "event",
            column: "position",
            id: expected.to_string(),
            reason: format!("the next position in the log is {}", row.position),
        }),
    }
}

/// The newest position; 0 in an empty log.
pub(crate) async fn last_position(tx: &mut Tx) -> Result<i64, Error> {
    let (last,): (i64,) = on!(tx, conn => sqlx::query_as(
        "select last_position from ledger_position where id = 0"
    ).fetch_one(conn).await)?;
    Ok(last)
}
