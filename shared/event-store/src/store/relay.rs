//! `relay_bucket`: how far each share of the log has been published.

use std::collections::{HashMap, HashSet};

use database::{Error, Tx, rows};
use futures_util::{Stream, TryStreamExt};
use serde_json::Value;
use sqlx::{PgConnection, SqliteConnection};
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

/// What to read of a bucket: events between two positions, at most so many and little more than so many
/// bytes.
pub(crate) struct Wanted {
    pub(crate) bucket: i16,
    pub(crate) after: i64,
    pub(crate) until: i64,
    /// Positions between them that are not wanted.
    pub(crate) except: Vec<i64>,
    pub(crate) limit: usize,
    pub(crate) bytes: usize,
}

/// What the buckets have to publish. Says as well which of them may have more.
pub(crate) async fn outgoing(
    tx: &mut Tx,
    wanted: &[Wanted],
) -> Result<(Vec<OutgoingEvent>, HashSet<i16>), Error> {
    match tx {
        Tx::Postgres(tx) => outgoing_postgres(tx, wanted).await,
        Tx::Sqlite(tx) => outgoing_sqlite(tx, wanted).await,
    }
}

/// All buckets in one trip to the server.
async fn outgoing_postgres(
    conn: &mut PgConnection,
    wanted: &[Wanted],
) -> Result<(Vec<OutgoingEvent>, HashSet<i16>), Error> {
    let most = |one: &Wanted| i64::try_from(one.limit).unwrap_or(i64::MAX);
    let except = wanted.iter().flat_map(|one| one.except.iter().copied());
    let mut rows = sqlx::query_as::<_, OutgoingEvent>(
        "select e.*
           from unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[])
                as wanted (bucket, after, until, most)
          cross join lateral (
                select position, bucket, key, topic, envelope
                  from event
                 where bucket = wanted.bucket and position > wanted.after
                   and position <= wanted.until and topic is not null
                   and position not in (select unnest($5::bigint[]))
                 order by position
                 limit wanted.most) as e",
    )
    .bind(wanted.iter().map(|one| one.bucket).collect::<Vec<_>>())
    .bind(wanted.iter().map(|one| one.after).collect::<Vec<_>>())
    .bind(wanted.iter().map(|one| one.until).collect::<Vec<_>>())
    .bind(wanted.iter().map(most).collect::<Vec<_>>())
    .bind(except.collect::<Vec<_>>())
    .fetch(conn);
    let mut read: HashMap<i16, (usize, usize)> = HashMap::new();
    let (mut events, mut cut) = (Vec::new(), HashSet::new());
    while let Some(event) = rows.try_next().await? {
        let Some(one) = wanted.iter().find(|one| one.bucket == event.bucket) else {
            continue;
        };
        if cut.contains(&one.bucket) {
            continue; // Its bytes are used up.
        }
        let (count, bytes) = read.entry(one.bucket).or_default();
        *count += 1;
        *bytes += event.envelope.len();
        if *bytes >= one.bytes || *count == one.limit {
            cut.insert(one.bucket);
        }
        events.push(event);
    }
    Ok((events, cut))
}

async fn outgoing_sqlite(
    conn: &mut SqliteConnection,
    wanted: &[Wanted],
) -> Result<(Vec<OutgoingEvent>, HashSet<i16>), Error> {
    let (mut events, mut cut) = (Vec::new(), HashSet::new());
    for one in wanted {
        let rows = sqlx::query_as::<_, OutgoingEvent>(
            "select position, bucket, key, topic, envelope
               from event
              where bucket = $1 and position > $2 and position <= $3 and topic is not null
                and position not in (select value from json_each($4))
              order by position
              limit $5",
        )
        .bind(one.bucket)
        .bind(one.after)
        .bind(one.until)
        .bind(Value::from(one.except.clone()).to_string())
        .bind(i64::try_from(one.limit).unwrap_or(i64::MAX))
        .fetch(&mut *conn);
        let (read, more) = gather(rows, one.limit, one.bytes).await?;
        events.extend(read);
        if more {
            cut.insert(one.bucket);
        }
    }
    Ok((events, cut))
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
