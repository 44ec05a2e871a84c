//! What was finished is open again.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// The first occurrence, finished after it was opened again so many times.
fn january(undone: u32, finished_at: &str) -> Command {
    let task = Task {
        undone,
        ..done(JANUARY, at(finished_at))
    };
    Command::Finish {
        task: Box::new(task),
    }
}

fn january_open(undone: u32) -> Command {
    let task = Task {
        undone,
        status: Status::Open,
        completed_at: None,
        ..done(JANUARY, at(TEN))
    };
    Command::Finish {
        task: Box::new(task),
    }
}

/// The second one, taken back because the first one was opened again so many times.
fn february_withdrawn(undone: u32) -> Command {
    let task = Task {
        status: Status::Open,
        completed_at: None,
        trashed_at: Some(at(TEN)),
        withdrawn: [(JANUARY.to_owned(), undone)].into(),
        previous_slot: Some(JANUARY.to_owned()),
        ..done(FEBRUARY, at(TEN))
    };
    Command::Finish {
        task: Box::new(task),
    }
}

fn again(slot: &str, index: u32, missed_count: u32, undone: u32) -> ProgressEvent {
    ProgressEvent::OccurrenceDue(OccurrenceDue {
        slot: slot.to_owned(),
        index,
        missed_count,
        previous_slot: JANUARY.to_owned(),
        undone: Some(undone),
    })
}

#[test]
fn what_was_taken_back_is_announced_again_with_an_id_of_its_own() {
    let mut given = Given::default().after(&[follow(), january_done()]);
    assert_eq!(
        names(&given.when(&january_open(1))),
        ["progress.occurrence-reopened.v1"]
    );
    let taken_back = given.when(&february_withdrawn(1));
    assert_eq!(names(&taken_back), ["progress.occurrence-withdrawn.v1"]);
    assert!(given.when(&february_withdrawn(1)).is_empty());

    let events = given.when(&january(1, "2027-01-30T13:00:00Z"));

    assert_eq!(events[1], again(FEBRUARY, 2, 0, 1));
    let id = ProgressStream::event_id(&events[1], given.0.as_ref().unwrap());
    let expected = occurrence_again_event_id(series().id, FEBRUARY, JANUARY, 1);
    assert_eq!(id, Some(expected));
    // What is heard of the first time from now on is past.
    assert!(given.when(&february_withdrawn(1)).is_empty());
    assert!(given.when(&january_done()).is_empty());
}

#[test]
fn until_it_is_heard_what_became_of_the_successor_nothing_else_is_announced() {
    let late = january(1, "2027-03-01T08:00:00Z");
    let mut given = Given::default().after(&[follow(), january_done(), late]);
    assert_eq!(
        given.0.as_ref().unwrap().announced_slot.as_deref(),
        Some(FEBRUARY)
    );

    let events = given.when(&february_withdrawn(1));

    assert_eq!(events[1], again(MARCH, 3, 1, 1));
}

#[test]
fn a_successor_that_is_kept_is_the_one_that_counts() {
    let late = january(1, "2027-03-01T08:00:00Z");
    let mut given = Given::default().after(&[follow(), january_done(), january_open(1), late]);

    let events = given.when(&finish(FEBRUARY, "2027-03-01T09:00:00Z"));

    assert_eq!(events[1], due(MARCH, 3, 0, FEBRUARY));
}

#[test]
fn what_is_open_again_when_its_series_is_resumed_is_followed_by_nothing() {
    let paused = follow_with(SeriesStatus::Paused, "FREQ=MONTHLY");
    let mut given = Given::default().after(&[paused, january_done(), january_open(1)]);
    assert_eq!(
        names(&given.when(&follow())),
        ["progress.series-followed.v1"]
    );
}

#[test]
fn a_finish_that_was_undone_is_past_also_when_it_is_heard_of_later() {
    let mut given = Given::default().after(&[follow(), february_withdrawn(1)]);
    assert!(given.when(&january_done()).is_empty());
    assert_eq!(given.when(&january(1, TEN))[1], again(FEBRUARY, 2, 0, 1));
    assert!(given.0.unwrap().withdrawn.is_empty());
}

