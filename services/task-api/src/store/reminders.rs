//! `reminders`: where each reminder is found, and when it is told next.

use chrono::{DateTime, Utc};
use database::{Database, Error, Tx, on, rows};
use event_schema::{Reminder, ReminderId, Task, TaskId};
use event_store::{Projection, StreamChange, Tables};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reminder_plan::{State, standing};
use sqlx::{PgConnection, SqliteConnection};
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
        tx: &'a mut Tx,
        into: Tables,
        changes: &'a [StreamChange],
    ) -> BoxFuture<'a, Result<(), Error>> {
        apply(tx, into, changes).boxed()
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

/// The rows of a task are written anew when one differs. A task that was created just now has none to
/// replace.
async fn apply(tx: &mut Tx, into: Tables, changes: &[StreamChange]) -> Result<(), Error> {
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
            older.push(task.id.as_uuid());
        }
        rows.extend(wanted);
    }
    match tx {
        Tx::Postgres(tx) => postgres(tx, into, &older, &rows).await,
        Tx::Sqlite(tx) => sqlite(tx, into, &older, &rows).await,
    }
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

async fn postgres(
    conn: &mut PgConnection,
    into: Tables,
    older: &[Uuid],
    rows: &[Row],
) -> Result<(), Error> {
    if !older.is_empty() {
        sqlx::query(into.sql("delete from reminders{} where task_id = any($1)"))
            .bind(older)
            .execute(&mut *conn)
            .await?;
    }
    if rows.is_empty() {
        return Ok(());
    }
    let ids = |id: fn(&Row) -> Uuid| rows.iter().map(id).collect::<Vec<_>>();
    sqlx::query(into.sql(
        "insert into reminders{} (reminder_id, task_id, owner_id, state, at, next_at)
         select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[],
                              $6::timestamptz[])",
    ))
    .bind(ids(|row| row.reminder_id))
    .bind(ids(|row| row.task_id))
    .bind(ids(|row| row.owner_id))
    .bind(rows.iter().map(|row| row.state).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.at).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.next_at).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

async fn sqlite(
    conn: &mut SqliteConnection,
    into: Tables,
    older: &[Uuid],
    rows: &[Row],
) -> Result<(), Error> {
    let delete = "delete from reminders{} where task_id in (values {rows})";
    rows::execute(conn, &into.sql(delete).0, older, |values, id| {
        values.bind(*id);
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
