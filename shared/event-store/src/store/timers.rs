//! `timer`: what is due when, claimed by lease.

use chrono::{DateTime, Utc};
use database::{Error, Tx, on};
use uuid::Uuid;

use crate::{StreamRef, Timer};

/// The lease of a timer that nobody has claimed.
const NEVER_LEASED: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// A claimed timer.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct TimerRow {
    pub(crate) stream_id: Uuid,
    pub(crate) timer_id: Uuid,
    pub(crate) fire_at: DateTime<Utc>,
}

/// Makes the timers of a stream what its state says.
///
/// One that stays as it is keeps its lease: its worker is on it.
pub(crate) async fn replace(tx: &mut Tx, stream: StreamRef, timers: &[Timer]) -> Result<(), Error> {
    let current: Vec<TimerRow> = on!(tx, conn => sqlx::query_as(
        "select stream_id, timer_id, fire_at from timer where stream_id = $1"
    ).bind(stream.stream_id).fetch_all(conn).await)?;
    for row in &current {
        if !timers.iter().any(|timer| timer.timer_id == row.timer_id) {
            on!(tx, conn => sqlx::query("delete from timer where stream_id = $1 and timer_id = $2")
                .bind(stream.stream_id).bind(row.timer_id).execute(conn).await.map(drop))?;
        }
    }
    for timer in timers {
        let known = current.iter().find(|row| row.timer_id == timer.timer_id);
        if known.is_some_and(|row| row.fire_at == timer.fire_at) {
            continue;
        }
        on!(tx, conn => sqlx::query(
            "insert into timer (kind, stream_id, timer_id, fire_at, lease_until)
             values ($1, $2, $3, $4, $5)
                 on conflict (stream_id, timer_id) do update
                set fire_at = excluded.fire_at, lease_until = excluded.lease_until"
        )
        .bind(stream.kind)
        .bind(stream.stream_id)
        .bind(timer.timer_id)
        .bind(timer.fire_at)
        .bind(NEVER_LEASED)
        .execute(conn)
        .await
        .map(drop))?;
    }
    Ok(())
}

/// Leases timers that are due at `now` until `lease_until`, the earliest first.
pub(crate) async fn claim(
    tx: &mut Tx,
    kind: &str,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<TimerRow>, Error> {
    // The lease is asked for in both places: a replica that waited for the row lock looks again.
    let mut rows: Vec<TimerRow> = on!(tx, conn => sqlx::query_as(
        "update timer set lease_until = $1
          where lease_until <= $2
            and (stream_id, timer_id) in (
                select stream_id, timer_id from timer
                 where fire_at <= $2 and lease_until <= $2 and kind = $4
                 order by fire_at, timer_id limit $3)
         returning stream_id, timer_id, fire_at"
    ).bind(lease_until).bind(now).bind(i64::from(limit)).bind(kind).fetch_all(conn).await)?;
    rows.sort_by_key(|row| (row.fire_at, row.timer_id));
    Ok(rows)
}

/// When the next timer can be claimed: its time, or the end of its lease.
pub(crate) async fn next_at(tx: &mut Tx, kind: &str) -> Result<Option<DateTime<Utc>>, Error> {
    // Two looks into an index, however many timers there are: a lease is only given to what is due.
    let free: Option<(DateTime<Utc>,)> = on!(tx, conn => sqlx::query_as(
        "select fire_at from timer where kind = $1 and lease_until = $2 order by fire_at limit 1"
    ).bind(kind).bind(NEVER_LEASED).fetch_optional(conn).await)?;
    let leased: Option<(DateTime<Utc>,)> = on!(tx, conn => sqlx::query_as(
        "select lease_until from timer where kind = $1 and lease_until > $2
          order by lease_until limit 1"
    ).bind(kind).bind(NEVER_LEASED).fetch_optional(conn).await)?;
    Ok(free.into_iter().chain(leased).map(|(at,)| at).min())
}