#[test]
fn a_series_that_is_made_on_schedule_by_now_announces_it_for_another_time() {
    let mut on_schedule = series();
    on_schedule.generation.mode = event_schema::GenerationMode::OnSchedule;
    let follow_on_schedule = Command::Follow {
        series: Box::new(on_schedule),
    };
    let before = [
        follow(),
        january_done(),
        january_open(1),
        february_withdrawn(1),
    ];
    let mut given = Given::default().after(&before).after(&[follow_on_schedule]);

    let make = Command::Make {
        now: at("2027-02-28T08:00:00Z"),
    };
    // January is open again, and one may be.
    assert_eq!(given.when(&make), []);
    given.when(&january(1, TEN));
    let events = given.when(&make);

    assert_eq!(events, [again(FEBRUARY, 2, 0, 1)]);
}

/// Task-api as far as it matters here: tasks, and what is under way between the two.
#[derive(Default)]
struct World {
    state: Option<SeriesProgress>,
    tasks: BTreeMap<String, (u64, Task)>,
    /// The versions that the generator has seen.
    seen: BTreeMap<String, u64>,
    to_generator: Vec<(u64, Task)>,
    to_tasks: Vec<OccurrenceDue>,
    announced: BTreeSet<EventId>,
}

impl World {
    fn new() -> Self {
        let mut world = Self::default();
        let first = Task {
            status: Status::Open,
            completed_at: None,
            occurrence_index: Some(1),
            ..done("2027-01-01", at("2027-01-01T00:00:00Z"))
        };
        world.tell(first);
        world.hear(&Command::Follow {
            series: Box::new(daily()),
        });
        world
    }

    fn tell(&mut self, task: Task) {
        let slot = task.slot.clone().unwrap();
        let version = self.tasks.get(&slot).map_or(1, |(version, _)| version + 1);
        self.to_generator.push((version, task.clone()));
        self.tasks.insert(slot, (version, task));
    }

    fn hear(&mut self, command: &Command) {
        for event in decide(self.state.as_ref(), command.clone()).unwrap() {
            self.state = evolve(self.state.take(), &event);
            let id = ProgressStream::event_id(&event, self.state.as_ref().unwrap());
            assert!(
                id.is_none_or(|id| self.announced.insert(id)),
                "{event:?} twice"
            );
            if let ProgressEvent::OccurrenceDue(due) = event {
                self.to_tasks.push(due);
            }
        }
    }

    /// What is there, in short.
    fn story(&self) -> String {
        let short = |(slot, (version, task)): (&String, &(u64, Task))| {
            let after = (&task.previous_slot, &task.withdrawn);
            format!(
                "{slot} v{version} {:?} undone {} {after:?}",
                task.status, task.undone
            )
        };
        let tasks: Vec<String> = self.tasks.iter().map(short).collect();
        let state = self.state.clone().unwrap();
        let (announced, after) = (state.announced_slot, state.announced_after);
        let finished = state.finished.map(|one| (one.slot, one.undone));
        format!(
            "{tasks:#?} {finished:?} {announced:?} {after:?} {:?}",
            state.withdrawn
        )
    }

    fn open(&self) -> Vec<String> {
        let open = self.tasks.iter().filter(|(_, (_, task))| task.is_open());
        open.map(|(slot, _)| slot.clone()).collect()
    }

    /// The newest open occurrence is completed so many days after its slot.
    fn complete(&mut self, days: i64) {
        let Some(slot) = self.open().pop() else {
            return;
        };
        let task = self.tasks[&slot].1.clone();
        let completed_at = at(&format!("{slot}T12:00:00Z")) + TimeDelta::days(days);
        self.tell(Task {
            status: Status::Completed,
            completed_at: Some(completed_at),
            ..task
        });
    }

    /// The newest completed one is reopened; whoever came because of it is taken back, if untouched.
    fn reopen(&mut self, touched: bool) {
        let is_done = |task: &Task| task.status == Status::Completed;
        let newest = self.tasks.values().rev().find(|(_, task)| is_done(task));
        let Some((_, task)) = newest.cloned() else {
            return;
        };
        let undone = task.undone + 1;
        let next = self.tasks.values().map(|(_, next)| next.clone());
        let next = next.filter(|next| next.is_open() && next.previous_slot == task.slot);
        let taken_back = next
            .filter(|_| !touched)
            .map(|next| withdrawn(next, task.slot.as_deref().unwrap(), undone));
        for next in taken_back.collect::<Vec<_>>() {
            self.tell(next);
        }
        self.tell(Task {
            status: Status::Open,
            completed_at: None,
            undone,
            ..task
        });
    }

