//! Reading pages of reminders.

use chrono::{DateTime, TimeDelta, Utc};
use database::{Database, Error, on};
use event_schema::{Reminder, Task, UserId};
use event_store::{FoundHead, Recorded};
use reminder_plan::State;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::state_name;
use crate::store::tasks::{EVER, NEVER};

/// Which reminders, in the order of the times that they stand for, and how many.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Whose.
    pub owner: UserId,
    /// How they stand; without it, those that are still to be told.
    pub state: Option<State>,
    /// Their time is then or later.
    pub from: Option<DateTime<Utc>>,
    /// Their time is before then.
    pub before: Option<DateTime<Utc>>,
    /// Behind this place of the list.
    pub after: Option<Place>,
    /// How many at most.
    pub limit: u16,
}

/// A place in a list: the time that a reminder stands for, and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    at: DateTime<Utc>,
    id: Uuid,
}

/// A reminder of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Where it stands in the list.
    pub place: Place,
    /// Its task.
    pub task: Recorded<Task>,
}

impl Found {
    /// The reminder itself. Its task has it: row and stream are written in one transaction.
    pub fn reminder(&self) -> Option<&Reminder> {
        let of_row = |reminder: &&Reminder| reminder.id.as_uuid() == self.place.id;
        self.task.state.reminders.iter().find(of_row)
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    reminder_id: Uuid,
    at: DateTime<Utc>,
    #[sqlx(flatten)]
    head: FoundHead,
}

/// A list's text: what both have in common, then what leads into the index of one.
macro_rules! list_sql {
    ($condition:literal) => {
        concat!(
            "select r.reminder_id, r.at, s.stream_id, s.version, s.state, s.state_version
               from reminders r
               join stream s on s.kind = 'task' and s.stream_id = r.task_id
              where r.owner_id = $1 and ",
            $condition
        )
    };
}

// While a reminder is still to be told, that is the time it stands for.
const UPCOMING: &str = list_sql!(
    "cast($2 as text) is null and r.next_at is not null and r.next_at >= $3 and r.next_at <= $4
     and (r.next_at, r.reminder_id) > ($5, $6)
     order by r.next_at, r.reminder_id limit $7 + 0"
);
const OF_STATE: &str = list_sql!(
    "r.state = $2 and r.at is not null and r.at >= $3 and r.at <= $4
     and (r.at, r.reminder_id) > ($5, $6)
     order by r.at, r.reminder_id limit $7 + 0"
);

/// One page of a list.
pub async fn list(database: &Database, filter: &Filter) -> Result<Vec<Found>, Error> {
    let text = filter.state.map_or(UPCOMING, |_| OF_STATE);
    // An exclusive bound, told to the microsecond that everything is stored with.
    let last = filter
        .before
        .map_or(NEVER, |before| before - TimeDelta::microseconds(1));
    let after = filter.after.unwrap_or(Place {
        at: EVER,
        id: Uuid::nil(),
    });
    let mut tx = database.read().await?;
    let rows: Vec<Row> = on!(&mut tx, conn => sqlx::query_as(text)
        .bind(filter.owner.as_uuid())
        .bind(filter.state.map(state_name))
        .bind(filter.from.unwrap_or(EVER))
        .bind(last)
        .bind(after.at)
        .bind(after.id)
        .bind(i64::from(filter.limit))
        .fetch_all(conn)
        .await)?;
    rows.into_iter().map(Row::into_found).collect()
}

impl Row {
    fn into_found(self) -> Result<Found, Error> {
        Ok(Found {
            place: Place {
                at: self.at,
                id: self.reminder_id,
            },
            task: self.head.read()?,
        })
    }
}
