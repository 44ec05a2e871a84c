//! `series`: what lists filter and sort by.

use chrono::{DateTime, Utc};
use database::{Database, Error, Together, on, rows};
use event_schema::{Series, SeriesId, SeriesStatus, UserId};
use event_store::{FoundHead, Projection, Recorded, StreamChange, Tables, Trip, Way};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use recurrence::Slot;
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::tasks::EVER;
use crate::domain::SeriesStream;

/// Keeps `series`.
#[derive(Clone, Copy, Debug)]
pub struct SeriesRows;

impl Projection for SeriesRows {
    fn name(&self) -> &'static str {
        "series"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["series"]
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
    let of_series = changes.iter().filter_map(|change| {
        let version = i64::try_from(change.version).unwrap_or(i64::MAX);
        Some((version, change.state::<SeriesStream>()?))
    });
    let series: Vec<(i64, &Series)> = of_series.collect();
    if series.is_empty() {
        return Ok(());
    }
    match trip.way() {
        Way::Postgres(together) => postgres(together, into, &series),
        Way::Sqlite(conn) => sqlite(conn, into, &series).await?,
    }
    Ok(())
}

fn postgres(together: &mut Together, into: Tables, changed: &[(i64, &Series)]) {
    let all = || changed.iter().map(|(_, series)| series);
    together
        .part(
            "written_series",
            into.sql(
                "insert into series{} as s (series_id, owner_id, version, status, created_at)
                 select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[],
                                      $5::timestamptz[])
                     on conflict (series_id) do update
                    set version = excluded.version, status = excluded.status
                  where s.version < excluded.version",
            ),
        )
        .bind(all().map(|series| series.id.as_uuid()).collect::<Vec<_>>())
        .bind(
            all()
                .map(|series| series.owner_id.as_uuid())
                .collect::<Vec<_>>(),
        )
        .bind(
            changed
                .iter()
                .map(|(version, _)| *version)
                .collect::<Vec<_>>(),
        )
        .bind(
            all()
                .map(|series| status(series.status))
                .collect::<Vec<_>>(),
        )
        .bind(all().map(|series| series.created_at).collect::<Vec<_>>());
}

async fn sqlite(
    conn: &mut SqliteConnection,
    into: Tables,
    changed: &[(i64, &Series)],
) -> Result<(), Error> {
    let upsert = "insert into series{} as s (series_id, owner_id, version, status, created_at)
                  values {rows}
                      on conflict (series_id) do update
                     set version = excluded.version, status = excluded.status
                   where s.version < excluded.version";
    rows::execute(
        conn,
        &into.sql(upsert).0,
        changed,
        |values, (version, series)| {
            values
                .bind(series.id.as_uuid())
                .bind(series.owner_id.as_uuid());
            values
                .bind(*version)
                .bind(status(series.status))
                .bind(series.created_at);
        },
    )
    .await?;
    Ok(())
}

fn status(status: SeriesStatus) -> &'static str {
    match status {
        SeriesStatus::Active => "active",
        SeriesStatus::Paused => "paused",
        SeriesStatus::Ended => "ended",
    }
}

/// Which series, the oldest first, and how many.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Whose.
    pub owner: UserId,
    /// Whether they still generate.
    pub status: Option<SeriesStatus>,
    /// Behind this place of the list.
    pub after: Option<Place>,
    /// How many at most.
    pub limit: u16,
}

/// A place in a list of series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    created_at: DateTime<Utc>,
    series_id: Uuid,
}

impl Place {
    /// Where a series stands.
    pub fn of(series: &Series) -> Self {
        Self {
            created_at: series.created_at,
            series_id: series.id.as_uuid(),
        }
    }
}

/// One page of a list, each series with its newest slot that has a task.
pub async fn list(
    database: &Database,
    filter: &Filter,
) -> Result<Vec<(Recorded<Series>, Option<Slot>)>, Error> {
    let after = filter.after.as_ref();
    let mut tx = database.read().await?;
    let rows: Vec<Row> = on!(&mut tx, conn => sqlx::query_as(
        "select s.stream_id, s.version, s.state, s.state_version,
                (select max(t.slot) from tasks t where t.series_id = r.series_id
                                                 and not t.withdrawn) as newest
           from series r
           join stream s on s.kind = 'series' and s.stream_id = r.series_id
          where r.owner_id = $1 and ($2 is null or r.status = $2)
            and (r.created_at, r.series_id) > ($3, $4)
          order by r.created_at, r.series_id
          limit $5 + 0")
        .bind(filter.owner.as_uuid())
        .bind(filter.status.map(status))
        .bind(after.map_or(EVER, |place| place.created_at))
        .bind(after.map_or(Uuid::nil(), |place| place.series_id))
        .bind(i64::from(filter.limit))
        .fetch_all(conn)
        .await)?;
    rows.into_iter().map(Row::into_found).collect()
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    head: FoundHead,
    newest: Option<String>,
}

impl Row {
    fn into_found(self) -> Result<(Recorded<Series>, Option<Slot>), Error> {
        let found: Recorded<Series> = self.head.read()?;
        let newest = newest(found.state.id.as_uuid(), self.newest)?;
        Ok((found, newest))
    }
}

/// Some series of a user after another one that have not ended.
pub async fn living_of_user(
    database: &Database,
    owner: UserId,
    after: SeriesId,
    limit: u16,
) -> Result<Vec<SeriesId>, Error> {
    let mut tx = database.read().await?;
    let rows: Vec<(Uuid,)> = on!(&mut tx, conn => sqlx::query_as(
        "select series_id from series
          where owner_id = $1 and status <> 'ended' and series_id > $2
          order by series_id
          limit $3 + 0")
        .bind(owner.as_uuid())
        .bind(after.as_uuid())
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await)?;
    Ok(rows.into_iter().map(|(id,)| SeriesId(id)).collect())
}

/// Reads the newest slot that a query found.
pub(super) fn newest(series: Uuid, slot: Option<String>) -> Result<Option<Slot>, Error> {
    let read = |slot: String| {
        slot.parse().map_err(|error| Error::Corrupt {
            table: "tasks",
            column: "slot",
            id: series.to_string(),
            reason: format!("{error}: {slot:?}"),
        })
    };
    slot.map(read).transpose()
}

#[cfg(test)]
mod tests;
