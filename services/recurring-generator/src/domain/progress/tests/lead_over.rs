//! A series that begins when an occurrence of an earlier one is finished.

use chrono::NaiveDate;
use event_schema::{BeginsAfter, Generation, GenerationMode, Recurrence};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::domain::progress::fixtures::{at, done, series};
use crate::domain::progress::*;

const LEAD: &str = "2027-01-31T09:00";

/// Every Wednesday from the first of February on, after the last occurrence of the monthly series.
fn next_series(status: SeriesStatus) -> Series {
    let old = series();
    Series {
        id: SeriesId(Uuid::from_u128(0xd)),
        recurrence: Recurrence::of("FREQ=WEEKLY;BYDAY=WE"),
        status,
        previous_series_id: Some(old.id),
        begins_after: Some(BeginsAfter {
            task_id: lead().id,
            slot: LEAD.to_owned(),
            from: NaiveDate::from_ymd_opt(2027, 2, 1).unwrap(),
        }),
        ..old
    }
}

/// The occurrence that leads over, done.
fn lead() -> Task {
    Task {
        next_series_id: Some(SeriesId(Uuid::from_u128(0xd))),
        occurrence_index: Some(1),
        ..done(LEAD, at("2027-02-10T12:00:00Z"))
    }
}

fn open(task: Task) -> Task {
    Task {
        status: Status::Open,
        completed_at: None,
        ..task
    }
}

fn follow(
    state: Option<SeriesProgress>,
    command: Command,
) -> (Option<SeriesProgress>, Vec<ProgressEvent>) {
    let events = decide(state.as_ref(), command).unwrap();
    (events.iter().fold(state, evolve), events)
}

fn of_task(task: Task) -> Command {
    let (series_id, command) = Command::of_task(task).unwrap();
    assert_eq!(series_id, next_series(SeriesStatus::Active).id);
    command
}

#[test]
fn its_first_occurrence_is_due_when_that_is_finished() {
    let series = Box::new(next_series(SeriesStatus::Active));
    let (state, events) = follow(None, Command::Follow { series });
    assert_eq!(events.len(), 1);
    let (state, _) = follow(state, of_task(open(lead())));
    let (_, events) = follow(state, of_task(lead()));
    let Some(ProgressEvent::OccurrenceDue(due)) = events.last() else {
        panic!("nothing is due: {events:?}");
    };
    // Done on a Wednesday after nine: the next one.
    assert_eq!(
        (due.slot.as_str(), due.previous_slot.as_str()),
        ("2027-02-17T09:00", LEAD)
    );
    assert_eq!((due.index, due.missed_count), (3, 2));
}

#[test]
fn what_led_over_counts_as_open_on_schedule() {
    let mut series = next_series(SeriesStatus::Active);
    series.generation = Generation {
        mode: GenerationMode::OnSchedule,
        max_open: 2,
        ..Generation::default()
    };
    let series = Box::new(series);
    let (state, _) = follow(None, Command::Follow { series });
    let (state, _) = follow(state, of_task(open(lead())));
    let timers = ProgressStream::timers(state.as_ref().unwrap());
    assert_eq!(timers[0].fire_at, at("2027-02-03T08:00:00Z"));
    let make = |state, now: &str| follow(state, Command::Make { now: at(now) });
    let (state, events) = make(state, "2027-02-03T08:00:00Z");
    assert_eq!(events.len(), 1);
    // Two are open now.
    let (state, events) = make(state, "2027-02-10T08:00:00Z");
    assert_eq!((events, state.unwrap().open.len()), (vec![], 2));
}

/// What is on its way, each with the version that its gate asks for.
fn messages() -> Vec<(bool, u64, Command)> {
    let series = |version, status| {
        let series = Box::new(next_series(status));
        (true, version, Command::Follow { series })
    };
    let task = |version, task| (false, version, of_task(task));
    let reopened = |task| Task { undone: 1, ..task };
    vec![
        series(1, SeriesStatus::Paused),
        series(2, SeriesStatus::Active),
        task(2, open(lead())),
        task(3, lead()),
        task(4, reopened(open(lead()))),
        task(5, reopened(lead())),
    ]
}

proptest! {
    #[test]
    fn every_order_ends_with_one_due_after_the_newest_finish(
        order in prop::collection::vec(any::<Index>(), 12),
    ) {
        let mut on_the_way = messages();
        let (mut state, mut seen) = (None, [0, 0]);
        let mut due = Vec::new();
        let repeats = messages();
        for index in order {
            let (is_series, version, command) = if on_the_way.is_empty() {
                repeats[index.index(repeats.len())].clone()
            } else {
                on_the_way.remove(index.index(on_the_way.len()))
            };
            let seen = &mut seen[usize::from(is_series)];
            if version <= *seen {
                continue;
            }
            *seen = version;
            let (now, events) = follow(state, command);
            state = now;
            due.extend(events.into_iter().filter_map(|event| match event {
                ProgressEvent::OccurrenceDue(due) => Some((due.slot, due.undone)),
                _ => None,
            }));
        }
        // What was undone before it was heard of is not due; what came of the first finish stays until
        // task-api takes it back.
        prop_assert_eq!(due.len(), 1, "{:?}", due);
        prop_assert_eq!(due[0].0.as_str(), "2027-02-17T09:00");
    }
}
