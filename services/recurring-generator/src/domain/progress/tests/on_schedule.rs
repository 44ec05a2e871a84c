//! Series whose occurrences are made at their time.

use event_schema::{CatchUp, Generation, GenerationMode, OccurrenceLate};

use super::*;

fn follow(catch_up: CatchUp, max_open: u32) -> Command {
    let mut series = series();
    series.generation = Generation {
        mode: GenerationMode::OnSchedule,
        max_open,
        catch_up,
        ..Generation::default()
    };
    Command::Follow {
        series: Box::new(series),
    }
}

fn open(slot: &str) -> Command {
    let task = Task {
        status: Status::Open,
        completed_at: None,
        ..done(slot, at(TEN))
    };
    Command::Finish {
        task: Box::new(task),
    }
}

fn make(now: &str) -> Command {
    Command::Make { now: at(now) }
}

/// What is due at its time, whatever became of the one before.
fn made(slot: &str, index: u32, missed_count: u32, previous_slot: &str) -> ProgressEvent {
    let ProgressEvent::OccurrenceDue(due) = due(slot, index, missed_count, previous_slot) else {
        unreachable!()
    };
    ProgressEvent::OccurrenceDue(OccurrenceDue {
        undone: None,
        ..due
    })
}

fn timer(given: &Given) -> Option<DateTime<Utc>> {
    let timers = ProgressStream::timers(given.0.as_ref().unwrap());
    timers.first().map(|timer| timer.fire_at)
}

#[test]
fn an_open_occurrence_leaves_no_room_for_the_next_until_it_is_finished() {
    let mut given = Given::default().after(&[follow(CatchUp::Latest, 1), open(JANUARY)]);
    assert_eq!(timer(&given), None);
    assert_eq!(given.when(&make("2027-06-01T00:00:00Z")), []);

    given.when(&january_done());

    assert_eq!(timer(&given), Some(at("2027-02-28T08:00:00Z")));
    assert_eq!(given.when(&make("2027-02-28T07:59:59Z")), []);
    let due_now = given.when(&make("2027-02-28T08:00:00Z"));
    assert_eq!(due_now, [made(FEBRUARY, 2, 0, JANUARY)]);
    assert_eq!(timer(&given), None);
    assert_eq!(given.when(&make("2027-02-28T08:00:00Z")), []);
}

#[test]
fn with_room_occurrences_come_at_their_time_whatever_is_open() {
    let mut given = Given::default().after(&[open(JANUARY), follow(CatchUp::Latest, 3)]);
    assert_eq!(
        given.when(&make("2027-02-28T08:00:00Z")),
        [made(FEBRUARY, 2, 0, JANUARY)]
    );
    assert_eq!(
        given.when(&make("2027-03-31T07:00:00Z")),
        [made(MARCH, 3, 0, FEBRUARY)]
    );
    assert_eq!(timer(&given), None);
    // The oldest is finished last, and makes room too.
    given.when(&finish(MARCH, "2027-03-31T08:00:00Z"));
    given.when(&january_done());
    assert_eq!(timer(&given), Some(at("2027-04-30T07:00:00Z")));
    assert_eq!(given.0.as_ref().unwrap().open.len(), 1);
}

#[test]
fn a_series_that_turns_to_its_schedule_counts_what_is_open() {
    // Nobody has finished anything yet: the first occurrence is open.
    let follow_first = super::follow();
    let mut first = Given::default().after(&[follow_first.clone(), open(JANUARY)]);
    first.when(&follow(CatchUp::Latest, 1));
    assert_eq!(timer(&first), None);
    first.when(&follow(CatchUp::Latest, 2));
    assert_eq!(timer(&first), Some(at("2027-02-28T08:00:00Z")));

    // The second was announced, and is open.
    let mut second = Given::default().after(&[follow_first, open(JANUARY), january_done()]);
    second.when(&follow(CatchUp::Latest, 1));
    assert_eq!(timer(&second), None);
    second.when(&finish(FEBRUARY, "2027-02-28T09:00:00Z"));
    assert_eq!(timer(&second), Some(at("2027-03-31T07:00:00Z")));

    // And back: the newest is finished, so the next is due at once.
    let events = second.when(&super::follow());
    assert_eq!(names(&events)[1], "occurrence.due.v1");
}

#[test]
fn what_was_missed_follows_the_policy() {
    let late = "2027-05-10T00:00:00Z";
    let after = |catch_up| {
        let mut given = Given::default().after(&[follow(catch_up, 1), january_done()]);
        let events = given.when(&make(late));
        (events, timer(&given))
    };
    let (latest, _) = after(CatchUp::Latest);
    assert_eq!(latest, [made("2027-04-30T09:00", 4, 2, JANUARY)]);
    let (all, next) = after(CatchUp::All);
    assert_eq!(all.len(), 3);
    assert_eq!(all[2], made("2027-04-30T09:00", 4, 0, MARCH));
    assert_eq!(next, Some(at("2027-05-31T07:00:00Z")));
    let (none, next) = after(CatchUp::None);
    assert_eq!(names(&none), ["progress.slots-passed.v1"]);
    assert_eq!(next, Some(at("2027-05-31T07:00:00Z")));
}

#[test]
fn a_rule_that_has_run_out_is_announced_with_its_last_slot() {
    let Command::Follow { mut series } = follow(CatchUp::Latest, 5) else {
        unreachable!()
    };
    series.recurrence.rrule = "FREQ=MONTHLY;COUNT=2".to_owned();
    let mut given = Given::default().after(&[Command::Follow { series }, open(JANUARY)]);
    let events = given.when(&make("2027-02-28T08:00:00Z"));
    assert_eq!(names(&events), ["occurrence.due.v1", "series.exhausted.v1"]);
    assert_eq!(timer(&given), None);
}

