//! A task: what may be asked of it, and what happens then.

mod evolve;
mod place;
mod reminders;
mod update;
mod withdrawal;

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use event_schema::{
    Actor, After, Changed, Recurrence, ReminderId, Reply, SeriesId, Status, Task, TaskCancelled,
    TaskCompleted, TaskEvent, TaskId, TaskReminders, TaskReopened, TaskRestored, TaskSkipped,
    TaskTrashed, TaskUpdated, TimeValue,
};
use event_store::Aggregate;
use uuid::Uuid;

use super::fields::{self, Fault};

pub use evolve::evolve;
pub use place::{MAX_DEPTH, check_place};
pub(in crate::domain) use update::identified;
pub use update::{Edit, TaskPatch, WantedReminder};

/// The streams of tasks.
#[derive(Clone, Copy, Debug)]
pub struct TaskStream;

impl Aggregate for TaskStream {
    const KIND: &'static str = "task";

    type Events = TaskEvent;

    fn evolve(state: Option<Task>, event: &TaskEvent) -> Option<Task> {
        evolve(state, event)
    }

    fn partition_key(task: &Task) -> Uuid {
        task.id.as_uuid()
    }
}

/// What may be asked of a task.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Create it, once.
    Create(Box<Task>),
    /// Create it for a slot of a series, however often this is asked. One that was taken back comes
    /// again; one that is created as taken back never comes.
    CreateOccurrence(Box<Task>),
    /// Take it back, because the occurrence before it was opened again.
    Withdraw {
        /// That one, as it is now.
        after: After,
    },
    /// Another series begins when this occurrence is finished, wherever it stands now.
    LeadTo {
        /// The series.
        next: SeriesId,
        /// Its rule.
        recurrence: Recurrence,
    },
    /// Read its dates and floating times in a zone, if it is open and has any.
    ReadIn {
        /// An IANA name; UTC without one.
        home_zone: Option<String>,
    },
    /// Change fields of it.
    Update(Box<TaskPatch>),
    /// Move its due alone; an occurrence keeps its slot.
    Reschedule {
        /// When it should be done.
        due: TimeValue,
    },
    /// It is done.
    Complete {
        /// When, as the user says; not in the future.
        completed_at: DateTime<Utc>,
        /// Who did it.
        by: Actor,
    },
    /// It is not closed after all.
    Reopen,
    /// Pass over this occurrence.
    Skip {
        /// In the user's words.
        reason: Option<String>,
    },
    /// It will not be done.
    Cancel,
    /// Put it in the trash, where it may be already.
    Trash,
    /// Take it out of the trash.
    Restore,
    /// Say something to one of its reminders.
    Answer {
        /// The reminder.
        reminder_id: ReminderId,
        /// What is said.
        reply: Reply,
    },
    /// Take over what became of its reminders.
    FollowPlan {
        /// What the scheduler says.
        plan: Box<TaskReminders>,
        /// The version of what it says.
        version: u64,
    },
}

/// Why a task refuses a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// There is none.
    #[error("there is no such task")]
    NotFound,
    /// The id is taken, by whomever.
    #[error("there is a task {0} already")]
    AlreadyExists(TaskId),
    /// Its state does not allow it.
    #[error("task {id} is {state} and cannot be {wanted}")]
    IllegalTransition {
        /// The task.
        id: TaskId,
        /// Where it stands.
        state: &'static str,
        /// What was asked for.
        wanted: &'static str,
    },
    /// Only an occurrence can be skipped, or reaches further than itself.
    #[error("task {0} is no occurrence of a series")]
    NotRecurring(TaskId),
    /// It has no such reminder.
    #[error("there is no such reminder")]
    NoReminder,
    /// It has no time that could be answered so, or that one has not come yet.
    #[error("the reminder has not fired and cannot be {wanted}")]
    ReminderNotDue {
        /// What was asked for.
        wanted: &'static str,
    },
    /// Fields break rules.
    #[error("the task would break a rule")]
    Invalid(Vec<Fault>),
}

/// What happens when `command` is given to a task in `state`.
pub fn decide(
    state: Option<&Task>,
    command: Command,
    now: DateTime<Utc>,
) -> Result<Vec<TaskEvent>, TaskError> {
    let command = match (state, command) {
        (Some(task), Command::Create(_)) => return Err(TaskError::AlreadyExists(task.id)),
        (Some(task), Command::CreateOccurrence(made)) => {
            return withdrawal::create_again(task, *made, now);
        }
        (None, Command::Create(task) | Command::CreateOccurrence(task)) => return create(task),
        (_, command) => command,
    };
    let task = state.ok_or(TaskError::NotFound)?;
    match command {
        Command::Create(_) | Command::CreateOccurrence(_) => Ok(Vec::new()),
        Command::Withdraw { after } => Ok(withdrawal::withdraw(task, after, now)),
        Command::LeadTo { next, recurrence } => Ok(vec![lead_to(task, next, recurrence, now)]),
        Command::ReadIn { home_zone } => Ok(read_in(task, home_zone, now).into_iter().collect()),
        Command::Update(patch) => update::decide(task, *patch, now),
        Command::Reschedule { due } => reschedule(task, due, now),
        Command::Complete { completed_at, by } => complete(task, completed_at, by, now),
        Command::Reopen => reopen(task, now),
        Command::Skip { reason } => skip(task, reason, now),
        Command::Cancel => cancel(task, now),
        Command::Trash => Ok(trash(task, now)),
        Command::Restore => restore(task, now),
        Command::Answer { reminder_id, reply } => reminders::decide(task, reminder_id, reply, now),
        Command::FollowPlan { plan, version } => Ok(reminders::follow(task, &plan, version)),
    }
}

