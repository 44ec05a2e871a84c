//! `stream`: heads with their state inline.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use database::{Error, Tx, on, rows};
use uuid::Uuid;

use super::{to_i64, to_u64};
use crate::StreamRef;
use crate::head::{Head, Heads};

/// A head to be written.
pub(crate) struct HeadRow<'a> {
    pub(crate) stream: StreamRef,
    pub(crate) owner: Uuid,
    pub(crate) version: u64,
    pub(crate) state: &'a str,
    pub(crate) state_version: i32,
}

/// Reads the streams into `heads`; one that does not exist is entered with version 0.
pub(crate) async fn load(
    tx: &mut Tx,
    streams: &[StreamRef],
    heads: &mut Heads,
) -> Result<(), Error> {
    for stream in streams {
        heads.insert(*stream, Head::default());
    }
    let rows: Vec<(String, Uuid, i64, String, i32)> = match tx {
        Tx::Postgres(tx) => {
            let kinds: Vec<&str> = streams.iter().map(|stream| stream.kind).collect();
            let ids: Vec<Uuid> = streams.iter().map(|stream| stream.stream_id).collect();
            sqlx::query_as(
                "select s.kind, s.stream_id, s.version, s.state, s.state_version
                   from unnest($1::text[], $2::uuid[]) as wanted (kind, stream_id)
                   join stream s using (kind, stream_id)",
            )
            .bind(kinds)
            .bind(ids)
            .fetch_all(&mut **tx)
            .await?
        }
        Tx::Sqlite(tx) => {
            let find = "select s.kind, s.stream_id, s.version, s.state, s.state_version
                          from (values {rows}) as wanted cross join stream s
                            on s.kind = wanted.column1 and s.stream_id = wanted.column2";
            rows::fetch(&mut *tx, find, streams, |values, stream| {
                values.bind(stream.kind).bind(stream.stream_id);
            })
            .await?
        }
    };
    let kinds: HashMap<&str, &'static str> = streams.iter().map(|s| (s.kind, s.kind)).collect();
    for (kind, stream_id, version, state, state_version) in rows {
        if let Some(kind) = kinds.get(kind.as_str()) {
            let stream = StreamRef { kind, stream_id };
            let head = Head::stored(to_u64(version), state, state_version);
            heads.insert(stream, head);
        }
    }
    Ok(())
}

/// Whether each stream is at this version still; 0 when it does not exist.
pub(crate) async fn are_at(tx: &mut Tx, versions: &[(StreamRef, u64)]) -> Result<bool, Error> {
    let moved: Option<(i64,)> = match tx {
        Tx::Postgres(tx) => {
            let kinds: Vec<&str> = versions.iter().map(|(stream, _)| stream.kind).collect();
            let ids: Vec<Uuid> = versions
                .iter()
                .map(|(stream, _)| stream.stream_id)
                .collect();
            let at: Vec<i64> = versions.iter().map(|(_, at)| to_i64(*at)).collect();
            sqlx::query_as(
                "select wanted.version
                   from unnest($1::text[], $2::uuid[], $3::bigint[])
                        as wanted (kind, stream_id, version)
                   left join stream s using (kind, stream_id)
                  where wanted.version <> coalesce(s.version, 0)
                  limit 1",
            )
            .bind(kinds)
            .bind(ids)
            .bind(at)
            .fetch_optional(&mut **tx)
            .await?
        }
        Tx::Sqlite(tx) => {
            let find = "select wanted.column3
                          from (values {rows}) as wanted left join stream s
                            on s.kind = wanted.column1 and s.stream_id = wanted.column2
                         where wanted.column3 <> coalesce(s.version, 0)";
            let moved = rows::fetch(&mut *tx, find, versions, |values, (stream, at)| {
                values
                    .bind(stream.kind)
                    .bind(stream.stream_id)
                    .bind(to_i64(*at));
            });
            moved.await?.into_iter().next()
        }
    };
    Ok(moved.is_none())
}

/// Reads version, state and the version of its shape of one stream, outside the lane.
pub(crate) async fn find(
    tx: &mut Tx,
    stream: StreamRef,
) -> Result<Option<(i64, String, i32)>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "select version, state, state_version from stream where kind = $1 and stream_id = $2"
    ).bind(stream.kind).bind(stream.stream_id).fetch_optional(conn).await)?)
}

/// Writes heads; each must be newer than what is there. Returns how many were.
pub(crate) async fn upsert(
    tx: &mut Tx,
    rows: &[HeadRow<'_>],
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    match tx {
        Tx::Postgres(tx) => {
            let kinds: Vec<&str> = rows.iter().map(|row| row.stream.kind).collect();
            let ids: Vec<Uuid> = rows.iter().map(|row| row.stream.stream_id).collect();
            let owners: Vec<Uuid> = rows.iter().map(|row| row.owner).collect();
            let versions: Vec<i64> = rows.iter().map(|row| to_i64(row.version)).collect();
            let states: Vec<&str> = rows.iter().map(|row| row.state).collect();
            let shapes: Vec<i32> = rows.iter().map(|row| row.state_version).collect();
            let done = sqlx::query(
                "insert into stream as s (kind, stream_id, owner_id, version, state, state_version,
                                          updated_at)
                 select t.*, $7
                   from unnest($1::text[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[],
                               $6::integer[]) as t
                     on conflict (kind, stream_id) do update
                    set version = excluded.version, state = excluded.state,
                        state_version = excluded.state_version,
                        owner_id = excluded.owner_id, updated_at = excluded.updated_at
                  where s.version < excluded.version",
            )
            .bind(kinds)
            .bind(ids)
            .bind(owners)
            .bind(versions)
            .bind(states)
            .bind(shapes)
            .bind(now)
            .execute(&mut **tx)
            .await?;
            Ok(done.rows_affected())
        }
        Tx::Sqlite(tx) => {
            let upsert =
                "insert into stream as s (kind, stream_id, owner_id, version, state, state_version,
                                          updated_at)
                 values {rows}
                     on conflict (kind, stream_id) do update
                    set version = excluded.version, state = excluded.state,
                        state_version = excluded.state_version,
                        owner_id = excluded.owner_id, updated_at = excluded.updated_at
                  where s.version < excluded.version";
            rows::execute(&mut *tx, upsert, rows, |values, row| {
                values.bind(row.stream.kind).bind(row.stream.stream_id);
                values.bind(row.owner).bind(to_i64(row.version));
                values.bind(row.state).bind(row.state_version).bind(now);
            })
            .await
        }
    }
}
