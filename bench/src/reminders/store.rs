//! What became of each reminder, as the ledgers of three services tell.

use std::collections::HashSet;

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use database::{Database, Error, on, sqlx};
use event_schema::App;
use serde_json::Value;

/// What a reminder that is due brings about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// reminder-scheduler has fired it.
    Fired,
    /// notifier has put it into the user's inbox.
    Told,
    /// task-api shows it on the task.
    Shown,
}

/// The lateness of each event of an effect, those that repeat another, and those that are early.
#[derive(Debug, Default)]
pub(super) struct Lateness {
    pub(super) of_each: Vec<TimeDelta>,
    pub(super) repeated: usize,
    pub(super) early: usize,
}

impl Effect {
    pub(super) const ALL: [Self; 3] = [Self::Fired, Self::Told, Self::Shown];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Told => "told",
            Self::Shown => "shown",
        }
    }

    pub(super) fn service(self) -> App {
        match self {
            Self::Fired => App::ReminderScheduler,
            Self::Told => App::Notifier,
            Self::Shown => App::TaskApi,
        }
    }

    fn event_type(self) -> &'static str {
        match self {
            Self::Fired => "reminder.fired.v1",
            Self::Told => "notification.created.v1",
            Self::Shown => "task.reminders-told.v1",
        }
    }

    /// How many there are so far.
    pub(super) async fn count(self, ledger: &Database) -> Result<i64, Error> {
        let mut tx = ledger.read().await?;
        let (count,): (i64,) = on!(&mut tx, conn => sqlx::query_as(
            "select count(*) from event where type = $1"
        ).bind(self.event_type()).fetch_one(conn).await)?;
        Ok(count)
    }

    /// How late each of them was written.
    pub(super) async fn lateness(self, ledger: &Database) -> anyhow::Result<Lateness> {
        let mut tx = ledger.read().await?;
        let rows: Vec<(String, DateTime<Utc>)> = on!(&mut tx, conn => sqlx::query_as(
            "select envelope, recorded_at from event where type = $1 order by position"
        ).bind(self.event_type()).fetch_all(conn).await)?;
        let mut found = Lateness::default();
        let mut tasks = HashSet::new();
        for (envelope, recorded_at) in rows {
            let envelope: Value = serde_json::from_str(&envelope)?;
            let (task, due_at) = self.about(&envelope).context("the event tells no time")?;
            found.repeated += usize::from(!tasks.insert(task));
            found.early += usize::from(recorded_at < due_at);
            found.of_each.push(recorded_at - due_at);
        }
        Ok(found)
    }

    /// Which task it is about, and when it was due. Each task has one reminder.
    fn about(self, envelope: &Value) -> Option<(String, DateTime<Utc>)> {
        let data = &envelope["data"];
        let (task, due_at) = match self {
            Self::Fired => (
                &data["reminders"]["task_id"],
                &data["change"]["scheduled_for"],
            ),
            Self::Told => {
                let notification = &data["notification"];
                (&notification["task_id"], &notification["scheduled_for"])
            }
            Self::Shown => {
                let task = &data["task"];
                let trigger = &task["reminders"][0]["trigger"];
                (&task["id"], &trigger["at"]["instant"])
            }
        };
        Some((task.as_str()?.to_owned(), due_at.as_str()?.parse().ok()?))
    }
}
