//! `plans`: by which zone rules the reminders of each task were planned.

use database::{Database, Error, Together, on, rows};
use event_schema::{TaskId, TaskReminders};
use event_store::{Projection, StreamChange, Tables, Trip, Way};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::domain::RemindersStream;

/// Keeps `plans`.
#[derive(Clone, Copy, Debug)]
pub struct Plans;

impl Projection for Plans {
    fn name(&self) -> &'static str {
        "plans"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["plans"]
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

/// The first tasks after one whose reminders were planned by older zone rules than these.
pub async fn planned_before(
    database: &Database,
    tzdb_version: &str,
    after: TaskId,
    limit: u16,
) -> Result<Vec<TaskId>, Error> {
    let mut tx = database.read().await?;
    let rows: Vec<(Uuid,)> = on!(&mut tx, conn => sqlx::query_as(
        "select task_id from plans where tzdb_version < $1 and task_id > $2 order by task_id limit $3 + 0"
    ).bind(tzdb_version).bind(after.as_uuid()).bind(i64::from(limit)).fetch_all(conn).await)?;
    Ok(rows.into_iter().map(|(id,)| TaskId(id)).collect())
}

/// Rules change once in months: of a plan that is there, nothing is written.
async fn apply(trip: &mut Trip<'_>, into: Tables, changes: &[StreamChange]) -> Result<(), Error> {
    let plans: Vec<&TaskReminders> = changes.iter().filter_map(rewritten).collect();
    if plans.is_empty() {
        return Ok(());
    }
    match trip.way() {
        Way::Postgres(together) => postgres(together, into, &plans),
        Way::Sqlite(conn) => {
            let upsert = "insert into plans{} as p (task_id, owner_id, tzdb_version) values {rows}
                              on conflict (task_id) do update set tzdb_version = excluded.tzdb_version
                           where p.tzdb_version <> excluded.tzdb_version";
            rows::execute(conn, &into.sql(upsert).0, &plans, |values, one| {
                values
                    .bind(one.task_id.as_uuid())
                    .bind(one.owner_id.as_uuid());
                values.bind(&*one.tzdb_version);
            })
            .await?;
        }
    }
    Ok(())
}

fn postgres(together: &mut Together, into: Tables, plans: &[&TaskReminders]) {
    let tasks = plans.iter().map(|one| one.task_id.as_uuid());
    let owners = plans.iter().map(|one| one.owner_id.as_uuid());
    let versions = plans.iter().map(|one| &*one.tzdb_version);
    together
        .part(
            "written_plans",
            into.sql(
                "insert into plans{} as p (task_id, owner_id, tzdb_version)
                 select * from unnest($1::uuid[], $2::uuid[], $3::text[])
                     on conflict (task_id) do update set tzdb_version = excluded.tzdb_version
                  where p.tzdb_version <> excluded.tzdb_version",
            ),
        )
        .bind(tasks.collect::<Vec<_>>())
        .bind(owners.collect::<Vec<_>>())
        .bind(versions.collect::<Vec<_>>());
}

/// A plan that no row stands for yet, as far as is known here.
fn rewritten(change: &StreamChange) -> Option<&TaskReminders> {
    let plan = change.state::<RemindersStream>()?;
    let before = change.before::<RemindersStream>();
    let stands = before.is_some_and(|before| before.tzdb_version == plan.tzdb_version);
    (!stands).then_some(plan)
}
