//! The reminders of a task: what their owner says to them, and what becomes of them.

use chrono::{DateTime, Days, Utc};
use event_schema::{
    Answer, Reminder, ReminderId, ReminderTold, Reply, Task, TaskEvent, TaskReminderAnswered,
    TaskReminders, TaskRemindersTold, TimeValue, Trigger,
};
use reminder_plan::{State, standing, time_of, wall_of};

use super::{TaskError, changed, must_be_open};
use crate::domain::fields::{Fault, MAX_SNOOZE_DAYS};

/// Says something to a reminder. Saying the same again is no event.
pub(super) fn decide(
    task: &Task,
    id: ReminderId,
    reply: Reply,
    now: DateTime<Utc>,
) -> Result<Vec<TaskEvent>, TaskError> {
    let reminder = find(task, id).ok_or(TaskError::NoReminder)?;
    let wanted = match reply {
        Reply::Snoozed { until } => {
            must_be_open(task, "reminded of")?;
            check_until(until, now)?;
            "snoozed"
        }
        Reply::Dismissed => "dismissed",
        Reply::Acknowledged => "acknowledged",
    };
    let time = time_of(task, &reminder.trigger).ok().flatten();
    let to = time.ok_or(TaskError::ReminderNotDue { wanted })?;
    if reply == Reply::Acknowledged && !was_told(task, reminder, now) {
        return Err(TaskError::ReminderNotDue { wanted });
    }
    let wall = wall_of(task, &reminder.trigger).ok().flatten();
    let known = reminder.answer.as_ref();
    if known.is_some_and(|known| (known.to, known.reply) == (to, reply)) {
        return Ok(Vec::new());
    }
    let answer = Answer {
        to,
        wall,
        reply,
        at: now,
    };
    let event = TaskReminderAnswered {
        reminder_id: id,
        answer: changed(reminder.answer.clone(), Some(answer)),
        updated_at: now,
    };
    Ok(vec![TaskEvent::ReminderAnswered(event)])
}

/// Takes over what the scheduler says about the reminders, unless something newer is known.
pub(super) fn follow(task: &Task, plan: &TaskReminders, version: u64) -> Vec<TaskEvent> {
    if version <= task.plan_version {
        return Vec::new();
    }
    let news = |reminder: &Reminder| {
        let known = plan
            .reminders
            .iter()
            .find(|planned| planned.reminder_id == reminder.id)?;
        let told = known.told();
        (told != reminder.told).then_some(ReminderTold {
            reminder_id: reminder.id,
            told,
        })
    };
    let reminders: Vec<ReminderTold> = task.reminders.iter().filter_map(news).collect();
    if reminders.is_empty() {
        return Vec::new();
    }
    vec![TaskEvent::RemindersTold(TaskRemindersTold {
        reminders,
        plan_version: version,
    })]
}

pub(super) fn answer(task: &mut Task, change: &TaskReminderAnswered) {
    let known = task
        .reminders
        .iter_mut()
        .find(|reminder| reminder.id == change.reminder_id);
    if let Some(reminder) = known {
        reminder.answer.clone_from(&change.answer.to);
    }
}

pub(super) fn tell(task: &mut Task, change: &TaskRemindersTold) {
    task.plan_version = change.plan_version;
    task.tellings = task.tellings.saturating_add(1);
    for reminder in &mut task.reminders {
        let news = change
            .reminders
            .iter()
            .find(|news| news.reminder_id == reminder.id);
        if let Some(news) = news {
            reminder.told = news.told;
        }
    }
}

/// What the reminders stood on before an event.
pub(super) struct Before {
    is_open: bool,
    due: Option<TimeValue>,
    home_zone: Option<String>,
    reminders: Vec<(Reminder, Option<TimeValue>)>,
}

impl Before {
    pub(super) fn of(task: &Task) -> Self {
        let anchored = |reminder: &Reminder| (reminder.clone(), anchor(task, reminder).cloned());
        Self {
            is_open: task.is_open(),
            due: task.due.clone().filter(|_| !task.reminders.is_empty()),
            home_zone: task.home_zone.clone(),
            reminders: task.reminders.iter().map(anchored).collect(),
        }
    }

    /// Cancels snoozes when the due has changed or the task is closed, and notes since when each
    /// reminder stands as it does.
    pub(super) fn settle(&self, task: &mut Task) {
        if task.reminders.is_empty() {
            return;
        }
        let at = task.updated_at;
        let snoozes_end = task.due != self.due || (self.is_open && !task.is_open());
        let mut reminders = std::mem::take(&mut task.reminders);
        for reminder in &mut reminders {
            if snoozes_end {
                end_snooze(reminder, at);
            }
            if !self.stands(task, reminder) {
                reminder.since = Some(at);
            }
        }
        task.reminders = reminders;
    }

    fn stands(&self, task: &Task, reminder: &Reminder) -> bool {
        let known = self
            .reminders
            .iter()
            .find(|(known, _)| known.id == reminder.id);
        known.is_some_and(|(known, anchored)| {
            known.trigger == reminder.trigger
                && known.answer == reminder.answer
                && anchored.as_ref() == anchor(task, reminder)
                && self.is_open == task.is_open()
                && (self.home_zone == task.home_zone || !floats(task, reminder))
        })
    }
}

fn anchor<'a>(task: &'a Task, reminder: &Reminder) -> Option<&'a TimeValue> {
    match &reminder.trigger {
        Trigger::Relative { to, .. } | Trigger::TimeOfDay { to, .. } => task.anchor(*to),
        Trigger::Absolute { .. } => None,
    }
}

/// Whether its time depends on where the owner is.
fn floats(task: &Task, reminder: &Reminder) -> bool {
    match &reminder.trigger {
        Trigger::Absolute { at } => at.floats(),
        Trigger::TimeOfDay {
            time_zone: Some(_), ..
        } => false,
        Trigger::Relative { .. } | Trigger::TimeOfDay { .. } => {
            anchor(task, reminder).is_some_and(TimeValue::floats)
        }
    }
}

/// A time that has passed was answered, and does not come back; one to come is as if nothing was said.
fn end_snooze(reminder: &mut Reminder, now: DateTime<Utc>) {
    if let Some(answer) = &mut reminder.answer
        && matches!(answer.reply, Reply::Snoozed { .. })
    {
        let has_passed = answer.to <= now;
        answer.reply = Reply::Dismissed;
        if !has_passed {
            reminder.answer = None;
        }
    }
}

fn find(task: &Task, id: ReminderId) -> Option<&Reminder> {
    task.reminders.iter().find(|reminder| reminder.id == id)
}

/// Whether it has fired, or is about to: its firing may not be known here yet.
fn was_told(task: &Task, reminder: &Reminder, now: DateTime<Utc>) -> bool {
    let stands = standing(task, reminder);
    match stands.state {
        State::Scheduled | State::Snoozed => stands.next_at.is_some_and(|next| next <= now),
        State::Cancelled => false,
        State::Fired | State::Missed | State::Dismissed | State::Acknowledged => true,
    }
}

fn check_until(until: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), TaskError> {
    let latest = now.checked_add_days(Days::new(MAX_SNOOZE_DAYS));
    let fault = if until <= now {
        Fault::new("/until", "in_the_past", "must be in the future")
    } else if latest.is_some_and(|latest| until > latest) {
        let message = format!("must be at most {MAX_SNOOZE_DAYS} days from now");
        Fault::new("/until", "out_of_range", message)
    } else {
        return Ok(());
    };
    Err(TaskError::Invalid(vec![fault]))
}
