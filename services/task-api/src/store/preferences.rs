//! `preferences`: whose zone changed, while what is open is still read in the one before.

use database::{Database, Error, Tx, on};
use event_schema::UserId;
use event_store::{Projection, StreamChange, Tables};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::domain::PreferencesStream;

/// Keeps `preferences`.
#[derive(Clone, Copy, Debug)]
pub struct PreferencesRows;

impl Projection for PreferencesRows {
    fn name(&self) -> &'static str {
        "preferences"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["preferences"]
    }

    fn apply<'a>(
        &'a self,
        tx: &'a mut Tx,
        into: Tables,
        changes: &'a [StreamChange],
    ) -> BoxFuture<'a, Result<(), Error>> {
        apply(tx, into, changes).boxed()
    }
}

/// Users change their zone so seldom that each has a statement of its own.
async fn apply(tx: &mut Tx, into: Tables, changes: &[StreamChange]) -> Result<(), Error> {
    for change in changes {
        let Some(preferences) = change.state::<PreferencesStream>() else {
            continue;
        };
        on!(tx, conn => sqlx::query(into.sql(
            "insert into preferences{} as p (user_id, version, is_followed) values ($1, $2, $3)
                 on conflict (user_id) do update
                set version = excluded.version, is_followed = excluded.is_followed
              where p.version < excluded.version"))
            .bind(preferences.user_id.as_uuid())
            .bind(i64::try_from(change.version).unwrap_or(i64::MAX))
            .bind(preferences.is_followed)
            .execute(conn)
            .await
            .map(drop))?;
    }
    Ok(())
}

/// Some users after another one whose tasks are still read in the zone before.
pub async fn not_followed(
    database: &Database,
    after: UserId,
    limit: u16,
) -> Result<Vec<UserId>, Error> {
    let mut tx = database.read().await?;
    let rows: Vec<(Uuid,)> = on!(&mut tx, conn => sqlx::query_as(
        "select user_id from preferences where not is_followed and user_id > $1
          order by user_id limit $2 + 0")
        .bind(after.as_uuid())
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await)?;
    Ok(rows.into_iter().map(|(id,)| UserId(id)).collect())
}
