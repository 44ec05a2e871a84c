//! What task-api and its users do: an occurrence that is due is created once, and completed at once.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use event_schema::{OccurrenceDue, SeriesId, occurrence_event_id};
use serde_json::Value;
use test_support::Published;
use test_support::fixture::{SeriesStory, series, task};

/// The first slot of every series.
const FIRST: &str = "2026-11-23";

/// Daily series, each of which is completed so many times but one.
pub(crate) struct World {
    series: BTreeMap<SeriesId, SeriesStory>,
    occurrences: u32,
    created: BTreeSet<(SeriesId, String)>,
    /// The ids of the events that made a slot due.
    announced: BTreeMap<(SeriesId, String), BTreeSet<String>>,
    /// Everything that was said so far.
    said: Vec<Value>,
    heard: usize,
}

impl World {
    pub(crate) fn new(count: usize, occurrences: u32) -> Self {
        let all = (0..count).map(|number| series(&format!("Series {number}"), "FREQ=DAILY"));
        let all = all.map(|story| (story.state().id, story.started()));
        Self {
            series: all.collect(),
            occurrences,
            created: BTreeSet::new(),
            announced: BTreeMap::new(),
            said: Vec::new(),
            heard: 0,
        }
    }

    /// Every series starts, and its first occurrence is done.
    pub(crate) fn begin(&mut self) -> Vec<Value> {
        let series: Vec<(SeriesId, Vec<Value>)> = self
            .series
            .iter()
            .map(|(id, story)| (*id, story.events()))
            .collect();
        let mut said = Vec::new();
        for (id, started) in series {
            said.extend(started);
            said.extend(self.create(id, FIRST, 1));
        }
        self.said.clone_from(&said);
        said
    }

    /// What is said to what was published since.
    pub(crate) fn react(&mut self, published: &[Published]) -> Vec<Value> {
        let mut said = Vec::new();
        for one in &published[self.heard..] {
            if one.event_type() != "occurrence.due.v1" {
                continue;
            }
            let change = one.event["data"]["change"].clone();
            let due: OccurrenceDue = serde_json::from_value(change).unwrap();
            let id: SeriesId = one.key.parse().unwrap();
            let ids = self.announced.entry((id, due.slot.clone())).or_default();
            ids.insert(one.id().to_owned());
            said.extend(self.create(id, &due.slot, due.index));
        }
        self.heard = published.len();
        self.said.extend(said.clone());
        said
    }

    /// Everything that was said, for one who hears it again from the beginning.
    pub(crate) fn said(&self) -> Vec<Value> {
        self.said.clone()
    }

    /// How many occurrences there are, and whether that is all.
    pub(crate) fn created(&self) -> (usize, bool) {
        let all = self.series.len() * usize::try_from(self.occurrences).unwrap();
        (self.created.len(), self.created.len() >= all)
    }

    /// Holds that each series had every slot in its turn, each made due by one event.
    pub(crate) fn assert_each_slot_once(&self) {
        let mut wanted = BTreeMap::new();
        let first: NaiveDate = FIRST.parse().unwrap();
        for id in self.series.keys() {
            for day in 1..self.occurrences {
                let slot = (first + Days::new(day.into())).to_string();
                let event = occurrence_event_id(*id, &slot).to_string();
                wanted.insert((*id, slot), BTreeSet::from([event]));
            }
        }
        assert_eq!(self.announced, wanted);
    }

    fn create(&mut self, id: SeriesId, slot: &str, index: u32) -> Vec<Value> {
        if !self.created.insert((id, slot.to_owned())) {
            return Vec::new();
        }
        let series = self.series[&id].state();
        let created = task(&series.template.title).occurrence(series, slot, index);
        let created = created.created();
        if index < self.occurrences {
            created.completed().events()
        } else {
            created.events()
        }
    }
}
