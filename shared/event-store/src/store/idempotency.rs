//! `idempotency`: the answer that a key was given, stored with the events it stands for.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use database::{Error, Tx, on};
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
            let mut rows = Vec::new();
            for key in keys {
                let row = sqlx::query_as(
                    "select owner_id, key, request_hash, status, etag, location, body
                       from idempotency where owner_id = $1 and key = $2",
                )
                .bind(key.owner.as_uuid())
                .bind(&key.key)
                .fetch_optional(&mut **tx)
                .await?;
                rows.extend(row);
            }
            rows
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
    // A handful a batch in practice, and one round trip each only for callers who send keys.
    for (key, answer) in answers {
        on!(tx, conn => sqlx::query(
            "insert into idempotency (owner_id, key, request_hash, status, etag, location, body,
                                      recorded_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)"
        )
        .bind(key.owner.as_uuid())
        .bind(&key.key)
        .bind(key.request_hash.as_slice())
        .bind(i16::try_from(answer.status).unwrap_or(500))
        .bind(answer.etag.map(to_i64))
        .bind(&answer.location)
        .bind(&answer.body)
        .bind(now)
        .execute(conn)
        .await
        .map(drop))?;
    }
    Ok(())
}

/// Forgets at most `limit` keys recorded before `before`; returns how many.
pub(crate) async fn purge(tx: &mut Tx, before: DateTime<Utc>, limit: u32) -> Result<u64, Error> {
    Ok(on!(tx, conn => sqlx::query(
        "delete from idempotency where (owner_id, key) in (
             select owner_id, key from idempotency where recorded_at < $1 limit $2)"
    ).bind(before).bind(i64::from(limit)).execute(conn).await.map(|done| done.rows_affected()))?)
}