#[test]
fn a_paused_series_makes_nothing() {
    let Command::Follow { mut series } = follow(CatchUp::Latest, 5) else {
        unreachable!()
    };
    series.status = SeriesStatus::Paused;
    let mut given = Given::default().after(&[open(JANUARY), Command::Follow { series }]);
    assert_eq!(timer(&given), None);
    assert_eq!(given.when(&make("2027-02-28T08:00:00Z")), []);
    let resumed = given.when(&follow(CatchUp::Latest, 5));
    assert_eq!(names(&resumed), ["progress.series-followed.v1"]);
    assert_eq!(timer(&given), Some(at("2027-02-28T08:00:00Z")));
}

/// One at a time, and the one before is skipped when it is late.
fn follow_and_skip() -> Command {
    let Command::Follow { mut series } = follow(CatchUp::Latest, 1) else {
        unreachable!()
    };
    series.generation.auto_skip_when_late = true;
    Command::Follow { series }
}

fn late(slot: &str, next_slot: &str) -> ProgressEvent {
    ProgressEvent::OccurrenceLate(OccurrenceLate {
        slot: slot.to_owned(),
        next_slot: next_slot.to_owned(),
    })
}

#[test]
fn an_open_occurrence_is_late_once_when_the_next_one_is_due() {
    let mut given = Given::default().after(&[follow_and_skip(), open(JANUARY)]);
    assert_eq!(timer(&given), Some(at("2027-02-28T08:00:00Z")));
    assert_eq!(given.when(&make("2027-02-28T07:59:59Z")), []);

    let said = given.when(&make("2027-02-28T08:00:00Z"));

    assert_eq!(said, [late(JANUARY, FEBRUARY)]);
    assert_eq!(timer(&given), None, "the answer is awaited, however long");
    assert_eq!(given.when(&make("2027-02-28T08:00:01Z")), []);
    assert_eq!(given.when(&make("2027-06-01T00:00:00Z")), []);
}

#[test]
fn what_is_skipped_because_it_is_late_makes_room_for_the_newest_slot() {
    for now in ["2027-02-28T08:00:00Z", "2027-03-31T09:00:00Z"] {
        let mut given = Given::default().after(&[follow_and_skip(), open(JANUARY)]);
        assert_eq!(given.when(&make(now)).len(), 1);

        let skipped = Task {
            status: Status::Skipped,
            completed_at: None,
            updated_at: at(now),
            ..done(JANUARY, at(TEN))
        };
        let skipped = Command::Finish {
            task: Box::new(skipped),
        };
        given.when(&skipped);
        let due_now = given.when(&make(now));

        let expected = match now {
            "2027-02-28T08:00:00Z" => made(FEBRUARY, 2, 0, JANUARY),
            _ => made(MARCH, 3, 1, JANUARY),
        };
        assert_eq!(due_now, [expected]);
        assert_eq!(given.when(&skipped), [], "heard of twice");
        // And the next is late in its turn.
        assert!(timer(&given) > Some(at(now)));
    }
}

#[test]
fn an_occurrence_that_its_owner_opened_again_is_not_late_twice() {
    let mut given = Given::default().after(&[follow_and_skip(), open(JANUARY)]);
    given.when(&make("2027-02-28T08:00:00Z"));
    given.when(&finish(JANUARY, "2027-02-28T08:00:00Z"));
    given.when(&open(JANUARY));

    assert_eq!(given.when(&make("2027-06-01T00:00:00Z")), []);
}

#[test]
fn nothing_is_late_in_a_series_that_does_not_skip_nor_while_it_is_paused() {
    let mut given = Given::default().after(&[follow(CatchUp::Latest, 1), open(JANUARY)]);
    assert_eq!(given.when(&make("2027-06-01T00:00:00Z")), []);

    let Command::Follow { mut series } = follow_and_skip() else {
        unreachable!()
    };
    series.status = SeriesStatus::Paused;
    let paused = Command::Follow { series };
    let mut given = Given::default().after(&[paused, open(JANUARY)]);
    assert_eq!(timer(&given), None);
    assert_eq!(given.when(&make("2027-06-01T00:00:00Z")), []);
}

#[test]
fn what_floats_is_made_where_its_owner_is() {
    let mut series = series();
    series.start = event_schema::TimeValue::Local {
        local: "2027-01-31T09:00:00".parse().unwrap(),
        time_zone: "floating".to_owned(),
    };
    series.generation.mode = GenerationMode::OnSchedule;
    let follow = |home: Option<&str>| {
        let mut series = series.clone();
        series.home_zone = home.map(str::to_owned);
        Command::Follow {
            series: Box::new(series),
        }
    };
    let mut given = Given::default().after(&[follow(None), january_done()]);
    assert_eq!(timer(&given), Some(at("2027-02-28T09:00:00Z")));
    given.when(&follow(Some("Asia/Tokyo")));
    assert_eq!(timer(&given), Some(at("2027-02-28T00:00:00Z")));
    assert_eq!(
        given.when(&make("2027-02-28T00:00:00Z")),
        [made("2027-02-28T09:00", 2, 0, JANUARY)]
    );
    // The slot had its turn: going west does not bring it again.
    given.when(&follow(Some("America/Los_Angeles")));
    assert_eq!(given.when(&make("2027-02-28T17:00:00Z")), []);
}
