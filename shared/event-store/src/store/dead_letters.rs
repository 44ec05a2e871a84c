//! `dead_letter`: events that could not be processed, and those that wait behind them.
//!
//! The rows of a key are a queue in the order of their ids. A row behind a parked one is `waiting`; a
//! row behind none is parked itself, or `released`: the service delivers it to itself. Only the first of
//! a key may be processed, and whatever changes the order of a key holds the lane's lock.

pub(crate) mod moves;
pub(crate) mod rows;

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use dapr_client::DeadLetter;
use database::{Error, Together, Tx, on};
use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;

use super::past::Row;
use super::to_i64;
use super::trip::{Trip, Way};
use crate::Inbound;

/// The most of a column that is indexed: PostgreSQL has no place for entries above 2,704 bytes.
pub(crate) const LONGEST_KEY: usize = 500;
/// The most of what is only read.
pub(crate) const LONGEST_TEXT: usize = 2_000;

/// The first row of every key that has one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Queues(HashMap<String, First>);

/// The first row of a key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct First {
    fingerprint: Vec<u8>,
    state: String,
}

impl Queues {
    /// Whether an event has to wait: only the first of its key goes on, once it was released.
    pub(crate) fn hold_up(&self, inbound: &Inbound) -> bool {
        let first = self.0.get(text(&inbound.key, LONGEST_KEY).as_ref());
        first.is_some_and(|first| {
            first.state != "released" || first.fingerprint != fingerprint_of(inbound)
        })
    }

    /// Whether no key has one.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds those of further keys.
    pub(crate) fn add(&mut self, more: Self) {
        for (key, first) in more.0 {
            self.0.entry(key).or_insert(first);
        }
    }

    pub(super) fn extend(&mut self, more: impl IntoIterator<Item = (String, First)>) {
        self.0.extend(more);
    }
}

/// Asks what stands first in the queues of these keys.
pub(super) fn want(together: &mut Together, consumer: &str, keys: &[String]) {
    together
        .part(
            "queues",
            "select 'dead_letter' as table_name, first.key as name, null::uuid as id,
                    null::bigint as number, first.state as text, null::integer as small,
                    first.fingerprint as bytes, null::text as place
               from unnest($2::text[]) as wanted (key)
              cross join lateral (
                    select key, fingerprint, state from dead_letter
                     where consumer = $1 and key = wanted.key
                     order by dead_letter_id limit 1) first",
        )
        .bind(consumer)
        .bind(distinct(keys));
}

/// What was asked for.
pub(super) fn found(row: Row) -> Option<(String, First)> {
    let first = First {
        fingerprint: row.bytes?,
        state: row.text?,
    };
    Some((row.name?, first))
}

/// What stands first in the queues of these keys.
pub(super) async fn queues(
    conn: &mut SqliteConnection,
    consumer: &str,
    keys: &[String],
) -> Result<Queues, Error> {
    let mut queues = Queues::default();
    if keys.is_empty() || !any(conn, consumer).await? {
        return Ok(queues);
    }
    for key in distinct(keys) {
        let first: Option<Row> = sqlx::query_as(
            "select 'dead_letter' as table_name, key as name, null as id, null as number,
                    state as text, null as small, fingerprint as bytes, null as place
               from dead_letter
              where consumer = $1 and key = $2 order by dead_letter_id limit 1",
        )
        .bind(consumer)
        .bind(key)
        .fetch_optional(&mut *conn)
        .await?;
        queues.extend(first.and_then(found));
    }
    Ok(queues)
}

/// Counts the keys that have a queue.
pub(crate) async fn count_queues(
    trip: &mut Trip<'_>,
    consumer: &str,
    keys: &[String],
) -> Result<(), Error> {
    match trip.way() {
        Way::Postgres(together) => {
            want(together, consumer, keys);
            trip.will_tell("queues", "select count(*) from queues", Some(0));
        }
        Way::Sqlite(conn) => {
            let queues = queues(conn, consumer, keys).await?;
            trip.tells("queues", to_i64(queues.0.len() as u64), Some(0));
        }
    }
    Ok(())
}

/// Whether there is a row at all. There is almost never one, and then this is all it costs.
async fn any(conn: &mut SqliteConnection, consumer: &str) -> Result<bool, Error> {
    let any: Option<(i64,)> =
        sqlx::query_as("select dead_letter_id from dead_letter where consumer = $1 limit 1")
            .bind(consumer)
            .fetch_optional(conn)
            .await?;
    Ok(any.is_some())
}

