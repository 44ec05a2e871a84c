//! `stream`: heads with their state inline.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use database::{Error, Together, Tx, on, rows};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::past::Row;
use super::trip::{Trip, Way};
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

/// Adds the heads of these streams to what is asked.
pub(super) fn want(together: &mut Together, streams: &[StreamRef]) {
    together
        .part(
            "heads",
            "select 'stream' as table_name, s.kind as name, s.stream_id as id, s.version as number,
                    s.state as text, s.state_version as small, null::bytea as bytes,
                    null::text as place
               from unnest($1::text[], $2::uuid[]) as wanted (kind, stream_id)
               join stream s using (kind, stream_id)",
        )
        .bind(kinds(streams.iter()))
        .bind(ids(streams.iter()));
}

/// The head that was asked for.
pub(super) fn found(row: Row, kinds: &HashMap<&str, &'static str>) -> Option<(StreamRef, Head)> {
    let kind = kinds.get(row.name?.as_str())?;
    let stream_id = row.id?;
    let head = Head::stored(to_u64(row.number?), row.text?, row.small?);
    Some((StreamRef { kind, stream_id }, head))
}

/// Reads the heads of those streams that exist.
pub(super) async fn load(
    conn: &mut SqliteConnection,
    streams: &[StreamRef],
) -> Result<Heads, Error> {
    let find = "select s.kind, s.stream_id, s.version, s.state, s.state_version
                  from (values {rows}) as wanted cross join stream s
                    on s.kind = wanted.column1 and s.stream_id = wanted.column2";
    let rows = rows::fetch(conn, find, streams, |values, stream| {
        values.bind(stream.kind).bind(stream.stream_id);
    });
    let rows: Vec<(String, Uuid, i64, String, i32)> = rows.await?;
    let kinds: HashMap<&str, &'static str> = streams.iter().map(|s| (s.kind, s.kind)).collect();
    let head = |(kind, stream_id, version, state, shape): (String, Uuid, i64, String, i32)| {
        let kind = kinds.get(kind.as_str())?;
        let head = Head::stored(to_u64(version), state, shape);
        Some((StreamRef { kind, stream_id }, head))
    };
    Ok(rows.into_iter().filter_map(head).collect())
}

/// Counts the streams that are not at this version any more; 0 is one that does not exist.
pub(crate) async fn count_moved(
    trip: &mut Trip<'_>,
    versions: &[(StreamRef, u64)],
) -> Result<(), Error> {
    match trip.way() {
        Way::Postgres(together) => {
            let streams = || versions.iter().map(|(stream, _)| stream);
            let at: Vec<i64> = versions.iter().map(|(_, at)| to_i64(*at)).collect();
            together
                .part(
                    "moved",
                    "select 1
                       from unnest($1::text[], $2::uuid[], $3::bigint[])
                            as wanted (kind, stream_id, version)
                       left join stream s using (kind, stream_id)
                      where wanted.version <> coalesce(s.version, 0)",
                )
                .bind(kinds(streams()))
                .bind(ids(streams()))
                .bind(at);
            trip.will_tell("moved", "select count(*) from moved", Some(0));
        }
        Way::Sqlite(conn) => {
            let find = "select wanted.column3
                          from (values {rows}) as wanted left join stream s
                            on s.kind = wanted.column1 and s.stream_id = wanted.column2
                         where wanted.column3 <> coalesce(s.version, 0)";
            let moved = rows::fetch(conn, find, versions, |values, (stream, at)| {
                values
                    .bind(stream.kind)
                    .bind(stream.stream_id)
                    .bind(to_i64(*at));
            });
            let moved: Vec<(i64,)> = moved.await?;
            trip.tells("moved", to_i64(moved.len() as u64), Some(0));
        }
    }
    Ok(())
}

fn kinds<'a>(streams: impl Iterator<Item = &'a StreamRef>) -> Vec<&'static str> {
    streams.map(|stream| stream.kind).collect()
}

fn ids<'a>(streams: impl Iterator<Item = &'a StreamRef>) -> Vec<Uuid> {
    streams.map(|stream| stream.stream_id).collect()
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

/// Writes heads, and counts those that are newer than what is there: each must be.
pub(crate) async fn upsert(
    trip: &mut Trip<'_>,
    rows: &[HeadRow<'_>],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    match trip.way() {
        Way::Postgres(together) => {
            let streams = || rows.iter().map(|row| &row.stream);
            together
                .part(
                    "written_heads",
                    "insert into stream as s (kind, stream_id, owner_id, version, state, state_version,
                                              updated_at)
                     select t.*, $7
                       from unnest($1::text[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[],
                                   $6::integer[]) as t
                         on conflict (kind, stream_id) do update
                        set version = excluded.version, state = excluded.state,
                            state_version = excluded.state_version,
                            owner_id = excluded.owner_id, updated_at = excluded.updated_at
                      where s.version < excluded.version
                     returning 1",
                )
                .bind(kinds(streams()))
                .bind(ids(streams()))
                .bind(rows.iter().map(|row| row.owner).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| to_i64(row.version)).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.state).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.state_version).collect::<Vec<_>>())
                .bind(now);
            let wanted = Some(rows.len());
            trip.will_tell("heads", "select count(*) from written_heads", wanted);
        }
        Way::Sqlite(conn) => {
            let upsert =
                "insert into stream as s (kind, stream_id, owner_id, version, state, state_version,
                                          updated_at)
                 values {rows}
                     on conflict (kind, stream_id) do update
                    set version = excluded.version, state = excluded.state,
                        state_version = excluded.state_version,
                        owner_id = excluded.owner_id, updated_at = excluded.updated_at
                  where s.version < excluded.version";
            let written = rows::execute(conn, upsert, rows, |values, row| {
                values.bind(row.stream.kind).bind(row.stream.stream_id);
                values.bind(row.owner).bind(to_i64(row.version));
                values.bind(row.state).bind(row.state_version).bind(now);
            });
            let written = written.await?;
            trip.tells("heads", to_i64(written), Some(rows.len()));
        }
    }
    Ok(())
}
