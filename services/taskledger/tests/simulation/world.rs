//! The services, the time, and what is on its way between them.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use event_schema::all_events;
use serde_json::Value;
use test_support::{Random, TestSuite};

use super::services;

/// The place of each service in the world.
pub(crate) const TASKS: usize = 0;
pub(crate) const SCHEDULER: usize = 2;
const SERVICES: usize = 4;
/// A world that is not at rest after so many rounds never will be.
const MOST_ROUNDS: usize = 500;

/// An event on its way to a service.
#[derive(Clone)]
struct Message {
    to: usize,
    event: Value,
}

/// The services of one seed, and everything between them.
pub(crate) struct World {
    pub(crate) random: Random,
    seed: u64,
    services: [TestSuite; SERVICES],
    /// Which topics each service subscribes to.
    topics: Vec<Vec<String>>,
    /// How much of what each has published is on its way or delivered.
    heard: [usize; SERVICES],
    on_the_way: Vec<Message>,
    delivered: Vec<Message>,
    log: Vec<String>,
}

impl World {
    /// On every database that can be had.
    pub(crate) async fn every(seed: u64) -> Vec<Self> {
        let mut worlds = Vec::new();
        for services in services::every().await {
            let services = services.map(|suite| suite.seed(seed));
            let mut topics = Vec::new();
            for suite in &services {
                let table = suite.subscriptions().await;
                let names = table.as_array().unwrap().iter();
                let names = names.map(|entry| entry["topic"].as_str().unwrap().to_owned());
                topics.push(names.collect());
            }
            worlds.push(Self {
                random: Random::new(seed),
                seed,
                services,
                topics,
                heard: [0; SERVICES],
                on_the_way: Vec::new(),
                delivered: Vec::new(),
                log: Vec::new(),
            });
        }
        worlds
    }

    /// Where the user asks.
    pub(crate) fn tasks(&self) -> &TestSuite {
        &self.services[TASKS]
    }

    pub(crate) fn scheduler(&self) -> &TestSuite {
        &self.services[SCHEDULER]
    }

    /// Where the user looks.
    pub(crate) fn notifier(&self) -> &TestSuite {
        &self.services[SERVICES - 1]
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.tasks().now()
    }

    /// Time passes, for all of them.
    pub(crate) fn pass(&mut self, time: TimeDelta) {
        self.note(&format!("{time} pass"));
        for suite in &self.services {
            suite.advance(time);
        }
    }

    /// For who reads about a seed that went wrong.
    pub(crate) fn note(&mut self, what: &str) {
        let now = self.now();
        self.log.push(format!("{now} {what}"));
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.random.below(100) < percent
    }

    /// Something of what can happen between two things that a user does: workers run, events arrive in
    /// any order and again, a service restarts.
    pub(crate) async fn travel(&mut self) {
        if self.chance(5) {
            let one = self.random.below(SERVICES);
            self.note(&format!("service {one} restarts"));
            self.services[one].restart().await;
        }
        for one in 0..SERVICES {
            if self.chance(60) {
                self.services[one].run_workers_once().await;
            }
        }
        self.collect();
        for _ in 0..self.random.below(8) {
            self.deliver_one().await;
        }
    }

    /// Until nothing is left to do and nothing is on its way.
    pub(crate) async fn settle(&mut self) {
        for round in 0.. {
            assert!(round < MOST_ROUNDS, "they never come to rest: {self}");
            for suite in &mut self.services {
                suite.run_workers().await;
            }
            self.collect();
            if self.on_the_way.is_empty() {
                return;
            }
            while !self.on_the_way.is_empty() {
                self.deliver_one().await;
            }
        }
    }

    /// Everything that was ever published arrives once more, in another order.
    pub(crate) async fn repeat_everything(&mut self) {
        let mut again = self.delivered.clone();
        self.random.shuffle(&mut again);
        for message in again {
            self.deliver(&message).await;
        }
        self.settle().await;
    }

    /// What was published since goes on its way to all who subscribe to it.
    fn collect(&mut self) {
        for from in 0..SERVICES {
            let published = self.services[from].published();
            for event in &published[self.heard[from]..] {
                let topic = topic_of(event);
                let to = (0..SERVICES).filter(|to| self.topics[*to].iter().any(|t| t == topic));
                let message = |to| Message {
                    to,
                    event: event.clone(),
                };
                self.on_the_way.extend(to.map(message));
            }
            self.heard[from] = published.len();
        }
    }

    async fn deliver_one(&mut self) {
        if self.on_the_way.is_empty() {
            return;
        }
        let index = self.random.below(self.on_the_way.len());
        let message = self.on_the_way.swap_remove(index);
        self.deliver(&message).await;
        self.delivered.push(message);
        if self.chance(20) {
            let index = self.random.below(self.delivered.len());
            let repeated = self.delivered[index].clone();
            self.deliver(&repeated).await;
        }
    }

    async fn deliver(&self, message: &Message) {
        let topic = all_events().find(|known| message.event["type"] == known.name);
        let topic = topic.and_then(|known| known.topic).unwrap();
        let suite = &self.services[message.to];
        let answer = suite.deliver_single(topic, &message.event).await;
        assert_eq!(answer, "SUCCESS", "{self}: {:#}", message.event);
    }

    pub(crate) async fn finish(self) {
        for suite in self.services {
            suite.finish().await;
        }
    }

    /// What all of them published about a task.
    pub(crate) fn about(&self, task: &Value) -> Vec<String> {
        let all = self.services.iter().flat_map(TestSuite::published);
        let about = all.filter(|event| event["subject"] == *task);
        let word = |event: &Value, name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let line = |event: Value| {
            let change = &event["data"]["change"];
            let (time, of, version) = (
                word(&event, "time"),
                word(&event, "type"),
                word(&event, "sequence"),
            );
            format!("{time} {of} {version} {change}")
        };
        about.map(line).collect()
    }

    /// How many of what all of them published are of each type.
    pub(crate) fn published(&self) -> BTreeMap<String, usize> {
        let mut count = BTreeMap::new();
        for suite in &self.services {
            for name in suite.published_types() {
                *count.entry(name).or_default() += 1;
            }
        }
        count
    }
}

fn topic_of(event: &Value) -> &'static str {
    let known = all_events().find(|known| event["type"] == known.name);
    known.and_then(|known| known.topic).unwrap().name()
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TASKLEDGER_SEED={}\n{}", self.seed, self.log.join("\n"))
    }
}
