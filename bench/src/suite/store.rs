//! What a service has written so far.

use chrono::{DateTime, Utc};
use database::{Database, Error, on, sqlx};
use uuid::Uuid;

/// An event of a ledger: its stream, its type, and when it was written.
pub(crate) type Written = (Uuid, String, DateTime<Utc>);

/// How many events a ledger has.
pub(crate) async fn position(ledger: &Database) -> Result<i64, Error> {
    let mut tx = ledger.read().await?;
    let (position,): (i64,) = on!(&mut tx, conn => sqlx::query_as(
        "select last_position from ledger_position"
    ).fetch_one(conn).await)?;
    Ok(position)
}

/// How many subjects a subscriber has taken in.
pub(crate) async fn seen(ledger: &Database) -> Result<i64, Error> {
    let mut tx = ledger.read().await?;
    let (count,): (i64,) = on!(&mut tx, conn => sqlx::query_as("select count(*) from seen")
        .fetch_one(conn).await)?;
    Ok(count)
}

/// Every event of a ledger, in order.
pub(crate) async fn written(ledger: &Database) -> Result<Vec<Written>, Error> {
    let mut tx = ledger.read().await?;
    Ok(on!(&mut tx, conn => sqlx::query_as(
        "select stream_id, type, recorded_at from event order by position"
    ).fetch_all(conn).await)?)
}