fn create(task: Box<Task>) -> Result<Vec<TaskEvent>, TaskError> {
    let faults = fields::check(&task);
    if !faults.is_empty() {
        return Err(TaskError::Invalid(faults));
    }
    Ok(vec![TaskEvent::Created(task)])
}

fn reschedule(
    task: &Task,
    due: TimeValue,
    now: DateTime<Utc>,
) -> Result<Vec<TaskEvent>, TaskError> {
    must_be_open(task, "rescheduled")?;
    let patch = TaskPatch {
        due: Edit::To(Some(due)),
        ..TaskPatch::default()
    };
    update::decide(task, patch, now).map_err(of_due)
}

/// Whatever does not fit the new due, as a fault of the due.
fn of_due(error: TaskError) -> TaskError {
    let TaskError::Invalid(faults) = error else {
        return error;
    };
    let of_due = |fault: Fault| Fault {
        message: format!(
            "does not fit {} of the task: {}",
            fault.pointer, fault.message
        ),
        pointer: "/due".to_owned(),
        ..fault
    };
    TaskError::Invalid(faults.into_iter().map(of_due).collect())
}

fn complete(
    task: &Task,
    completed_at: DateTime<Utc>,
    by: Actor,
    now: DateTime<Utc>,
) -> Result<Vec<TaskEvent>, TaskError> {
    must_be_open(task, "completed")?;
    if completed_at > now {
        let message = "must not be in the future";
        let fault = Fault::new("/completed_at", "in_the_future", message);
        return Err(TaskError::Invalid(vec![fault]));
    }
    Ok(vec![TaskEvent::Completed(TaskCompleted {
        status: changed(task.status, Status::Completed),
        completed_at: changed(task.completed_at, Some(completed_at)),
        completed_by: changed(task.completed_by, Some(by)),
        updated_at: now,
    })])
}

fn reopen(task: &Task, now: DateTime<Utc>) -> Result<Vec<TaskEvent>, TaskError> {
    if task.trashed_at.is_some() || task.status == Status::Open {
        return Err(illegal(task, "reopened"));
    }
    Ok(vec![TaskEvent::Reopened(TaskReopened {
        status: changed(task.status, Status::Open),
        completed_at: changed(task.completed_at, None),
        completed_by: changed(task.completed_by, None),
        updated_at: now,
    })])
}

fn skip(
    task: &Task,
    reason: Option<String>,
    now: DateTime<Utc>,
) -> Result<Vec<TaskEvent>, TaskError> {
    if task.series_id.is_none() {
        return Err(TaskError::NotRecurring(task.id));
    }
    must_be_open(task, "skipped")?;
    Ok(vec![TaskEvent::Skipped(TaskSkipped {
        status: changed(task.status, Status::Skipped),
        reason,
        updated_at: now,
    })])
}

fn read_in(task: &Task, home_zone: Option<String>, now: DateTime<Utc>) -> Option<TaskEvent> {
    let home_zone = Edit::To(home_zone).of(&task.home_zone);
    let changes = task.is_open() && task.floats() && home_zone.is_some();
    changes.then(|| {
        TaskEvent::Updated(Box::new(TaskUpdated {
            home_zone,
            updated_at: now,
            ..TaskUpdated::default()
        }))
    })
}

fn lead_to(task: &Task, next: SeriesId, recurrence: Recurrence, now: DateTime<Utc>) -> TaskEvent {
    TaskEvent::Updated(Box::new(TaskUpdated {
        next_series_id: Some(changed(task.next_series_id, Some(next))),
        recurrence: Edit::To(Some(recurrence)).of(&task.recurrence),
        updated_at: now,
        ..TaskUpdated::default()
    }))
}

fn cancel(task: &Task, now: DateTime<Utc>) -> Result<Vec<TaskEvent>, TaskError> {
    must_be_open(task, "cancelled")?;
    Ok(vec![TaskEvent::Cancelled(TaskCancelled {
        status: changed(task.status, Status::Cancelled),
        updated_at: now,
    })])
}

fn trash(task: &Task, now: DateTime<Utc>) -> Vec<TaskEvent> {
    if task.trashed_at.is_some() {
        return Vec::new();
    }
    vec![TaskEvent::Trashed(TaskTrashed {
        trashed_at: changed(None, Some(now)),
        withdrawn: None,
        updated_at: now,
    })]
}

fn restore(task: &Task, now: DateTime<Utc>) -> Result<Vec<TaskEvent>, TaskError> {
    if task.trashed_at.is_none() || task.is_withdrawn() {
        return Err(illegal(task, "restored"));
    }
    Ok(vec![TaskEvent::Restored(TaskRestored {
        trashed_at: changed(task.trashed_at, None),
        again: None,
        updated_at: now,
    })])
}

/// Refuses what only an open task can do.
pub fn must_be_open(task: &Task, wanted: &'static str) -> Result<(), TaskError> {
    if task.is_open() {
        Ok(())
    } else {
        Err(illegal(task, wanted))
    }
}

fn must_not_be_trashed(task: &Task, wanted: &'static str) -> Result<(), TaskError> {
    match task.trashed_at {
        None => Ok(()),
        Some(_) => Err(illegal(task, wanted)),
    }
}

fn illegal(task: &Task, wanted: &'static str) -> TaskError {
    let state = match (task.trashed_at, task.status) {
        _ if task.is_withdrawn() => "withdrawn until the occurrence before it is finished",
        (Some(_), _) => "in the trash",
        (None, Status::Open) => "open",
        (None, Status::Completed) => "completed",
        (None, Status::Cancelled) => "cancelled",
        (None, Status::Skipped) => "skipped",
    };
    TaskError::IllegalTransition {
        id: task.id,
        state,
        wanted,
    }
}

fn changed<T>(from: T, to: T) -> Changed<T> {
    Changed { from, to }
}
