//! What all commands on a task have in common.

use axum::http::StatusCode;
use event_schema::{Task, TaskId, UserId};
use event_store::{Answer, StreamRef, Unit};
use serde::Serialize;
use service_kit::extract::Call;

use super::task_view::TaskView;
use crate::domain::TaskStream;
use crate::domain::task::{self, Command};
use crate::error::Error;

/// A caller's command on one of their tasks.
#[derive(Clone, Debug)]
pub(super) struct OnTask {
    pub(super) task_id: TaskId,
    pub(super) owner: UserId,
    /// The version that the caller wants to change.
    pub(super) if_match: Option<u64>,
}

impl OnTask {
    pub(super) fn of(call: &Call, task_id: TaskId) -> Self {
        Self {
            task_id,
            owner: UserId(call.caller.user_id),
            if_match: call.if_match,
        }
    }

    /// The stream it is about.
    pub(super) fn stream(&self) -> StreamRef {
        StreamRef::of::<TaskStream>(self.task_id)
    }

    /// The task as the command finds it. A foreign one is not found.
    pub(super) fn find(&self, unit: &mut Unit<'_>) -> Result<Task, Error> {
        let task = unit.state::<TaskStream>(self.task_id);
        let task = task.filter(|task| task.owner_id == self.owner);
        let task = task.ok_or(Error::NotFound)?;
        let version = unit.version::<TaskStream>(self.task_id);
        if self.if_match.is_some_and(|wanted| wanted != version) {
            let view = TaskView::of(task, version, unit.now());
            return Err(Error::version_conflict(version, &view));
        }
        Ok(task)
    }

    /// Decides the command, appends what happens, and gives the task as it is then.
    pub(super) fn decide(&self, unit: &mut Unit<'_>, command: Command) -> Result<Task, Error> {
        let found = self.find(unit)?;
        for event in task::decide(Some(&found), command, unit.now())? {
            unit.append::<TaskStream>(self.task_id, &event);
        }
        Ok(unit.state::<TaskStream>(self.task_id).unwrap_or(found))
    }

    /// The task as the caller sees it now.
    pub(super) fn view(&self, unit: &mut Unit<'_>, task: Task) -> (u64, TaskView) {
        let version = unit.version::<TaskStream>(self.task_id);
        (version, TaskView::of(task, version, unit.now()))
    }
}

/// An answer with a body.
pub(super) fn answer(
    status: StatusCode,
    version: u64,
    body: &impl Serialize,
) -> Result<Answer, Error> {
    let body = serde_json::to_string(body).map_err(|error| Error::Unshowable(error.to_string()))?;
    Ok(Answer {
        status: status.as_u16(),
        etag: Some(version),
        location: None,
        body,
    })
}
