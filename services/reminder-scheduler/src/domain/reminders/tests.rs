mod answers;
mod nags;
mod zone_rules;

use chrono::TimeDelta;
use event_schema::{Anchor, Reminder, ReminderStatus, Status, TimeValue, Trigger};
use proptest::prelude::*;

use super::fixtures::{at, reminder_id, task};
use super::*;

/// Given what happened, when a command comes, then these events.
struct Given(Option<TaskReminders>);

impl Given {
    fn nothing() -> Self {
        Self(None)
    }

    fn when(&mut self, command: &Command, now: &str) -> Vec<ReminderEvent> {
        let events = decide(self.0.as_ref(), command.clone(), at(now), RULES).unwrap();
        for event in &events {
            self.0 = evolve(self.0.take(), event);
            assert!(self.0.is_some(), "{event:?} cannot begin a stream");
        }
        events
    }

    fn reconciled(mut self, task: &Task, now: &str) -> Self {
        self.when(&reconcile(task), now);
        self
    }

    fn fired(mut self, fire_at: &str) -> Self {
        let told = self.when(&fire(fire_at), fire_at);
        assert_eq!(told.len(), 1);
        self
    }

    fn state(&self) -> &TaskReminders {
        self.0.as_ref().unwrap()
    }
}

fn reconcile(task: &Task) -> Command {
    Command::Reconcile {
        task: Box::new(task.clone()),
        version: 7,
    }
}

fn fire(fire_at: &str) -> Command {
    Command::Fire {
        reminder_id: reminder_id(1),
        fire_at: at(fire_at),
    }
}

/// Due at that time in UTC, with a reminder then.
fn due_at(due: &str) -> Task {
    let trigger = Trigger::Relative {
        to: Anchor::Due,
        offset_seconds: 0,
    };
    Task {
        due: Some(TimeValue::Local {
            local: due.parse().unwrap(),
            time_zone: "UTC".to_owned(),
        }),
        reminders: vec![Reminder::new(reminder_id(1), trigger)],
        ..task()
    }
}

fn names(events: &[ReminderEvent]) -> Vec<&'static str> {
    use event_schema::EventSet;
    events.iter().map(|event| event.event_type().name).collect()
}

const SCHEDULED: &str = "reminder.scheduled.v1";
const TASK_SEEN: &str = "reminder.task-seen.v1";
const FIRED: &str = "reminder.fired.v1";
const MISSED: &str = "reminder.missed.v1";
const CANCELLED: &str = "reminder.cancelled.v1";

/// What these plans are made by.
const RULES: &str = "2025b";

const TEN: &str = "2026-11-22T10:00:00Z";
const NOON: &str = "2026-11-22T12:00:00Z";

#[test]
fn a_task_without_reminders_leaves_no_trace() {
    let mut given = Given::nothing();

    let events = given.when(&reconcile(&task()), TEN);

    assert!(events.is_empty());
    assert_eq!(given.0, None);
}

#[test]
fn a_reminder_is_scheduled_once_with_what_its_notification_shows() {
    let task = due_at("2026-11-22T12:00:00");
    let mut given = Given::nothing();

    let first = given.when(&reconcile(&task), TEN);
    let second = given.when(&reconcile(&task), TEN);

    let ReminderEvent::Scheduled(scheduled) = &first[0] else {
        panic!("{first:?}");
    };
    assert_eq!(scheduled.fire_at, at(NOON));
    assert_eq!(scheduled.title, "Pay the rent");
    assert_eq!(scheduled.task_version, 7);
    assert_eq!(scheduled.tzdb_version, RULES);
    assert_eq!(first.len(), 1);
    assert!(second.is_empty());
    let timer = Timer {
        timer_id: reminder_id(1).as_uuid(),
        fire_at: at(NOON),
    };
    assert_eq!(RemindersStream::timers(given.state()), [timer]);
}

#[test]
fn a_reminder_fires_at_its_time_and_never_earlier() {
    let given = Given::nothing();
    let mut given = given.reconciled(&due_at("2026-11-22T12:00:00"), TEN);

    let early = given.when(&fire(NOON), "2026-11-22T11:59:59.999999Z");
    let on_time = given.when(&fire(NOON), NOON);
    let again = given.when(&fire(NOON), NOON);

    assert!(early.is_empty());
    assert_eq!(names(&on_time), [FIRED]);
    assert!(again.is_empty());
    assert!(RemindersStream::timers(given.state()).is_empty());
}

