//! The order of arrival does not matter.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::domain::progress::fixtures::{at, done, series};
use crate::domain::progress::*;

/// What is on its way to the generator, and what has come of it.
struct World {
    state: Option<SeriesProgress>,
    seen_version: u64,
    /// How many days after its slot each occurrence is finished, in the order of slots.
    delays: Vec<i64>,
    on_the_way: Vec<Message>,
    delivered: Vec<Message>,
    announced: Vec<String>,
}

#[derive(Clone, Debug)]
enum Message {
    Series { version: u64, series: Box<Series> },
    Done(Box<Task>),
}

impl World {
    /// A series that is started, paused and resumed, and its first occurrence.
    fn new(rrule: &str, delays: &[i64]) -> Self {
        let message = |(version, status)| {
            let mut series = Series { status, ..series() };
            series.recurrence.rrule = rrule.to_owned();
            let series = Box::new(series);
            Message::Series { version, series }
        };
        let versions = [
            (1, SeriesStatus::Active),
            (2, SeriesStatus::Paused),
            (3, SeriesStatus::Active),
        ];
        let mut world = Self {
            state: None,
            seen_version: 0,
            delays: delays.iter().rev().copied().collect(),
            on_the_way: versions.map(message).to_vec(),
            delivered: vec![],
            announced: vec![],
        };
        world.create_occurrence("2027-01-31T09:00");
        world
    }

    /// A task exists once its slot was announced, and then somebody finishes it.
    fn create_occurrence(&mut self, slot: &str) {
        let Some(days) = self.delays.pop() else {
            return;
        };
        let completed_at = at(&format!("{slot}:00Z")) + TimeDelta::days(days);
        let task = Box::new(done(slot, completed_at));
        self.on_the_way.push(Message::Done(task));
    }

    /// Series go through the version gate, as the lane's; tasks do without.
    fn deliver(&mut self, message: &Message) {
        let command = match message.clone() {
            Message::Series { version, .. } if version <= self.seen_version => return,
            Message::Series { version, series } => {
                self.seen_version = version;
                Command::Follow { series }
            }
            Message::Done(task) => Command::Finish { task },
        };
        for event in decide(self.state.as_ref(), command).unwrap() {
            self.state = evolve(self.state.take(), &event);
            if let ProgressEvent::OccurrenceDue(due) = event {
                self.create_occurrence(&due.slot);
                self.announced.push(due.slot);
            }
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Deliver(index) if !self.on_the_way.is_empty() => {
                let message = self.on_the_way.remove(index.index(self.on_the_way.len()));
                self.deliver(&message);
                self.delivered.push(message);
            }
            Step::Repeat(index) if !self.delivered.is_empty() => {
                let message = self.delivered[index.index(self.delivered.len())].clone();
                self.deliver(&message);
            }
            Step::Deliver(_) | Step::Repeat(_) => {}
        }
    }

    /// Whatever was dropped on the way is delivered again in the end.
    fn settle(mut self) -> Self {
        while !self.on_the_way.is_empty() {
            let message = self.on_the_way.remove(0);
            self.deliver(&message);
        }
        self
    }
}

#[derive(Clone, Debug)]
enum Step {
    Deliver(Index),
    Repeat(Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        any::<Index>().prop_map(Step::Deliver),
        any::<Index>().prop_map(Step::Repeat),
    ];
    prop::collection::vec(step, 0..40)
}

fn rule() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "FREQ=DAILY;INTERVAL=3",
        "FREQ=WEEKLY;BYDAY=MO,TH",
        "FREQ=MONTHLY",
        "FREQ=MONTHLY;COUNT=4",
        "FREQ=MONTHLY;BYMONTHDAY=31",
        "FREQ=YEARLY",
    ])
}

proptest! {
    #[test]
    fn every_order_announces_the_same_slots_and_each_once(
        rrule in rule(),
        delays in prop::collection::vec(-20_i64..120, 1..8),
        steps in steps(),
    ) {
        let expected = World::new(rrule, &delays).settle();
        let mut world = World::new(rrule, &delays);

        for step in &steps {
            world.step(step);
        }
        let world = world.settle();

        prop_assert_eq!(&world.announced, &expected.announced);
        prop_assert_eq!(world.state, expected.state);
        let different: BTreeSet<_> = world.announced.iter().collect();
        prop_assert_eq!(different.len(), world.announced.len());
    }

    /// A generator that lost its ledger reads the topics again, where later occurrences may come
    /// before earlier ones: those that are finished need not be announced, the next one (or the end) must be.
    #[test]
    fn a_replay_in_any_order_ends_at_the_same_slot(
        rrule in rule(),
        delays in prop::collection::vec(-20_i64..120, 1..8),
        order in any::<Index>(),
        seed in prop::collection::vec(any::<Index>(), 16),
    ) {
        let mut first = World::new(rrule, &delays);
        while !first.on_the_way.is_empty() {
            first.step(&Step::Deliver(order));
        }
        let mut replayed = World::new(rrule, &[]);
        replayed.on_the_way.clone_from(&first.delivered);

        for index in seed {
            replayed.step(&Step::Deliver(index));
        }
        let replayed = replayed.settle();

        let exhausted = |world: &World| world.state.as_ref().is_some_and(|state| state.exhausted);
        prop_assert_eq!(exhausted(&replayed), exhausted(&first));
        if !exhausted(&first) {
            prop_assert_eq!(replayed.announced.last(), first.announced.last());
        }
        let different: BTreeSet<_> = replayed.announced.iter().collect();
        prop_assert_eq!(different.len(), replayed.announced.len());
    }
}
