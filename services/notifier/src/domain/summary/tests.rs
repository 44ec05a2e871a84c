use event_schema::{ReminderId, TaskId, fired_event_id};
use proptest::prelude::*;

use super::super::notification::{Command, decide, evolve};
use super::*;

const USER: UserId = UserId(Uuid::from_u128(1));

fn noon() -> DateTime<Utc> {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

/// The n-th of many, each an hour after the one before.
fn missed(number: u32) -> MissedReminder {
    MissedReminder {
        reminder_id: ReminderId(Uuid::from_u128(number.into())),
        task_id: TaskId(Uuid::from_u128(number.into())),
        title: format!("Task {number}"),
        scheduled_for: noon() - TimeDelta::days(2) + TimeDelta::hours(number.into()),
    }
}

fn event(number: u32) -> EventId {
    let one = missed(number);
    fired_event_id(one.reminder_id, one.scheduled_for)
}

fn given(command: Command, state: Option<Notification>, now: DateTime<Utc>) -> Notification {
    let events = decide(state.as_ref(), command, now).unwrap();
    events.iter().fold(state, evolve).unwrap()
}

fn summary(numbers: &[u32]) -> Notification {
    let first = begun(event(numbers[0]), USER, missed(numbers[0]));
    let first = given(Command::Create(first), None, noon());
    numbers[1..].iter().fold(first, |summary, number| {
        let update = extended(&summary, missed(*number), noon()).unwrap();
        given(Command::Update(update), Some(summary), noon())
    })
}

#[test]
fn a_summary_tells_how_many_and_names_a_few() {
    let one = summary(&[1]);
    assert_eq!(one.title, "1 reminder was missed while you were away");
    assert_eq!(one.body, "Task 1 (23 November, 13:00 UTC)");

    let many = summary(&[7, 3, 1, 6, 2, 5, 4]);
    assert_eq!(many.title, "7 reminders were missed while you were away");
    let lines: Vec<&str> = many.body.lines().collect();
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[0], "Task 1 (23 November, 13:00 UTC)");
    assert_eq!(lines[5], "and 2 more");
}

#[test]
fn a_summary_that_was_read_taken_back_or_is_a_day_old_is_not_added_to() {
    let open = summary(&[1]);
    let late = noon() + OPEN_FOR;
    assert!(extended(&open, missed(2), late - TimeDelta::microseconds(1)).is_some());
    assert_eq!(extended(&open, missed(2), late), None);

    let read = given(Command::Read { by: USER }, Some(open.clone()), noon());
    assert_eq!(extended(&read, missed(2), noon()), None);
    let back = Command::Withdraw {
        id: open.id,
        user_id: USER,
        kind: open.kind,
    };
    let back = given(back, Some(open), noon());
    assert_eq!(extended(&back, missed(2), noon()), None);
}

#[test]
fn what_is_taken_back_is_counted_and_named_no_more() {
    let three = summary(&[1, 2, 3]).missed.unwrap();
    let two = reduced(&three, event(2)).unwrap();
    assert_eq!((two.count.from, two.count.to), (3, 2));
    assert!(!two.body.contains("Task 2"), "{}", two.body);
    let one = reduced(&two.missed, event(1)).unwrap();
    assert_eq!(reduced(&one.missed, event(3)), None);
}

proptest! {
    /// However many there are and in whatever order they come, the same is said, and it is bounded.
    #[test]
    fn the_order_changes_nothing(
        numbers in Just((1..=20).collect::<Vec<u32>>()).prop_shuffle(),
        count in 1_usize..=20,
    ) {
        let shuffled = summary(&numbers[..count]);
        let mut sorted = numbers[..count].to_vec();
        sorted.sort_unstable();
        let sorted = summary(&sorted);
        prop_assert_eq!(&shuffled.missed, &sorted.missed);
        prop_assert_eq!(&shuffled.body, &sorted.body);
        prop_assert!(shuffled.missed.unwrap().first.len() <= MOST_NAMED);
    }
}