#[test]
fn the_event_of_a_firing_has_the_id_of_its_scheduled_time() {
    let mut given = Given::nothing().reconciled(&due_at("2026-11-22T12:00:00"), TEN);

    let events = given.when(&fire(NOON), "2026-11-22T12:00:03Z");

    let id = RemindersStream::event_id(&events[0], given.state());
    assert_eq!(id, Some(fired_event_id(reminder_id(1), at(NOON))));
}

#[test]
fn a_timer_of_another_time_has_no_effect() {
    let mut given = Given::nothing().reconciled(&due_at("2026-11-22T12:00:00"), TEN);

    let events = given.when(&fire("2026-11-22T11:00:00Z"), NOON);

    assert!(events.is_empty());
}

#[test]
fn a_late_reminder_fires_within_its_grace_and_is_missed_after_it() {
    for (now, expected) in [
        ("2026-11-23T12:00:00Z", FIRED),
        ("2026-11-23T12:00:00.000001Z", MISSED),
    ] {
        let mut given = Given::nothing().reconciled(&due_at("2026-11-22T12:00:00"), TEN);

        let events = given.when(&fire(NOON), now);

        assert_eq!(names(&events), [expected]);
    }
}

#[test]
fn a_plan_for_the_recent_past_fires_at_once() {
    let mut given = Given::nothing();

    let events = given.when(&reconcile(&due_at("2026-11-22T09:00:00")), TEN);

    assert_eq!(names(&events), [SCHEDULED]);
    assert_eq!(RemindersStream::timers(given.state()).len(), 1);
}

#[test]
fn a_plan_for_the_distant_past_is_missed_once() {
    let task = due_at("2026-11-20T09:00:00");
    let mut given = Given::nothing();

    let first = given.when(&reconcile(&task), TEN);
    let second = given.when(&reconcile(&task), TEN);

    assert_eq!(names(&first), [SCHEDULED, MISSED]);
    assert!(second.is_empty());
    assert!(RemindersStream::timers(given.state()).is_empty());
}

#[test]
fn a_moved_task_moves_its_reminder() {
    let mut given = Given::nothing().reconciled(&due_at("2026-11-22T12:00:00"), TEN);

    let events = given.when(&reconcile(&due_at("2026-11-22T13:00:00")), TEN);

    assert_eq!(names(&events), [SCHEDULED]);
    assert!(given.when(&fire(NOON), NOON).is_empty());
    let one = "2026-11-22T13:00:00Z";
    assert_eq!(names(&given.when(&fire(one), one)), [FIRED]);
}

#[test]
fn a_new_title_is_kept_only_while_the_reminder_is_pending_and_moves_nothing() {
    let task = due_at("2026-11-22T12:00:00");
    let renamed = Task {
        title: "Pay the landlord".to_owned(),
        ..task.clone()
    };
    let mut pending = Given::nothing().reconciled(&task, TEN);
    let mut fired = Given::nothing().reconciled(&task, TEN).fired(NOON);

    let timers = RemindersStream::timers(pending.state());
    let events = pending.when(&reconcile(&renamed), TEN);

    assert_eq!(names(&events), [TASK_SEEN]);
    assert_eq!(RemindersStream::timers(pending.state()), timers);
    assert_eq!(pending.state().title, "Pay the landlord");
    assert!(fired.when(&reconcile(&renamed), NOON).is_empty());
}

#[test]
fn a_closed_or_trashed_task_cancels_what_is_pending() {
    let task = due_at("2026-11-22T12:00:00");
    let closed = [Status::Completed, Status::Cancelled, Status::Skipped].map(|status| Task {
        status,
        ..task.clone()
    });
    let trashed = Task {
        trashed_at: Some(at(TEN)),
        ..task.clone()
    };
    for gone in closed.into_iter().chain([trashed]) {
        let mut given = Given::nothing().reconciled(&task, TEN);

        let events = given.when(&reconcile(&gone), TEN);

        assert_eq!(names(&events), [CANCELLED]);
        assert!(given.when(&fire(NOON), NOON).is_empty());
        assert!(given.when(&reconcile(&gone), TEN).is_empty());
    }
}

