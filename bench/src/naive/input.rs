//! What callers send.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use event_schema::{Actor, Priority, Task, TaskId, TimeValue, UserId};
use serde::Deserialize;
use task_api::domain::task::{Edit, TaskPatch};
use uuid::Uuid;

/// A task to be created.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTask {
    pub(super) id: Option<Uuid>,
    title: String,
    #[serde(default)]
    notes: String,
    #[serde(default)]
    priority: Priority,
    #[serde(default)]
    labels: BTreeSet<String>,
    due: Option<TimeValue>,
}

/// What shall change about a task.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskChange {
    title: Option<String>,
    notes: Option<String>,
    priority: Option<Priority>,
}

impl NewTask {
    pub(super) fn into_task(self, id: Uuid, owner: UserId, now: DateTime<Utc>) -> Task {
        Task {
            notes: self.notes,
            priority: self.priority,
            labels: self.labels,
            due: self.due,
            ..Task::new(TaskId(id), owner, self.title, Actor::User(owner), now)
        }
    }
}

impl TaskChange {
    pub(super) fn into_patch(self) -> TaskPatch {
        TaskPatch {
            title: edit(self.title),
            notes: edit(self.notes),
            priority: edit(self.priority),
            ..TaskPatch::default()
        }
    }
}

fn edit<T>(wanted: Option<T>) -> Edit<T> {
    wanted.map_or(Edit::Keep, Edit::To)
}
