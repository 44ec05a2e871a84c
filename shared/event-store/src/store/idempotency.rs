//! `idempotency`: the answer that a key was given, stored with the events it stands for.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use database::{Error, Tx, on, rows};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{to_i64, to_u64};
use crate::{Answer, IdempotencyKey};

/// Answers by owner and key, with the hash of the request they answered.
pub(crate) type Answers = HashMap<(Uuid, String), (Vec<u8>, Answer)>;

#[derive(sqlx::FromRow)]
struct Row {
    owner_id: Uuid,
    key: String,
    request_hash: Vec<u8>,
    status: i16,
    etag: Option<i64>,
    location: Option<String>,
    body: String,
}

/// Finds the answers of those keys that have one.
pub(crate) async fn find(tx: &mut Tx, keys: &[&IdempotencyKey]) -> Result<Answers, Error> {
    let rows: Vec<Row> = match tx {
        Tx::Postgres(tx) => {
            let owners: Vec<Uuid> = keys.iter().map(|key| key.owner.as_uuid()).collect();
            let names: Vec<&str> = keys.iter().map(|key| key.key.as_str()).collect();
            sqlx::query_as(
                "select i.owner_id, i.key, i.request_hash, i.status, i.etag, i.location, i.body
                   from unnest($1::uuid[], $2::text[]) as wanted (owner_id, key)
                   join idempotency i using (owner_id, key)",
            )
            .bind(owners)
            .bind(names)
            .fetch_all(&mut **tx)
            .await?
        }
        Tx::Sqlite(tx) => {
            let find =
                "select i.owner_id, i.key, i.request_hash, i.status, i.etag, i.location, i.body
                          from (values {rows}) as wanted cross join idempotency i
                            on i.owner_id = wanted.column1 and i.key = wanted.column2";
            rows::fetch(&mut *tx, find, keys, |values, key| {
                values.bind(key.owner.as_uuid()).bind(key.key.as_str());
            })
            .await?
        }
    };
    Ok(rows.into_iter().map(Row::into_entry).collect())
}

impl Row {
    fn into_entry(self) -> ((Uuid, String), (Vec<u8>, Answer)) {
        let answer = Answer {
            status: u16::try_from(self.status).unwrap_or(500),
            etag: self.etag.map(to_u64),
            location: self.location,
            body: self.body,
        };
        ((self.owner_id, self.key), (self.request_hash, answer))
    }
}

/// Stores the answers of a batch's new keys.
pub(crate) async fn insert(
    tx: &mut Tx,
    answers: &[(&IdempotencyKey, &Answer)],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    match tx {
        Tx::Postgres(tx) => insert_postgres(tx, answers, now).await,
        Tx::Sqlite(tx) => {
            let insert = "insert into idempotency (owner_id, key, request_hash, status, etag,
                                                   location, body, recorded_at) values {rows}";
            rows::execute(&mut *tx, insert, answers, |values, (key, answer)| {
                values.bind(key.owner.as_uuid()).bind(key.key.as_str());
                values.bind(key.request_hash.as_slice());
                values.bind(status(answer)).bind(answer.etag.map(to_i64));
                values.bind(answer.location.as_deref());
                values.bind(answer.body.as_str()).bind(now);
            })
            .await
            .map(drop)
        }
    }
}

async fn insert_postgres(
    conn: &mut PgConnection,
    answers: &[(&IdempotencyKey, &Answer)],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let keys = || answers.iter().map(|(key, _)| key);
    let answers = || answers.iter().map(|(_, answer)| answer);
    sqlx::query(
        "insert into idempotency (owner_id, key, request_hash, status, etag, location, body,
                                  recorded_at)
         select t.*, $8
           from unnest($1::uuid[], $2::text[], $3::bytea[], $4::smallint[], $5::bigint[],
                       $6::text[], $7::text[]) as t",
    )
    .bind(keys().map(|key| key.owner.as_uuid()).collect::<Vec<_>>())
    .bind(keys().map(|key| key.key.as_str()).collect::<Vec<_>>())
    .bind(
        keys()
            .map(|key| key.request_hash.as_slice())
            .collect::<Vec<_>>(),
    )
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
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

fn status(answer: &Answer) -> i16 {
    i16::try_from(answer.status).unwrap_or(500)
}

/// Forgets at most `limit` keys recorded before `before`; returns how many.
pub(crate) async fn purge(tx: &mut Tx, before: DateTime<Utc>, limit: u32) -> Result<u64, Error> {
    Ok(on!(tx, conn => sqlx::query(
        "delete from idempotency where (owner_id, key) in (
             select owner_id, key from idempotency where recorded_at < $1 limit $2)"
    ).bind(before).bind(i64::from(limit)).execute(conn).await.map(|done| done.rows_affected()))?)
}
