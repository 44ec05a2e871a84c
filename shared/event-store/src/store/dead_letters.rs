//! `dead_letter`: events that could not be processed, and those that wait behind them.

use std::borrow::Cow;
use std::collections::HashSet;

use chrono::{DateTime, Utc};
use dapr_client::DeadLetter;
use database::{Error, Tx, on};
use sha2::{Digest, Sha256};

use super::to_i64;
use crate::Inbound;

/// A row of the dead-letter table.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DeadLetterRow {
    /// Its key.
    pub dead_letter_id: i64,
    /// The topic it came from.
    pub topic: String,
    /// CloudEvents `id`, when it could be read.
    pub event_id: Option<String>,
    /// CloudEvents `type`, when it could be read.
    pub r#type: Option<String>,
    /// The partition key, when it could be read.
    pub key: Option<String>,
    /// The bytes as they were received.
    pub envelope: Vec<u8>,
    /// Why it is here.
    pub reason: String,
    /// `parked`, `waiting` behind a parked one of its key, or `released` to be delivered again.
    pub state: String,
    /// When it came here.
    pub recorded_at: DateTime<Utc>,
}

/// The most of a column that is indexed: PostgreSQL has no place for entries above 2,704 bytes.
const LONGEST_KEY: usize = 500;
/// The most of what is only read.
const LONGEST_TEXT: usize = 2_000;

/// Which of these keys have a parked event.
pub(crate) async fn parked_keys(
    tx: &mut Tx,
    consumer: &str,
    keys: &[String],
) -> Result<HashSet<String>, Error> {
    let found: HashSet<String> = match tx {
        Tx::Postgres(tx) => {
            let wanted: Vec<Cow<'_, str>> = keys.iter().map(|key| text(key, LONGEST_KEY)).collect();
            let rows: Vec<(String,)> = sqlx::query_as(
                "select distinct key from dead_letter
                  where consumer = $1 and key = any($2) and state <> 'released'",
            )
            .bind(consumer)
            .bind(wanted)
            .fetch_all(&mut **tx)
            .await?;
            rows.into_iter().map(|(key,)| key).collect()
        }
        Tx::Sqlite(tx) => {
            // Almost always empty, and then this is all it costs.
            let any: Option<(i64,)> = sqlx::query_as(
                "select dead_letter_id from dead_letter
                  where consumer = $1 and state <> 'released' limit 1",
            )
            .bind(consumer)
            .fetch_optional(&mut **tx)
            .await?;
            let mut found = HashSet::new();
            for key in keys.iter().filter(|_| any.is_some()) {
                let row: Option<(String,)> = sqlx::query_as(
                    "select key from dead_letter
                      where consumer = $1 and key = $2 and state <> 'released' limit 1",
                )
                .bind(consumer)
                .bind(text(key, LONGEST_KEY))
                .fetch_optional(&mut **tx)
                .await?;
                found.extend(row.map(|(key,)| key));
            }
            found
        }
    };
    let is_parked = |key: &&String| found.contains(text(key, LONGEST_KEY).as_ref());
    Ok(keys.iter().filter(is_parked).cloned().collect())
}

/// Foreign text as every column takes it: PostgreSQL refuses NUL, and poison must always find its row.
fn text(foreign: &str, longest: usize) -> Cow<'_, str> {
    let end = foreign.floor_char_boundary(longest.min(foreign.len()));
    let start = &foreign[..end];
    if start.contains('\0') {
        Cow::Owned(start.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(start)
    }
}

fn optional(foreign: Option<&String>, longest: usize) -> Option<Cow<'_, str>> {
    foreign.map(|foreign| text(foreign, longest))
}

/// Parks an event that could not be processed; a redelivery of it changes nothing.
pub(crate) async fn park(
    tx: &mut Tx,
    consumer: &str,
    dead: &DeadLetter,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let fingerprint = fingerprint(&dead.topic, dead.event_id.as_deref(), &dead.raw);
    let written = on!(tx, conn => sqlx::query(
        "insert into dead_letter (consumer, topic, event_id, type, subject, key, version, envelope,
                                  fingerprint, reason, state, recorded_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'parked', $11)
             on conflict (consumer, fingerprint) do update
            set state = 'parked', reason = excluded.reason
          where dead_letter.state = 'released'"
    )
    .bind(consumer)
    .bind(text(&dead.topic, LONGEST_TEXT))
    .bind(optional(dead.event_id.as_ref(), LONGEST_TEXT))
    .bind(optional(dead.event_type.as_ref(), LONGEST_TEXT))
    .bind(optional(dead.subject.as_ref(), LONGEST_TEXT))
    .bind(optional(dead.key.as_ref(), LONGEST_KEY))
    .bind(dead.version.map(to_i64))
    .bind(dead.raw.as_ref())
    .bind(&fingerprint)
    .bind(text(&dead.reason, LONGEST_TEXT))
    .bind(now)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?;
    Ok(written == 1)
}

