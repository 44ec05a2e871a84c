//! Given a task, when a command, then events or an error.

mod properties;
mod withdrawal;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use event_schema::{
    Actor, Anchor, Priority, Reminder, ReminderId, SeriesId, Status, Task, TaskEvent, TaskId,
    Terms, TimeValue, Trigger, UserId,
};
use uuid::Uuid;

use super::{Command, Edit, TaskError, TaskPatch, WantedReminder, check_place, decide, evolve};
use crate::domain::time;

const OWNER: UserId = UserId(Uuid::from_u128(1));
const BY: Actor = Actor::User(OWNER);

fn now() -> DateTime<Utc> {
    time::instant("2026-11-22T10:00:00Z").unwrap()
}

fn task() -> Task {
    Task {
        id: TaskId(Uuid::from_u128(7)),
        owner_id: OWNER,
        title: "Pay rent".to_owned(),
        notes: String::new(),
        status: Status::Open,
        priority: Priority::None,
        labels: BTreeSet::new(),
        start: None,
        due: Some(local("2027-01-31T09:00")),
        deadline: None,
        parent_id: None,
        reminders: Vec::new(),
        plan_version: 0,
        tellings: 0,
        next_series_id: None,
        home_zone: None,
        series_id: None,
        slot: None,
        occurrence_index: None,
        missed_count: 0,
        previous_slot: None,
        undone: 0,
        withdrawn: std::collections::BTreeMap::new(),
        recurrence: None,
        completed_at: None,
        completed_by: None,
        created_at: now() - TimeDelta::days(1),
        created_by: BY,
        updated_at: now() - TimeDelta::days(1),
        trashed_at: None,
    }
}

fn occurrence() -> Task {
    Task {
        series_id: Some(SeriesId(Uuid::from_u128(3))),
        slot: Some("2027-01-31T09:00".to_owned()),
        ..task()
    }
}

fn local(text: &str) -> TimeValue {
    TimeValue::Local {
        local: time::local(text).unwrap(),
        time_zone: "Europe/Berlin".to_owned(),
    }
}

fn in_state(status: Status) -> Task {
    Task {
        status,
        ..occurrence()
    }
}

fn trashed() -> Task {
    Task {
        trashed_at: Some(now()),
        ..occurrence()
    }
}

fn complete() -> Command {
    Command::Complete {
        completed_at: now(),
        by: BY,
    }
}

fn skip() -> Command {
    Command::Skip { reason: None }
}

fn update(patch: TaskPatch) -> Command {
    Command::Update(Box::new(patch))
}

/// The task after a command that must be accepted, and the events' types.
fn after(task: &Task, command: Command) -> (Task, Vec<&'static str>) {
    use event_schema::EventSet;
    let events = decide(Some(task), command, now()).unwrap();
    let names = events.iter().map(|event| event.event_type().name).collect();
    (fold(task, &events), names)
}

fn fold(task: &Task, events: &[TaskEvent]) -> Task {
    let step = |state, event| evolve(Some(state), event);
    events.iter().try_fold(task.clone(), step).unwrap()
}

fn refusal(task: &Task, command: Command) -> TaskError {
    decide(Some(task), command, now()).unwrap_err()
}

fn relative(to: Anchor) -> Trigger {
    Trigger::Relative {
        to,
        offset_seconds: -1_800,
    }
}

fn wanted(id: Option<u128>, minted: u128, trigger: Trigger) -> WantedReminder {
    WantedReminder {
        id: id.map(|id| ReminderId(Uuid::from_u128(id))),
        minted: ReminderId(Uuid::from_u128(minted)),
        trigger,
        terms: Terms::default(),
    }
}

fn codes(error: &TaskError) -> Vec<(&str, &str)> {
    let TaskError::Invalid(faults) = error else {
        return Vec::new();
    };
    let codes = faults
        .iter()
        .map(|fault| (fault.pointer.as_str(), fault.code));
    codes.collect()
}

#[test]
fn a_task_is_created_once() {
    let created = decide(None, Command::Create(Box::new(task())), now()).unwrap();
    assert_eq!(created, [TaskEvent::Created(Box::new(task()))]);

    let error = refusal(&task(), Command::Create(Box::new(task())));
    assert_eq!(error, TaskError::AlreadyExists(task().id));
}

#[test]
fn an_occurrence_that_exists_is_left_alone() {
    let again = Command::CreateOccurrence(Box::new(occurrence()));
    assert_eq!(decide(Some(&trashed()), again.clone(), now()), Ok(vec![]));
    assert_eq!(decide(None, again, now()).unwrap().len(), 1);
}

