//! `timer`: what is due when, claimed by lease.
//!
//! A timer that nobody has claimed has the lease [`FREE`]. So the earliest of them stands first in the
//! index `(kind, lease_until, fire_at)`, however many there are; those under lease are few.

use std::collections::HashMap;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use database::{Error, Tx, on, rows};
use uuid::Uuid;

use crate::{StreamRef, Timer};

/// The lease of a timer that nobody claimed.
const FREE: DateTime<Utc> = DateTime::UNIX_EPOCH;
/// The end of the year 9999: later times do not sort as text.
const LATEST: DateTime<Utc> = match DateTime::from_timestamp_micros(253_402_300_799_999_999) {
    Some(latest) => latest,
    None => DateTime::<Utc>::MAX_UTC,
};

const SQLITE_LOAD: &str = "select t.kind, t.stream_id, t.timer_id, t.fire_at
       from (values {rows}) as wanted cross join timer t
         on t.kind = wanted.column1 and t.stream_id = wanted.column2";
/// By its rows: for a list of keys after `in` SQLite would look at every timer.
const SQLITE_DELETE: &str = "delete from timer where rowid in (
     select t.rowid from (values {rows}) as gone cross join timer t
         on t.kind = gone.column1 and t.stream_id = gone.column2 and t.timer_id = gone.column3)";

/// A claimed timer.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct TimerRow {
    pub(crate) stream_id: Uuid,
    pub(crate) timer_id: Uuid,
    pub(crate) fire_at: DateTime<Utc>,
}

/// The timers of some streams, by stream and timer.
type Timers = HashMap<(StreamRef, Uuid), DateTime<Utc>>;

/// Makes the timers of the streams what their states say; returns how many it set and removed.
///
/// One that stays as it is keeps its lease: its worker is on it.
pub(crate) async fn replace(
    tx: &mut Tx,
    wanted: &[(StreamRef, Vec<Timer>)],
) -> Result<usize, Error> {
    if wanted.is_empty() {
        return Ok(0);
    }
    let streams: Vec<StreamRef> = wanted.iter().map(|(stream, _)| *stream).collect();
    let current = load(tx, &streams).await?;
    let wanted: Timers = wanted
        .iter()
        .flat_map(|(stream, timers)| timers.iter().map(move |timer| (stream, timer)))
        .map(|(stream, timer)| ((*stream, timer.timer_id), storable(timer.fire_at)))
        .collect();
    let gone: Vec<_> = current
        .keys()
        .filter(|timer| !wanted.contains_key(*timer))
        .copied()
        .collect();
    let new: Vec<_> = wanted
        .into_iter()
        .filter(|(timer, fire_at)| current.get(timer) != Some(fire_at))
        .collect();
    if !gone.is_empty() {
        delete(tx, &gone).await?;
    }
    if !new.is_empty() {
        upsert(tx, &new).await?;
    }
    Ok(gone.len() + new.len())
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

async fn load(tx: &mut Tx, streams: &[StreamRef]) -> Result<Timers, Error> {
    let rows: Vec<(String, Uuid, Uuid, DateTime<Utc>)> = match tx {
        Tx::Postgres(tx) => {
            let kinds: Vec<&str> = streams.iter().map(|stream| stream.kind).collect();
            let ids: Vec<Uuid> = streams.iter().map(|stream| stream.stream_id).collect();
            sqlx::query_as(
                "select t.kind, t.stream_id, t.timer_id, t.fire_at
                   from unnest($1::text[], $2::uuid[]) as wanted (kind, stream_id)
                   join timer t using (kind, stream_id)",
            )
            .bind(kinds)
            .bind(ids)
            .fetch_all(&mut **tx)
            .await?
        }
        Tx::Sqlite(tx) => {
            rows::fetch(&mut *tx, SQLITE_LOAD, streams, |values, stream| {
                values.bind(stream.kind).bind(stream.stream_id);
            })
            .await?
        }
    };
    let kinds: HashMap<&str, &'static str> = streams.iter().map(|s| (s.kind, s.kind)).collect();
    let timer = |(kind, stream_id, timer_id, fire_at): (String, Uuid, Uuid, DateTime<Utc>)| {
        let kind = *kinds.get(kind.as_str())?;
        Some(((StreamRef { kind, stream_id }, timer_id), fire_at))
    };
    Ok(rows.into_iter().filter_map(timer).collect())
}

async fn delete(tx: &mut Tx, timers: &[(StreamRef, Uuid)]) -> Result<(), Error> {
    match tx {
        Tx::Postgres(tx) => {
            let kinds: Vec<&str> = timers.iter().map(|(stream, _)| stream.kind).collect();
            let streams: Vec<Uuid> = timers.iter().map(|(stream, _)| stream.stream_id).collect();
            let ids: Vec<Uuid> = timers.iter().map(|(_, id)| *id).collect();
            sqlx::query(
                "delete from timer t
                  using unnest($1::text[], $2::uuid[], $3::uuid[]) as gone (kind, stream_id, timer_id)
                  where t.kind = gone.kind and t.stream_id = gone.stream_id
                    and t.timer_id = gone.timer_id",
            )
            .bind(kinds)
            .bind(streams)
            .bind(ids)
            .execute(&mut **tx)
            .await?;
        }
        Tx::Sqlite(tx) => {
            rows::execute(&mut *tx, SQLITE_DELETE, timers, |values, (stream, id)| {
                values.bind(stream.kind).bind(stream.stream_id).bind(*id);
            })
            .await?;
        }
    }
    Ok(())
}

async fn upsert(tx: &mut Tx, timers: &[((StreamRef, Uuid), DateTime<Utc>)]) -> Result<(), Error> {
    match tx {
        Tx::Postgres(tx) => {
            let kinds: Vec<&str> = timers.iter().map(|((stream, _), _)| stream.kind).collect();
            let streams: Vec<Uuid> = timers
                .iter()
                .map(|((stream, _), _)| stream.stream_id)
                .collect();
            let ids: Vec<Uuid> = timers.iter().map(|((_, id), _)| *id).collect();
            let due: Vec<DateTime<Utc>> = timers.iter().map(|(_, at)| *at).collect();
            sqlx::query(
                "insert into timer (kind, stream_id, timer_id, fire_at, lease_until)
                 select t.*, $5
                   from unnest($1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[]) as t
                     on conflict (kind, stream_id, timer_id) do update
                    set fire_at = excluded.fire_at, lease_until = excluded.lease_until",
            )
            .bind(kinds)
            .bind(streams)
            .bind(ids)
            .bind(due)
            .bind(FREE)
            .execute(&mut **tx)
            .await?;
        }
        Tx::Sqlite(tx) => {
            let upsert = "insert into timer (kind, stream_id, timer_id, fire_at, lease_until)
                          values {rows}
                              on conflict (kind, stream_id, timer_id) do update
                             set fire_at = excluded.fire_at, lease_until = excluded.lease_until";
            rows::execute(
                &mut *tx,
                upsert,
                timers,
                |values, ((stream, id), fire_at)| {
                    let values = values.bind(stream.kind).bind(stream.stream_id);
                    values.bind(*id).bind(*fire_at).bind(FREE);
                },
            )
            .await?;
        }
    }
    Ok(())
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
