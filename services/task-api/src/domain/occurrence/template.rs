//! What a changed template changes about an occurrence that is there already.

use event_schema::{Reminder, Series, Task};
use recurrence::Slot;
use reminder_plan::time_of;

use super::{Turn, task_of};
use crate::domain::task::{Edit, TaskPatch, WantedReminder};

/// The change that brings an open occurrence up to its series: every field that is still as `before`
/// made it becomes as `after` makes it; what its owner changed stays. `None` when nothing does.
pub fn follow_template(task: &Task, before: &Series, after: &Series) -> Option<TaskPatch> {
    let slot: Slot = task.slot.as_deref()?.parse().ok()?;
    let turn = Turn {
        slot,
        index: task.occurrence_index?,
        missed_count: task.missed_count,
    };
    let made = |series: &Series| {
        task_of(
            series,
            turn,
            task.parent_id,
            task.created_by,
            task.created_at,
        )
    };
    let (before, after) = (made(before), made(after));
    let mut patch = TaskPatch {
        title: moved(&task.title, &before.title, after.title),
        notes: moved(&task.notes, &before.notes, after.notes),
        priority: moved(&task.priority, &before.priority, after.priority),
        labels: moved(&task.labels, &before.labels, after.labels),
        start: moved(&task.start, &before.start, after.start),
        deadline: moved(&task.deadline, &before.deadline, after.deadline),
        ..TaskPatch::default()
    };
    patch.reminders = reminders(task, &patch, &before.reminders, after.reminders);
    (patch != TaskPatch::default()).then_some(patch)
}

fn moved<T: Clone + PartialEq>(current: &T, before: &T, after: T) -> Edit<T> {
    if current == before && *before != after {
        Edit::To(after)
    } else {
        Edit::Keep
    }
}

/// What is carried over is the template's, the rest the task's own. One whose anchor the task has no
/// more is left out.
fn reminders(
    task: &Task,
    patch: &TaskPatch,
    before: &[Reminder],
    after: Vec<Reminder>,
) -> Edit<Vec<WantedReminder>> {
    let is_carried = |reminder: &&Reminder| reminder.carries_over();
    let own = task.reminders.iter().filter(is_carried).map(Reminder::wish);
    if own.ne(before.iter().cloned()) || before == after {
        return Edit::Keep;
    }
    let then = Task {
        start: patch.start.clone().or(&task.start),
        deadline: patch.deadline.clone().or(&task.deadline),
        ..task.clone()
    };
    let fires = |reminder: &Reminder| matches!(time_of(&then, &reminder.trigger), Ok(Some(_)));
    let rest = task
        .reminders
        .iter()
        .filter(|reminder| !is_carried(reminder));
    let wanted = after
        .into_iter()
        .filter(fires)
        .map(|reminder| (None, reminder));
    let kept = rest.map(|reminder| (Some(reminder.id), reminder.clone()));
    let all = wanted.chain(kept).map(|(id, reminder)| WantedReminder {
        id,
        minted: reminder.id,
        trigger: reminder.trigger,
        terms: reminder.terms,
    });
    Edit::To(all.take(crate::domain::fields::MAX_REMINDERS).collect())
}

#[cfg(test)]
mod tests {
    use event_schema::{Anchor, Priority, ReminderId, TimeValue, Trigger};
    use uuid::Uuid;

    use super::*;
    use crate::domain::occurrence::fixtures::{self, date, now};
    use crate::domain::task::{Command, decide, evolve};
    use crate::domain::time;

    fn series() -> Series {
        let start = TimeValue::Local {
            local: time::local("2027-01-31T09:00").unwrap(),
            time_zone: "Europe/Berlin".to_owned(),
        };
        fixtures::series("FREQ=MONTHLY", start)
    }

    fn occurrence(series: &Series) -> Task {
        let turn = Turn {
            slot: "2027-02-28T09:00".parse().unwrap(),
            index: 2,
            missed_count: 0,
        };
        task_of(series, turn, None, series.created_by, now())
    }

    fn followed(task: &Task, before: &Series, after: &Series) -> Task {
        let Some(patch) = follow_template(task, before, after) else {
            return task.clone();
        };
        let command = Command::Update(Box::new(patch));
        let events = decide(Some(task), command, now()).unwrap();
        let evolved = |task, event| evolve(Some(task), event).unwrap();
        events.iter().fold(task.clone(), evolved)
    }

    #[test]
    fn an_untouched_occurrence_becomes_what_the_series_would_make_now() {
        let before = series();
        let mut after = before.clone();
        after.template.title = "Pay the rent".to_owned();
        after.template.priority = Priority::Urgent;
        after.template.labels = ["flat".to_owned()].into();
        after.template.start = None;
        after.template.deadline = Some(date("2027-02-10"));
        after.template.reminders[0].trigger = Trigger::Relative {
            to: Anchor::Due,
            offset_seconds: -3_600,
        };

        let mut task = followed(&occurrence(&before), &before, &after);

        task.reminders = task.reminders.iter().map(Reminder::wish).collect();
        assert_eq!(task, occurrence(&after));
        assert_eq!(task.deadline, Some(date("2027-03-10")));
    }

    #[test]
    fn what_its_owner_changed_stays() {
        let before = series();
        let mut after = before.clone();
        after.template.title = "Pay the rent".to_owned();
        after.template.notes = "4711".to_owned();
        after.template.reminders.clear();
        let absolute = Reminder::new(
            ReminderId(Uuid::from_u128(9)),
            Trigger::Absolute {
                at: TimeValue::Instant { instant: now() },
            },
        );
        let mut own = occurrence(&before);
        own.title = "Pay February's rent".to_owned();
        own.reminders.push(absolute.clone());

        let task = followed(&own, &before, &after);

        assert_eq!(
            (task.title.as_str(), task.notes.as_str()),
            ("Pay February's rent", "4711")
        );
        assert_eq!(task.reminders, [absolute]);
        assert_eq!(follow_template(&task, &after, &after), None);
    }

    #[test]
    fn a_reminder_whose_anchor_the_task_has_no_more_is_left_out() {
        let mut before = series();
        before.template.start = Some(series().start);
        let mut after = before.clone();
        after.template.reminders[0].trigger = Trigger::Relative {
            to: Anchor::Start,
            offset_seconds: -60,
        };
        let own = Task {
            start: None,
            ..occurrence(&before)
        };
        assert_eq!(followed(&own, &before, &after).reminders, []);
    }
}
