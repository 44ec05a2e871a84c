mod lead_over;
mod on_schedule;
mod order;
mod undo;

use event_schema::EventSet;

use super::fixtures::{at, done, series};
use super::*;

/// Given what happened, when a command comes, then these events.
#[derive(Default)]
struct Given(Option<SeriesProgress>);

impl Given {
    fn when(&mut self, command: &Command) -> Vec<ProgressEvent> {
        let events = decide(self.0.as_ref(), command.clone()).unwrap();
        for event in &events {
            self.0 = evolve(self.0.take(), event);
            assert!(self.0.is_some(), "{event:?} cannot begin a stream");
        }
        events
    }

    fn after(mut self, commands: &[Command]) -> Self {
        for command in commands {
            self.when(command);
        }
        self
    }
}

fn follow() -> Command {
    follow_with(SeriesStatus::Active, "FREQ=MONTHLY")
}

fn follow_with(status: SeriesStatus, rrule: &str) -> Command {
    let mut series = Series { status, ..series() };
    series.recurrence.rrule = rrule.to_owned();
    Command::Follow {
        series: Box::new(series),
    }
}

fn finish(slot: &str, finished_at: &str) -> Command {
    Command::Finish {
        task: Box::new(done(slot, at(finished_at))),
    }
}

const TEN: &str = "2026-11-22T10:00:00Z";
const JANUARY: &str = "2027-01-31T09:00";
const FEBRUARY: &str = "2027-02-28T09:00";
const MARCH: &str = "2027-03-31T09:00";

/// The first occurrence, finished early.
fn january_done() -> Command {
    finish(JANUARY, "2027-01-30T12:00:00Z")
}

fn due(slot: &str, index: u32, missed_count: u32, previous_slot: &str) -> ProgressEvent {
    ProgressEvent::OccurrenceDue(OccurrenceDue {
        slot: slot.to_owned(),
        index,
        missed_count,
        previous_slot: previous_slot.to_owned(),
        undone: Some(0),
    })
}

fn names(events: &[ProgressEvent]) -> Vec<&'static str> {
    events.iter().map(|event| event.event_type().name).collect()
}

#[test]
fn a_followed_series_waits_for_its_first_occurrence_to_be_finished() {
    let events = Given::default().when(&follow());

    assert_eq!(names(&events), ["progress.series-followed.v1"]);
}

#[test]
fn a_finished_occurrence_makes_the_next_slot_due() {
    let mut given = Given::default().after(&[follow()]);

    let events = given.when(&january_done());

    assert_eq!(events[1], due(FEBRUARY, 2, 0, JANUARY));
    assert_eq!(events.len(), 2);
}

#[test]
fn each_finished_occurrence_makes_one_more_slot_due() {
    let mut given = Given::default().after(&[follow(), january_done()]);

    let events = given.when(&finish(FEBRUARY, "2027-02-28T08:00:00Z"));

    assert_eq!(events[1], due(MARCH, 3, 0, FEBRUARY));
}

#[test]
fn what_is_due_has_an_id_of_its_slot() {
    let mut given = Given::default().after(&[follow()]);

    let events = given.when(&january_done());

    let id = ProgressStream::event_id(&events[1], given.0.as_ref().unwrap());
    assert_eq!(id, Some(occurrence_event_id(series().id, FEBRUARY)));
}

#[test]
fn a_late_completion_leaves_out_what_has_passed_and_counts_it() {
    let mut given = Given::default().after(&[follow()]);

    let events = given.when(&finish(JANUARY, "2027-03-01T08:00:00Z"));

    assert_eq!(events[1], due(MARCH, 3, 1, JANUARY));
}

#[test]
fn an_occurrence_that_is_finished_before_its_series_is_known_waits_for_it() {
    let mut given = Given::default();

    let first = given.when(&january_done());
    let second = given.when(&follow());

    assert_eq!(names(&first), ["progress.occurrence-finished.v1"]);
    assert_eq!(second[1], due(FEBRUARY, 2, 0, JANUARY));
}

#[test]
fn a_repeated_completion_makes_nothing_due_again() {
    let mut given = Given::default().after(&[follow(), january_done()]);

    let same = given.when(&january_done());
    let reopened_and_done_again = given.when(&finish(JANUARY, "2027-04-01T12:00:00Z"));

    assert!(same.is_empty());
    assert!(reopened_and_done_again.is_empty());
}

#[test]
fn an_older_occurrence_that_comes_late_changes_nothing() {
    let february = finish(FEBRUARY, "2027-02-28T08:00:00Z");
    let mut given = Given::default().after(&[follow(), february]);

    assert!(given.when(&january_done()).is_empty());
}

#[test]
fn a_paused_series_announces_when_it_is_resumed() {
    let paused = follow_with(SeriesStatus::Paused, "FREQ=MONTHLY");
    let mut given = Given::default().after(&[follow(), paused]);

    let while_paused = given.when(&january_done());
    let resumed = given.when(&follow());

    assert_eq!(names(&while_paused), ["progress.occurrence-finished.v1"]);
    assert_eq!(resumed[1], due(FEBRUARY, 2, 0, JANUARY));
}

#[test]
fn what_a_waiting_series_announces_follows_from_the_last_completion() {
    let paused = follow_with(SeriesStatus::Paused, "FREQ=MONTHLY");
    let mut given = Given::default().after(&[paused, january_done()]);

    given.when(&finish(JANUARY, "2027-03-05T12:00:00Z"));
    let resumed = given.when(&follow());

    assert_eq!(resumed[1], due(MARCH, 3, 1, JANUARY));
}

