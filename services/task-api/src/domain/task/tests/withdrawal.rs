//! Occurrences that are taken back, and come again.

use event_schema::After;

use super::*;

#[test]
fn one_that_is_taken_back_comes_again_by_a_newer_word_only() {
    let after_first = |undone| After {
        previous_slot: "2026-12-31T09:00".to_owned(),
        undone,
    };
    let withdraw = |undone| Command::Withdraw {
        after: after_first(undone),
    };
    let gone = |undone: Option<u32>| {
        let gone = undone.map(|undone| ("2026-12-31T09:00".to_owned(), undone));
        gone.into_iter()
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let made = |undone, withdrawn| {
        let made = Task {
            undone,
            withdrawn: gone(withdrawn),
            previous_slot: Some("2026-12-31T09:00".to_owned()),
            notes: "as it is made now".to_owned(),
            ..occurrence()
        };
        Command::CreateOccurrence(Box::new(made))
    };
    let (taken_back, names) = after(&occurrence(), withdraw(2));
    assert_eq!(names, ["task.trashed.v1"]);
    assert_eq!(taken_back.withdrawn, gone(Some(2)));
    assert!(!taken_back.is_open());
    for older in [withdraw(2), withdraw(1), made(1, None), made(0, Some(2))] {
        assert_eq!(decide(Some(&taken_back), older, now()), Ok(vec![]));
    }
    for refused in [Command::Restore, Command::Reopen, complete()] {
        assert!(matches!(
            refusal(&taken_back, refused),
            TaskError::IllegalTransition { .. }
        ));
    }
    let (newer, _) = after(&taken_back, made(0, Some(3)));
    assert_eq!(newer.withdrawn, gone(Some(3)));

    let (back, names) = after(&taken_back, made(2, None));

    assert_eq!(names, ["task.restored.v1", "task.updated.v1"]);
    assert!(back.is_open() && !back.is_withdrawn());
    assert_eq!((back.notes.as_str(), back.undone), ("as it is made now", 2));
    // Whoever is there already is neither made nor taken back twice.
    for late in [made(9, None), made(0, Some(9))] {
        assert_eq!(decide(Some(&back), late, now()), Ok(vec![]));
    }
    let (done, _) = after(&back, complete());
    assert_eq!(decide(Some(&done), withdraw(9), now()), Ok(vec![]));
}
