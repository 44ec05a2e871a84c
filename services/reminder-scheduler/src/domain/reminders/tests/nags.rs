//! Reminders that insist, and what becomes of what could not be told at its time.

use event_schema::{Misfire, MisfirePolicy, Nag, Terms};

use super::*;

const QUARTER: &str = "2026-11-22T12:15:00Z";

/// Due at noon, then every quarter of an hour at most three times.
fn nagging() -> Task {
    on(Terms {
        nag: Some(Nag {
            every_seconds: 900,
            max: 3,
        }),
        ..Terms::default()
    })
}

fn on(terms: Terms) -> Task {
    let mut task = due_at("2026-11-22T12:00:00");
    task.reminders[0].terms = terms;
    task
}

fn next(given: &Given) -> Option<String> {
    let timers = RemindersStream::timers(given.state());
    assert!(timers.len() <= 1, "only the next firing is materialized");
    timers.first().map(|timer| timer.fire_at.to_rfc3339())
}

/// Tells whatever is due at a time; the times that were told for.
fn tell(given: &mut Given, now: &str) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(timer) = RemindersStream::timers(given.state()).first() {
        let events = given.when(&fire(&timer.fire_at.to_rfc3339()), now);
        let Some(ReminderEvent::Fired(fired)) = events.first() else {
            break;
        };
        told.push(fired.scheduled_for.format("%d %H:%M").to_string());
    }
    told
}

#[test]
fn a_nagging_reminder_is_told_again_until_it_has_nagged_enough() {
    let mut given = Given::nothing().reconciled(&nagging(), TEN).fired(NOON);
    let mut told = Vec::new();
    for minute in [14, 15, 29, 30, 45, 59] {
        told.extend(tell(&mut given, &format!("2026-11-22T12:{minute}:00Z")));
    }
    assert_eq!(told, ["22 12:15", "22 12:30", "22 12:45"]);
    assert_eq!(next(&given), None);
    assert_eq!(given.state().reminders[0].status, ReminderStatus::Fired);
}

#[test]
fn nagging_ends_when_its_task_does_and_does_not_come_back() {
    let done = Task {
        status: Status::Completed,
        ..nagging()
    };
    let given = Given::nothing().reconciled(&nagging(), TEN).fired(NOON);
    let mut given = given.reconciled(&done, NOON);
    assert_eq!(next(&given), None);
    assert!(given.when(&fire(QUARTER), QUARTER).is_empty());
    assert!(given.when(&reconcile(&nagging()), QUARTER).is_empty());
}

#[test]
fn after_downtime_nagging_is_told_once_and_goes_on() {
    for (back, told, goes_on) in [
        // While it nagged, and before it was told at all.
        (Some(NOON), "25 12:45", "2026-11-25T13:00:00+00:00"),
        (None, "25 12:45", "2026-11-25T13:00:00+00:00"),
    ] {
        let mut given = Given::nothing().reconciled(&nagging(), TEN);
        if let Some(at) = back {
            given = given.fired(at);
        }
        assert_eq!(tell(&mut given, "2026-11-25T12:46:00Z"), [told]);
        assert_eq!(next(&given).as_deref(), Some(goes_on));
    }
}

#[test]
fn an_edit_while_it_nags_keeps_its_pace_and_other_terms_change_it() {
    let renamed = Task {
        title: "Pay the landlord".to_owned(),
        ..nagging()
    };
    let mut given = Given::nothing().reconciled(&nagging(), TEN).fired(NOON);
    assert_eq!(names(&given.when(&reconcile(&renamed), NOON)), [TASK_SEEN]);
    assert_eq!(given.state().title, "Pay the landlord");
    assert_eq!(next(&given).as_deref(), Some("2026-11-22T12:15:00+00:00"));
    assert!(given.when(&reconcile(&renamed), NOON).is_empty());

    let mut faster = nagging();
    faster.reminders[0].terms.nag = Some(Nag {
        every_seconds: 60,
        max: 3,
    });
    given.when(&reconcile(&faster), NOON);
    assert_eq!(next(&given).as_deref(), Some("2026-11-22T12:01:00+00:00"));

    let calm = on(Terms::default());
    assert_eq!(names(&given.when(&reconcile(&calm), NOON)), [CANCELLED]);
    assert_eq!(next(&given), None);
}

#[test]
fn a_moved_task_nags_at_its_new_time_only() {
    let mut later = nagging();
    later.due = due_at("2026-11-22T13:00:00").due;
    let given = Given::nothing().reconciled(&nagging(), TEN).fired(NOON);
    let mut given = given.reconciled(&later, NOON);
    assert!(tell(&mut given, "2026-11-22T12:59:00Z").is_empty());
    assert_eq!(tell(&mut given, "2026-11-22T13:20:00Z"), ["22 13:15"]);
}

#[test]
fn how_late_it_may_be_is_said_by_its_terms() {
    let late = |policy, grace_seconds| {
        on(Terms {
            misfire: Misfire {
                policy,
                grace_seconds,
            },
            ..Terms::default()
        })
    };
    let (fire_late, skip) = (MisfirePolicy::FireLate, MisfirePolicy::Skip);
    for (task, now, expected) in [
        (late(fire_late, 3_600), "2026-11-22T13:00:00Z", FIRED),
        (
            late(fire_late, 3_600),
            "2026-11-22T13:00:00.000001Z",
            MISSED,
        ),
        // What nobody notices is no lateness.
        (late(fire_late, 0), "2026-11-22T12:01:00Z", FIRED),
        (late(skip, 3_600), "2026-11-22T12:01:00Z", FIRED),
        (late(skip, 3_600), "2026-11-22T12:01:00.000001Z", MISSED),
    ] {
        let mut given = Given::nothing().reconciled(&task, TEN);
        assert_eq!(names(&given.when(&fire(NOON), now)), [expected], "{now}");
    }
}

#[test]
fn how_late_it_was_is_told() {
    let mut given = Given::nothing().reconciled(&due_at("2026-11-22T12:00:00"), TEN);
    let events = given.when(&fire(NOON), "2026-11-22T15:00:00.25Z");
    let ReminderEvent::Fired(fired) = &events[0] else {
        panic!("{events:?}");
    };
    assert_eq!(fired.late_by_ms, 3 * 3_600_000 + 250);
}

proptest! {
    /// However the worker comes and goes: no time twice, never early, never more often than asked for,
    /// and never twice at one time of the clock.
    #[test]
    fn nagging_resumes_and_does_not_replay(looks in prop::collection::vec(1_i64..400_000, 1..40)) {
        let mut given = Given::nothing().reconciled(&nagging(), TEN);
        let mut now = at(TEN);
        let mut told = Vec::new();
        for seconds in looks {
            now += TimeDelta::seconds(seconds);
            let times = tell(&mut given, &now.to_rfc3339());
            prop_assert!(times.len() <= 1, "{times:?}");
            told.extend(times);
            for timer in RemindersStream::timers(given.state()) {
                prop_assert!(timer.fire_at > now);
            }
        }
        prop_assert!(told.len() <= 4, "{told:?}");
        let distinct: std::collections::HashSet<_> = told.iter().collect();
        prop_assert_eq!(distinct.len(), told.len());
    }
}