#[test]
fn a_removed_reminder_is_cancelled() {
    let task = due_at("2026-11-22T12:00:00");
    let without = Task {
        reminders: vec![],
        ..task.clone()
    };
    let mut given = Given::nothing().reconciled(&task, TEN);

    let events = given.when(&reconcile(&without), TEN);

    assert_eq!(names(&events), [CANCELLED]);
}

#[test]
fn a_reopened_task_schedules_again_what_was_cancelled_but_not_what_fired() {
    let task = due_at("2026-11-22T12:00:00");
    let done = Task {
        status: Status::Completed,
        ..task.clone()
    };
    let given = Given::nothing().reconciled(&task, TEN);
    let mut cancelled = given.reconciled(&done, TEN);
    let given = Given::nothing().reconciled(&task, TEN).fired(NOON);
    let mut fired = given.reconciled(&done, NOON);

    assert_eq!(names(&cancelled.when(&reconcile(&task), TEN)), [SCHEDULED]);
    assert!(fired.when(&reconcile(&task), NOON).is_empty());
}

#[test]
fn a_task_that_is_moved_on_and_back_does_not_fire_twice_for_one_time() {
    let task = due_at("2026-11-22T12:00:00");
    let later = due_at("2026-11-22T18:00:00");
    let given = Given::nothing().reconciled(&task, TEN).fired(NOON);
    let mut given = given.reconciled(&later, NOON);

    let events = given.when(&reconcile(&task), NOON);

    assert_eq!(names(&events), [CANCELLED]);
    assert!(RemindersStream::timers(given.state()).is_empty());
    assert_eq!(
        names(&given.when(&reconcile(&later), NOON)),
        [SCHEDULED],
        "a later time is still to come"
    );
}

#[test]
fn each_reminder_of_a_task_stands_for_itself() {
    let mut task = due_at("2026-11-22T12:00:00");
    task.reminders.push(Reminder::new(
        reminder_id(2),
        Trigger::Relative {
            to: Anchor::Due,
            offset_seconds: -3600,
        },
    ));
    let mut given = Given::nothing();

    let events = given.when(&reconcile(&task), TEN);

    assert_eq!(names(&events), [SCHEDULED, SCHEDULED]);
    assert_eq!(names(&given.when(&fire(NOON), NOON)), [FIRED]);
    let left = RemindersStream::timers(given.state());
    assert_eq!(left[0].timer_id, reminder_id(2).as_uuid());
    assert_eq!(left.len(), 1);
}

#[test]
fn what_is_remembered_of_a_task_is_bounded() {
    let mut given = Given::nothing();
    for number in 1..500 {
        let mut task = due_at("2026-11-22T09:00:00");
        task.reminders[0].id = reminder_id(number);
        let fire = Command::Fire {
            reminder_id: reminder_id(number),
            fire_at: at("2026-11-22T09:00:00Z"),
        };

        given.when(&reconcile(&task), TEN);
        given.when(&fire, TEN);
    }

    assert_eq!(given.state().reminders.len(), 64);
}

proptest! {
    /// Whatever happens to a task, in whatever order its timers are claimed: never early, and no
    /// time of a reminder twice.
    #[test]
    fn nothing_fires_early_or_twice(steps in prop::collection::vec((0_u8..6, -30_i64..30), 1..60)) {
        let mut given = Given::nothing();
        let mut now = at(TEN);
        let mut told = std::collections::HashSet::new();
        for (step, hours) in steps {
            let mut task = due_at("2026-11-22T10:00:00");
            let moved = at(TEN) + TimeDelta::hours(hours);
            task.due = Some(TimeValue::Instant { instant: moved });
            let command = match step {
                0 | 1 => reconcile(&task),
                2 => reconcile(&Task { status: Status::Completed, ..task }),
                3 => Command::Fire { reminder_id: reminder_id(1), fire_at: moved },
                _ => {
                    now += TimeDelta::hours(hours.abs());
                    continue;
                }
            };
            let before = given.0.clone();
            for event in given.when(&command, &now.to_rfc3339()) {
                let scheduled_for = match event {
                    ReminderEvent::Fired(fired) => fired.scheduled_for,
                    ReminderEvent::Missed(missed) => missed.scheduled_for,
                    _ => continue,
                };
                prop_assert!(scheduled_for <= now, "early: {before:?}");
                prop_assert!(told.insert(scheduled_for), "twice: {before:?}");
            }
            prop_assert!(given.when(&command, &now.to_rfc3339()).is_empty());
        }
    }
}
