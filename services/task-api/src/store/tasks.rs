//! `tasks` and `task_labels`: what lists filter and sort by.

mod apply;
mod list;
mod occurrences;

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use database::{Database, Error, on};
use event_schema::TaskId;
use event_store::{Projection, StreamChange, Tables, Trip};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

pub use list::{Filter, Found, Place, Sort, list};
pub use occurrences::{
    Range, after_slot, has_parts, newest_finished_slot, newest_slot, of_series, open_of_series,
    open_of_user, open_with_parts,
};

/// The beginning of time: the first microsecond of the year 1.
pub(crate) const EVER: DateTime<Utc> =
    match DateTime::from_timestamp_micros(-62_135_596_800_000_000) {
        Some(at) => at,
        None => DateTime::<Utc>::MIN_UTC,
    };

/// The end of time: where tasks without a due stand.
pub(crate) const NEVER: DateTime<Utc> =
    match DateTime::from_timestamp_micros(253_402_300_799_999_999) {
        Some(at) => at,
        None => DateTime::<Utc>::MAX_UTC,
    };

/// Keeps `tasks` and `task_labels`.
#[derive(Clone, Copy, Debug)]
pub struct Tasks;

impl Projection for Tasks {
    fn name(&self) -> &'static str {
        "tasks"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["tasks", "task_labels"]
    }

    fn rules(&self) -> &'static str {
        recurrence::tzdb_version()
    }

    fn apply<'a>(
        &'a self,
        trip: &'a mut Trip<'_>,
        into: Tables,
        changes: &'a [StreamChange],
    ) -> BoxFuture<'a, Result<(), Error>> {
        apply::apply(trip, into, changes).boxed()
    }
}

/// How many levels of tasks there are from a task downwards, itself included; 6 stands for more.
pub async fn height(database: &Database, task: TaskId) -> Result<usize, Error> {
    let mut tx = database.read().await?;
    let (height,): (i64,) = on!(&mut tx, conn => sqlx::query_as(
        "with recursive below (task_id, level) as (
             select task_id, 1 from tasks where task_id = $1
              union
             select t.task_id, b.level + 1 from tasks t join below b on t.parent_id = b.task_id
              where b.level < 6)
         select cast(coalesce(max(level), 1) as bigint) from below"
    ).bind(task.as_uuid()).fetch_one(conn).await)?;
    Ok(usize::try_from(height).unwrap_or(1))
}
