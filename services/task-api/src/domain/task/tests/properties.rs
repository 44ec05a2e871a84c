//! Whatever is asked of a task, in whatever order.

use event_schema::{Status, Task, TimeValue};
use proptest::prelude::*;

use super::{complete, fold, local, now, occurrence, skip, task, update};
use crate::domain::task::{Command, Edit, TaskPatch, decide, evolve};

fn edit<T: std::fmt::Debug + Clone>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Edit<T>> {
    prop_oneof![Just(Edit::Keep), value.prop_map(Edit::To)]
}

fn times() -> impl Strategy<Value = Option<TimeValue>> {
    proptest::option::of((1_u32..28).prop_map(|day| local(&format!("2027-02-{day:02}T09:00"))))
}

fn patches() -> impl Strategy<Value = TaskPatch> {
    let labels = proptest::collection::btree_set("[a-c]", 0..3);
    (
        edit("[a-z]{1,9}"),
        edit("[a-z]{0,9}"),
        edit(labels),
        edit(times()),
        edit(times()),
        edit(times()),
    )
        .prop_map(|(title, notes, labels, start, due, deadline)| TaskPatch {
            title,
            notes,
            labels,
            start,
            due,
            deadline,
            ..TaskPatch::default()
        })
}

fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => patches().prop_map(update),
        1 => Just(complete()),
        1 => Just(skip()),
        1 => Just(Command::Cancel),
        2 => Just(Command::Reopen),
        1 => Just(Command::Trash),
        1 => Just(Command::Restore),
    ]
}

/// What no command but an update may touch.
fn described(task: &Task) -> Task {
    Task {
        status: Status::Open,
        completed_at: None,
        completed_by: None,
        trashed_at: None,
        undone: 0,
        updated_at: now(),
        ..task.clone()
    }
}

proptest! {
    #[test]
    fn no_story_loses_a_field(story in proptest::collection::vec(commands(), 0..20)) {
        let mut state = occurrence();
        for command in story {
            let is_update = matches!(command, Command::Update(_));
            let Ok(events) = decide(Some(&state), command, now()) else { continue };
            for event in events {
                let next = evolve(Some(state.clone()), &event).unwrap();
                if !is_update {
                    prop_assert_eq!(described(&next), described(&state));
                }
                state = next;
            }
            prop_assert!(state.due.is_some());
            prop_assert_eq!(state.completed_at.is_some(), state.status == Status::Completed);
        }
        prop_assert_eq!((state.series_id, state.slot, state.created_at), (occurrence().series_id, occurrence().slot, occurrence().created_at));
    }

    #[test]
    fn an_accepted_patch_is_what_the_task_then_says(patch in patches()) {
        let before = task();
        let events = decide(Some(&before), update(patch.clone()), now()).unwrap();
        let after = fold(&before, &events);
        let is = |edit: &Edit<Option<TimeValue>>, from: &Option<TimeValue>, to: &Option<TimeValue>| match edit {
            Edit::Keep => from == to,
            Edit::To(value) => value == to,
        };
        prop_assert!(is(&patch.due, &before.due, &after.due));
        prop_assert!(is(&patch.start, &before.start, &after.start));
        prop_assert!(is(&patch.deadline, &before.deadline, &after.deadline));
        // The same patch again says nothing new.
        prop_assert_eq!(decide(Some(&after), update(patch), now()), Ok(vec![]));
        // Every change goes back by its previous values.
        let undone = TaskPatch {
            title: Edit::To(before.title.clone()),
            notes: Edit::To(before.notes.clone()),
            labels: Edit::To(before.labels.clone()),
            start: Edit::To(before.start.clone()),
            due: Edit::To(before.due.clone()),
            deadline: Edit::To(before.deadline.clone()),
            ..TaskPatch::default()
        };
        let events = decide(Some(&after), update(undone), now()).unwrap();
        let back = fold(&after, &events);
        prop_assert_eq!(described(&back), described(&before));
    }
}