/// Each key once, as its column has it.
fn distinct(keys: &[String]) -> Vec<Cow<'_, str>> {
    let mut distinct: Vec<Cow<'_, str>> = keys.iter().map(|key| text(key, LONGEST_KEY)).collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct
}

/// Foreign text as every column takes it: PostgreSQL refuses NUL, and poison must always find its row.
pub(crate) fn text(foreign: &str, longest: usize) -> Cow<'_, str> {
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

/// Parks an event that could not be processed, and says how often it failed by now. A redelivery of one
/// that is parked already changes nothing; one that was released is parked again, and what was released
/// behind it waits again.
pub(crate) async fn park(
    tx: &mut Tx,
    consumer: &str,
    dead: &DeadLetter,
    now: DateTime<Utc>,
) -> Result<Option<i64>, Error> {
    let key = optional(dead.key.as_ref(), LONGEST_KEY);
    let fingerprint = match (&dead.event_id, &key) {
        (Some(id), _) => fingerprint(&dead.topic, [id.as_bytes(), b""]),
        (None, Some(key)) => fingerprint(&dead.topic, [&dead.raw, key.as_bytes()]),
        (None, None) => fingerprint(&dead.topic, [&dead.raw, b""]),
    };
    let written: Option<(i64, i64)> = on!(tx, conn => sqlx::query_as(
        "insert into dead_letter (consumer, topic, event_id, type, subject, key, version, envelope,
                                  fingerprint, reason, state, recorded_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'parked', $11)
             on conflict (consumer, fingerprint) do update
            set state = 'parked', reason = excluded.reason, failed_at = excluded.recorded_at,
                attempts = dead_letter.attempts + 1
          where dead_letter.state = 'released'
         returning dead_letter_id, attempts"
    )
    .bind(consumer)
    .bind(text(&dead.topic, LONGEST_TEXT))
    .bind(optional(dead.event_id.as_ref(), LONGEST_TEXT))
    .bind(optional(dead.event_type.as_ref(), LONGEST_TEXT))
    .bind(optional(dead.subject.as_ref(), LONGEST_TEXT))
    .bind(&key)
    .bind(dead.version.map(to_i64))
    .bind(dead.raw.as_ref())
    .bind(&fingerprint)
    .bind(text(&dead.reason, LONGEST_TEXT))
    .bind(now)
    .fetch_optional(conn)
    .await)?;
    let Some((id, attempts)) = written else {
        return Ok(None);
    };
    if let Some(key) = &key {
        moves::hold_behind(tx, consumer, key, id).await?;
    }
    Ok(Some(attempts))
}

/// Puts an event at the end of its key's queue, or back into its place there.
pub(crate) async fn wait(
    tx: &mut Tx,
    consumer: &str,
    inbound: &Inbound,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    on!(tx, conn => sqlx::query(
        "insert into dead_letter (consumer, topic, event_id, type, subject, key, version, envelope,
                                  fingerprint, reason, state, recorded_at, attempts)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
                 case when exists (select 1 from dead_letter ahead
                                    where ahead.consumer = $1 and ahead.key = $6
                                      and ahead.state = 'parked')
                      then 'waiting' else 'released' end,
                 $11, 0)
             on conflict (consumer, fingerprint) do update set state = 'waiting'
          where dead_letter.state = 'released'"
    )
    .bind(consumer)
    .bind(text(&inbound.topic, LONGEST_TEXT))
    .bind(inbound.event_id.to_string())
    .bind(text(&inbound.event_type, LONGEST_TEXT))
    .bind(inbound.subject.to_string())
    .bind(text(&inbound.key, LONGEST_KEY))
    .bind(to_i64(inbound.version))
    .bind(inbound.raw.as_slice())
    .bind(fingerprint_of(inbound))
    .bind("it comes after an earlier event of its key")
    .bind(now)
    .execute(conn)
    .await
    .map(drop))?;
    Ok(())
}

fn fingerprint_of(inbound: &Inbound) -> Vec<u8> {
    let event_id = inbound.event_id.to_string();
    fingerprint(&inbound.topic, [event_id.as_bytes(), b""])
}

/// What makes two deliveries the same: the id when there is one, the bytes and the key otherwise.
fn fingerprint(topic: &str, parts: [&[u8]; 2]) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(topic.as_bytes());
    hash.update([0]);
    hash.update(parts[0]);
    hash.update(parts[1]);
    hash.finalize().to_vec()
}
