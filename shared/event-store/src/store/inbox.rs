//! `inbox` and `seen`: what was processed already.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use database::{Error, Tx, on, rows};
use uuid::Uuid;

use super::{to_i64, to_u64};

/// A foreign stream: its source and subject.
pub(crate) type Subject = (String, Uuid);

/// Which of these facts were processed.
pub(crate) async fn processed(
    tx: &mut Tx,
    consumer: &str,
    ids: &[Uuid],
) -> Result<HashSet<Uuid>, Error> {
    let rows: Vec<(Uuid,)> = match tx {
        Tx::Postgres(tx) => {
            sqlx::query_as("select event_id from inbox where consumer = $1 and event_id = any($2)")
                .bind(consumer)
                .bind(ids)
                .fetch_all(&mut **tx)
                .await?
        }
        Tx::Sqlite(tx) => {
            let find = "select i.event_id from (values {rows}) as wanted cross join inbox i
                            on i.consumer = wanted.column1 and i.event_id = wanted.column2";
            rows::fetch(&mut *tx, find, ids, |values, id| {
                values.bind(consumer).bind(*id);
            })
            .await?
        }
    };
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Records facts as processed.
pub(crate) async fn insert(
    tx: &mut Tx,
    consumer: &str,
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    match tx {
        Tx::Postgres(tx) => {
            sqlx::query(
                "insert into inbox (consumer, event_id, recorded_at)
                 select $1, event_id, $3 from unnest($2::uuid[]) as t (event_id)",
            )
            .bind(consumer)
            .bind(ids)
            .bind(now)
            .execute(&mut **tx)
            .await?;
        }
        Tx::Sqlite(tx) => {
            let insert = "insert into inbox (consumer, event_id, recorded_at) values {rows}";
            rows::execute(&mut *tx, insert, ids, |values, id| {
                values.bind(consumer).bind(*id).bind(now);
            })
            .await?;
        }
    }
    Ok(())
}

/// The newest version processed of each of these foreign streams.
pub(crate) async fn seen(
    tx: &mut Tx,
    consumer: &str,
    subjects: &[Subject],
) -> Result<HashMap<Subject, u64>, Error> {
    let rows: Vec<(String, Uuid, i64)> = match tx {
        Tx::Postgres(tx) => {
            let sources: Vec<&str> = subjects.iter().map(|(source, _)| source.as_str()).collect();
            let ids: Vec<Uuid> = subjects.iter().map(|(_, id)| *id).collect();
            sqlx::query_as(
                "select s.source, s.subject, s.version
                   from unnest($2::text[], $3::uuid[]) as wanted (source, subject)
                   join seen s using (source, subject)
                  where s.consumer = $1",
            )
            .bind(consumer)
            .bind(sources)
            .bind(ids)
            .fetch_all(&mut **tx)
            .await?
        }
        Tx::Sqlite(tx) => {
            let find = "select s.source, s.subject, s.version
                          from (values {rows}) as wanted cross join seen s
                            on s.consumer = wanted.column1 and s.source = wanted.column2
                           and s.subject = wanted.column3";
            rows::fetch(&mut *tx, find, subjects, |values, (source, id)| {
                values.bind(consumer).bind(source.as_str()).bind(*id);
            })
            .await?
        }
    };
    Ok(rows
        .into_iter()
        .map(|(source, id, version)| ((source, id), to_u64(version)))
        .collect())
}

/// Raises the newest version processed; never lowers it.
pub(crate) async fn raise(
    tx: &mut Tx,
    consumer: &str,
    versions: &HashMap<Subject, u64>,
) -> Result<(), Error> {
    match tx {
        Tx::Postgres(tx) => {
            let sources: Vec<&str> = versions.keys().map(|(source, _)| source.as_str()).collect();
            let ids: Vec<Uuid> = versions.keys().map(|(_, id)| *id).collect();
            let news: Vec<i64> = versions.values().map(|version| to_i64(*version)).collect();
            sqlx::query(
                "insert into seen as s (consumer, source, subject, version)
                 select $1, t.* from unnest($2::text[], $3::uuid[], $4::bigint[]) as t
                     on conflict (consumer, source, subject) do update
                    set version = excluded.version where s.version < excluded.version",
            )
            .bind(consumer)
            .bind(sources)
            .bind(ids)
            .bind(news)
            .execute(&mut **tx)
            .await?;
        }
        Tx::Sqlite(tx) => {
            let versions: Vec<_> = versions.iter().collect();
            let raise = "insert into seen as s (consumer, source, subject, version)
                         values {rows}
                             on conflict (consumer, source, subject) do update
                            set version = excluded.version where s.version < excluded.version";
            rows::execute(
                &mut *tx,
                raise,
                &versions,
                |values, ((source, id), version)| {
                    values.bind(consumer).bind(source.as_str()).bind(*id);
                    values.bind(to_i64(**version));
                },
            )
            .await?;
        }
    }
    Ok(())
}

/// Forgets at most `limit` facts recorded before `before`; returns how many.
pub(crate) async fn purge(tx: &mut Tx, before: DateTime<Utc>, limit: u32) -> Result<u64, Error> {
    Ok(on!(tx, conn => sqlx::query(
        "delete from inbox where (consumer, event_id) in (
             select consumer, event_id from inbox where recorded_at < $1 limit $2)"
    ).bind(before).bind(i64::from(limit)).execute(conn).await.map(|done| done.rows_affected()))?)
}
