//! How a dead letter changes its state, and what that means for those behind it in its key.

use database::{Error, Tx, on};

/// What a row is, as far as its moves depend on it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Place {
    pub(crate) key: Option<String>,
    pub(crate) state: String,
    pub(crate) reason: String,
    /// The parked row before it in its key.
    pub(crate) behind: Option<i64>,
}

/// Where a row stands.
pub(crate) async fn place(tx: &mut Tx, consumer: &str, id: i64) -> Result<Option<Place>, Error> {
    Ok(on!(tx, conn => sqlx::query_as(
        "select own.key, own.state, own.reason,
                (select max(ahead.dead_letter_id) from dead_letter ahead
                  where ahead.consumer = own.consumer and ahead.key = own.key
                    and ahead.state = 'parked' and ahead.dead_letter_id < own.dead_letter_id) as behind
           from dead_letter own where own.consumer = $1 and own.dead_letter_id = $2"
    ).bind(consumer).bind(id).fetch_optional(conn).await)?)
}

/// The next parked row of the key after this one.
pub(crate) async fn next_parked(
    tx: &mut Tx,
    consumer: &str,
    key: &str,
    id: i64,
) -> Result<Option<i64>, Error> {
    let (next,): (Option<i64>,) = on!(tx, conn => sqlx::query_as(
        "select min(dead_letter_id) from dead_letter
          where consumer = $1 and key = $2 and dead_letter_id > $3 and state = 'parked'"
    ).bind(consumer).bind(key).bind(id).fetch_one(conn).await)?;
    Ok(next)
}

/// The row of the key that is `skip` rows after this one, before `end`.
pub(crate) async fn later(
    tx: &mut Tx,
    consumer: &str,
    key: &str,
    (id, end): (i64, i64),
    skip: i64,
) -> Result<Option<i64>, Error> {
    let row: Option<(i64,)> = on!(tx, conn => sqlx::query_as(
        "select dead_letter_id from dead_letter
          where consumer = $1 and key = $2 and dead_letter_id > $3 and dead_letter_id < $4
          order by dead_letter_id limit 1 offset $5"
    ).bind(consumer).bind(key).bind(id).bind(end).bind(skip).fetch_optional(conn).await)?;
    Ok(row.map(|(id,)| id))
}

/// Changes the state of one row.
pub(crate) async fn set_state(
    tx: &mut Tx,
    consumer: &str,
    id: i64,
    (state, reason): (&str, &str),
) -> Result<(), Error> {
    Ok(on!(tx, conn => sqlx::query(
        "update dead_letter set state = $3, reason = $4 where consumer = $1 and dead_letter_id = $2"
    ).bind(consumer).bind(id).bind(state).bind(reason).execute(conn).await.map(drop))?)
}

/// Releases the rows of a key from this one to before `end`; returns how many.
pub(crate) async fn release(
    tx: &mut Tx,
    consumer: &str,
    key: &str,
    (id, end): (i64, i64),
) -> Result<u64, Error> {
    Ok(on!(tx, conn => sqlx::query(
        "update dead_letter set state = 'released'
          where consumer = $1 and key = $2 and dead_letter_id >= $3 and dead_letter_id < $4
            and state <> 'released'"
    )
    .bind(consumer)
    .bind(key)
    .bind(id)
    .bind(end)
    .execute(conn)
    .await
    .map(|done| done.rows_affected()))?)
}

/// What was released behind a row that is parked again waits again.
pub(crate) async fn hold_behind(
    tx: &mut Tx,
    consumer: &str,
    key: &str,
    id: i64,
) -> Result<(), Error> {
    Ok(on!(tx, conn => sqlx::query(
        "update dead_letter set state = 'waiting'
          where consumer = $1 and key = $2 and dead_letter_id > $3 and state = 'released'"
    ).bind(consumer).bind(key).bind(id).execute(conn).await.map(drop))?)
}

/// Removes a row, and says which key it had; `None` when it is not there in any of these two states.
pub(crate) async fn remove(
    tx: &mut Tx,
    consumer: &str,
    id: i64,
    states: [&str; 2],
) -> Result<Option<Option<String>>, Error> {
    let removed: Option<(Option<String>,)> = on!(tx, conn => sqlx::query_as(
        "delete from dead_letter
          where consumer = $1 and dead_letter_id = $2 and state in ($3, $4) returning key"
    ).bind(consumer).bind(id).bind(states[0]).bind(states[1]).fetch_optional(conn).await)?;
    Ok(removed.map(|(key,)| key))
}
