//! What is kept of a task: as little as notifications need to be true.

use chrono::{DateTime, Utc};
use event_schema::{Task, TaskSeen, TaskWatch, WatchEvent};
use event_store::Aggregate;
use uuid::Uuid;

/// The streams of watched tasks, named by the task.
#[derive(Clone, Copy, Debug)]
pub struct WatchStream;

/// What is worth keeping of a newer version of a task.
///
/// Nothing of a task as it was created: a reminder brings title and due with it. So only tasks that
/// are closed, or change while they have a reminder, have a stream.
pub fn decide(state: Option<&TaskWatch>, version: u64, task: &Task) -> Vec<WatchEvent> {
    let closed_at = closed_at(state, task);
    let is_shown = !task.reminders.is_empty();
    let known = match state {
        None => closed_at.is_none() && (version == 1 || !is_shown),
        Some(watch) => {
            let shows_it = !is_shown || (watch.title == task.title && watch.due == task.due);
            watch.task_version >= version || (shows_it && watch.closed_at == closed_at)
        }
    };
    if known {
        return Vec::new();
    }
    vec![WatchEvent::TaskSeen(TaskSeen {
        task_id: task.id,
        owner_id: task.owner_id,
        task_version: version,
        title: task.title.clone(),
        due: task.due.clone(),
        closed_at,
    })]
}

/// Since when the task is closed, as far as we know: a later change of a closed task does not close
/// it again.
fn closed_at(state: Option<&TaskWatch>, task: &Task) -> Option<DateTime<Utc>> {
    let known = state.and_then(|watch| watch.closed_at);
    (!task.is_open()).then(|| known.unwrap_or(task.updated_at))
}

impl Aggregate for WatchStream {
    const KIND: &'static str = "watched-task";

    type Events = WatchEvent;

    fn evolve(_state: Option<TaskWatch>, event: &WatchEvent) -> Option<TaskWatch> {
        let WatchEvent::TaskSeen(seen) = event;
        Some(TaskWatch {
            task_id: seen.task_id,
            owner_id: seen.owner_id,
            task_version: seen.task_version,
            title: seen.title.clone(),
            due: seen.due.clone(),
            closed_at: seen.closed_at,
        })
    }

    fn partition_key(watch: &TaskWatch) -> Uuid {
        watch.task_id.as_uuid()
    }
}

#[cfg(test)]
mod tests {
    use test_support::fixture::{self, TaskStory};

    use super::*;

    /// The watch after having seen the story's last version.
    fn seen(state: Option<TaskWatch>, story: &TaskStory) -> Option<TaskWatch> {
        let events = decide(state.as_ref(), story.version(), story.state());
        events.iter().fold(state, WatchStream::evolve)
    }

    #[test]
    fn a_new_task_is_not_kept() {
        let story = fixture::task("Pay rent").created();
        assert_eq!(seen(None, &story), None);
    }

    #[test]
    fn a_changed_title_is_kept_when_there_is_a_reminder_to_show_it() {
        let story = fixture::task("Pay rent").created().renamed("Pay the rent");
        assert_eq!(seen(None, &story), None);

        let watch = seen(None, &story.reminder(-600)).unwrap();
        assert_eq!(watch.title, "Pay the rent");
        assert_eq!(watch.closed_at, None);
    }

    #[test]
    fn a_task_is_closed_when_it_was_first_closed() {
        let completed = fixture::task("Pay rent").created().completed();
        let closed_at = completed.state().updated_at;

        let watch = seen(None, &completed);
        let watch = seen(watch, &completed.renamed("Paid the rent").trashed());

        assert_eq!(watch.unwrap().closed_at, Some(closed_at));
    }

    #[test]
    fn a_reopened_task_is_not_closed() {
        let completed = fixture::task("Pay rent").created().completed();
        let watch = seen(None, &completed);
        let watch = seen(watch, &completed.reopened());
        assert_eq!(watch.unwrap().closed_at, None);
    }

    #[test]
    fn what_does_not_show_in_a_notification_is_not_kept() {
        let story = fixture::task("Pay rent").created().completed();
        let watch = seen(None, &story);

        let later = story.reminder(-600);

        assert!(decide(watch.as_ref(), later.version(), later.state()).is_empty());
    }
}