#[test]
fn nothing_can_be_asked_of_a_task_that_does_not_exist() {
    for command in [
        complete(),
        skip(),
        Command::Trash,
        update(TaskPatch::default()),
    ] {
        assert_eq!(decide(None, command, now()), Err(TaskError::NotFound));
    }
}

#[test]
fn an_open_task_is_completed_as_of_the_past() {
    let completed_at = now() - TimeDelta::days(3);
    let (task, names) = after(
        &task(),
        Command::Complete {
            completed_at,
            by: BY,
        },
    );
    assert_eq!(names, ["task.completed.v1"]);
    assert_eq!(task.status, Status::Completed);
    assert_eq!(task.completed_at, Some(completed_at));
    assert_eq!(task.completed_by, Some(BY));
    assert_eq!(task.updated_at, now());
}

#[test]
fn nothing_is_completed_in_the_future() {
    let completed_at = now() + TimeDelta::microseconds(1);
    let error = refusal(
        &task(),
        Command::Complete {
            completed_at,
            by: BY,
        },
    );
    assert_eq!(codes(&error), [("/completed_at", "in_the_future")]);
}

#[test]
fn every_closed_task_is_reopened_as_it_was() {
    for command in [complete(), skip(), Command::Cancel] {
        let (closed, _) = after(&occurrence(), command);
        let (open, names) = after(&closed, Command::Reopen);
        assert_eq!(names, ["task.reopened.v1"]);
        assert_eq!(
            open,
            Task {
                undone: 1,
                updated_at: now(),
                ..occurrence()
            }
        );
    }
}

#[test]
fn a_task_is_trashed_from_any_state_and_restored_to_it() {
    for status in [
        Status::Open,
        Status::Completed,
        Status::Cancelled,
        Status::Skipped,
    ] {
        let (trashed, _) = after(&in_state(status), Command::Trash);
        assert_eq!(trashed.trashed_at, Some(now()));
        let (restored, names) = after(&trashed, Command::Restore);
        assert_eq!(names, ["task.restored.v1"]);
        assert_eq!((restored.status, restored.trashed_at), (status, None));
    }
    assert_eq!(after(&trashed(), Command::Trash).1, [""; 0]);
}

#[test]
fn each_illegal_transition_names_the_state() {
    let cases = [
        (in_state(Status::Completed), complete(), "completed"),
        (in_state(Status::Cancelled), complete(), "cancelled"),
        (in_state(Status::Skipped), skip(), "skipped"),
        (in_state(Status::Completed), Command::Cancel, "completed"),
        (in_state(Status::Open), Command::Reopen, "open"),
        (in_state(Status::Open), Command::Restore, "open"),
        (trashed(), complete(), "in the trash"),
        (trashed(), skip(), "in the trash"),
        (trashed(), Command::Cancel, "in the trash"),
        (trashed(), Command::Reopen, "in the trash"),
        (trashed(), update(TaskPatch::default()), "in the trash"),
    ];
    for (task, command, expected) in cases {
        let error = refusal(&task, command.clone());
        let TaskError::IllegalTransition { state, .. } = error else {
            panic!("{command:?}: {error}");
        };
        assert_eq!(state, expected, "{command:?}");
    }
}

#[test]
fn only_an_occurrence_is_skipped() {
    let (skipped, _) = after(&occurrence(), skip());
    assert_eq!(
        (skipped.status, skipped.completed_at),
        (Status::Skipped, None)
    );
    assert_eq!(refusal(&task(), skip()), TaskError::NotRecurring(task().id));
}

#[test]
fn an_update_tells_only_what_changed() {
    let patch = TaskPatch {
        title: Edit::To("Pay the rent".to_owned()),
        notes: Edit::To(String::new()),
        priority: Edit::To(Priority::None),
        ..TaskPatch::default()
    };

    let events = decide(Some(&task()), update(patch), now()).unwrap();

    let [TaskEvent::Updated(change)] = events.as_slice() else {
        panic!("{events:?}");
    };
    let title = change.title.clone().unwrap();
    assert_eq!(
        (title.from.as_str(), title.to.as_str()),
        ("Pay rent", "Pay the rent")
    );
    assert_eq!(
        (&change.notes, &change.priority, &change.due),
        (&None, &None, &None)
    );
}

#[test]
fn an_update_without_a_change_is_no_event() {
    let same = TaskPatch {
        title: Edit::To(task().title),
        due: Edit::To(task().due),
        ..TaskPatch::default()
    };
    assert_eq!(decide(Some(&task()), update(same), now()), Ok(vec![]));
}

