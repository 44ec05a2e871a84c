//! Reading the tasks of a series.

use std::collections::BTreeSet;

use database::{Database, Error, on};
use event_schema::{SeriesId, Task, TaskId, UserId};
use event_store::{FoundHead, Recorded};
use recurrence::Slot;
use uuid::Uuid;

use crate::store::series;

/// Which of its slots, in order, and how many.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// From this slot on; a date is the beginning of its day.
    pub from: Slot,
    /// Behind this one.
    pub after: Option<Slot>,
    /// Up to this slot; a date is the end of its day.
    pub to: Option<Slot>,
    /// How many at most.
    pub limit: u16,
}

impl Range {
    /// Whether a slot lies in it.
    pub fn contains(&self, slot: Slot) -> bool {
        let is_behind = self.after.is_none_or(|after| after < slot);
        slot >= self.from && is_behind && self.to.is_none_or(|to| is_through(slot, to))
    }
}

fn is_through(slot: Slot, to: Slot) -> bool {
    match to {
        Slot::Date(date) => slot.date() <= date,
        Slot::Timed(_) => slot <= to,
    }
}

/// Tasks of a series, whatever became of them, in the order of their slots.
pub async fn of_series(
    database: &Database,
    series: SeriesId,
    range: &Range,
) -> Result<Vec<Recorded<Task>>, Error> {
    // No slot's text lies between a date and the date with a letter behind the T of its times.
    let to = range.to.map_or_else(
        || "U".to_owned(),
        |to| match to {
            Slot::Date(date) => format!("{date}U"),
            Slot::Timed(_) => to.to_string(),
        },
    );
    let mut tx = database.read().await?;
    let rows: Vec<FoundHead> = on!(&mut tx, conn => sqlx::query_as(
        "select s.stream_id, s.version, s.state, s.state_version
           from tasks t
           join stream s on s.kind = 'task' and s.stream_id = t.task_id
          where t.series_id = $1 and t.slot >= $2 and t.slot > $3 and t.slot <= $4
            and not t.withdrawn
          order by t.slot
          limit $5 + 0")
        .bind(series.as_uuid())
        .bind(range.from.to_string())
        .bind(range.after.map_or_else(String::new, |after| after.to_string()))
        .bind(to)
        .bind(i64::from(range.limit))
        .fetch_all(conn)
        .await)?;
    rows.iter().map(FoundHead::read).collect()
}

/// The open tasks of a series, in the order of their slots. There are as many as were let open at once;
/// beyond a thousand nobody looks.
pub async fn open_of_series(database: &Database, id: SeriesId) -> Result<Vec<TaskId>, Error> {
    let mut tx = database.read().await?;
    let rows: Vec<(Uuid,)> = on!(&mut tx, conn => sqlx::query_as(
        "select task_id from tasks
          where series_id = $1 and status = 'open' and trashed_at is null
          order by slot
          limit 1000")
        .bind(id.as_uuid())
        .fetch_all(conn)
        .await)?;
    Ok(rows.into_iter().map(|(id,)| TaskId(id)).collect())
}

/// Some open tasks of a user after another one.
pub async fn open_of_user(
    database: &Database,
    owner: UserId,
    after: TaskId,
    limit: u16,
) -> Result<Vec<TaskId>, Error> {
    let mut tx = database.read().await?;
    let rows: Vec<(Uuid,)> = on!(&mut tx, conn => sqlx::query_as(
        "select task_id from tasks
          where owner_id = $1 and status = 'open' and trashed_at is null and task_id > $2
          order by task_id
          limit $3 + 0")
        .bind(owner.as_uuid())
        .bind(after.as_uuid())
        .bind(i64::from(limit))
        .fetch_all(conn)
        .await)?;
    Ok(rows.into_iter().map(|(id,)| TaskId(id)).collect())
}

/// Which of the open tasks of a series have sub-tasks.
pub async fn open_with_parts(database: &Database, id: SeriesId) -> Result<BTreeSet<TaskId>, Error> {
    let mut tx = database.read().await?;
    let rows: Vec<(Uuid,)> = on!(&mut tx, conn => sqlx::query_as(
        "select t.task_id from tasks t
          where t.series_id = $1 and t.status = 'open' and t.trashed_at is null
            and exists (select 1 from tasks part where part.parent_id = t.task_id)
          limit 1000")
        .bind(id.as_uuid())
        .fetch_all(conn)
        .await)?;
    Ok(rows.into_iter().map(|(id,)| TaskId(id)).collect())
}

/// The newest slot of a series whose task is finished or thrown away.
pub async fn newest_finished_slot(
    database: &Database,
    id: SeriesId,
) -> Result<Option<Slot>, Error> {
    let mut tx = database.read().await?;
    let (slot,): (Option<String>,) = on!(&mut tx, conn => sqlx::query_as(
        "select max(slot) from tasks
          where series_id = $1 and not withdrawn and (status <> 'open' or trashed_at is not null)")
        .bind(id.as_uuid())
        .fetch_one(conn)
        .await)?;
    series::newest(id.as_uuid(), slot)
}

/// The first tasks of a series after a slot, whatever became of them, and whether they have sub-tasks.
/// One of them came because that slot was finished, if any did.
pub async fn after_slot(
    database: &Database,
    id: SeriesId,
    slot: &str,
) -> Result<Vec<(TaskId, bool)>, Error> {
    let mut tx = database.read().await?;
    let rows: Vec<(Uuid, bool)> = on!(&mut tx, conn => sqlx::query_as(
        "select t.task_id, exists (select 1 from tasks part where part.parent_id = t.task_id)
           from tasks t
          where t.series_id = $1 and t.slot > $2 and not t.withdrawn
          order by t.slot
          limit 8")
        .bind(id.as_uuid())
        .bind(slot)
        .fetch_all(conn)
        .await)?;
    Ok(rows
        .into_iter()
        .map(|(id, has_parts)| (TaskId(id), has_parts))
        .collect())
}

/// Whether a task has sub-tasks.
pub async fn has_parts(database: &Database, id: TaskId) -> Result<bool, Error> {
    let mut tx = database.read().await?;
    let (has,): (bool,) = on!(&mut tx, conn => sqlx::query_as(
        "select exists (select 1 from tasks where parent_id = $1)"
    ).bind(id.as_uuid()).fetch_one(conn).await)?;
    Ok(has)
}

/// The newest slot of a series that has a task.
pub async fn newest_slot(database: &Database, id: SeriesId) -> Result<Option<Slot>, Error> {
    let mut tx = database.read().await?;
    let (slot,): (Option<String>,) = on!(&mut tx, conn => sqlx::query_as(
        "select max(slot) from tasks where series_id = $1 and not withdrawn")
        .bind(id.as_uuid())
        .fetch_one(conn)
        .await)?;
    series::newest(id.as_uuid(), slot)
}
