//! `relay_bucket`: how far each share of the log has been published.

use database::{Error, Tx, on};
use futures_util::{Stream, TryStreamExt};
use uuid::Uuid;

/// A bucket that this process owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct BucketLease {
    pub(crate) bucket: i16,
    pub(crate) last_position: i64,
    pub(crate) fence: i64,
}

/// An event to be published.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct OutgoingEvent {
    pub(crate) position: i64,
    pub(crate) bucket: i16,
    pub(crate) key: Uuid,
    pub(crate) topic: String,
    pub(crate) envelope: String,
}

/// What a bucket has to publish after a position: at most `limit` events and little more than `bytes`.
/// Says as well whether there may be more.
pub(crate) async fn outgoing(
    tx: &mut Tx,
    bucket: i16,
    after: i64,
    limit: usize,
    bytes: usize,
) -> Result<(Vec<OutgoingEvent>, bool), Error> {
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    on!(tx, conn => {
        let rows = sqlx::query_as::<_, OutgoingEvent>(
            "select position, bucket, key, topic, envelope
               from event
              where bucket = $1 and position > $2 and topic is not null
              order by position
              limit $3"
        ).bind(bucket).bind(after).bind(most).fetch(conn);
        gather(rows, limit, bytes).await
    })
}

/// Takes rows until they are little more than `bytes`; says as well whether there may be more.
pub(super) async fn gather(
    mut rows: impl Stream<Item = sqlx::Result<OutgoingEvent>> + Unpin,
    limit: usize,
    bytes: usize,
) -> Result<(Vec<OutgoingEvent>, bool), Error> {
    let (mut events, mut size) = (Vec::new(), 0);
    while let Some(event) = rows.try_next().await? {
        size += event.envelope.len();
        events.push(event);
        if size >= bytes {
            return Ok((events, true));
        }
    }
    let more = events.len() == limit;
    Ok((events, more))
}

/// Moves a bucket's cursor, unless somebody else owns it by now. Returns whether it moved.
pub(crate) async fn advance(tx: &mut Tx, bucket: BucketLease, owner: Uuid) -> Result<bool, Error> {
    let moved = on!(tx, conn => sqlx::query(
        "update relay_bucket set last_position = $1
          where bucket = $2 and owner = $3 and fence = $4 and last_position <= $1"
    )
    .bind(bucket.last_position)
    .bind(bucket.bucket)
    .bind(owner)
    .bind(bucket.fence)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    Ok(moved == 1)
}