#[test]
fn a_recurring_task_keeps_a_due() {
    let clear = TaskPatch {
        due: Edit::To(None),
        ..TaskPatch::default()
    };
    let error = refusal(&occurrence(), update(clear.clone()));
    assert_eq!(codes(&error), [("/due", "needs_date")]);
    assert!(decide(Some(&task()), update(clear), now()).is_ok());
}

#[test]
fn a_relative_reminder_needs_a_time_to_count_from() {
    let reminders = |trigger| TaskPatch {
        reminders: Edit::To(vec![wanted(None, 50, trigger)]),
        ..TaskPatch::default()
    };
    let error = refusal(&task(), update(reminders(relative(Anchor::Start))));
    assert_eq!(
        codes(&error),
        [("/reminders/0/trigger/to", "anchor_missing")]
    );

    let (with_reminder, _) = after(&task(), update(reminders(relative(Anchor::Due))));
    let date = TimeValue::Date {
        date: time::date("2027-01-31").unwrap(),
    };
    let to_a_date = TaskPatch {
        due: Edit::To(Some(date)),
        ..TaskPatch::default()
    };
    let error = refusal(&with_reminder, update(to_a_date));
    assert_eq!(
        codes(&error),
        [("/reminders/0/trigger/to", "anchor_without_time")]
    );
}

#[test]
fn reminders_keep_their_identity() {
    let known = |id: u128, trigger| Reminder::new(ReminderId(Uuid::from_u128(id)), trigger);
    let before = Task {
        reminders: vec![
            known(1, relative(Anchor::Due)),
            known(
                2,
                Trigger::Absolute {
                    at: local("2027-01-01T08:00"),
                },
            ),
        ],
        ..task()
    };
    let patch = |reminders| {
        update(TaskPatch {
            reminders: Edit::To(reminders),
            ..TaskPatch::default()
        })
    };
    let sooner = Trigger::Relative {
        to: Anchor::Due,
        offset_seconds: -60,
    };

    let (changed, _) = after(
        &before,
        patch(vec![
            wanted(Some(2), 50, sooner.clone()),
            wanted(None, 51, relative(Anchor::Due)),
            wanted(None, 52, relative(Anchor::Due)),
        ]),
    );

    let expected = [
        known(2, sooner),
        known(1, relative(Anchor::Due)),
        known(52, relative(Anchor::Due)),
    ];
    let wishes: Vec<Reminder> = changed.reminders.iter().map(Reminder::wish).collect();
    assert_eq!(wishes, expected);

    let twice = vec![
        wanted(Some(1), 50, relative(Anchor::Due)),
        wanted(Some(1), 51, relative(Anchor::Due)),
        wanted(Some(9), 52, relative(Anchor::Due)),
    ];
    assert_eq!(
        codes(&refusal(&before, patch(twice))),
        [
            ("/reminders/1/id", "duplicate"),
            ("/reminders/2/id", "unknown_reminder")
        ]
    );
}

#[test]
fn a_task_stands_under_a_task_of_its_owner_five_levels_deep() {
    let id = |n: u128| TaskId(Uuid::from_u128(n));
    // 1 ← 2 ← 3 ← 4; 8 is trashed, 9 is somebody else's.
    let find = |wanted: TaskId| {
        let n = wanted.as_uuid().as_u128();
        let owner_id = if n == 9 {
            UserId(Uuid::from_u128(2))
        } else {
            OWNER
        };
        (n <= 4 || n >= 8).then(|| Task {
            id: wanted,
            owner_id,
            parent_id: (2..=4).contains(&n).then(|| id(n - 1)),
            trashed_at: (n == 8).then(now),
            ..task()
        })
    };
    let place = |task, height, parent| {
        check_place(OWNER, id(task), height, id(parent), find).map_err(|fault| fault.code)
    };
    assert_eq!(place(7, 1, 4), Ok(()));
    assert_eq!(place(7, 2, 4), Err("too_deep"));
    assert_eq!(place(7, 2, 3), Ok(()));
    assert_eq!(place(2, 1, 4), Err("cycle"));
    assert_eq!(place(1, 1, 1), Err("cycle"));
    assert_eq!(place(7, 1, 5), Err("unknown_parent"));
    assert_eq!(place(7, 1, 8), Err("parent_trashed"));
    assert_eq!(place(7, 1, 9), Err("unknown_parent"));
}