    fn create(&mut self, due: &OccurrenceDue) {
        let previous = self.tasks[&due.previous_slot].1.clone();
        let undone = due.undone.unwrap();
        let is_obsolete = previous.undone > undone;
        let made = Task {
            status: Status::Open,
            completed_at: None,
            occurrence_index: Some(due.index),
            previous_slot: Some(due.previous_slot.clone()),
            undone,
            ..done(&due.slot, at(TEN))
        };
        let Some((_, known)) = self.tasks.get(&due.slot).cloned() else {
            let gone = withdrawn(made.clone(), &due.previous_slot, previous.undone);
            self.tell(if is_obsolete { gone } else { made });
            return;
        };
        let gone = known.withdrawn.get(&due.previous_slot).copied();
        if !known.is_withdrawn() {
            return;
        }
        if is_obsolete && gone < Some(previous.undone) {
            self.tell(withdrawn(known, &due.previous_slot, previous.undone));
        } else if !is_obsolete && gone <= Some(undone) {
            self.tell(Task {
                previous_slot: Some(due.previous_slot.clone()),
                undone: known.undone.max(undone),
                withdrawn: BTreeMap::new(),
                trashed_at: None,
                ..known
            });
        }
    }

    fn deliver(&mut self, index: Index, repeat: bool) {
        let all = self.to_generator.len() + self.to_tasks.len();
        if all == 0 {
            return;
        }
        self.deliver_at(index.index(all), repeat);
    }

    fn deliver_at(&mut self, index: usize, repeat: bool) {
        if let Some(dues) = index.checked_sub(self.to_generator.len()) {
            let due = self.to_tasks[dues].clone();
            if !repeat {
                self.to_tasks.remove(dues);
            }
            self.create(&due);
            return;
        }
        let (version, task) = self.to_generator[index].clone();
        if !repeat {
            self.to_generator.remove(index);
        }
        let seen = self.seen.entry(task.slot.clone().unwrap()).or_default();
        if version > *seen {
            *seen = version;
            self.hear(&Command::Finish {
                task: Box::new(task),
            });
        }
    }

    fn settle(&mut self) {
        while !self.to_generator.is_empty() || !self.to_tasks.is_empty() {
            self.deliver_at(0, false);
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Complete(days) => self.complete(*days),
            Step::Reopen { touched } => self.reopen(*touched),
            Step::Deliver { index, repeat } => self.deliver(*index, *repeat),
        }
    }
}

fn daily() -> Series {
    let mut daily = series();
    daily.recurrence.rrule = "FREQ=DAILY".to_owned();
    daily.start = event_schema::TimeValue::Date {
        date: "2027-01-01".parse().unwrap(),
    };
    daily
}

fn withdrawn(mut task: Task, previous_slot: &str, undone: u32) -> Task {
    task.withdrawn.insert(previous_slot.to_owned(), undone);
    Task {
        trashed_at: Some(at(TEN)),
        ..task
    }
}

#[derive(Clone, Debug)]
enum Step {
    Complete(i64),
    Reopen { touched: bool },
    Deliver { index: Index, repeat: bool },
}

fn steps(touching: bool) -> impl Strategy<Value = Vec<Step>> {
    let touched = if touching {
        any::<bool>().boxed()
    } else {
        Just(false).boxed()
    };
    let step = prop_oneof![
        2 => (0_i64..6).prop_map(Step::Complete),
        2 => touched.prop_map(|touched| Step::Reopen { touched }),
        4 => (any::<Index>(), any::<bool>()).prop_map(|(index, repeat)| Step::Deliver { index, repeat }),
    ];
    prop::collection::vec(step, 0..60)
}

fn settled(steps: &[Step]) -> World {
    let mut world = World::new();
    for step in steps {
        world.step(step);
    }
    world.settle();
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_is_undone_and_however_it_travels_one_occurrence_is_open(steps in steps(false)) {
        let world = settled(&steps);
        prop_assert_eq!(world.open().len(), 1, "{}", world.story());
    }

    /// What is kept is one more that is open; that the series goes on is what matters then.
    #[test]
    fn a_series_goes_on_whatever_is_kept(steps in steps(true)) {
        let mut world = settled(&steps);
        let kept = world.open().len();
        prop_assert!(kept >= 1);
        for _ in 0..kept {
            world.complete(0);
        }
        world.settle();
        prop_assert_eq!(world.open().len(), 1);
    }
}
