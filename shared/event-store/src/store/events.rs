//! `event`: the log, which is also the outbox.

use chrono::{DateTime, Utc};
use database::{Error, Together, Tx, on, rows};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::to_i64;
use super::trip::{Trip, Way};
use crate::history::RecordedEvent;
use crate::unit::NewEvent;
use crate::{StreamRef, relay};

/// How a transaction of the lane begins on PostgreSQL: holding the lane's lock, for which a second
/// trip to the server would be spent on every batch. Each statement sees what was committed when it
/// began, so the next one sees everything committed before the lock was granted.
pub(crate) const BEGIN_LANE: &str = "begin; select pg_advisory_xact_lock(7001)";

/// Holds the lane's place among all replicas until the transaction ends, and takes a [turn](take_turn).
/// The lock is alone in its statement, so that the next one sees everything committed before it was
/// granted.
pub(crate) async fn lock_lane(tx: &mut Tx) -> Result<(), Error> {
    if let Tx::Postgres(tx) = tx {
        sqlx::query("select pg_advisory_xact_lock(7001)")
            .execute(&mut **tx)
            .await?;
        sqlx::query("update ledger_position set turn = turn + 1 where id = 0")
            .execute(&mut **tx)
            .await?;
    }
    Ok(()) // SQLite: `begin immediate` is the lock.
}

/// Takes a turn and so many positions, under the lane's lock.
const TURN: &str = "update ledger_position set last_position = last_position + $1, turn = turn + 1
      where id = 0
     returning last_position, last_position - $1 as before, turn";
/// The same for whoever does not hold the lock, if nobody does.
const LOCK_AND_TURN: &str =
    "update ledger_position set last_position = last_position + $1, turn = turn + 1
      where id = 0 and (select pg_try_advisory_xact_lock(7001))
     returning last_position, last_position - $1 as before, turn";

/// Takes a turn and so many positions on PostgreSQL, and the lane's lock before that for whoever writes
/// [without a transaction](Trip::end_alone), if it is free.
///
/// All rows of a statement are looked at as they were when it began, but a row that it updates is the
/// newest: so the turn tells who is alone whether somebody else has written since. An older release that
/// runs beside this one takes positions and no turns.
pub(crate) fn take_turn(trip: &mut Trip<'_>, positions: usize, alone: bool) {
    if let Way::Postgres(together) = trip.way() {
        together
            .part("drawn", if alone { LOCK_AND_TURN } else { TURN })
            .bind(i64::try_from(positions).unwrap_or(i64::MAX));
    }
}

/// Writes the events at the positions that were taken with the [turn](take_turn), and tells the last
/// one. A position is drawn and used in one transaction under the lane's lock, so there are no gaps and
/// readers see them in order.
pub(crate) async fn append(
    trip: &mut Trip<'_>,
    events: &[NewEvent],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    match trip.way() {
        Way::Postgres(together) => {
            append_postgres(together, events, now);
            trip.will_tell("position", "select last_position from drawn", None);
        }
        Way::Sqlite(conn) => {
            let last = append_sqlite(conn, events, now).await?;
            trip.tells("position", last, None);
        }
    }
    Ok(())
}

fn append_postgres(together: &mut Together, events: &[NewEvent], now: DateTime<Utc>) {
    let ids = |pick: fn(&NewEvent) -> Uuid| events.iter().map(pick).collect::<Vec<_>>();
    let texts = |pick: fn(&NewEvent) -> &str| events.iter().map(pick).collect::<Vec<_>>();
    together
        .part(
            "written_events",
            "insert into event (position, kind, stream_id, version, event_id, type, topic, key,
                                bucket, owner_id, envelope, recorded_at)
             select before + n, kind, stream_id, version, event_id, type, topic, key,
                    bucket, owner_id, envelope, $11
               from drawn,
                    unnest($1::text[], $2::uuid[], $3::bigint[], $4::uuid[], $5::text[],
                           $6::text[], $7::uuid[], $8::smallint[], $9::uuid[], $10::text[])
                    with ordinality as t (kind, stream_id, version, event_id, type, topic, key,
                                          bucket, owner_id, envelope, n)",
        )
        .bind(texts(|event| event.stream.kind))
        .bind(ids(|event| event.stream.stream_id))
        .bind(versions(events))
        .bind(ids(|event| event.event_id))
        .bind(texts(|event| event.event_type.name))
        .bind(events.iter().map(topic).collect::<Vec<_>>())
        .bind(ids(|event| event.key))
        .bind(buckets(events))
        .bind(ids(|event| event.owner))
        .bind(texts(|event| event.envelope.as_str()))
        .bind(now);
}

async fn append_sqlite(
    conn: &mut SqliteConnection,
    events: &[NewEvent],
    now: DateTime<Utc>,
) -> Result<i64, Error> {
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let (last,): (i64,) = sqlx::query_as(
        "update ledger_position set last_position = last_position + $1 where id = 0
         returning last_position",
    )
    .bind(count)
    .fetch_one(&mut *conn)
    .await?;
    let positioned: Vec<(i64, &NewEvent)> = (last - count + 1..).zip(events).collect();
    let insert =
        "insert into event (position, kind, stream_id, version, event_id, type, topic, key,
                                     bucket, owner_id, envelope, recorded_at)
                  values {rows}";
    rows::execute(conn, insert, &positioned, |values, (position, event)| {
        values.bind(*position);
        values.bind(event.stream.kind).bind(event.stream.stream_id);
        values.bind(to_i64(event.version)).bind(event.event_id);
        values.bind(event.event_type.name).bind(topic(event));
        values.bind(event.key).bind(relay::bucket_of(event.key));
        values.bind(event.owner).bind(event.envelope.as_str());
        values.bind(now);
    })
    .await?;
    Ok(last)
}

fn versions(events: &[NewEvent]) -> Vec<i64> {
    events.iter().map(|event| to_i64(event.version)).collect()
}

fn buckets(events: &[NewEvent]) -> Vec<i16> {
    let buckets = events.iter().map(|event| relay::bucket_of(event.key));
    buckets.collect()
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
          limit $4 + 0"
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
          limit $2 + 0"
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
