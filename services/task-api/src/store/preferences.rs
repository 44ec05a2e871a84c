//! `preferences`: whose zone changed, while what is open is still read in the one before.

use database::{Database, Error, Together, on, rows};
use event_schema::{Preferences, UserId};
use event_store::{Projection, StreamChange, Tables, Trip, Way};
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
        trip: &'a mut Trip<'_>,
        into: Tables,
        changes: &'a [StreamChange],
    ) -> BoxFuture<'a, Result<(), Error>> {
        apply(trip, into, changes).boxed()
    }
}

async fn apply(trip: &mut Trip<'_>, into: Tables, changes: &[StreamChange]) -> Result<(), Error> {
    let of_user = changes.iter().filter_map(|change| {
        let version = i64::try_from(change.version).unwrap_or(i64::MAX);
        Some((version, change.state::<PreferencesStream>()?))
    });
    let newest: Vec<(i64, &Preferences)> = of_user.collect();
    if newest.is_empty() {
        return Ok(());
    }
    match trip.way() {
        Way::Postgres(together) => postgres(together, into, &newest),
        Way::Sqlite(conn) => {
            let upsert = "insert into preferences{} as p (user_id, version, is_followed)
                          values {rows}
                              on conflict (user_id) do update
                             set version = excluded.version, is_followed = excluded.is_followed
                           where p.version < excluded.version";
            rows::execute(
                conn,
                &into.sql(upsert).0,
                &newest,
                |values, (version, one)| {
                    values.bind(one.user_id.as_uuid());
                    values.bind(*version).bind(one.is_followed);
                },
            )
            .await?;
        }
    }
    Ok(())
}

fn postgres(together: &mut Together, into: Tables, changed: &[(i64, &Preferences)]) {
    let users = changed.iter().map(|(_, one)| one.user_id.as_uuid());
    let versions = changed.iter().map(|(version, _)| *version);
    let followed = changed.iter().map(|(_, one)| one.is_followed);
    together
        .part(
            "written_preferences",
            into.sql(
                "insert into preferences{} as p (user_id, version, is_followed)
                 select * from unnest($1::uuid[], $2::bigint[], $3::bool[])
                     on conflict (user_id) do update
                    set version = excluded.version, is_followed = excluded.is_followed
                  where p.version < excluded.version",
            ),
        )
        .bind(users.collect::<Vec<_>>())
        .bind(versions.collect::<Vec<_>>())
        .bind(followed.collect::<Vec<_>>());
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
