//! `relay_bucket`: how far each share of the log has been published.

use std::collections::{HashMap, HashSet};

use database::{Error, Tx, rows};
use futures_util::{Stream, TryStreamExt};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};
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

/// What to read of a bucket: the events after a position, at most so many and little more than so many
/// bytes.
pub(crate) struct Wanted {
    pub(crate) bucket: i16,
    pub(crate) after: i64,
    pub(crate) limit: usize,
    pub(crate) bytes: usize,
}

/// What was read of some buckets, each in order of position.
#[derive(Default)]
pub(crate) struct Outgoing {
    pub(crate) events: Vec<OutgoingEvent>,
    /// The buckets that may have more, a bit each.
    pub(crate) cut: u16,
}

/// What the buckets have to publish.
pub(crate) async fn outgoing(tx: &mut Tx, wanted: &[Wanted]) -> Result<Outgoing, Error> {
    if wanted.is_empty() {
        return Ok(Outgoing::default());
    }
    match tx {
        Tx::Postgres(tx) => outgoing_postgres(tx, wanted).await,
        Tx::Sqlite(tx) => outgoing_sqlite(tx, wanted).await,
    }
}

/// All buckets in one trip to the server.
async fn outgoing_postgres(conn: &mut PgConnection, wanted: &[Wanted]) -> Result<Outgoing, Error> {
    let most = |one: &Wanted| i64::try_from(one.limit).unwrap_or(i64::MAX);
    let mut rows = sqlx::query_as::<_, OutgoingEvent>(
        "select e.*
           from unnest($1::smallint[], $2::bigint[], $3::bigint[]) as wanted (bucket, after, most)
          cross join lateral (
                select position, bucket, key, topic, envelope
                  from event
                 where bucket = wanted.bucket and position > wanted.after and topic is not null
                 order by position
                 limit wanted.most) as e",
    )
    .bind(wanted.iter().map(|one| one.bucket).collect::<Vec<_>>())
    .bind(wanted.iter().map(|one| one.after).collect::<Vec<_>>())
    .bind(wanted.iter().map(most).collect::<Vec<_>>())
    .fetch(conn);
    let mut pages = Pages::default();
    while let Some(event) = rows.try_next().await? {
        if let Some(one) = wanted.iter().find(|one| one.bucket == event.bucket) {
            pages.take(event, one.limit, one.bytes);
        }
    }
    Ok(pages.read)
}

/// All buckets in one statement, because each is a trip to the connection's thread and back.
async fn outgoing_sqlite(
    conn: &mut SqliteConnection,
    wanted: &[Wanted],
) -> Result<Outgoing, Error> {
    const OF_ONE: &str = "select * from (
        select position, bucket, key, topic, envelope
          from event
         where bucket = ? and position > ? and topic is not null
         order by position
         limit ? + 0)";
    let text = vec![OF_ONE; wanted.len()].join(" union all ");
    let mut query = sqlx::query_as::<_, OutgoingEvent>(AssertSqlSafe(text));
    for one in wanted {
        let limit = i64::try_from(one.limit).unwrap_or(i64::MAX);
        query = query.bind(one.bucket).bind(one.after).bind(limit);
    }
    let mut rows = query.fetch(conn);
    let mut pages = Pages::default();
    while let Some(event) = rows.try_next().await? {
        if let Some(one) = wanted.iter().find(|one| one.bucket == event.bucket) {
            pages.take(event, one.limit, one.bytes);
        }
    }
    Ok(pages.read)
}

/// The events at these positions, little more than so many bytes of each bucket.
pub(crate) async fn at(
    tx: &mut Tx,
    positions: &[i64],
    bytes: usize,
) -> Result<Vec<OutgoingEvent>, Error> {
    if positions.is_empty() {
        return Ok(Vec::new());
    }
    let mut pages = Pages::default();
    match tx {
        Tx::Postgres(tx) => {
            let mut rows = sqlx::query_as::<_, OutgoingEvent>(
                "select position, bucket, key, topic, envelope
                   from event where position = any($1) order by position",
            )
            .bind(positions)
            .fetch(&mut **tx);
            while let Some(event) = rows.try_next().await? {
                pages.take(event, usize::MAX, bytes);
            }
        }
        Tx::Sqlite(tx) => {
            let mut rows = sqlx::query_as::<_, OutgoingEvent>(
                "select position, bucket, key, topic, envelope
                   from event where position in (select value from json_each($1))
                  order by position",
            )
            .bind(Value::from(positions).to_string())
            .fetch(&mut **tx);
            while let Some(event) = rows.try_next().await? {
                pages.take(event, usize::MAX, bytes);
            }
        }
    }
    Ok(pages.read.events)
}

/// Rows of several buckets, as far as there is room for each.
#[derive(Default)]
struct Pages {
    read: Outgoing,
    /// Count and bytes.
    taken: HashMap<i16, (usize, usize)>,
}

impl Pages {
    fn take(&mut self, event: OutgoingEvent, limit: usize, bytes: usize) {
        if self.read.cut & 1 << event.bucket != 0 {
            return; // Its bytes are used up.
        }
        let taken = self.taken.entry(event.bucket).or_default();
        taken.0 += 1;
        taken.1 += event.envelope.len();
        if taken.1 >= bytes || taken.0 == limit {
            self.read.cut |= 1 << event.bucket;
        }
        self.read.events.push(event);
    }
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

/// Moves cursors, but not those of buckets that somebody else owns by now. Returns which moved.
pub(crate) async fn advance(
    tx: &mut Tx,
    moved: &[BucketLease],
    owner: Uuid,
) -> Result<HashSet<i16>, Error> {
    let rows: Vec<(i16,)> = match tx {
        Tx::Postgres(tx) => {
            sqlx::query_as(
                "update relay_bucket r set last_position = moved.position
                   from unnest($1::smallint[], $2::bigint[], $3::bigint[])
                        as moved (bucket, position, fence)
                  where r.bucket = moved.bucket and r.owner = $4 and r.fence = moved.fence
                    and r.last_position <= moved.position
                 returning r.bucket",
            )
            .bind(moved.iter().map(|one| one.bucket).collect::<Vec<_>>())
            .bind(
                moved
                    .iter()
                    .map(|one| one.last_position)
                    .collect::<Vec<_>>(),
            )
            .bind(moved.iter().map(|one| one.fence).collect::<Vec<_>>())
            .bind(owner)
            .fetch_all(&mut **tx)
            .await?
        }
        Tx::Sqlite(tx) => {
            let update = "update relay_bucket set last_position = moved.column2
                            from (values {rows}) as moved
                           where bucket = moved.column1 and fence = moved.column3
                             and owner = moved.column4 and last_position <= moved.column2
                          returning bucket";
            rows::fetch(&mut *tx, update, moved, |values, one| {
                values.bind(one.bucket).bind(one.last_position);
                values.bind(one.fence).bind(owner);
            })
            .await?
        }
    };
    Ok(rows.into_iter().map(|(bucket,)| bucket).collect())
}