/// Puts an event behind the parked one of its key.
pub(crate) async fn wait(
    tx: &mut Tx,
    consumer: &str,
    inbound: &Inbound,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let event_id = inbound.event_id.to_string();
    let fingerprint = fingerprint(&inbound.topic, Some(&event_id), &inbound.raw);
    on!(tx, conn => sqlx::query(
        "insert into dead_letter (consumer, topic, event_id, type, subject, key, version, envelope,
                                  fingerprint, reason, state, recorded_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'waiting', $11)
             on conflict (consumer, fingerprint) do update set state = 'waiting'
          where dead_letter.state = 'released'"
    )
    .bind(consumer)
    .bind(text(&inbound.topic, LONGEST_TEXT))
    .bind(event_id)
    .bind(text(&inbound.event_type, LONGEST_TEXT))
    .bind(inbound.subject.to_string())
    .bind(text(&inbound.key, LONGEST_KEY))
    .bind(to_i64(inbound.version))
    .bind(inbound.raw.as_slice())
    .bind(&fingerprint)
    .bind("an earlier event of this key is parked")
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

/// Everything in the table, the oldest first.
pub(crate) async fn list(
    tx: &mut Tx,
    consumer: &str,
    limit: u32,
) -> Result<Vec<DeadLetterRow>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "select dead_letter_id, topic, event_id, type, key, envelope, reason, state, recorded_at
           from dead_letter where consumer = $1 order by dead_letter_id limit $2"
    ).bind(consumer).bind(i64::from(limit)).fetch_all(conn).await)?)
}

/// Rows that an operator released, in the order in which they are delivered again.
pub(crate) async fn released(
    tx: &mut Tx,
    consumer: &str,
    limit: u32,
) -> Result<Vec<DeadLetterRow>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "select dead_letter_id, topic, event_id, type, key, envelope, reason, state, recorded_at
           from dead_letter where consumer = $1 and state = 'released'
          order by dead_letter_id limit $2"
    ).bind(consumer).bind(i64::from(limit)).fetch_all(conn).await)?)
}

/// Releases a parked row; returns whether there was one.
pub(crate) async fn release(tx: &mut Tx, consumer: &str, id: i64) -> Result<bool, Error> {
    let released = on!(tx, conn => sqlx::query(
        "update dead_letter set state = 'released'
          where consumer = $1 and dead_letter_id = $2 and state = 'parked'"
    ).bind(consumer).bind(id).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(released == 1)
}

/// Releases what waits behind nothing parked any more; returns how many rows.
pub(crate) async fn release_waiting(tx: &mut Tx, consumer: &str) -> Result<u64, Error> {
    Ok(on!(tx, conn => sqlx::query(
        "update dead_letter set state = 'released'
          where consumer = $1 and state = 'waiting' and key not in (
                select key from dead_letter
                 where consumer = $1 and state = 'parked' and key is not null)"
    ).bind(consumer).execute(conn).await.map(|done| done.rows_affected()))?)
}

/// Removes a row in this state; returns whether there was one.
pub(crate) async fn remove(
    tx: &mut Tx,
    consumer: &str,
    id: i64,
    state: &str,
) -> Result<bool, Error> {
    let removed = on!(tx, conn => sqlx::query(
        "delete from dead_letter where consumer = $1 and dead_letter_id = $2 and state = $3"
    ).bind(consumer).bind(id).bind(state).execute(conn).await.map(|done| done.rows_affected()))?;
    Ok(removed == 1)
}

/// What makes two deliveries the same: the id when there is one, the bytes otherwise.
fn fingerprint(topic: &str, event_id: Option<&str>, raw: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(topic.as_bytes());
    hash.update([0]);
    match event_id {
        Some(id) => hash.update(id.as_bytes()),
        None => hash.update(raw),
    }
    hash.finalize().to_vec()
}
