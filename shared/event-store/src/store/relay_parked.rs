//! `relay_parked`: keys whose events stay in the log until an operator releases them.

use chrono::{DateTime, Utc};
use database::{Error, Tx, on};
use uuid::Uuid;

use super::relay::{BucketLease, OutgoingEvent, gather};

/// A key that the relay parked: its event at `from_position` and everything of it after that was skipped.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ParkedKeyRow {
    /// The partition key.
    pub key: Uuid,
    /// The relay's bucket that it belongs to.
    pub bucket: i16,
    /// The first position that was not published.
    pub from_position: i64,
    /// What the sidecar said.
    pub reason: String,
    /// Whether an operator released it: the relay is about to publish what it skipped.
    pub released: bool,
    /// When it was parked.
    pub recorded_at: DateTime<Utc>,
}

/// What a relay has to know of a parked key.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub(crate) struct ParkedKey {
    pub(crate) key: Uuid,
    pub(crate) bucket: i16,
    pub(crate) from_position: i64,
    pub(crate) released: bool,
}

/// Parks a key, also one that was released and is refused again.
pub(crate) async fn park(
    tx: &mut Tx,
    event: &OutgoingEvent,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    Ok(on!(tx, conn => sqlx::query(
        "insert into relay_parked (key, bucket, from_position, reason, recorded_at)
         values ($1, $2, $3, $4, $5)
             on conflict (key) do update
            set reason = excluded.reason, recorded_at = excluded.recorded_at, released = false,
                from_position = case when excluded.from_position < relay_parked.from_position
                                     then excluded.from_position
                                     else relay_parked.from_position end"
    )
    .bind(event.key)
    .bind(event.bucket)
    .bind(event.position)
    .bind(reason)
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?)
}

/// Every parked key.
pub(crate) async fn all(tx: &mut Tx) -> Result<Vec<ParkedKey>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "select key, bucket, from_position, released from relay_parked order by from_position"
    ).fetch_all(conn).await)?)
}

/// Parked keys as an operator reads them, the oldest first.
pub(crate) async fn list(tx: &mut Tx, limit: u32) -> Result<Vec<ParkedKeyRow>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "select key, bucket, from_position, reason, released, recorded_at
           from relay_parked order by recorded_at, key limit $1 + 0"
    ).bind(i64::from(limit)).fetch_all(conn).await)?)
}

/// Lets the relay publish what it skipped. Returns whether the key is parked.
pub(crate) async fn release(tx: &mut Tx, key: Uuid) -> Result<bool, Error> {
    let known = on!(tx, conn => sqlx::query("update relay_parked set released = true where key = $1")
        .bind(key).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(known > 0)
}

/// The events of a released key between two positions: at most `limit`, and little more than `bytes`.
/// Says as well whether there may be more.
pub(crate) async fn skipped(
    tx: &mut Tx,
    parked: ParkedKey,
    until: i64,
    limit: usize,
    bytes: usize,
) -> Result<(Vec<OutgoingEvent>, bool), Error> {
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    on!(tx, conn => {
        let rows = sqlx::query_as::<_, OutgoingEvent>(
            "select position, bucket, key, topic, envelope
               from event
              where bucket = $1 and position between $2 and $3 and topic is not null and key = $4
              order by position
              limit $5 + 0"
        )
        .bind(parked.bucket)
        .bind(parked.from_position)
        .bind(until)
        .bind(parked.key)
        .bind(most)
        .fetch(conn);
        gather(rows, limit, bytes).await
    })
}

/// Remembers how far a released key has been caught up with, unless somebody else owns its bucket by now.
pub(crate) async fn advance(
    tx: &mut Tx,
    lease: BucketLease,
    owner: Uuid,
    key: Uuid,
    from_position: i64,
) -> Result<bool, Error> {
    let moved = on!(tx, conn => sqlx::query(
        "update relay_parked set from_position = $1
          where key = $2 and exists (
                select 1 from relay_bucket where bucket = $3 and owner = $4 and fence = $5)"
    )
    .bind(from_position)
    .bind(key)
    .bind(lease.bucket)
    .bind(owner)
    .bind(lease.fence)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    Ok(moved == 1)
}

/// Forgets a released key that has been caught up with, unless somebody else owns its bucket by now.
pub(crate) async fn remove(
    tx: &mut Tx,
    lease: BucketLease,
    owner: Uuid,
    key: Uuid,
) -> Result<bool, Error> {
    let removed = on!(tx, conn => sqlx::query(
        "delete from relay_parked
          where key = $1 and released and exists (
                select 1 from relay_bucket where bucket = $2 and owner = $3 and fence = $4)"
    )
    .bind(key)
    .bind(lease.bucket)
    .bind(owner)
    .bind(lease.fence)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    Ok(removed == 1)
}
