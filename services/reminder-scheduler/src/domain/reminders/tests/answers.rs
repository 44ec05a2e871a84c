//! What its owner says to a reminder, also when that meets the firing.

use event_schema::{Answer, Reply};

use super::*;

const WITHDRAWN: &str = "reminder.withdrawn.v1";
const BACK: &str = "2026-11-25T12:00:00Z";
const ONE: &str = "2026-11-22T13:00:00Z";

fn answered(reply: Reply, now: &str) -> Task {
    let mut task = due_at("2026-11-22T12:00:00");
    task.reminders[0].since = Some(at(now));
    task.reminders[0].answer = Some(Answer {
        to: at(NOON),
        wall: None,
        reply,
        at: at(now),
    });
    task
}

fn snoozed(now: &str) -> Task {
    answered(Reply::Snoozed { until: at(ONE) }, now)
}

fn moved(now: &str) -> Task {
    let mut task = due_at("2026-11-22T13:00:00");
    task.reminders[0].since = Some(at(now));
    task
}

fn completed(now: &str) -> Task {
    let mut task = due_at("2026-11-22T12:00:00");
    task.reminders[0].since = Some(at(now));
    Task {
        status: Status::Completed,
        updated_at: at(now),
        ..task
    }
}

fn dismissed(now: &str) -> Task {
    answered(Reply::Dismissed, now)
}

fn without(now: &str) -> Task {
    Task {
        reminders: vec![],
        updated_at: at(now),
        ..due_at("2026-11-22T12:00:00")
    }
}

/// Every way to say that it shall not be told at noon, and what is told at one o'clock then.
type Saying = (fn(&str) -> Task, usize);
const SAYINGS: [Saying; 5] = [
    (snoozed, 1),
    (moved, 1),
    (completed, 0),
    (dismissed, 0),
    (without, 0),
];

#[test]
fn what_is_said_in_time_is_obeyed() {
    for (say, at_one) in SAYINGS {
        let mut given = Given::nothing().reconciled(&due_at("2026-11-22T12:00:00"), TEN);
        given.when(&reconcile(&say(TEN)), TEN);
        assert!(given.when(&fire(NOON), NOON).is_empty());
        assert_eq!(given.when(&fire(ONE), ONE).len(), at_one);
    }
}

#[test]
fn what_was_said_in_time_but_heard_of_too_late_takes_the_firing_back() {
    for (say, at_one) in SAYINGS {
        let said = say("2026-11-22T11:59:59.999Z");
        let given = Given::nothing().reconciled(&due_at("2026-11-22T12:00:00"), TEN);
        let mut given = given.fired(NOON);

        let events = given.when(&reconcile(&said), NOON);

        assert_eq!(names(&events)[0], WITHDRAWN);
        let id = RemindersStream::event_id(&events[0], given.state());
        assert_eq!(id, Some(withdrawn_event_id(reminder_id(1), at(NOON))));
        let told = given.state().reminders[0].told().unwrap();
        assert_eq!((told.until, told.last_fired_at), (at(NOON), None));
        assert!(given.when(&reconcile(&said), NOON).is_empty());
        assert_eq!(given.when(&fire(ONE), ONE).len(), at_one);
    }
}

/// After downtime a timer is due before the first delivery comes.
#[test]
fn what_was_said_during_downtime_takes_back_what_was_missed() {
    let acknowledged: Saying = (|now| answered(Reply::Acknowledged, now), 0);
    for (say, at_one) in SAYINGS.into_iter().chain([acknowledged]) {
        let said = say("2026-11-23T08:00:00Z");
        let mut given = Given::nothing().reconciled(&due_at("2026-11-22T12:00:00"), TEN);
        assert_eq!(names(&given.when(&fire(NOON), BACK)), [MISSED]);

        let events = given.when(&reconcile(&said), BACK);

        let ReminderEvent::Withdrawn(withdrawn) = &events[0] else {
            panic!("{events:?}");
        };
        assert!(withdrawn.missed);
        // One o'clock of that day was missed too.
        let told = given.state().reminders[0].told();
        let expected = if at_one == 1 { ONE } else { NOON };
        let is_missed = at_one == 1;
        assert_eq!(
            told.map(|told| (told.until, told.missed)),
            Some((at(expected), is_missed))
        );
        assert!(given.when(&reconcile(&said), BACK).is_empty());
    }
}

#[test]
fn what_is_said_after_it_was_missed_does_not_undo_that() {
    for (say, _) in SAYINGS {
        let said = say("2026-11-25T12:00:00.001Z");
        let mut given = Given::nothing().reconciled(&due_at("2026-11-22T12:00:00"), TEN);
        given.when(&fire(NOON), BACK);
        let events = given.when(&reconcile(&said), BACK);
        assert!(!names(&events).contains(&WITHDRAWN));
    }
}

#[test]
fn what_is_said_after_it_fired_does_not_undo_that() {
    for (say, at_one) in SAYINGS {
        let said = say("2026-11-22T12:00:00.001Z");
        let given = Given::nothing().reconciled(&due_at("2026-11-22T12:00:00"), TEN);
        let mut given = given.fired(NOON);
        let events = given.when(&reconcile(&said), NOON);
        assert!(!names(&events).contains(&WITHDRAWN));
        assert_eq!(given.state().reminders[0].fire_count, 1);
        assert_eq!(given.when(&fire(ONE), ONE).len(), at_one);
    }
}

#[test]
fn who_acknowledges_was_told_whatever_the_clocks_say() {
    let early = answered(Reply::Acknowledged, "2026-11-22T11:59:59.990Z");
    let given = Given::nothing().reconciled(&due_at("2026-11-22T12:00:00"), TEN);
    let mut given = given.fired(NOON);
    assert!(given.when(&reconcile(&early), NOON).is_empty());
    assert_eq!(given.state().reminders[0].fire_count, 1);
}

proptest! {
    /// However late the last word is heard of and however often the timer is claimed: what was said
    /// before noon is what counts in the end, and what was said after it leaves the firing alone.
    #[test]
    fn a_word_in_time_wins_the_race(
        saying in 0..SAYINGS.len(),
        said in -2_000_i64..2_000,
        steps in prop::collection::vec(prop::bool::ANY, 1..12),
    ) {
        let time = |ms: i64| (at(NOON) + TimeDelta::milliseconds(ms)).to_rfc3339();
        let (say, at_one) = SAYINGS[saying];
        let said_at = time(said);
        let mut given = Given::nothing().reconciled(&due_at("2026-11-22T12:00:00"), TEN);
        let mut fired_at = None;
        for (delay, hears) in steps.iter().chain([&true, &false]).enumerate() {
            let now = time(said.max(0) + i64::try_from(delay).unwrap());
            // The clock of the scheduler is at noon at least, when it looks at its timers.
            let told = if *hears {
                given.when(&reconcile(&say(&said_at)), &now)
            } else {
                given.when(&fire(NOON), &now)
            };
            if names(&told).contains(&FIRED) {
                fired_at = Some(at(&now));
            }
        }
        let fired = fired_at.is_some_and(|fired_at| at(&said_at) > fired_at);
        prop_assert_eq!(given.state().reminders[0].fire_count, u32::from(fired));
        prop_assert_eq!(given.when(&fire(ONE), ONE).len(), at_one);
    }
}
