//! `idempotency`: the answer that a key was given, stored with the events it stands for.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use database::{Error, Together, Tx, on, rows};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::past::Row;
use super::trip::{Trip, Way};
use super::{to_i64, to_u64};
use crate::{Answer, IdempotencyKey};

/// Answers by owner and key, with the hash of the request they answered.
pub(crate) type Answers = HashMap<Key, Stored>;
type Key = (Uuid, String);
type Stored = (Vec<u8>, Answer);

/// Asks for the answers of those keys that have one.
pub(super) fn want(together: &mut Together, keys: &[&IdempotencyKey]) {
    together
        .part(
            "answers",
            "select 'idempotency' as table_name, i.key as name, i.owner_id as id, i.etag as number,
                    i.body as text, i.status::integer as small, i.request_hash as bytes,
                    i.location as place
               from unnest($1::uuid[], $2::text[]) as wanted (owner_id, key)
               join idempotency i using (owner_id, key)",
        )
        .bind(owners(keys.iter()))
        .bind(names(keys.iter()));
}

/// The answer that was asked for.
pub(super) fn found(row: Row) -> Option<(Key, Stored)> {
    let answer = Answer {
        status: u16::try_from(row.small?).unwrap_or(500),
        etag: row.number.map(to_u64),
        location: row.place,
        body: row.text?,
    };
    Some(((row.id?, row.name?), (row.bytes?, answer)))
}

/// Finds the answers of those keys that have one.
pub(super) async fn find(
    conn: &mut SqliteConnection,
    keys: &[&IdempotencyKey],
) -> Result<Answers, Error> {
    let find = "select 'idempotency' as table_name, i.key as name, i.owner_id as id,
                       i.etag as number, i.body as text, i.status as small,
                       i.request_hash as bytes, i.location as place
                  from (values {rows}) as wanted cross join idempotency i
                    on i.owner_id = wanted.column1 and i.key = wanted.column2";
    let rows = rows::fetch(conn, find, keys, |values, key| {
        values.bind(key.owner.as_uuid()).bind(key.key.as_str());
    });
    let rows: Vec<Row> = rows.await?;
    Ok(rows.into_iter().filter_map(found).collect())
}

/// Stores the answers of a batch's new keys. The table refuses one that was answered meanwhile.
pub(crate) async fn insert(
    trip: &mut Trip<'_>,
    answers: &[(&IdempotencyKey, &Answer)],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    match trip.way() {
        Way::Postgres(together) => insert_postgres(together, answers, now),
        Way::Sqlite(conn) => {
            let insert = "insert into idempotency (owner_id, key, request_hash, status, etag,
                                                   location, body, recorded_at) values {rows}";
            rows::execute(conn, insert, answers, |values, (key, answer)| {
                values.bind(key.owner.as_uuid()).bind(key.key.as_str());
                values.bind(key.request_hash.as_slice());
                values.bind(status(answer)).bind(answer.etag.map(to_i64));
                values.bind(answer.location.as_deref());
                values.bind(answer.body.as_str()).bind(now);
            })
            .await?;
        }
    }
    Ok(())
}

fn insert_postgres(
    together: &mut Together,
    answers: &[(&IdempotencyKey, &Answer)],
    now: DateTime<Utc>,
) {
    let keys = || answers.iter().map(|(key, _)| key);
    let answers = || answers.iter().map(|(_, answer)| answer);
    let hash = |key: &&'_ IdempotencyKey| key.request_hash.to_vec();
    together
        .part(
            "written_answers",
            "insert into idempotency (owner_id, key, request_hash, status, etag, location, body,
                                      recorded_at)
             select t.*, $8
               from unnest($1::uuid[], $2::text[], $3::bytea[], $4::smallint[], $5::bigint[],
                           $6::text[], $7::text[]) as t",
        )
        .bind(owners(keys()))
        .bind(names(keys()))
        .bind(keys().map(hash).collect::<Vec<_>>())
        .bind(answers().map(|answer| status(answer)).collect::<Vec<_>>())
        .bind(
            answers()
                .map(|answer| answer.etag.map(to_i64))
                .collect::<Vec<_>>(),
        )
        .bind(
            answers()
                .map(|answer| answer.location.as_deref())
                .collect::<Vec<_>>(),
        )
        .bind(
            answers()
                .map(|answer| answer.body.as_str())
                .collect::<Vec<_>>(),
        )
        .bind(now);
}

fn owners<'a>(keys: impl Iterator<Item = &'a &'a IdempotencyKey>) -> Vec<Uuid> {
    keys.map(|key| key.owner.as_uuid()).collect()
}

fn names<'a>(keys: impl Iterator<Item = &'a &'a IdempotencyKey>) -> Vec<&'a str> {
    keys.map(|key| key.key.as_str()).collect()
}

fn status(answer: &Answer) -> i16 {
    i16::try_from(answer.status).unwrap_or(500)
}

/// Forgets at most `limit` keys recorded before `before`; returns how many.
pub(crate) async fn purge(tx: &mut Tx, before: DateTime<Utc>, limit: u32) -> Result<u64, Error> {
    Ok(on!(tx, conn => sqlx::query(
        "delete from idempotency where (owner_id, key) in (
             select owner_id, key from idempotency where recorded_at < $1 limit $2 + 0)"
    ).bind(before).bind(i64::from(limit)).execute(conn).await.map(|done| done.rows_affected()))?)
}
