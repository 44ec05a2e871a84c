//! `inbox` and `seen`: what was processed already.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use database::{Error, Together, Tx, on, rows};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::past::Row;
use super::trip::{Trip, Way};
use super::{to_i64, to_u64};

/// A foreign stream: its source and subject.
pub(crate) type Subject = (String, Uuid);

/// Asks which of these facts were processed.
pub(super) fn want_processed(together: &mut Together, consumer: &str, ids: &[Uuid]) {
    together
        .part(
            "processed",
            "select 'inbox' as table_name, null::text as name, event_id as id, null::bigint as number,
                    null::text as text, null::integer as small, null::bytea as bytes,
                    null::text as place
               from inbox where consumer = $1 and event_id = any($2)",
        )
        .bind(consumer)
        .bind(ids);
}

/// Asks for the newest version processed of each of these foreign streams.
pub(super) fn want_seen(together: &mut Together, consumer: &str, subjects: &[Subject]) {
    together
        .part(
            "versions",
            "select 'seen' as table_name, s.source as name, s.subject as id, s.version as number,
                    null::text as text, null::integer as small, null::bytea as bytes,
                    null::text as place
               from unnest($2::text[], $3::uuid[]) as wanted (source, subject)
               join seen s using (source, subject)
              where s.consumer = $1",
        )
        .bind(consumer)
        .bind(sources(subjects.iter()))
        .bind(foreign_ids(subjects.iter()));
}

/// The version that was asked for.
pub(super) fn found(row: Row) -> Option<(Subject, u64)> {
    Some(((row.name?, row.id?), to_u64(row.number?)))
}

/// Which of these facts were processed.
pub(super) async fn processed(
    conn: &mut SqliteConnection,
    consumer: &str,
    ids: &[Uuid],
) -> Result<HashSet<Uuid>, Error> {
    let find = "select i.event_id from (values {rows}) as wanted cross join inbox i
                    on i.consumer = wanted.column1 and i.event_id = wanted.column2";
    let rows = rows::fetch(conn, find, ids, |values, id| {
        values.bind(consumer).bind(*id);
    });
    let rows: Vec<(Uuid,)> = rows.await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The newest version processed of each of these foreign streams.
pub(super) async fn seen(
    conn: &mut SqliteConnection,
    consumer: &str,
    subjects: &[Subject],
) -> Result<HashMap<Subject, u64>, Error> {
    let find = "select s.source, s.subject, s.version
                  from (values {rows}) as wanted cross join seen s
                    on s.consumer = wanted.column1 and s.source = wanted.column2
                   and s.subject = wanted.column3";
    let rows = rows::fetch(conn, find, subjects, |values, (source, id)| {
        values.bind(consumer).bind(source.as_str()).bind(*id);
    });
    let rows: Vec<(String, Uuid, i64)> = rows.await?;
    let version = |(source, id, version)| ((source, id), to_u64(version));
    Ok(rows.into_iter().map(version).collect())
}

/// Records facts as processed, and counts those that were not before: none may have been.
pub(crate) async fn insert(
    trip: &mut Trip<'_>,
    consumer: &str,
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    match trip.way() {
        Way::Postgres(together) => {
            together
                .part(
                    "written_facts",
                    "insert into inbox (consumer, event_id, recorded_at)
                     select $1, event_id, $3 from unnest($2::uuid[]) as t (event_id)
                         on conflict do nothing returning 1",
                )
                .bind(consumer)
                .bind(ids)
                .bind(now);
            let wanted = Some(ids.len());
            trip.will_tell("facts", "select count(*) from written_facts", wanted);
        }
        Way::Sqlite(conn) => {
            let insert = "insert into inbox (consumer, event_id, recorded_at) values {rows}
                              on conflict do nothing";
            let written = rows::execute(conn, insert, ids, |values, id| {
                values.bind(consumer).bind(*id).bind(now);
            });
            let written = written.await?;
            trip.tells("facts", to_i64(written), Some(ids.len()));
        }
    }
    Ok(())
}

/// Raises the newest version processed, and counts those that it raised: each must be newer than what
/// is there.
pub(crate) async fn raise(
    trip: &mut Trip<'_>,
    consumer: &str,
    versions: &HashMap<Subject, u64>,
) -> Result<(), Error> {
    match trip.way() {
        Way::Postgres(together) => {
            let news: Vec<i64> = versions.values().map(|version| to_i64(*version)).collect();
            together
                .part(
                    "written_versions",
                    "insert into seen as s (consumer, source, subject, version)
                     select $1, t.* from unnest($2::text[], $3::uuid[], $4::bigint[]) as t
                         on conflict (consumer, source, subject) do update
                        set version = excluded.version where s.version < excluded.version
                     returning 1",
                )
                .bind(consumer)
                .bind(sources(versions.keys()))
                .bind(foreign_ids(versions.keys()))
                .bind(news);
            let wanted = Some(versions.len());
            trip.will_tell("versions", "select count(*) from written_versions", wanted);
        }
        Way::Sqlite(conn) => {
            let wanted = Some(versions.len());
            let versions: Vec<_> = versions.iter().collect();
            let raise = "insert into seen as s (consumer, source, subject, version)
                         values {rows}
                             on conflict (consumer, source, subject) do update
                            set version = excluded.version where s.version < excluded.version";
            let raised =
                rows::execute(conn, raise, &versions, |values, ((source, id), version)| {
                    values.bind(consumer).bind(source.as_str()).bind(*id);
                    values.bind(to_i64(**version));
                });
            let raised = raised.await?;
            trip.tells("versions", to_i64(raised), wanted);
        }
    }
    Ok(())
}

fn sources<'a>(subjects: impl Iterator<Item = &'a Subject>) -> Vec<&'a str> {
    subjects.map(|(source, _)| source.as_str()).collect()
}

fn foreign_ids<'a>(subjects: impl Iterator<Item = &'a Subject>) -> Vec<Uuid> {
    subjects.map(|(_, id)| *id).collect()
}

/// Forgets at most `limit` facts recorded before `before`; returns how many.
pub(crate) async fn purge(tx: &mut Tx, before: DateTime<Utc>, limit: u32) -> Result<u64, Error> {
    Ok(on!(tx, conn => sqlx::query(
        "delete from inbox where (consumer, event_id) in (
             select consumer, event_id from inbox where recorded_at < $1 limit $2 + 0)"
    ).bind(before).bind(i64::from(limit)).execute(conn).await.map(|done| done.rows_affected()))?)
}
