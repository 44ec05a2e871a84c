//! Reads for the verification of a whole ledger.

use chrono::{DateTime, Utc};
use database::{Error, Tx, on};
use uuid::Uuid;

/// An event with the columns that its envelope must agree with.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct EventRow {
    pub(crate) position: i64,
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
    pub(crate) kind: String,
    pub(crate) stream_id: Uuid,
    pub(crate) owner_id: Uuid,
    pub(crate) version: i64,
    pub(crate) state: String,
    pub(crate) state_version: i32,
}

/// Events after a position, in order.
pub(crate) async fn events_after(
    tx: &mut Tx,
    position: i64,
    limit: i64,
) -> Result<Vec<EventRow>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "select position, stream_id, version, event_id, type, key, owner_id, envelope
           from event where position > $1 order by position limit $2"
    ).bind(position).bind(limit).fetch_all(conn).await)?)
}

/// Heads after a stream, in the order of the key.
pub(crate) async fn heads_after(
    tx: &mut Tx,
    kind: &str,
    stream_id: Uuid,
    limit: i64,
) -> Result<Vec<HeadRow>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "select kind, stream_id, owner_id, version, state, state_version from stream
          where (kind, stream_id) > ($1, $2) order by kind, stream_id limit $3"
    ).bind(kind).bind(stream_id).bind(limit).fetch_all(conn).await)?)
}

/// The envelopes of a stream, oldest first, with their versions.
pub(crate) async fn envelopes_of(
    tx: &mut Tx,
    kind: &str,
    stream_id: Uuid,
) -> Result<Vec<(i64, String)>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "select version, envelope from event where kind = $1 and stream_id = $2 order by version"
    ).bind(kind).bind(stream_id).fetch_all(conn).await)?)
}

/// The timers of a stream, in the order of their ids.
pub(crate) async fn timers_of(
    tx: &mut Tx,
    kind: &str,
    stream_id: Uuid,
) -> Result<Vec<(Uuid, DateTime<Utc>)>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "select timer_id, fire_at from timer
          where kind = $1 and stream_id = $2 order by timer_id"
    ).bind(kind).bind(stream_id).fetch_all(conn).await)?)
}

/// Event ids that stand in the log more than once, some of them.
pub(crate) async fn repeated_ids(tx: &mut Tx, limit: i64) -> Result<Vec<(Uuid, i64)>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "select event_id, count(*) from event group by event_id having count(*) > 1 limit $1"
    ).bind(limit).fetch_all(conn).await)?)
}

/// Streams that have events and no head, some of them.
pub(crate) async fn headless(tx: &mut Tx, limit: i64) -> Result<Vec<(String, Uuid)>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "select e.kind, e.stream_id from event e
           left join stream s on s.kind = e.kind and s.stream_id = e.stream_id
          where e.version = 1 and s.version is null limit $1"
    ).bind(limit).fetch_all(conn).await)?)
}
