//! The rules of a zone change. What older rules made is a state whose instants are an hour off.

use event_schema::{Answer, Nag, Reply, Terms};

use super::*;

const OLDER: &str = "2020a";
const MOVED: &str = "reminder.moved.v1";
const REPLANNED: &str = "reminder.replanned.v1";
/// Noon in Berlin, in winter.
const ELEVEN: &str = "2026-11-22T11:00:00Z";
const EARLY: &str = "2026-11-22T08:00:00Z";

fn berlin() -> Task {
    let mut task = due_at("2026-11-22T12:00:00");
    task.due = Some(TimeValue::Local {
        local: "2026-11-22T12:00:00".parse().unwrap(),
        time_zone: "Europe/Berlin".to_owned(),
    });
    task
}

/// Planned by rules that put noon in Berlin so many hours later.
fn by_older_rules(task: &Task, hours: i64) -> Given {
    let mut given = Given::nothing().reconciled(task, EARLY);
    let state = given.0.as_mut().unwrap();
    state.tzdb_version = OLDER.to_owned();
    for reminder in &mut state.reminders {
        reminder.fire_at += TimeDelta::hours(hours);
    }
    given
}

/// The same, and it had its turn by those rules.
fn told_by_older_rules(task: &Task, hours: i64) -> Given {
    let mut given = by_older_rules(task, hours);
    let at = given.state().reminders[0].fire_at;
    given.0.as_mut().unwrap().tzdb_version = RULES.to_owned();
    let given = given.fired(&at.to_rfc3339());
    let mut given = given;
    given.0.as_mut().unwrap().tzdb_version = OLDER.to_owned();
    given
}

fn timers(given: &Given) -> Vec<String> {
    let timers = RemindersStream::timers(given.state()).into_iter();
    timers.map(|timer| timer.fire_at.to_rfc3339()).collect()
}

#[test]
fn what_is_to_come_moves_once() {
    for hours in [-1, 1] {
        let mut given = by_older_rules(&berlin(), hours);

        let events = given.when(&Command::Replan, EARLY);

        assert_eq!(names(&events), [REPLANNED, MOVED]);
        assert_eq!(timers(&given), ["2026-11-22T11:00:00+00:00"]);
        assert_eq!(given.state().tzdb_version, RULES);
        assert!(given.when(&Command::Replan, EARLY).is_empty());
        assert!(given.when(&reconcile(&berlin()), EARLY).is_empty());
    }
}

#[test]
fn rules_that_make_the_same_instant_are_noted_and_nothing_moves() {
    let mut given = by_older_rules(&berlin(), 0);

    assert_eq!(names(&given.when(&Command::Replan, EARLY)), [REPLANNED]);
    assert!(given.when(&Command::Replan, EARLY).is_empty());
}

#[test]
fn nothing_fires_by_the_time_that_older_rules_gave_it() {
    let mut given = by_older_rules(&berlin(), -1);

    let early = given.when(&fire(TEN), TEN);

    assert_eq!(names(&early), [REPLANNED, MOVED]);
    assert_eq!(names(&given.when(&fire(ELEVEN), ELEVEN)), [FIRED]);
}

#[test]
fn what_should_have_fired_by_now_fires_late() {
    let mut given = by_older_rules(&berlin(), 1);

    let stale = given.when(&fire(NOON), NOON);
    let late = given.when(&fire(ELEVEN), NOON);

    assert_eq!(names(&stale), [REPLANNED, MOVED]);
    let [ReminderEvent::Fired(fired)] = &late[..] else {
        panic!("{late:?}");
    };
    assert_eq!(fired.scheduled_for, at(ELEVEN));
    assert_eq!(fired.late_by_ms, 3_600_000);
    assert!(timers(&given).is_empty());
}

#[test]
fn what_fired_stays_fired_whenever_the_task_is_heard_of() {
    for hours in [-1, 1] {
        for replanned_before in [true, false] {
            let mut given = told_by_older_rules(&berlin(), hours);
            if replanned_before {
                given.when(&Command::Replan, TEN);
            }

            let mut events = given.when(&reconcile(&berlin()), TEN);
            events.retain(|event| {
                ![MOVED, REPLANNED].contains(&names(std::slice::from_ref(event))[0])
            });

            assert!(events.is_empty(), "{events:?}");
            assert!(timers(&given).is_empty());
            let done = Task {
                status: Status::Completed,
                ..berlin()
            };
            let mut given = given.reconciled(&done, NOON);
            let again = given.when(&reconcile(&berlin()), NOON);
            assert!(again.is_empty(), "{hours} {replanned_before}: {again:?}");
        }
    }
}

#[test]
fn who_is_told_of_it_knows_that_it_stands_for_the_new_instant() {
    let mut given = told_by_older_rules(&berlin(), -1);

    given.when(&Command::Replan, ELEVEN);

    let told = given.state().reminders[0].told().unwrap();
    assert_eq!(told.until, at(ELEVEN));
    assert_eq!(told.last_fired_at, Some(at(TEN)));
    assert_eq!(told.fire_count, 1);
}

#[test]
fn an_edit_of_what_was_moved_is_still_an_edit() {
    let mut given = told_by_older_rules(&berlin(), -1);
    given.when(&Command::Replan, TEN);
    let mut later = berlin();
    later.reminders[0].since = Some(at(NOON));
    later.due = due_at("2026-11-22T18:00:00").due;

    let events = given.when(&reconcile(&later), NOON);

    assert_eq!(names(&events), [SCHEDULED]);
    assert_eq!(timers(&given), ["2026-11-22T18:00:00+00:00"]);
}

#[test]
fn a_reminder_that_nags_goes_on_as_it_was() {
    let mut task = berlin();
    task.reminders[0].terms = Terms {
        nag: Some(Nag {
            every_seconds: 900,
            max: 3,
        }),
        ..Terms::default()
    };
    for hours in [-1, 1] {
        let mut given = told_by_older_rules(&task, hours);
        let nags = timers(&given);

        given.when(&Command::Replan, NOON);
        let heard = given.when(&reconcile(&task), NOON);

        assert!(heard.is_empty(), "{heard:?}");
        assert_eq!(timers(&given), nags);
    }
}

#[test]
fn a_reminder_that_was_snoozed_has_the_instant_that_its_owner_chose() {
    let mut task = berlin();
    task.reminders[0].answer = Some(Answer {
        to: at(ELEVEN),
        wall: None,
        reply: Reply::Snoozed { until: at(NOON) },
        at: at(EARLY),
    });
    let mut given = by_older_rules(&task, 0);

    assert_eq!(names(&given.when(&Command::Replan, TEN)), [REPLANNED]);
    assert_eq!(timers(&given), ["2026-11-22T12:00:00+00:00"]);
}

#[test]
fn a_process_with_older_rules_leaves_a_newer_plan_alone() {
    let mut given = by_older_rules(&berlin(), 1);
    given.0.as_mut().unwrap().tzdb_version = "2099z".to_owned();

    assert!(given.when(&Command::Replan, EARLY).is_empty());
}

#[test]
fn what_was_planned_before_its_time_on_the_wall_was_kept_is_moved_by_the_next_change_of_its_task() {
    let mut given = by_older_rules(&berlin(), 1);
    given.0.as_mut().unwrap().reminders[0].wall = None;

    assert_eq!(names(&given.when(&Command::Replan, EARLY)), [REPLANNED]);
    assert_eq!(
        names(&given.when(&reconcile(&berlin()), EARLY)),
        [SCHEDULED]
    );
    assert_eq!(timers(&given), ["2026-11-22T11:00:00+00:00"]);
}
