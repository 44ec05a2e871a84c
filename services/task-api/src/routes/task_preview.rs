//! What a command on a task would do.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::{DateTime, Utc};
use event_schema::{Actor, Series, Task, TaskId, TimeValue, UserId};
use event_store::Recorded;
use serde::Deserialize;
use service_kit::Problem;
use service_kit::extract::{Call, Json, Path};
use slots::Finished;
use utoipa::ToSchema;

use super::fields::{Field, Reader, Unknown};
use super::reschedule::read_due;
use super::task_view::TaskView;
use super::tasks::find;
use super::time_value::TimeInput;
use super::transitions::{FINISHED_AGAIN, FinishedTask, NextOccurrence};
use crate::app::AppState;
use crate::domain::occurrence::{self, Following};
use crate::domain::task::{Command, decide, evolve};
use crate::domain::{Fault, SeriesStream, TaskStream, time};
use crate::error::Error;

/// A command to be tried.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(expecting = "an object")]
#[schema(example = json!({"action": "complete", "at": "2027-01-31T08:30:00Z"}))]
pub(super) struct PreviewTask {
    /// What would be done: `complete`, `skip`, `cancel` or `reschedule`.
    #[serde(default)]
    #[schema(value_type = ActionName, required = true)]
    action: Field<String>,
    /// When it would be done, also in the future; now when absent.
    #[serde(default)]
    #[schema(value_type = Option<DateTime<Utc>>)]
    at: Field<String>,
    /// When it should be done then: of `reschedule` alone, which needs it.
    #[serde(default)]
    #[schema(value_type = Option<TimeInput>)]
    due: Field<TimeInput>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: Unknown,
}

/// What would be done.
#[derive(Debug, serde::Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Action)]
enum ActionName {
    Complete,
    Skip,
    Cancel,
    Reschedule,
}

#[derive(Clone, Debug)]
enum Action {
    Complete,
    Skip,
    Cancel,
    Reschedule(TimeValue),
}

/// Preview a command on a task
///
/// Answers what `complete`, `skip` or `cancel` would answer at that time: the task as it would be, and
/// the occurrence that would follow. Of `reschedule` it is the task with the other due, and the occurrence
/// that would follow if it were finished at that time. Nothing is written.
#[utoipa::path(
    post, path = "/v1/tasks/{task_id}/preview", tag = "tasks", operation_id = "preview_task",
    params(("task_id" = Uuid, Path), ("if-match" = Option<String>, Header)),
    request_body = PreviewTask,
    responses(
        (status = 200, description = "What it would do", body = FinishedTask),
        (status = 409, description = "Its state does not allow this", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn preview_task(
    State(app): State<AppState>,
    call: Call,
    Path(task_id): Path<TaskId>,
    Json(body): Json<PreviewTask>,
) -> Result<Json<FinishedTask>, Error> {
    let now = app.clock.now();
    let (action, at) = body.read()?;
    let at = at.unwrap_or(now);
    let Recorded {
        version,
        state: task,
    } = find(&app, &call, task_id).await?;
    if call.if_match.is_some_and(|wanted| wanted != version) {
        let view = TaskView::of(task, version, now);
        return Err(Error::version_conflict(version, &view));
    }
    let by = Actor::User(UserId(call.caller.user_id));
    let events = decide(Some(&task), action.command(at, by), at)?;
    let version = version + events.len() as u64;
    let task = events
        .iter()
        .fold(Some(task), evolve)
        .ok_or(Error::NotFound)?;
    let following = following(&app, &task, version, at).await?;
    Ok(Json(FinishedTask {
        task: TaskView::of(task, version, at),
        next_occurrence: following.as_ref().map(NextOccurrence::from),
    }))
}

/// The occurrence that would follow. What the decision asks for is read, and the decision made again,
/// until it asks for nothing new: it looks at a bounded number of slots.
async fn following(
    app: &AppState,
    task: &Task,
    version: u64,
    at: DateTime<Utc>,
) -> Result<Option<Following>, Error> {
    let Some((series, finished)) = series_of(app, task, at).await? else {
        return Ok(None);
    };
    let mut known: BTreeMap<TaskId, Option<Task>> = BTreeMap::new();
    loop {
        let mut asked = Vec::new();
        let find = |id: TaskId| {
            known.get(&id).cloned().unwrap_or_else(|| {
                asked.push(id);
                None
            })
        };
        let found = if version >= FINISHED_AGAIN {
            occurrence::following_again(&series, finished, find)
        } else {
            occurrence::following(&series, finished, find)
        };
        if asked.is_empty() {
            return Ok(found);
        }
        for id in asked {
            let task = app.ledger.state::<TaskStream>(id).await?;
            known.insert(id, task.map(|task| task.state));
        }
    }
}

async fn series_of(
    app: &AppState,
    task: &Task,
    at: DateTime<Utc>,
) -> Result<Option<(Series, Finished)>, Error> {
    let slot = task.slot.as_deref().and_then(|slot| slot.parse().ok());
    let (Some(series_id), Some(slot)) = (task.leads_to(), slot) else {
        return Ok(None);
    };
    let finished = Finished {
        slot,
        index: occurrence::index_of(task),
        at,
    };
    let series = app.ledger.state::<SeriesStream>(series_id).await?;
    Ok(series.map(|series| (series.state, finished)))
}

impl Action {
    fn command(self, at: DateTime<Utc>, by: Actor) -> Command {
        match self {
            Self::Complete => Command::Complete {
                completed_at: at,
                by,
            },
            Self::Skip => Command::Skip { reason: None },
            Self::Cancel => Command::Cancel,
            Self::Reschedule(due) => Command::Reschedule { due },
        }
    }
}

impl ActionName {
    fn of(name: &str) -> Option<Self> {
        match name {
            "complete" => Some(Self::Complete),
            "skip" => Some(Self::Skip),
            "cancel" => Some(Self::Cancel),
            "reschedule" => Some(Self::Reschedule),
            _ => None,
        }
    }

    fn read(self, reader: &mut Reader, due: Field<TimeInput>) -> Option<Action> {
        let action = match self {
            Self::Complete => Action::Complete,
            Self::Skip => Action::Skip,
            Self::Cancel => Action::Cancel,
            Self::Reschedule => return read_due(reader, due).map(Action::Reschedule),
        };
        if !matches!(due, Field::Absent | Field::Null) {
            let message = "is for reschedule: leave it out, or preview that";
            reader.fault(Fault::new("/due", "reschedule_only", message));
        }
        Some(action)
    }
}

impl PreviewTask {
    fn read(self) -> Result<(Action, Option<DateTime<Utc>>), Error> {
        let mut reader = Reader::default();
        reader.unknown("", &self.unknown);
        let action = reader.required("/action", self.action);
        let expected = "complete, skip, cancel or reschedule";
        let action =
            action.and_then(|name| reader.parse("/action", &name, ActionName::of, expected));
        let action = action.and_then(|name| name.read(&mut reader, self.due));
        let at = reader.optional("/at", self.at);
        let expected = "an instant such as 2027-01-31T08:00:00Z";
        let at = at.and_then(|text| reader.parse("/at", &text, time::instant, expected));
        reader.finish()?;
        // An action that is not there has left a fault behind.
        action.map(|action| (action, at)).ok_or(Error::NotFound)
    }
}
