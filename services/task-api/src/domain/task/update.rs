//! Changing fields of a task: only what really changes becomes part of the event.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use event_schema::{
    Changed, Priority, Reminder, ReminderId, Task, TaskEvent, TaskId, TaskUpdated, Terms,
    TimeValue, Trigger,
};

use super::{TaskError, evolve, must_not_be_trashed};
use crate::domain::fields::{self, Fault};

/// What a command wants of one field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Edit<T> {
    /// It stays.
    #[default]
    Keep,
    /// It becomes this.
    To(T),
}

impl<T> Edit<T> {
    /// The same wish about something made of the field.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Edit<U> {
        match self {
            Self::Keep => Edit::Keep,
            Self::To(to) => Edit::To(make(to)),
        }
    }
}

impl<T: Clone + PartialEq> Edit<T> {
    /// What the field is then.
    pub(in crate::domain) fn or(self, current: &T) -> T {
        match self {
            Self::Keep => current.clone(),
            Self::To(to) => to,
        }
    }

    /// The change it makes, if it makes one.
    pub(in crate::domain) fn of(self, current: &T) -> Option<Changed<T>> {
        match self {
            Self::To(to) if to != *current => Some(Changed {
                from: current.clone(),
                to,
            }),
            Self::To(_) | Self::Keep => None,
        }
    }
}

/// A reminder as a caller wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedReminder {
    /// Which of the task's reminders it is; a new or equal one without.
    pub id: Option<ReminderId>,
    /// The id of a new one.
    pub minted: ReminderId,
    /// When it fires.
    pub trigger: Trigger,
    /// How it is told.
    pub terms: Terms,
}

/// What a command wants of the fields of a task.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskPatch {
    /// The `title` of the task.
    pub title: Edit<String>,
    /// The `notes` of the task.
    pub notes: Edit<String>,
    /// The `priority` of the task.
    pub priority: Edit<Priority>,
    /// The `labels` of the task.
    pub labels: Edit<BTreeSet<String>>,
    /// The `start` of the task.
    pub start: Edit<Option<TimeValue>>,
    /// The `due` of the task.
    pub due: Edit<Option<TimeValue>>,
    /// The `deadline` of the task.
    pub deadline: Edit<Option<TimeValue>>,
    /// The `parent_id` of the task; see [`check_place`](super::check_place).
    pub parent_id: Edit<Option<TaskId>>,
    /// All `reminders` of the task.
    pub reminders: Edit<Vec<WantedReminder>>,
}

pub(super) fn decide(
    task: &Task,
    patch: TaskPatch,
    now: DateTime<Utc>,
) -> Result<Vec<TaskEvent>, TaskError> {
    must_not_be_trashed(task, "updated")?;
    let reminders = match patch.reminders {
        Edit::Keep => Edit::Keep,
        Edit::To(wanted) => {
            Edit::To(identified(&task.reminders, wanted).map_err(TaskError::Invalid)?)
        }
    };
    let updated = TaskUpdated {
        title: patch.title.of(&task.title),
        notes: patch.notes.of(&task.notes),
        priority: patch.priority.of(&task.priority),
        labels: patch.labels.of(&task.labels),
        start: patch.start.of(&task.start),
        due: patch.due.of(&task.due),
        deadline: patch.deadline.of(&task.deadline),
        parent_id: patch.parent_id.of(&task.parent_id),
        reminders: reminders.of(&task.reminders),
        updated_at: now,
        ..TaskUpdated::default()
    };
    let nothing = TaskUpdated {
        updated_at: now,
        ..TaskUpdated::default()
    };
    if updated == nothing {
        return Ok(Vec::new());
    }
    let event = TaskEvent::Updated(Box::new(updated));
    let faults =
        evolve(Some(task.clone()), &event).map_or_else(Vec::new, |task| fields::check(&task));
    if faults.is_empty() {
        Ok(vec![event])
    } else {
        Err(TaskError::Invalid(faults))
    }
}

/// Gives every wanted reminder its identity: the one it names, that of an equal one, or a new one.
pub(in crate::domain) fn identified(
    known: &[Reminder],
    wanted: Vec<WantedReminder>,
) -> Result<Vec<Reminder>, Vec<Fault>> {
    let named: BTreeSet<ReminderId> = wanted.iter().filter_map(|wanted| wanted.id).collect();
    let mut taken = BTreeSet::new();
    let mut faults = Vec::new();
    let mut reminders = Vec::new();
    for (index, wanted) in wanted.into_iter().enumerate() {
        let id = if let Some(id) = wanted.id {
            let is_ours = known.iter().any(|known| known.id == id);
            if !is_ours || taken.contains(&id) {
                faults.push(unknown(index, is_ours));
            }
            id
        } else {
            let equal = known.iter().find(|known| {
                known.trigger == wanted.trigger
                    && !named.contains(&known.id)
                    && !taken.contains(&known.id)
            });
            equal.map_or(wanted.minted, |known| known.id)
        };
        taken.insert(id);
        let before = known.iter().find(|known| known.id == id);
        let kept = before.map_or_else(
            || Reminder::new(id, wanted.trigger.clone()),
            Reminder::clone,
        );
        reminders.push(Reminder {
            trigger: wanted.trigger,
            terms: wanted.terms,
            ..kept
        });
    }
    if faults.is_empty() {
        Ok(reminders)
    } else {
        Err(faults)
    }
}

fn unknown(index: usize, is_ours: bool) -> Fault {
    let pointer = format!("/reminders/{index}/id");
    if is_ours {
        Fault::new(pointer, "duplicate", "is named twice")
    } else {
        Fault::new(
            pointer,
            "unknown_reminder",
            "is none of the reminders that are there",
        )
    }
}
