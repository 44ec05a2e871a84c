//! `reminders`: where each reminder is found, and when it is told next.

use chrono::{DateTime, Utc};
use database::{Database, Error, Together, on, rows};
use event_schema::{Reminder, ReminderId, Task, TaskId};
use event_store::{Projection, StreamChange, Tables, Trip, Way};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reminder_plan::{State, standing};
use sqlx::SqliteConnection;
use uuid::Uuid;

mod list;

pub use list::{Filter, Found, Place, list};

use crate::domain::TaskStream;

/// Keeps `reminders`.
#[derive(Clone, Copy, Debug)]
pub struct Reminders;

impl Projection for Reminders {
    fn name(&self) -> &'static str {
        "reminders"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["reminders"]
    }

    /// 2: what was taken back is cancelled.
    fn version(&self) -> u32 {
        2
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
        apply(trip, into, changes).boxed()
    }
}

/// The name of a state, in rows and answers.
pub fn state_name(state: State) -> &'static str {
    match state {
        State::Scheduled => "scheduled",
        State::Fired => "fired",
        State::Snoozed => "snoozed",
        State::Dismissed => "dismissed",
        State::Acknowledged => "acknowledged",
        State::Missed => "missed",
        State::Cancelled => "cancelled",
    }
}

/// The task that a reminder belongs to, whoever's it is.
pub async fn task_of(database: &Database, reminder: ReminderId) -> Result<Option<TaskId>, Error> {
    let mut tx = database.read().await?;
    let row: Option<(Uuid,)> = on!(&mut tx, conn => sqlx::query_as(
        "select task_id from reminders where reminder_id = $1"
    ).bind(reminder.as_uuid()).fetch_optional(conn).await)?;
    Ok(row.map(|(id,)| TaskId(id)))
}

#[derive(PartialEq)]
struct Row {
    reminder_id: Uuid,
    task_id: Uuid,
    owner_id: Uuid,
    state: &'static str,
    at: Option<DateTime<Utc>>,
    next_at: Option<DateTime<Utc>>,
}

/// A task that may have rows, and the reminders that it still has.
struct Older {
    task_id: Uuid,
    kept: Vec<Uuid>,
}

/// The rows of a task are written anew when one differs. A task that was created just now has none to
/// replace.
async fn apply(trip: &mut Trip<'_>, into: Tables, changes: &[StreamChange]) -> Result<(), Error> {
    let (mut older, mut rows) = (Vec::new(), Vec::new());
    for change in changes {
        let Some(task) = change.state::<TaskStream>() else {
            continue;
        };
        let wanted = rows_of(task);
        let before = change.before::<TaskStream>().map(rows_of);
        if before.as_ref() == Some(&wanted) {
            continue;
        }
        if change.version > 1 && before.is_none_or(|before| !before.is_empty()) {
            older.push(Older {
                task_id: task.id.as_uuid(),
                kept: wanted.iter().map(|row| row.reminder_id).collect(),
            });
        }
        rows.extend(wanted);
    }
    match trip.way() {
        Way::Postgres(together) => postgres(together, into, &older, &rows),
        Way::Sqlite(conn) => sqlite(conn, into, &older, &rows).await?,
    }
    Ok(())
}

fn rows_of(task: &Task) -> Vec<Row> {
    let row = |reminder: &Reminder| {
        let standing = standing(task, reminder);
        Row {
            reminder_id: reminder.id.as_uuid(),
            task_id: task.id.as_uuid(),
            owner_id: task.owner_id.as_uuid(),
            state: state_name(standing.state),
            // What is in the trash is in no list.
            at: standing.at.filter(|_| task.trashed_at.is_none()),
            next_at: standing.next_at,
        }
    };
    task.reminders.iter().map(row).collect()
}

/// What is gone and what is written are different rows: no part sees what another does. The reminders
/// that stay go as the text of an array: arrays of different lengths cannot be the elements of one.
fn postgres(together: &mut Together, into: Tables, older: &[Older], rows: &[Row]) {
    let kept = |task: &Older| {
        let ids: Vec<String> = task.kept.iter().map(Uuid::to_string).collect();
        format!("{{{}}}", ids.join(","))
    };
    if !older.is_empty() {
        together
            .part(
                "gone_reminders",
                into.sql(
                    "delete from reminders{} r
                      using unnest($1::uuid[], $2::text[]) as older (task_id, kept)
                      where r.task_id = older.task_id
                        and r.reminder_id <> all (older.kept::uuid[])",
                ),
            )
            .bind(older.iter().map(|task| task.task_id).collect::<Vec<_>>())
            .bind(older.iter().map(kept).collect::<Vec<_>>());
    }
    if rows.is_empty() {
        return;
    }
    let ids = |id: fn(&Row) -> Uuid| rows.iter().map(id).collect::<Vec<_>>();
    together
        .part(
            "written_reminders",
            into.sql(
                "insert into reminders{} (reminder_id, task_id, owner_id, state, at, next_at)
                 select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[],
                                      $5::timestamptz[], $6::timestamptz[])
                     on conflict (reminder_id, task_id) do update
                    set owner_id = excluded.owner_id, state = excluded.state, at = excluded.at,
                        next_at = excluded.next_at",
            ),
        )
        .bind(ids(|row| row.reminder_id))
        .bind(ids(|row| row.task_id))
        .bind(ids(|row| row.owner_id))
        .bind(rows.iter().map(|row| row.state).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.at).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.next_at).collect::<Vec<_>>());
}

async fn sqlite(
    conn: &mut SqliteConnection,
    into: Tables,
    older: &[Older],
    rows: &[Row],
) -> Result<(), Error> {
    let delete = "delete from reminders{} where task_id in (values {rows})";
    rows::execute(conn, &into.sql(delete).0, older, |values, task| {
        values.bind(task.task_id);
    })
    .await?;
    let insert = "insert into reminders{} (reminder_id, task_id, owner_id, state, at, next_at)
                  values {rows}";
    rows::execute(conn, &into.sql(insert).0, rows, |values, row| {
        values.bind(row.reminder_id).bind(row.task_id);
        values.bind(row.owner_id);
        values.bind(row.state).bind(row.at).bind(row.next_at);
    })
    .await?;
    Ok(())
}
