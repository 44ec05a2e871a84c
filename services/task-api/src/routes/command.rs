//! What all commands on a task, and all on a series, have in common.

use axum::http::StatusCode;
use event_schema::{Series, SeriesId, Task, TaskId, UserId};
use event_store::{Answer, StreamRef, Unit};
use recurrence::Slot;
use serde::Serialize;
use service_kit::extract::Call;

use super::preferences;
use super::series_view::SeriesView;
use super::task_view::TaskView;
use crate::app::AppState;
use crate::domain::task::{self, Command};
use crate::domain::{SeriesStream, TaskStream, occurrence, series};
use crate::error::Error;
use crate::store::tasks;

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
        let revision = task.revision(version);
        if self.if_match.is_some_and(|wanted| wanted != revision) {
            let view = TaskView::of(task, version, unit.now());
            return Err(Error::version_conflict(revision, &view));
        }
        Ok(task)
    }

    /// Decides the command, appends what happens, and gives the task as it is then.
    pub(super) fn decide(&self, unit: &mut Unit<'_>, command: Command) -> Result<Task, Error> {
        let found = self.find(unit)?;
        let may_float = matches!(
            command,
            Command::Update(_) | Command::Reschedule { .. } | Command::Reopen | Command::Restore
        );
        for event in task::decide(Some(&found), command, unit.now())? {
            unit.append::<TaskStream>(self.task_id, &event);
        }
        let task = unit.state::<TaskStream>(self.task_id).unwrap_or(found);
        if !may_float || !task.floats() {
            return Ok(task);
        }
        // One that did not float, or was closed, has not followed its owner.
        let home_zone = preferences::home_zone(unit, self.owner);
        for event in task::decide(Some(&task), Command::ReadIn { home_zone }, unit.now())? {
            unit.append::<TaskStream>(self.task_id, &event);
        }
        Ok(unit.state::<TaskStream>(self.task_id).unwrap_or(task))
    }

    /// The task as the caller sees it now, with its revision.
    pub(super) fn view(&self, unit: &mut Unit<'_>, task: Task) -> (u64, TaskView) {
        let version = unit.version::<TaskStream>(self.task_id);
        (
            task.revision(version),
            TaskView::of(task, version, unit.now()),
        )
    }
}

/// A caller's command on one of their series.
#[derive(Clone, Debug)]
pub(super) struct OnSeries {
    pub(super) series_id: SeriesId,
    owner: UserId,
    /// The version that the caller wants to change.
    if_match: Option<u64>,
    /// Its newest slot that had a task before the command.
    newest: Option<Slot>,
    /// Its open tasks before the command.
    open: Vec<TaskId>,
}

impl OnSeries {
    /// Reads which occurrences there are. What comes to be until the command is decided is found then.
    pub(super) async fn of(
        app: &AppState,
        call: &Call,
        series_id: SeriesId,
    ) -> Result<Self, Error> {
        let database = app.ledger.rows("tasks")?;
        let newest = tasks::newest_slot(database, series_id).await?;
        Ok(Self {
            series_id,
            owner: UserId(call.caller.user_id),
            if_match: call.if_match,
            newest,
            open: tasks::open_of_series(database, series_id).await?,
        })
    }

    /// The same for a command that wants a version of one of its tasks.
    pub(super) async fn of_any_version(
        app: &AppState,
        call: &Call,
        series_id: SeriesId,
    ) -> Result<Self, Error> {
        let if_match = None;
        let target = Self::of(app, call, series_id).await?;
        Ok(Self { if_match, ..target })
    }

    /// The streams it is about.
    pub(super) fn streams(&self) -> Vec<StreamRef> {
        let tasks = self.open.iter().map(|id| StreamRef::of::<TaskStream>(*id));
        let series = StreamRef::of::<SeriesStream>(self.series_id);
        std::iter::once(series).chain(tasks).collect()
    }

    /// Decides the command, appends what happens, and gives the series as it is then.
    pub(super) fn decide(
        &self,
        unit: &mut Unit<'_>,
        command: series::Command,
    ) -> Result<Series, Error> {
        let found = self.find(unit)?;
        for event in series::decide(Some(&found), command, unit.now())? {
            unit.append::<SeriesStream>(self.series_id, &event);
        }
        Ok(unit.state::<SeriesStream>(self.series_id).unwrap_or(found))
    }

    /// The series as the command finds it. A foreign one is not found.
    pub(super) fn find(&self, unit: &mut Unit<'_>) -> Result<Series, Error> {
        let series = unit.state::<SeriesStream>(self.series_id);
        let series = series.filter(|series| series.owner_id == self.owner);
        let series = series.ok_or(Error::NoSeries)?;
        let version = unit.version::<SeriesStream>(self.series_id);
        if self.if_match.is_some_and(|wanted| wanted != version) {
            let view = SeriesView::of(series, version, self.newest, unit.now());
            return Err(Error::version_conflict(version, &view));
        }
        Ok(series)
    }

    /// Its open occurrences, the one that leads over to it and those that came to be since the command was read included.
    pub(super) fn open_tasks(&self, unit: &mut Unit<'_>, series: &Series) -> Vec<Task> {
        let tasks = self
            .open
            .iter()
            .filter_map(|id| unit.state::<TaskStream>(*id));
        let mut tasks: Vec<Task> = tasks.collect();
        tasks.extend(self.newer(unit, series).into_iter().map(|(_, task)| task));
        tasks.extend(leading(unit, series));
        tasks.retain(Task::is_open);
        tasks
    }

    /// The newest slot of those that lead over, were open when the command was read, or came since, and are not.
    pub(super) fn newest_finished(&self, unit: &mut Unit<'_>, series: &Series) -> Option<Slot> {
        let known = self
            .open
            .iter()
            .filter_map(|id| unit.state::<TaskStream>(*id));
        let mut tasks: Vec<Task> = known.collect();
        tasks.extend(self.newer(unit, series).into_iter().map(|(_, task)| task));
        tasks.extend(leading(unit, series));
        let finished = tasks.iter().filter(|task| !task.is_open());
        finished
            .filter_map(|task| task.slot.as_deref()?.parse().ok())
            .max()
    }

    fn newer(&self, unit: &mut Unit<'_>, series: &Series) -> Vec<(Slot, Task)> {
        let newer = occurrence::known_through(series, self.newest)
            .map(|newest| occurrence::newer(series, newest, |id| unit.state::<TaskStream>(id)));
        newer.unwrap_or_default()
    }

    /// Its newest slot that has a task.
    pub(super) fn newest(&self, unit: &mut Unit<'_>, series: &Series) -> Option<Slot> {
        let newer = self.newer(unit, series).last().map(|(slot, _)| *slot);
        newer.or_else(|| occurrence::known_through(series, self.newest))
    }

    /// The series as the caller sees it now.
    pub(super) fn answer(&self, unit: &mut Unit<'_>) -> Result<Answer, Error> {
        let series = unit
            .state::<SeriesStream>(self.series_id)
            .ok_or(Error::NoSeries)?;
        let version = unit.version::<SeriesStream>(self.series_id);
        let newest = self.newest(unit, &series);
        let view = SeriesView::of(series, version, newest, unit.now());
        answer(StatusCode::OK, version, &view)
    }
}

/// The occurrence that leads over to a series, while it still does.
fn leading(unit: &mut Unit<'_>, series: &Series) -> Option<Task> {
    let id = series.begins_after.as_ref()?.task_id;
    unit.state::<TaskStream>(id)
        .filter(|task| task.next_series_id == Some(series.id))
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
