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
    let rows: Vec<(String, Uuid, i64, String)> = match tx {
        Tx::Postgres(tx) => {
            let kinds: Vec<&str> = streams.iter().map(|stream| stream.kind).collect();
            let ids: Vec<Uuid> = streams.iter().map(|stream| stream.stream_id).collect();
            sqlx::query_as(
                "select s.kind, s.stream_id, s.version, s.state
                   from unnest($1::text[], $2::uuid[]) as wanted (kind, stream_id)
                   join stream s using (kind, stream_id)",
            )
            .bind(kinds)
            .bind(ids)
            .fetch_all(&mut **tx)
            .await?
        }
        Tx::Sqlite(tx) => {
            let find = "select s.kind, s.stream_id, s.version, s.state
                          from (values {rows}) as wanted cross join stream s
                            on s.kind = wanted.column1 and s.stream_id = wanted.column2";
            rows::fetch(&mut *tx, find, streams, |values, stream| {
                values.bind(stream.kind).bind(stream.stream_id);
            })
            .await?
        }
    };
    let kinds: HashMap<&str, &'static str> = streams.iter().map(|s| (s.kind, s.kind)).collect();
    for (kind, stream_id, version, state) in rows {
        if let Some(kind) = kinds.get(kind.as_str()) {
            let stream = StreamRef { kind, stream_id };
            heads.insert(stream, Head::stored(to_u64(version), state));
        }
    }
    Ok(())
}

/// Reads one stream outside the lane.
pub(crate) async fn find(tx: &mut Tx, stream: StreamRef) -> Result<Option<(u64, String)>, Error> {
    let row: Option<(i64, String)> = on!(tx, conn => sqlx::query_as(
        "select version, state from stream where kind = $1 and stream_id = $2"
    ).bind(stream.kind).bind(stream.stream_id).fetch_optional(conn).await)?;
    Ok(row.map(|(version, state)| (to_u64(version), state)))
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
            let done = sqlx::query(
                "insert into stream as s (kind, stream_id, owner_id, version, state, updated_at)
                 select t.*, $6
                   from unnest($1::text[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[]) as t
                     on conflict (kind, stream_id) do update
                    set version = excluded.version, state = excluded.state,
                        owner_id = excluded.owner_id, updated_at = excluded.updated_at
                  where s.version < excluded.version",
            )
            .bind(kinds)
            .bind(ids)
            .bind(owners)
            .bind(versions)
            .bind(states)
            .bind(now)
            .execute(&mut **tx)
            .await?;
            Ok(done.rows_affected())
        }
        Tx::Sqlite(tx) => {
            let upsert =
                "insert into stream as s (kind, stream_id, owner_id, version, state, updated_at)
                 values {rows}
                     on conflict (kind, stream_id) do update
                    set version = excluded.version, state = excluded.state,
                        owner_id = excluded.owner_id, updated_at = excluded.updated_at
                  where s.version < excluded.version";
            rows::execute(&mut *tx, upsert, rows, |values, row| {
                values.bind(row.stream.kind).bind(row.stream.stream_id);
                values.bind(row.owner).bind(to_i64(row.version));
                values.bind(row.state).bind(now);
            })
            .await
        }
    }
}
