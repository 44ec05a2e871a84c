//! Reads for whoever goes through a whole ledger, a page at a time.

use chrono::{DateTime, Utc};
use database::{Error, Tx, on};
use uuid::Uuid;

/// An event with the columns that its envelope must agree with.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct LogRow {
    pub(crate) position: i64,
    pub(crate) kind: String,
    pub(crate) stream_id: Uuid,
    pub(crate) version: i64,
    pub(crate) event_id: Uuid,
    pub(crate) r#type: String,
    pub(crate) key: Uuid,
    pub(crate) owner_id: Uuid,
    pub(crate) envelope: String,
}

/// A head.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct HeadRow {
    pub(crate) stream_id: Uuid,
    pub(crate) owner_id: Uuid,
    pub(crate) version: i64,
    pub(crate) state: String,
    pub(crate) state_version: i32,
}

/// An event of a stream.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct StreamRow {
    pub(crate) stream_id: Uuid,
    pub(crate) version: i64,
    pub(crate) envelope: String,
}

/// A timer.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct TimerRow {
    pub(crate) stream_id: Uuid,
    pub(crate) timer_id: Uuid,
    pub(crate) fire_at: DateTime<Utc>,
}

/// Events after a position, in order.
pub(crate) async fn log_after(
    tx: &mut Tx,
    position: i64,
    limit: i64,
) -> Result<Vec<LogRow>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "select position, kind, stream_id, version, event_id, type, key, owner_id, envelope
           from event where position > $1 order by position limit $2 + 0"
    ).bind(position).bind(limit).fetch_all(conn).await)?)
}

/// The kind after another, of streams that have a head or events.
pub(crate) async fn kind_after(tx: &mut Tx, kind: &str) -> Result<Option<String>, Error> {
    let (next,): (Option<String>,) = on!(tx, conn => sqlx::query_as(
        "select min(kind) from (select min(kind) as kind from stream where kind > $1
                                 union all
                                select min(kind) from event where kind > $1) as next"
    ).bind(kind).fetch_one(conn).await)?;
    Ok(next)
}

/// Heads of a kind after a stream, in the order of their ids.
pub(crate) async fn heads_after(
    tx: &mut Tx,
    kind: &str,
    stream_id: Uuid,
    limit: i64,
) -> Result<Vec<HeadRow>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "select stream_id, owner_id, version, state, state_version from stream
          where kind = $1 and stream_id > $2 order by stream_id limit $3 + 0"
    ).bind(kind).bind(stream_id).bind(limit).fetch_all(conn).await)?)
}

/// Events of a kind after a version of a stream, up to another stream, stream by stream.
pub(crate) async fn events_within(
    tx: &mut Tx,
    kind: &str,
    after: (Uuid, i64),
    end: Uuid,
    limit: i64,
) -> Result<Vec<StreamRow>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "select stream_id, version, envelope from event
          where kind = $1 and (stream_id, version) > ($2, $3) and stream_id <= $4
          order by stream_id, version limit $5 + 0"
    ).bind(kind).bind(after.0).bind(after.1).bind(end).bind(limit).fetch_all(conn).await)?)
}

/// Timers of a kind after a stream, up to another.
pub(crate) async fn timers_within(
    tx: &mut Tx,
    kind: &str,
    after: Uuid,
    end: Uuid,
) -> Result<Vec<TimerRow>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "select stream_id, timer_id, fire_at from timer
          where kind = $1 and stream_id > $2 and stream_id <= $3 order by stream_id, timer_id"
    ).bind(kind).bind(after).bind(end).fetch_all(conn).await)?)
}

/// Event ids that stand in the log more than once, some of them.
pub(crate) async fn repeated_ids(tx: &mut Tx, limit: i64) -> Result<Vec<(Uuid, i64)>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "select event_id, count(*) from event group by event_id having count(*) > 1 limit $1 + 0"
    ).bind(limit).fetch_all(conn).await)?)
}
