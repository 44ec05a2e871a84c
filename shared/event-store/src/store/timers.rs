//! `timer`: what is due when, claimed by lease.
//!
//! A timer that nobody has claimed has the lease [`FREE`]. So the earliest of them stands first in the
//! index `(kind, lease_until, fire_at)`, however many there are; those under lease are few.

mod replace;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use database::{Error, Tx, on};
use uuid::Uuid;

pub(crate) use replace::{Wanted, replace};

/// The lease of a timer that nobody claimed.
const FREE: DateTime<Utc> = DateTime::UNIX_EPOCH;
/// The end of the year 9999: later times do not sort as text.
const LATEST: DateTime<Utc> = match DateTime::from_timestamp_micros(253_402_300_799_999_999) {
    Some(latest) => latest,
    None => DateTime::<Utc>::MAX_UTC,
};

/// A claimed timer.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct TimerRow {
    pub(crate) stream_id: Uuid,
    pub(crate) timer_id: Uuid,
    pub(crate) fire_at: DateTime<Utc>,
}

/// The time as both databases keep it: in whole microseconds, never earlier than asked for.
pub(crate) fn storable(fire_at: DateTime<Utc>) -> DateTime<Utc> {
    let fire_at = fire_at.clamp(FREE, LATEST);
    let whole = fire_at.trunc_subsecs(6);
    if whole < fire_at {
        whole + TimeDelta::microseconds(1)
    } else {
        whole
    }
}

/// A claim is one update of rows that one look at the index found. `$lock` lets replicas pass each
/// other's rows by on PostgreSQL, so that a claim never waits for the lane nor the lane for it in a circle.
macro_rules! claim {
    ($rows:literal, $row:literal, $lease:expr, $end:literal) => {
        concat!(
            "update timer set lease_until = $1
              where ",
            $rows,
            " (select ",
            $row,
            " from timer
                where kind = $2 and fire_at <= $3 and ",
            $lease,
            " order by fire_at, timer_id limit $4 + 0 ",
            $end,
            " returning stream_id, timer_id, fire_at"
        )
    };
}
/// Whose worker died, or took the lease by a clock that has been set back since.
macro_rules! expired {
    () => {
        "lease_until > $5 and (lease_until <= $3 or lease_until > $6)"
    };
}
/// Which nobody claimed.
macro_rules! free {
    () => {
        "lease_until = $5"
    };
}
/// By what the row is found again: it is locked, so it stays where it is.
macro_rules! postgres {
    ($lease:expr) => {
        claim!(
            "ctid = any (array",
            "ctid",
            $lease,
            "for update skip locked))"
        )
    };
}
macro_rules! sqlite {
    ($lease:expr) => {
        claim!("rowid in", "rowid", $lease, ")")
    };
}

/// Leases timers that are due at `now` for so long, the earliest first. Those whose worker died come
/// before all others.
pub(crate) async fn claim(
    tx: &mut Tx,
    kind: &str,
    now: DateTime<Utc>,
    lease: TimeDelta,
    limit: u32,
) -> Result<Vec<TimerRow>, Error> {
    let until = now + lease;
    let mut rows: Vec<TimerRow> = match tx {
        Tx::Postgres(tx) => {
            sqlx::query_as(postgres!(expired!()))
                .bind(until)
                .bind(kind)
                .bind(now)
                .bind(i64::from(limit))
                .bind(FREE)
                .bind(implausible(now, lease))
                .fetch_all(&mut **tx)
                .await?
        }
        Tx::Sqlite(tx) => {
            sqlx::query_as(sqlite!(expired!()))
                .bind(until)
                .bind(kind)
                .bind(now)
                .bind(i64::from(limit))
                .bind(FREE)
                .bind(implausible(now, lease))
                .fetch_all(&mut **tx)
                .await?
        }
    };
    let rest = i64::from(limit) - i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let free: Vec<TimerRow> = match tx {
        Tx::Postgres(tx) => {
            sqlx::query_as(postgres!(free!()))
                .bind(until)
                .bind(kind)
                .bind(now)
                .bind(rest)
                .bind(FREE)
                .fetch_all(&mut **tx)
                .await?
        }
        Tx::Sqlite(tx) => {
            sqlx::query_as(sqlite!(free!()))
                .bind(until)
                .bind(kind)
                .bind(now)
                .bind(rest)
                .bind(FREE)
                .fetch_all(&mut **tx)
                .await?
        }
    };
    rows.extend(free);
    rows.sort_by_key(|row| (row.fire_at, row.timer_id));
    Ok(rows)
}

/// A lease that ends later than this was taken by a clock that has been set back since.
fn implausible(now: DateTime<Utc>, lease: TimeDelta) -> DateTime<Utc> {
    now + lease * 2
}

/// When the next timer can be claimed: its time, or the end of its lease.
pub(crate) async fn next_at(
    tx: &mut Tx,
    kind: &str,
    now: DateTime<Utc>,
    lease: TimeDelta,
) -> Result<Option<DateTime<Utc>>, Error> {
    let free: Option<(DateTime<Utc>,)> = on!(&mut *tx, conn => sqlx::query_as(
        "select fire_at from timer where kind = $1 and lease_until = $2 order by fire_at limit 1"
    ).bind(kind).bind(FREE).fetch_optional(conn).await)?;
    let (leased,): (Option<DateTime<Utc>>,) = on!(tx, conn => sqlx::query_as(
        "select min(case when lease_until > $3 or lease_until < fire_at
                         then fire_at else lease_until end)
           from timer where kind = $1 and lease_until > $2"
    ).bind(kind).bind(FREE).bind(implausible(now, lease)).fetch_one(conn).await)?;
    Ok(free
        .map(|(fire_at,)| fire_at)
        .into_iter()
        .chain(leased)
        .min())
}

/// The first streams of a kind after one that have a timer.
pub(crate) async fn streams_after(
    tx: &mut Tx,
    kind: &str,
    after: Uuid,
    limit: u16,
) -> Result<Vec<Uuid>, Error> {
    let rows: Vec<(Uuid,)> = on!(tx, conn => sqlx::query_as(
        "select distinct stream_id from timer
          where kind = $1 and stream_id > $2 order by stream_id limit $3 + 0"
    ).bind(kind).bind(after).bind(i64::from(limit)).fetch_all(conn).await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The time of the earliest timer, claimed or not.
pub(crate) async fn earliest(tx: &mut Tx, kind: &str) -> Result<Option<DateTime<Utc>>, Error> {
    let free: Option<(DateTime<Utc>,)> = on!(&mut *tx, conn => sqlx::query_as(
        "select fire_at from timer where kind = $1 and lease_until = $2 order by fire_at limit 1"
    ).bind(kind).bind(FREE).fetch_optional(conn).await)?;
    let (leased,): (Option<DateTime<Utc>>,) = on!(tx, conn => sqlx::query_as(
        "select min(fire_at) from timer where kind = $1 and lease_until > $2"
    ).bind(kind).bind(FREE).fetch_one(conn).await)?;
    Ok(free
        .map(|(fire_at,)| fire_at)
        .into_iter()
        .chain(leased)
        .min())
}

#[cfg(test)]
mod tests;
