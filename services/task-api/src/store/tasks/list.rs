//! Reading pages of tasks.

use chrono::{DateTime, Utc};
use database::{Database, Error, on};
use event_schema::{Status, Task, TaskId, UserId};
use event_store::{FoundHead, Recorded};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{EVER, NEVER, apply};

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub enum Sort {
    /// The earliest due first; tasks without a due last.
    #[serde(rename = "due")]
    Due,
    /// The latest due first; tasks without a due last.
    #[serde(rename = "-due")]
    DueDescending,
    /// The oldest first.
    #[default]
    #[serde(rename = "created_at")]
    CreatedAt,
    /// The newest first.
    #[serde(rename = "-created_at")]
    CreatedAtDescending,
}

impl TryFrom<String> for Sort {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "due" => Ok(Self::Due),
            "-due" => Ok(Self::DueDescending),
            "created_at" => Ok(Self::CreatedAt),
            "-created_at" => Ok(Self::CreatedAtDescending),
            _ => Err("must be due, -due, created_at or -created_at"),
        }
    }
}

/// Which tasks, and how many.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Whose.
    pub owner: UserId,
    /// In the trash, or not.
    pub trashed: bool,
    /// Where they stand.
    pub status: Option<Status>,
    /// Their parent.
    pub parent: Option<TaskId>,
    /// A label they have.
    pub label: Option<String>,
    /// Due then or later.
    pub due_from: Option<DateTime<Utc>>,
    /// Due before then.
    pub due_before: Option<DateTime<Utc>>,
    /// Behind this place of the list.
    pub after: Option<Place>,
    /// Their order.
    pub sort: Sort,
    /// How many at most.
    pub limit: u16,
}

/// A place in a list: the sort key of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The order of the list; a place of another list is none.
    pub sort: Sort,
    rank: i16,
    at: DateTime<Utc>,
    id: Uuid,
}

/// A task of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The task.
    pub task: Task,
    /// Its version.
    pub version: u64,
    /// Where it stands in the list.
    pub place: Place,
}

#[derive(sqlx::FromRow)]
struct Row {
    task_id: Uuid,
    #[sqlx(flatten)]
    head: FoundHead,
    due_rank: i16,
    due_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
}

/// A list's text: what all have in common, then the place and the order.
macro_rules! list_sql {
    ($place_and_order:literal) => {
        concat!(
            "select t.task_id, s.stream_id, s.version, s.state, s.state_version, t.due_rank, t.due_at,
                    t.created_at
               from tasks t
               join stream s on s.kind = 'task' and s.stream_id = t.task_id
              where t.owner_id = $1
                and (t.trashed_at is not null) = $2 and not t.withdrawn
                and ($3 is null or t.status = $3)
                and ($4 is null or t.parent_id = $4)
                and ($5 is null or exists (select 1 from task_labels l
                                            where l.task_id = t.task_id and l.label = $5))
                and t.due_rank <= $6 and t.due_at >= $7 and t.due_at <= $8 and ",
            $place_and_order
        )
    };
}

const BY_DUE: &str = list_sql!(
    "(t.due_rank, t.due_at, t.task_id) > ($9, $10, $11)
      order by t.due_rank, t.due_at, t.task_id limit $12 + 0"
);
// Descending only within the tasks that have a due: the others stay last.
const BY_DUE_DESCENDING: &str = list_sql!(
    "(t.due_rank > $9 or (t.due_rank = $9 and (t.due_at, t.task_id) < ($10, $11)))
      order by t.due_rank, t.due_at desc, t.task_id desc limit $12 + 0"
);
const BY_CREATED_AT: &str = list_sql!(
    "$9 >= -1 and (t.created_at, t.task_id) > ($10, $11)
      order by t.created_at, t.task_id limit $12 + 0"
);
const BY_CREATED_AT_DESCENDING: &str = list_sql!(
    "$9 >= -1 and (t.created_at, t.task_id) < ($10, $11)
      order by t.created_at desc, t.task_id desc limit $12 + 0"
);

/// One page of a list.
pub async fn list(database: &Database, filter: &Filter) -> Result<Vec<Found>, Error> {
    let text = match filter.sort {
        Sort::Due => BY_DUE,
        Sort::DueDescending => BY_DUE_DESCENDING,
        Sort::CreatedAt => BY_CREATED_AT,
        Sort::CreatedAtDescending => BY_CREATED_AT_DESCENDING,
    };
    let after = filter.after.clone().unwrap_or_else(|| begin(filter.sort));
    let by_due = filter.due_from.is_some() || filter.due_before.is_some();
    // An exclusive bound, told to the microsecond that everything is stored with.
    let last = filter
        .due_before
        .map_or(NEVER, |before| before - chrono::TimeDelta::microseconds(1));
    let mut tx = database.read().await?;
    let rows: Vec<Row> = on!(&mut tx, conn => sqlx::query_as(text)
        .bind(filter.owner.as_uuid())
        .bind(filter.trashed)
        .bind(filter.status.map(apply::status))
        .bind(filter.parent.map(Uuid::from))
        .bind(filter.label.as_deref())
        .bind(i16::from(!by_due))
        .bind(filter.due_from.unwrap_or(EVER))
        .bind(last)
        .bind(after.rank)
        .bind(after.at)
        .bind(after.id)
        .bind(i64::from(filter.limit))
        .fetch_all(conn)
        .await)?;
    rows.into_iter()
        .map(|row| row.into_found(filter.sort))
        .collect()
}

/// The place before the first item.
fn begin(sort: Sort) -> Place {
    let (at, id) = match sort {
        Sort::Due | Sort::CreatedAt => (EVER, Uuid::nil()),
        Sort::DueDescending | Sort::CreatedAtDescending => (NEVER, Uuid::max()),
    };
    Place {
        sort,
        rank: -1,
        at,
        id,
    }
}

impl Row {
    fn into_found(self, sort: Sort) -> Result<Found, Error> {
        let at = match sort {
            Sort::Due | Sort::DueDescending => self.due_at,
            Sort::CreatedAt | Sort::CreatedAtDescending => self.created_at,
        };
        let Recorded { version, state } = self.head.read()?;
        Ok(Found {
            task: state,
            version,
            place: Place {
                sort,
                rank: self.due_rank,
                at,
                id: self.task_id,
            },
        })
    }
}
