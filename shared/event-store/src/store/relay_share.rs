//! `relay_replica` and the leases of `relay_bucket`: who publishes which share of the log.

use chrono::{DateTime, Utc};
use database::{Error, Tx, on};
use uuid::Uuid;

use super::relay::BucketLease;

/// The times of a lease.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term {
    pub(crate) now: DateTime<Utc>,
    /// When it ends unless it is renewed.
    pub(crate) until: DateTime<Utc>,
    /// One that ends later than this was taken by a clock that has been set back since, and is free.
    pub(crate) implausible: DateTime<Utc>,
}

/// Says that this replica is alive, and forgets those that are not.
pub(crate) async fn sign(tx: &mut Tx, owner: Uuid, term: Term) -> Result<(), Error> {
    on!(&mut *tx, conn => sqlx::query(
        "insert into relay_replica (owner, lease_until) values ($1, $2)
             on conflict (owner) do update set lease_until = excluded.lease_until"
    ).bind(owner).bind(term.until).execute(conn).await.map(drop))?;
    on!(tx, conn => sqlx::query(
        "delete from relay_replica where lease_until < $1 or lease_until > $2"
    ).bind(term.now).bind(term.implausible).execute(conn).await.map(drop))?;
    Ok(())
}

/// The replicas that are alive, in an order on which all agree.
pub(crate) async fn replicas(tx: &mut Tx, term: Term) -> Result<Vec<Uuid>, Error> {
    let rows: Vec<(Uuid,)> = on!(tx, conn => sqlx::query_as(
        "select owner from relay_replica where lease_until >= $1 and lease_until <= $2 order by owner"
    ).bind(term.now).bind(term.implausible).fetch_all(conn).await)?;
    Ok(rows.into_iter().map(|(owner,)| owner).collect())
}

/// Renews the buckets of a replica, also one whose lease ran out while nobody took it.
pub(crate) async fn renew(tx: &mut Tx, owner: Uuid, term: Term) -> Result<Vec<BucketLease>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "update relay_bucket set lease_until = $2 where owner = $1
         returning bucket, last_position, fence"
    ).bind(owner).bind(term.until).fetch_all(conn).await)?)
}

/// The buckets that are nobody's. `$lock` lets replicas that look at the same time pass by each other's.
macro_rules! take {
    ($any:literal, $lock:literal, $end:literal) => {
        concat!(
            "update relay_bucket set fence = fence + 1, owner = $1, lease_until = $2
              where bucket ",
            $any,
            "select bucket from relay_bucket
                     where owner is null
                        or owner <> $1 and (lease_until < $3 or lease_until > $4)
                     order by bucket limit $5 + 0 ",
            $lock,
            $end,
            " returning bucket, last_position, fence"
        )
    };
}

/// Takes free buckets, `most` of them. A bucket that changes hands gets a new fence, so that its
/// former owner can no longer move its cursor.
pub(crate) async fn take(
    tx: &mut Tx,
    owner: Uuid,
    term: Term,
    most: usize,
) -> Result<Vec<BucketLease>, Error> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let taken: Vec<BucketLease> = match tx {
        Tx::Postgres(tx) => {
            sqlx::query_as(take!("= any (array(", "for update skip locked", "))"))
                .bind(owner)
                .bind(term.until)
                .bind(term.now)
                .bind(term.implausible)
                .bind(most)
                .fetch_all(&mut **tx)
                .await?
        }
        Tx::Sqlite(tx) => {
            sqlx::query_as(take!("in (", "", ")"))
                .bind(owner)
                .bind(term.until)
                .bind(term.now)
                .bind(term.implausible)
                .bind(most)
                .fetch_all(&mut **tx)
                .await?
        }
    };
    Ok(taken)
}

/// How many buckets are nobody's.
pub(crate) async fn free(tx: &mut Tx, owner: Uuid, term: Term) -> Result<i64, Error> {
    let (count,): (i64,) = on!(tx, conn => sqlx::query_as(
        "select count(*) from relay_bucket
          where owner is null or owner <> $1 and (lease_until < $2 or lease_until > $3)"
    ).bind(owner).bind(term.now).bind(term.implausible).fetch_one(conn).await)?;
    Ok(count)
}

/// Gives a bucket back.
pub(crate) async fn give_back(tx: &mut Tx, owner: Uuid, bucket: i16) -> Result<(), Error> {
    Ok(on!(tx, conn => sqlx::query(
        "update relay_bucket set owner = null where owner = $1 and bucket = $2"
    ).bind(owner).bind(bucket).execute(conn).await.map(drop))?)
}

/// Gives everything back, so that the others need not wait for the leases to end.
pub(crate) async fn leave(tx: &mut Tx, owner: Uuid) -> Result<(), Error> {
    on!(&mut *tx, conn => sqlx::query("update relay_bucket set owner = null where owner = $1")
        .bind(owner).execute(conn).await.map(drop))?;
    on!(&mut *tx, conn => sqlx::query("delete from relay_replica where owner = $1")
        .bind(owner).execute(conn).await.map(drop))?;
    Ok(())
}

/// Position and time of the oldest event that a replica has still to publish, and the end of the log.
pub(crate) async fn oldest(
    tx: &mut Tx,
    owner: Uuid,
) -> Result<Option<(i64, DateTime<Utc>, i64)>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "select e.position, e.recorded_at, l.last_position
           from relay_bucket b
           join event e on e.position = (
                select min(position) from event
                 where bucket = b.bucket and position > b.last_position and topic is not null)
           join ledger_position l on l.id = 0
          where b.owner = $1
          order by e.position
          limit 1"
    ).bind(owner).fetch_optional(conn).await)?)
}