#[test]
fn an_ended_series_announces_nothing() {
    let ended = follow_with(SeriesStatus::Ended, "FREQ=MONTHLY");
    let mut given = Given::default().after(&[ended]);

    let events = given.when(&january_done());

    assert_eq!(names(&events), ["progress.occurrence-finished.v1"]);
}

#[test]
fn a_rule_that_has_run_out_is_announced_once() {
    let once = follow_with(SeriesStatus::Active, "FREQ=MONTHLY;COUNT=1");
    let mut given = Given::default().after(std::slice::from_ref(&once));

    let events = given.when(&january_done());
    let id = ProgressStream::event_id(&events[1], given.0.as_ref().unwrap());
    let paused = follow_with(SeriesStatus::Paused, "FREQ=MONTHLY;COUNT=1");
    let again = given.after(&[paused]).when(&once);

    assert_eq!(
        events[1],
        ProgressEvent::SeriesExhausted(SeriesExhausted {
            last_slot: JANUARY.to_owned()
        })
    );
    assert_eq!(id, Some(exhausted_event_id(series().id, JANUARY)));
    assert_eq!(names(&again), ["progress.series-followed.v1"]);
}

#[test]
fn a_rule_that_is_prolonged_goes_on() {
    let once = follow_with(SeriesStatus::Active, "FREQ=MONTHLY;COUNT=1");
    let mut given = Given::default().after(&[once, january_done()]);

    let events = given.when(&follow());

    assert_eq!(events[1], due(FEBRUARY, 2, 0, JANUARY));
    assert!(!given.0.unwrap().exhausted);
}

#[test]
fn a_rule_that_changes_while_its_next_occurrence_is_open_takes_effect_after_it() {
    let mut given = Given::default().after(&[follow(), january_done()]);

    let weekly = given.when(&follow_with(SeriesStatus::Active, "FREQ=WEEKLY;BYDAY=SU"));
    let events = given.when(&finish(FEBRUARY, "2027-02-28T08:00:00Z"));

    assert_eq!(names(&weekly), ["progress.series-followed.v1"]);
    assert_eq!(events[1], due("2027-03-07T09:00", 6, 0, FEBRUARY));
}

#[test]
fn a_definition_without_slots_and_a_slot_that_is_none_are_refused() {
    let broken = follow_with(SeriesStatus::Active, "FREQ=NEVER");

    assert!(matches!(
        decide(None, broken),
        Err(ProgressError::Plan { .. })
    ));
    assert!(matches!(
        decide(None, finish("last Sunday", "2027-01-30T12:00:00Z")),
        Err(ProgressError::Slot { .. })
    ));
}

#[test]
fn a_skipped_or_cancelled_occurrence_is_finished_when_that_was_said() {
    for status in [Status::Skipped, Status::Cancelled] {
        let task = Task {
            status,
            updated_at: at("2027-03-01T08:00:00Z"),
            completed_at: None,
            ..done(JANUARY, at(TEN))
        };
        let mut given = Given::default().after(&[follow()]);

        let events = given.when(&Command::Finish {
            task: Box::new(task),
        });

        assert_eq!(events[1], due(MARCH, 3, 1, JANUARY));
    }
}

#[test]
fn an_open_occurrence_makes_nothing_due_and_a_task_of_no_series_says_nothing() {
    let done = done(JANUARY, at(TEN));
    let open = Task {
        status: Status::Open,
        ..done.clone()
    };
    let alone = Task {
        series_id: None,
        slot: None,
        ..done
    };
    for (task, expected) in [
        // The first is remembered, in case the series turns to its schedule.
        (open, &["progress.occurrence-opened.v1"][..]),
        (alone, &[]),
    ] {
        let mut given = Given::default().after(&[follow()]);
        let finish = Command::Finish {
            task: Box::new(task),
        };

        assert_eq!(names(&given.when(&finish)), expected);
        assert!(given.when(&finish).is_empty());
    }
}

#[test]
fn an_open_occurrence_that_is_thrown_away_makes_the_next_slot_due() {
    let thrown_away = Task {
        status: Status::Open,
        completed_at: None,
        trashed_at: Some(at("2027-01-30T12:00:00Z")),
        ..done(JANUARY, at(TEN))
    };
    let mut given = Given::default().after(&[follow()]);

    let events = given.when(&Command::Finish {
        task: Box::new(thrown_away),
    });

    assert_eq!(events[1], due(FEBRUARY, 2, 0, JANUARY));
}

#[test]
fn who_counts_from_completions_has_the_next_slot_an_interval_after_that_day() {
    let mut series = series();
    series.recurrence.rrule = "FREQ=MONTHLY;COUNT=3".to_owned();
    series.recurrence.anchor = event_schema::SlotAnchor::Completion;
    let follow = Command::Follow {
        series: Box::new(series),
    };
    let finish = |slot: &str, index, finished_at: &str| Command::Finish {
        task: Box::new(Task {
            occurrence_index: Some(index),
            ..done(slot, at(finished_at))
        }),
    };
    let mut given = Given::default().after(&[follow]);

    // The third of February in Berlin already.
    let second = given.when(&finish(JANUARY, 1, "2027-02-02T23:30:00Z"));
    let third = given.when(&finish("2027-03-03T09:00", 2, "2027-03-31T10:00:00Z"));
    let none = given.when(&finish("2027-04-30T09:00", 3, "2027-04-30T10:00:00Z"));

    assert_eq!(second[1], due("2027-03-03T09:00", 2, 0, JANUARY));
    assert_eq!(third[1], due("2027-04-30T09:00", 3, 0, "2027-03-03T09:00"));
    assert_eq!(names(&none)[1], "series.exhausted.v1");
}
